// What was answered so far is kept by the browser after every step, so that a reload goes on where it was.
let state = null;
let memoryWorks = true;

function stored(key) {
  try {
    return window.localStorage.getItem(key);
  } catch {
    memoryWorks = false;
    return null;
  }
}

function store(key, text) {
  try {
    window.localStorage.setItem(key, text);
    memoryWorks = true;
  } catch {
    memoryWorks = false;
  }
  document.getElementById("memory").hidden = memoryWorks;
}

function remembered(key, drawIt) {
  const found = stored(key);
  if (found) return found;
  const made = drawIt();
  store(key, made);
  return made;
}

function forget(key) {
  try {
    window.localStorage.removeItem(key);
  } catch {
    memoryWorks = false;
  }
}

function now() {
  return new Date().toISOString();
}

function newState(session) {
  return {
    submission: drawn(32, HEXADECIMAL),
    session,
    step: "consent",
    started_at: now(),
    finished_at: null,
    native_language: "",
    comment: "",
    headphones: null,
    answers: [],
    trial: null,
    completion_url: data.completion_url,
    completion_code: data.completion_code || drawn(8, UNMISTAKABLE),
    delivered: false,
  };
}

function save() {
  // Another window has taken over.
  if (state === null) return;
  store(memoryKey, JSON.stringify(state));
}

function restore() {
  try {
    const found = JSON.parse(stored(memoryKey) || "null");
    return found && Object.hasOwn(data.sessions, String(found.session)) && Array.isArray(found.answers) ? found : null;
  } catch {
    return null;
  }
}

function goTo(step) {
  state.step = step;
  state.trial = null;
  save();
  show();
}

// Answers are kept until they are out; whoever leaves before that is asked.
let leaving = false;
window.addEventListener("beforeunload", (event) => {
  // Mechanical Turk has them when its own button is pressed, which leaves the page.
  const out = state !== null && state.delivered && !toMturk();
  if (leaving || state === null || out || state.step === "consent") return;
  event.preventDefault();
  event.returnValue = "";
});

// What the browser shows again as it was left does not know what was answered since.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  leaving = true;
  window.location.reload();
});

// Two windows of one session would write over each other.
window.addEventListener("storage", (event) => {
  if (event.key !== memoryKey || state === null) return;
  state = null;
  showProblem(say("other_window_heading"), say("other_window"), button(say("use_this_window"), () => {
    leaving = true;
    window.location.reload();
  }, { class: "main" }));
});
