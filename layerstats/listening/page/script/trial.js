// One trial: sounds, then an answer. The headphone check asks in the same way.
let trial = null;

function leaveTrial() {
  if (trial === null) return;
  trial.sounds.leave();
  trial = null;
}

// What is asked: `sounds` (addresses), `labels` of their buttons, `choices` ({value, label, note}), or none where the
// answer is typed. `answered` is told once: the value and the problem.
function ask({ name, heading, above, prompt, sounds, labels, choices, answered, withoutAnswer }) {
  leaveTrial();
  state.trial ??= { plays: 0, heard: sounds.map(() => false), seconds: 0 };
  const kept = state.trial;
  const own = { kept, since: performance.now(), before: kept.seconds, done: false };
  own.sounds = new Sounds(sounds, kept, () => { keepTime(own); save(); refresh(own); });
  own.playButtons = labels.map((label, index) => button(label, () => own.sounds.play(index), { class: "play" }));
  own.status = status();
  own.fields = make("fieldset", { disabled: "" }, make("legend", {}, say("your_answer")), ...answerFields(choices));
  // Many short words stand side by side.
  own.fields.classList.toggle("many", choices.length > 8);
  own.next = submitButton();
  own.skip = button(say("without_answer"), () => finish("", "not played"), { hidden: "" });
  const finish = (value, problem) => {
    if (own.done) return;
    own.done = true;
    keepTime(own);
    const { plays, seconds } = kept;
    leaveTrial();
    state.trial = null;
    answered({ value, problem, plays, seconds: Math.round(seconds * 1000) / 1000 });
  };
  own.form = form(() => {
    const value = givenAnswer(own);
    if (own.sounds.allHeard && value !== "") finish(value, "");
  }, own.fields, make("p", { class: "actions" }, own.next, withoutAnswer ? own.skip : null));
  own.form.addEventListener("input", () => refresh(own));
  trial = own;
  showScreen(name, heading, ...above, prompt ? make("p", { class: "prompt" }, prompt) : null,
    make("div", { class: "sounds" }, ...own.playButtons), own.status, own.form,
    make("p", { class: "keys" }, keysText(choices)));
  refresh(own);
}

function answerFields(choices) {
  if (!choices.length) {
    return [make("input", { type: "text", name: "answer", "aria-label": say("your_answer"), autocomplete: "off", dir: "auto",
      autocapitalize: "off", spellcheck: "false", maxlength: "2000" })];
  }
  return choices.map(({ value, label, key, shown }) => make("label", { class: "choice", "data-key": key ?? "" },
    make("input", { type: "radio", name: "answer", value: String(value), autocomplete: "off" }),
    shown ? make("b", {}, String(value)) : key ? make("kbd", { "aria-hidden": "true" }, key) : null,
    make("span", {}, label)));
}

function keysText(choices) {
  const keys = choices.map(({ key }) => key).filter((key) => key !== null);
  return keys.length ? say("keys", { first: keys[0], last: keys.at(-1) }) : say("keys_typed");
}

function givenAnswer(own) {
  const { answer } = own.form.elements;
  // What can be chosen is given as the design has it; no sign of it is lost.
  return answer.type === "text" ? answer.value.trim() : answer.value || "";
}

// Seconds that the trial was on the screen, before a reload as well.
function keepTime(own) {
  own.kept.seconds = own.before + (performance.now() - own.since) / 1000;
}

function refresh(own) {
  const { sounds } = own;
  own.playButtons.forEach((each, index) => {
    each.classList.toggle("heard", Boolean(sounds.kept.heard[index]));
    each.classList.toggle("playing", sounds.playing === index);
  });
  own.fields.disabled = !sounds.allHeard;
  own.next.disabled = !sounds.allHeard || givenAnswer(own) === "";
  own.skip.hidden = sounds.failures < 2;
  const failed = sounds.problem !== null;
  own.status.classList.toggle("problem", failed);
  const name = failed ? "sound_problem" : sounds.allHeard ? "may_answer" : "listen_first";
  const message = say(name);
  if (own.status.textContent !== message) own.status.textContent = message;
}

// Space plays, the keys of the choices choose, Enter goes on; whoever types or is on a button is left alone.
document.addEventListener("keydown", (event) => {
  if (trial === null || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const { target } = event;
  // Buttons have keys of their own; a number chooses on them as well, since whoever clicks Play stays on it.
  const pressed = target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement;
  if (pressed && (event.key === "Enter" || event.key === " ")) return;
  const types = target instanceof HTMLInputElement && target.type === "text";
  if (event.key === "Enter") {
    event.preventDefault();
    if (!trial.next.disabled) trial.form.requestSubmit();
    return;
  }
  if (types) return;
  const unchecked = target instanceof HTMLInputElement && !target.checked;
  if (event.key === " " && !unchecked) {
    event.preventDefault();
    trial.sounds.play(trial.sounds.next);
    return;
  }
  const chosen = trial.fields.disabled ? null
    : [...trial.fields.querySelectorAll("label.choice")].find((label) => label.dataset.key === event.key);
  if (!chosen) return;
  event.preventDefault();
  const radio = chosen.querySelector("input");
  radio.checked = true;
  radio.focus();
  refresh(trial);
});
