"""Analyses that lay clips on top of each other, sample by sample, need clips of one length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerstats.errors import ArgumentError

if TYPE_CHECKING:
    from layerstats.store import Experiment


RECORD_AGAIN = "Record them with clips of one length: Clips(corpus, samples=...), in the shell --samples."


def check_one_length(experiment: Experiment, what: str, instead: str = RECORD_AGAIN) -> None:
    """Raise `ArgumentError` where the clips of a recording are as long as their tokens.

    Parameters
    ----------
    experiment
        A recording.
    what
        Who needs clips of one length, for the message: "Averages of aligned events".
    instead
        What to do, a sentence.
    """
    if experiment.ragged:
        raise ArgumentError(
            f"{what} need clips of one length, but those of the recording {experiment.name!r} of {experiment.path} are "
            f"as long as their tokens. {instead}"
        )
