"""Frames of codes, checked: two sides with their own voices, more than one word and speaker, no code missing."""

from __future__ import annotations

import pandas as pd

from layerstats.checks import check_columns, check_complete, check_positive
from layerstats.errors import ArgumentError, DataError

WHAT = "the table of codes"


def check_resampling(draws: int, conf_level: float, name: str = "draws") -> None:
    """Raise `ArgumentError` unless the number of draws is positive and `conf_level` between 0 and 1."""
    check_positive(name, draws)
    if not 0 < conf_level < 1:
        raise ArgumentError(f"The 'conf_level' parameter must be between 0 and 1, but got {conf_level!r} instead.")


def held_out_codes(codes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the training and the held-out tokens of a frame of codes.

    Raises
    ------
    DataError
        A side is missing, a speaker is on both, or the held-out side cannot be measured.
    """
    frame = checked_codes(codes)
    check_columns(frame, ["split"], WHAT)
    sides = {side: pd.DataFrame(frame.loc[frame["split"] == side]).reset_index(drop=True) for side in ("train", "test")}
    for side, tokens in sides.items():
        if tokens.empty:
            found = ", ".join(repr(value) for value in sorted(set(map(str, frame["split"]))))
            raise DataError(
                f"No token of {WHAT} has the split {side!r} (it has {found}). Words are assigned to codes on the "
                "training voices and counted on the held-out ones: hold voices out with corpus.split_speakers(...) and "
                "read the codes of both sides."
            )
    both = sorted(set(sides["train"]["speaker"]) & set(sides["test"]["speaker"]))
    if both:
        raise DataError(
            f"{len(both)} speakers of {WHAT} are on both sides, for instance {both[0]!r}: their voices are not held "
            "out. Hold whole speakers out with corpus.split_speakers(held_out=...)."
        )
    check_several(sides["test"], "held-out side")
    return sides["train"], sides["test"]


def checked_codes(codes: pd.DataFrame) -> pd.DataFrame:
    """Return `word, speaker, code` and what else there is, none of them missing.

    Raises
    ------
    DataError
        A column is missing, or there are missing values in it; the certainty is NaN somewhere.
    """
    needed = ["word", "speaker", "code"]
    check_columns(codes, needed, WHAT)
    check_complete(codes, [*needed, *(["certainty"] if "certainty" in codes else [])], WHAT)
    return codes.reset_index(drop=True)


def check_several(tokens: pd.DataFrame, side: str) -> None:
    """Raise `DataError` where tokens are all of one word or of one speaker, or words cannot be exchanged."""
    for column, reason in (
        ("word", "codes can tell words apart only where there are two"),
        ("speaker", "an interval over speakers needs two"),
    ):
        values = sorted(map(str, set(tokens[column])))
        if len(values) < 2:
            raise DataError(f"The {side} of {WHAT} has one {column} only, {', '.join(values)!r}: {reason} or more.")
    if len(tokens[["speaker", "word"]].drop_duplicates()) == len(set(tokens["speaker"])):
        raise DataError(
            f"No speaker on the {side} of {WHAT} has said two words: what codes owe to the voice and what they owe to "
            "the word cannot be told apart."
        )
