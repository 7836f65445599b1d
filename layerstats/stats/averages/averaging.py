"""How windows are averaged: what counts where a window does not reach, who counts how much, and what is subtracted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layerstats.checks import check_choice
from layerstats.stats.averages.speaker_sums import LabelSums

EDGES = ("coverage", "zeros")
OVERALL = ("letters", "frames")
UNITS = ("speaker", "window")


@dataclass(frozen=True)
class Averaging:
    """A way to average.

    Attributes
    ----------
    edges
        "coverage", a lag is averaged over the windows that have it; "zeros", over all, of which some are 0 there.
    overall
        "letters", the mean over labels; "frames", weighted by their windows.
    unit
        "speaker", the mean over speakers' means; "window", over windows.
    """

    edges: str = "coverage"
    overall: str = "letters"
    unit: str = "speaker"

    def __post_init__(self) -> None:
        check_choice("edges", self.edges, EDGES)
        check_choice("overall", self.overall, OVERALL)
        check_choice("unit", self.unit, UNITS)

    def counted(self, coverage: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Return by how many windows a sum at a lag is divided, (..., label, lag).

        Parameters
        ----------
        coverage
            (..., label, lag).
        windows
            (..., label).
        """
        return coverage if self.edges == "coverage" else np.broadcast_to(windows[..., None], coverage.shape)

    def mean(self, sums: LabelSums) -> np.ndarray:
        """Return the mean of one speaker's windows, (label, band, lag), NaN where there are none."""
        counted = self.counted(sums.coverage, sums.windows)[:, None, :]
        return np.divide(sums.total, counted, out=np.full(sums.total.shape, np.nan), where=counted > 0)

    def weights(self, counted: np.ndarray) -> np.ndarray:
        """Return what speakers' means weigh, of what they were divided by."""
        return (counted > 0).astype(float) if self.unit == "speaker" else counted.astype(float)

    def label_weights(self, counted: np.ndarray) -> np.ndarray:
        """Return what labels' means weigh in the mean over labels, of how many windows they are."""
        return (counted > 0).astype(float) if self.overall == "letters" else counted.astype(float)


NAMED = {"balanced": Averaging(), "krug2018": Averaging("zeros", "frames", "window")}


def averaging_named(name: str, **choices: str | None) -> Averaging:
    """Return a way to average by name, with other choices where they are given.

    Examples
    --------
    >>> averaging_named("krug2018", edges="coverage")
    Averaging(edges='coverage', overall='frames', unit='window')
    """
    check_choice("averaging", name, list(NAMED))
    return replace(NAMED[name], **{choice: value for choice, value in choices.items() if value is not None})
