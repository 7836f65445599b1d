// Who is asked, and in which session: of the address, which crowd platforms write, else drawn here.
const address = new URLSearchParams(window.location.search);
const PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE";
const NAMES_IN_ADDRESS = {
  prolific_pid: "PROLIFIC_PID",
  prolific_study_id: "STUDY_ID",
  prolific_session_id: "SESSION_ID",
  worker_id: "workerId",
  assignment_id: "assignmentId",
  hit_id: "hitId",
};

function fromAddress(name) {
  const plain = (address.get(name) || "").replace(/[\u0000-\u001f\u007f]/g, "").trim();
  return Array.from(plain).slice(0, 300).join("");
}

const identifiers = {};
for (const [name, inAddress] of Object.entries(NAMES_IN_ADDRESS)) {
  if (fromAddress(inAddress)) identifiers[name] = fromAddress(inAddress);
}
const isPreview = identifiers.assignment_id === PREVIEW;

function drawn(length, letters) {
  const numbers = crypto.getRandomValues(new Uint32Array(length));
  return Array.from(numbers, (number) => letters[number % letters.length]).join("");
}

const HEXADECIMAL = "0123456789abcdef";
const UNMISTAKABLE = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

function shuffled(items) {
  const order = [...items];
  const numbers = crypto.getRandomValues(new Uint32Array(order.length));
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = numbers[last] % (last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

const prefix = `layerstats-listening:${data.design_hash}`;
const named = identifiers.prolific_pid || identifiers.worker_id || fromAddress("rater");
const rater = named || remembered(`${prefix}:rater`, () => `anonymous-${drawn(16, HEXADECIMAL)}`);
// One worker may have several assignments, and an assignment that was returned goes to another worker.
const memoryKey = [prefix, rater, identifiers.assignment_id || "", fromAddress("session")].map(encodeURIComponent).join(":");

// The session: of the address, else what the server says, else one at random.
async function chooseSession() {
  const asked = fromAddress("session");
  if (asked) {
    if (!Object.hasOwn(data.sessions, asked)) throw new Error(say("no_session", { session: asked }));
    return Number(asked);
  }
  const known = Object.keys(data.sessions);
  if (data.assign_from === null) {
    return Number(known[crypto.getRandomValues(new Uint32Array(1))[0] % known.length]);
  }
  const where = new URL(data.assign_from, window.location.href);
  where.searchParams.set("rater", rater);
  const response = await fetch(where, { cache: "no-store" });
  const given = response.ok ? await response.json().catch(() => null) : null;
  if (given === null || !Object.hasOwn(data.sessions, String(given.session))) throw new Error(say("no_server"));
  if (given.done) throw new Error(say("done_before"));
  return given.session;
}
