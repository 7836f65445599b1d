"""The part of `layerstats demo` that asks which input goes with a letter: averages of aligned windows and tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerstats.cli.progress import Steps

# A small cut: few letters of few speakers, one sentence each, by one method.
METHOD, ALIGNMENT = "gradient", "min_relevance"
LETTERS, SPEAKERS = ("a", "s", "t"), 8
ANALYSES = ("aligned_averages", "letter_patterns")
# How far maps reach.
SMALL = ["--reach", "0.3"]


def record_small_windows(step: Steps, store: Path) -> Path:
    """Record the windows in which the shipped network of letters read some, with where each is aligned; returns it."""
    from layerstats.corpora import open_corpus
    from layerstats.models import load_checkpoint
    from layerstats.probes import emitted_letters, network_attributes, record_letter_relevance
    from layerstats.resources import bundled

    network, card = load_checkpoint(bundled("data", "checkpoints", "wav2letter.safetensors"))
    speech = open_corpus("demo:sentences").subset(split="test")
    first = speech.tokens.drop_duplicates("speaker")["token"].tolist()[:SPEAKERS]
    step("recording windows of letters")
    speech = speech.subset(tokens=first)
    windows = emitted_letters(network, speech)
    some = windows.loc[windows["letter"].isin(LETTERS) & windows["correct"]].reset_index(drop=True)
    options = {"maps": True, "alignments": True, "attrs": network_attributes(card), "progress": step.move}
    record_letter_relevance(network, speech, store, method=METHOD, windows=some, **options)
    return store


def averages_jobs(store: Path) -> dict[str, list[str]]:
    """Return the arguments of the scripts of `analyses/` on averages of aligned windows."""
    tests = ["--recording", METHOD, "--alignment", ALIGNMENT, "--letters", "s", "--permutations", "499"]
    return {
        "aligned_averages": [str(store), *SMALL, "--letters", "", "--draws", "50"],
        "letter_patterns": [str(store), *SMALL, *tests, "--workers", "1"],
    }
