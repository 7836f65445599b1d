// The screens around the trials, and which comes after which.
function showPreview() {
  showScreen("preview", data.title, ...paragraphs(say("consent")), ...paragraphs(say("instructions")), scaleList(),
    make("p", { class: "notice" }, say("preview")));
}

function showConsent() {
  showScreen("consent", data.title, ...paragraphs(say("consent")),
    form(() => goTo("language"), submitButton(say("agree"))));
}

function showLanguage() {
  const input = make("input", {
    type: "text", id: "language", name: "language", required: "", maxlength: "300", autocomplete: "off", dir: "auto",
    "aria-describedby": "language-note",
  });
  const told = status();
  showScreen("language", say("language_heading"), form(() => {
    const given = input.value.trim();
    if (!given) {
      told.textContent = say("language_missing");
      told.classList.add("problem");
      input.setAttribute("aria-invalid", "true");
      input.focus();
      return;
    }
    state.native_language = given;
    goTo(data.headphones === null ? "instructions" : "headphones");
  }, make("label", { for: "language" }, say("language")), input,
  make("p", { id: "language-note", class: "note" }, say("language_note")), told, submitButton()));
}

function scaleList() {
  if (data.task !== "opinion") return null;
  return make("dl", { class: "scale" }, ...data.choices.flatMap(({ value, label, anchor }) => [
    make("dt", {}, `${value} ${label}`), make("dd", {}, anchor)]));
}

function showInstructions() {
  const [first] = sessionTrials();
  const practice = first && first.training ? make("p", {}, say("practice_first")) : null;
  showScreen("instructions", say("instructions_heading"), ...paragraphs(say("instructions")),
    make("p", { class: "asked" }, data.question), scaleList(), ...paragraphs(say("how_to_answer")), practice,
    form(() => goTo("trials"), submitButton(say("begin"))));
}

function showAfterPractice() {
  showScreen("after_practice", say("after_practice_heading"), ...paragraphs(say("after_practice")),
    form(() => goTo("trials"), submitButton(say("begin"))));
}

function showComment() {
  const box = make("textarea", { id: "comment", rows: "5", maxlength: "10000", autocomplete: "off", dir: "auto" });
  box.value = state.comment;
  box.addEventListener("input", () => { state.comment = box.value; save(); });
  showScreen("comment", say("comment_heading"), form(() => {
    state.comment = box.value.trim();
    state.finished_at = now();
    goTo("submit");
  }, make("label", { for: "comment" }, say("comment")), box, submitButton(say("submit"))));
}

function showThanks() {
  const mturk = toMturk();
  const code = make("p", { class: "code" }, make("span", {}, say("code")), " ", make("output", {}, state.completion_code));
  const onward = state.completion_url === null ? null
    : make("p", {}, make("a", { href: state.completion_url, class: "main" }, say("go_back")));
  const other = named || mturk ? null : button(say("another_rater"), () => {
    forget(memoryKey);
    forget(`${prefix}:rater`);
    leaving = true;
    window.location.reload();
  });
  showScreen("thanks", say("thanks_heading"), ...paragraphs(say(mturk ? "thanks_mturk" : "thanks")), mturk ? mturkForm(mturk) : code, onward,
    downloads(), other ? make("p", { class: "actions" }, other) : null);
}

const SCREENS = {
  consent: showConsent,
  language: showLanguage,
  headphones: showHeadphones,
  instructions: showInstructions,
  trials: showTrial,
  after_practice: showAfterPractice,
  comment: showComment,
  submit: showDelivery,
  thanks: showThanks,
};

function show() {
  leaveTrial();
  SCREENS[state.step]();
}

async function begin() {
  if (isPreview) {
    showPreview();
    return;
  }
  state = restore();
  if (state === null) {
    try {
      state = newState(await chooseSession());
    } catch (error) {
      const message = error instanceof TypeError ? say("no_server") : error.message;
      showProblem(data.title, message, button(say("try_again"), begin, { class: "main" }));
      return;
    }
    save();
  }
  show();
}

begin();
