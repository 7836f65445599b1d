// Sounds of one trial: each is heard when it has been played to its end. They start after a gesture only.
const PATIENCE_MS = 15000;

class Sounds {
  // `changed` is told of every change; `kept` holds what a reload must not lose: plays and heard.
  constructor(addresses, kept, changed) {
    this.kept = kept;
    this.changed = changed;
    this.playing = null;
    this.failures = 0;
    this.problem = null;
    this.players = addresses.map((given, index) => this.player(given, index));
  }

  player(given, index) {
    const player = new Audio();
    player.preload = "auto";
    player.src = soundAddress(given);
    player.addEventListener("ended", () => {
      this.settle();
      this.kept.heard[index] = true;
      this.changed();
    });
    // Something else has stopped it: a call, a key for media.
    player.addEventListener("pause", () => {
      if (this.playing !== index || !player.paused || player.ended) return;
      this.settle();
      this.changed();
    });
    player.addEventListener("error", () => { if (!this.left) this.fail(index); });
    return player;
  }

  get allHeard() {
    return this.players.every((_, index) => this.kept.heard[index]);
  }

  // The first that was not heard; then all in turn.
  get next() {
    const unheard = this.players.findIndex((_, index) => !this.kept.heard[index]);
    if (unheard >= 0) return unheard;
    return this.players.length === 1 ? 0 : ((this.last ?? -1) + 1) % this.players.length;
  }

  async play(index) {
    if (this.playing === index) return;
    this.stop();
    const player = this.players[index];
    if (player.error) player.load();
    this.problem = null;
    this.playing = this.last = index;
    this.waiting = setTimeout(() => { if (!(player.currentTime > 0)) this.fail(index); }, PATIENCE_MS);
    this.changed();
    try {
      player.currentTime = 0;
      await player.play();
      this.kept.plays += 1;
      this.changed();
    } catch (error) {
      // Stopped by another play; and errors of loading are told by their own event.
      if (error.name !== "AbortError" && !player.error) this.fail(index);
    }
  }

  settle() {
    clearTimeout(this.waiting);
    this.playing = null;
  }

  stop() {
    this.settle();
    for (const player of this.players) player.pause();
  }

  fail(index) {
    const asked = this.playing === index;
    this.stop();
    if (asked) this.failures += 1;
    this.problem = index;
    this.changed();
  }

  leave() {
    this.left = true;
    this.stop();
    for (const player of this.players) player.removeAttribute("src");
  }
}

function soundAddress(given) {
  return data.embedded === null ? given : data.embedded[given];
}

// Sounds of the next trial are fetched while this one is heard.
let ahead = [];
function fetchAhead(addresses) {
  if (data.embedded !== null) return;
  ahead = addresses.map((given) => {
    const player = new Audio();
    player.preload = "auto";
    player.src = given;
    return player;
  });
}
