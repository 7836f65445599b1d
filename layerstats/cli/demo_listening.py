"""The part of `layerstats demo` with listeners: a listening test of what was maximized, whose raters are simulated."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# A small cut: two set-ups of one network beside natural tokens; each clip is heard by six raters.
SET_UPS, NETWORK = ("none", "autoencoder"), "commands_0"
DRAWS, RATERS, TRIALS = 2, 6, 18
CONTRASTS, MARGIN = ("autoencoder - none", "natural - autoencoder"), 0.5
# On the logit, and known to nobody but the simulation: what the analysis should find.
EFFECTS = "natural=2,autoencoder=0.5,none=-1"
# Columns of the ratings of the Voice Conversion Challenge 2018.
VCC_2018 = ("ratings", "vcc2018", "vcc2018_training_data.csv")
VCC_COLUMNS = "rater=JUDGE,clip=WAV_PATH,rating=MOS"
# Natural speech against the best system, this against the baseline, and the same system without parallel sentences.
VCC_CONTRASTS = ("NAT_T00 - HUB_N10", "HUB_N10 - HUB_B01", "HUB_N10 - SPO_N10")
VCC_PATTERN = r"^(?P<team>[^_]+)_.*_(?P<track>[A-Z]+)[.]wav$"
ANALYSES = ("listening", "people")
REAL = "ratings"


def design_small(store: Path, folder: Path, prior: str, seed: int) -> None:
    """Write two designs of the same clips: how clear the word is, and which word is heard."""
    from layerstats.cli.listened_outcomes import OutcomeChoice, write_outcome_clips
    from layerstats.listening import make_design

    sounds = folder / "sounds"
    choice = OutcomeChoice(list(SET_UPS), [NETWORK], draws=DRAWS, natural="stored")
    clips = write_outcome_clips(store, sounds, choice, [prior])
    common = {"raters_per_clip": RATERS, "trials_per_session": TRIALS, "folder": sounds, "seed": seed}
    rules = [{"rule": "catch_missed"}]
    opinion = make_design(
        clips, title="How clear is the word?", show="target", rules=rules, contrasts=CONTRASTS,
        equivalence_margin=MARGIN, **common,
    )  # fmt: skip
    opinion.write(folder / "opinion", overwrite=True)
    heard = make_design(
        clips, task="identification", title="Which word is it?", alternatives="targets", rules=rules, **common
    )
    heard.write(folder / "identification", overwrite=True)


def designing(store: Path, folder: Path, prior: str, seed: int) -> list[str]:
    """Return the command that writes the designs, in a process of its own."""
    return [sys.executable, "-m", "layerstats.cli.demo_listening", str(store), str(folder), prior, str(seed)]


def listening_jobs(store: Path, folder: Path) -> dict[str, list[str]]:
    """Return the arguments of the scripts of `analyses/` on listeners who are simulated."""
    found = ["--effects", EFFECTS, "--classes", "target", "--careless", "0.1", "--draws", "1000"]
    return {
        "listening": [str(folder / "opinion"), *found],
        "people": [str(store), str(folder / "identification"), "--draws", "500"],
    }


def real_ratings() -> dict[str, list[str]]:
    """Return the arguments of the script on real ratings, where LAYERSTATS_DATA says that they are at hand."""
    data = os.environ.get("LAYERSTATS_DATA")
    table = Path(data, *VCC_2018) if data else None
    if table is None or not table.exists():
        return {}
    systems = table.with_name("vcc2018_system.csv")
    columns = ["--columns", VCC_COLUMNS, "--clip-pattern", VCC_PATTERN, "--condition", "track,team"]
    beside = ["--published", str(systems)] if systems.exists() else []
    compared = [argument for contrast in VCC_CONTRASTS for argument in ("--contrast", contrast)]
    return {REAL: [str(table), *columns, *beside, *compared, "--draws", "500"]}


if __name__ == "__main__":
    design_small(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
