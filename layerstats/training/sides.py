"""Which speakers a network learns from and which it is tested on."""

from __future__ import annotations

from dataclasses import replace

from layerstats.corpora import Clips
from layerstats.errors import CorpusError


def hold_out_speakers(clips: Clips, seed: int) -> Clips:
    """Return the clips with a training and a test side that share no speaker.

    Sides that the corpus already has are kept; otherwise a quarter of its speakers, drawn by `seed`, is the test side.

    Raises
    ------
    CorpusError
        A speaker is on both sides, or there is one speaker only.
    """
    tokens = clips.tokens
    if "test" in set(tokens["split"]):
        sides = [set(tokens.loc[tokens["split"] == side, "speaker"]) for side in ("train", "test")]
        both = sorted(sides[0] & sides[1])
        if both:
            raise CorpusError(
                f"{len(both)} speakers of {clips.corpus.name!r} are on both sides, for instance {both[0]!r}, so that "
                "accuracy would be that of known voices. Hold speakers out with corpus.split_speakers(held_out=...)."
            )
        return clips
    speakers = sorted(set(tokens["speaker"]))
    if len(speakers) < 2:
        raise CorpusError(
            f"The corpus {clips.corpus.name!r} has one speaker only ({speakers[0]!r}); nobody can be held out."
        )
    held_out = max(1, len(speakers) // 4)
    return replace(clips, corpus=clips.corpus.split_speakers(held_out=held_out, seed=seed))
