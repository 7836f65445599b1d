// The trials of the session, one after another.
function sessionTrials() {
  return data.sessions[String(state.session)].map(([clip, swapped], index) => (
    { ...data.clips[clip], swapped: Boolean(swapped), position: index + 1 }));
}

// Sounds and answers in the order of this trial; answers are in the clip's own names, whichever was played first.
function playedOrder({ sounds, swapped }) {
  return swapped ? [sounds[1], sounds[0], ...sounds.slice(2)] : sounds;
}

const SOUND_LABELS = { preference: ["play_first", "play_second"], abx: ["play_a", "play_b", "play_x"] };
const PAIR_LABELS = { preference: ["first", "second"], abx: ["first_is_x", "second_is_x"] };

function trialChoices({ swapped }) {
  const choices = data.choices.map(({ value, label }, index) => (
    { value, label, key: choiceKey(value, index), shown: data.task === "opinion" }));
  if (!(data.task in PAIR_LABELS)) return choices;
  const [first, second] = PAIR_LABELS[data.task].map((name) => say(name));
  const pair = swapped ? ["b", "a"] : ["a", "b"];
  const same = choices.filter(({ value }) => value === "same").map(() => ({ value: "same", label: say("same") }));
  return [{ value: pair[0], label: first }, { value: pair[1], label: second }, ...same]
    .map((choice, index) => ({ ...choice, key: String(index + 1) }));
}

// A point of a scale is chosen by its own number where that is one key, another answer by its place.
function choiceKey(value, index) {
  if (data.task === "opinion") return value >= 0 && value <= 9 ? String(value) : null;
  return index < 9 ? String(index + 1) : null;
}

function showTrial() {
  const trials = sessionTrials();
  const done = state.answers.length;
  if (done >= trials.length) {
    goTo("comment");
    return;
  }
  const current = trials[done];
  const next = trials[done + 1];
  const practice = trials.filter((each) => each.training).length;
  const before = trials.slice(0, done).filter((each) => each.training).length;
  const where = current.training ? say("practice", { number: before + 1, total: practice })
    : say("trial", { number: done - before + 1, total: trials.length - practice });
  const progress = make("progress", { max: String(trials.length), value: String(done), "aria-label": say("progress") });
  const sounds = playedOrder(current);
  ask({
    name: "trial",
    heading: data.question,
    above: [make("p", { class: "where" }, where), progress],
    prompt: current.prompt,
    sounds,
    labels: (SOUND_LABELS[data.task] || ["play"]).map((name) => say(name)),
    choices: data.typed ? [] : trialChoices(current),
    withoutAnswer: true,
    answered: (given) => keepAnswer(current, given),
  });
  if (next) fetchAhead(playedOrder(next));
}

function keepAnswer(current, { value, problem, plays, seconds }) {
  const paired = data.task in PAIR_LABELS;
  state.answers.push({
    clip: current.clip,
    position: current.position,
    training: current.training,
    rating: !problem && data.task === "opinion" ? Number(value) : null,
    response: !problem && data.task !== "opinion" ? value : null,
    swapped: paired ? current.swapped : null,
    seconds,
    plays,
    problem,
    answered_at: now(),
  });
  save();
  const following = sessionTrials()[state.answers.length];
  if (current.training && following && !following.training) {
    goTo("after_practice");
  } else {
    showTrial();
  }
}

// The headphone check: which of three tones is the quietest? One of them is in opposite phase in the two ears, so
// that loudspeakers, where both reach each ear, make it quiet as well (Woods et al., 2017).
function showHeadphones() {
  const check = state.headphones ??= { order: shuffled(data.headphones.trials.keys()), at: 0, right: 0, attempts: 1 };
  const total = data.headphones.trials.length;
  if (check.at === -1) {
    showScreen("headphones", say("headphones_heading"), ...paragraphs(say("headphones_again")),
      form(() => { check.at = 0; save(); showHeadphones(); }, submitButton()));
    return;
  }
  const current = data.headphones.trials[check.order[check.at]];
  ask({
    name: "headphones",
    heading: say("headphones_heading"),
    above: [...paragraphs(say("headphones")), make("p", { class: "asked" }, say("headphones_question")), make("p", { class: "where" }, say("check", { number: check.at + 1, total }))],
    prompt: null,
    sounds: [current.sound],
    labels: [say("play_tones")],
    choices: ["first", "second", "third"].map((name, index) => ({ value: index + 1, label: say(name), key: String(index + 1) })),
    withoutAnswer: true,
    answered: ({ value }) => {
      check.right += Number(Number(value) === current.quietest);
      check.at += 1;
      if (check.at < total) {
        save();
        showHeadphones();
        return;
      }
      check.correct = check.right;
      check.passed = check.right >= data.headphones.needed;
      if (check.passed || check.attempts >= data.headphones.attempts) {
        goTo("instructions");
        return;
      }
      Object.assign(check, { order: shuffled(check.order), at: -1, right: 0, attempts: check.attempts + 1 });
      save();
      showHeadphones();
    },
  });
}
