"""Which speakers a network learns from and which it is tested on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from layerstats.corpora import Clips
from layerstats.errors import ArgumentError, CorpusError


def hold_out_speakers(clips: Clips, seed: int, held_out: int | None = None) -> Clips:
    """Return the clips with a training and a test side that share no speaker.

    Sides that the corpus already has are kept, unless `held_out` says how many of its speakers are to be the test side;
    where it has none, this is a quarter of them. They are drawn by `seed`.

    Raises
    ------
    ArgumentError
        As many speakers cannot be held out.
    CorpusError
        A speaker is on both sides, or there is one speaker only.
    """
    names = held_out_speakers(clips.tokens, clips.corpus.name, seed, held_out)
    return clips if names is None else replace(clips, corpus=clips.corpus.split_speakers(names))


def held_out_speakers(tokens: pd.DataFrame, name: str, seed: int, held_out: int | None = None) -> list[str] | None:
    """Return the speakers to hold out, as `hold_out_speakers` does; None where the corpus's own sides are kept."""
    if held_out is None and "test" in set(tokens["split"]):
        sides = [set(tokens.loc[tokens["split"] == side, "speaker"]) for side in ("train", "test")]
        both = sorted(sides[0] & sides[1])
        if both:
            raise CorpusError(
                f"{len(both)} speakers of {name!r} are on both sides, for instance {both[0]!r}, so that accuracy would "
                "be that of known voices. Hold speakers out with corpus.split_speakers(held_out=...) (held_out=, "
                "--held-out)."
            )
        return None
    speakers = sorted(set(tokens["speaker"]))
    if len(speakers) < 2:
        raise CorpusError(f"The corpus {name!r} has one speaker only ({speakers[0]!r}); nobody can be held out.")
    count = max(1, len(speakers) // 4) if held_out is None else held_out
    if not 0 < count < len(speakers):
        raise ArgumentError(
            f"The 'held_out' parameter must be between 1 and {len(speakers) - 1} ({name!r} has {len(speakers)} "
            f"speakers), but got {count} instead."
        )
    return np.random.default_rng(seed).permutation(np.array(speakers, dtype=object))[:count].tolist()
