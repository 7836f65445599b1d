// Handing the answers out: posted until the server has them, as a file, and to Mechanical Turk.
const WAITS_S = [1, 2, 4, 8, 16, 30];
const MTURK = ["https://www.mturk.com", "https://workersandbox.mturk.com"];

function submission() {
  const { headphones } = state;
  return {
    format: data.format,
    design_hash: data.design_hash,
    submission: state.submission,
    task: data.task,
    session: state.session,
    rater,
    identifiers,
    native_language: state.native_language,
    comment: state.comment,
    headphones: headphones && headphones.correct !== undefined
      ? { correct: headphones.correct, trials: data.headphones.trials.length, passed: headphones.passed, attempts: headphones.attempts }
      : null,
    started_at: state.started_at,
    finished_at: state.finished_at,
    completion_code: state.completion_code,
    answers: state.answers,
  };
}

// A row an answer, in the columns that Python names.
function submissionCsv() {
  const whole = submission();
  const { headphones } = whole;
  const common = { ...whole, ...whole.identifiers };
  if (headphones) {
    for (const name of ["correct", "trials", "passed"]) common[`headphones_${name}`] = headphones[name];
  }
  const rows = whole.answers.map((answer) => {
    const row = { ...common, ...answer, role: answer.training ? "training" : "" };
    return data.columns.map((column) => csvCell(row[column]));
  });
  return `\ufeff${[data.columns, ...rows].map((row) => row.join(",")).join("\n")}\n`;
}

function csvCell(value) {
  if (value === undefined || value === null) return "";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  // What a spreadsheet takes for a formula stays text.
  const safe = /^ *[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function download(kind) {
  const text = kind === "csv" ? submissionCsv() : `${JSON.stringify(submission(), null, 1)}\n`;
  const type = kind === "csv" ? "text/csv" : "application/json";
  const link = make("a", {
    href: URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` })),
    download: `answers_session-${state.session}_${state.submission.slice(0, 8)}.${kind}`,
  });
  screen.append(link);
  link.click();
  link.remove();
  if (data.post_to === null && !toMturk()) delivered();
}

function downloads() {
  return make("p", { class: "actions" }, button(say("download_csv"), () => download("csv")),
    button(say("download_json"), () => download("json")));
}

function toMturk() {
  const given = fromAddress("turkSubmitTo").replace(/\/+$/, "");
  return identifiers.assignment_id && MTURK.includes(given) ? `${given}/mturk/externalSubmit` : null;
}

function delivered() {
  if (state.delivered) return;
  state.delivered = true;
  goTo("thanks");
}

let attempts = 0;
let waiting = null;
function showDelivery() {
  if (data.post_to === null) {
    if (toMturk()) {
      delivered();
      return;
    }
    showScreen("download", say("download_heading"), ...paragraphs(say("download")), downloads());
    return;
  }
  const told = status();
  showScreen("sending", say("sending_heading"), told,
    make("p", { class: "actions" }, button(say("send_now"), () => { attempts = 0; post(told); }, { class: "main" })),
    make("p", {}, say("sending_trouble")), downloads());
  post(told);
}

let posting = false;
async function post(told) {
  if (posting || state === null || state.delivered) return;
  posting = true;
  clearTimeout(waiting);
  told.textContent = say("sending");
  const problem = await postOnce();
  posting = false;
  // Another window has taken over, and sends the same.
  if (state === null) return;
  if (problem === null) {
    delivered();
  } else if (problem.final) {
    told.textContent = say("refused", { reason: problem.reason });
  } else {
    const seconds = WAITS_S[Math.min(attempts, WAITS_S.length - 1)];
    attempts += 1;
    told.textContent = say("not_sent", { seconds });
    waiting = setTimeout(() => post(told), 1000 * seconds);
  }
  told.classList.toggle("problem", problem !== null);
}

// Null where the answers are out; else whether it is of use to try again.
async function postOnce() {
  const stop = new AbortController();
  const patience = setTimeout(() => stop.abort(), 30000);
  try {
    const response = await fetch(data.post_to, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(submission()), signal: stop.signal,
    });
    const said = await response.text();
    if (response.ok) {
      useServersThanks(said);
      return null;
    }
    const mayPass = response.status >= 500 || response.status === 408 || response.status === 429;
    return { final: !mayPass, reason: `${response.status} ${said.slice(0, 300)}` };
  } catch {
    return { final: false };
  } finally {
    clearTimeout(patience);
  }
}

// Only those who handed answers in are told the code and the link that a server keeps.
function useServersThanks(said) {
  try {
    const { completion_code: code, completion_url: url } = JSON.parse(said);
    if (typeof code === "string" && code) state.completion_code = code;
    if (typeof url === "string" && /^https?:\/\//.test(url)) state.completion_url = url;
  } catch {
    // Another server says something else, or nothing.
  }
}

window.addEventListener("online", () => {
  const told = screen.querySelector("[role=status]");
  if (state?.step === "submit" && data.post_to !== null && told) post(told);
});

// Mechanical Turk takes answers as a form that leaves the page.
function mturkForm(target) {
  const whole = submission();
  const fields = { assignmentId: identifiers.assignment_id, [data.mturk_field]: JSON.stringify(whole) };
  const made = make("form", { method: "post", action: target }, ...Object.entries(fields).map(([name, value]) => (
    make("input", { type: "hidden", name, value }))), submitButton(say("finish_hit")));
  made.addEventListener("submit", () => { leaving = true; });
  return made;
}
