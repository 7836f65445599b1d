"""Patterns over their standard errors between speakers, for many assignments of labels at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from layerstats.stats.averages.pooled_windows import PooledWindows, speakers_apart

# With fewer, hardly anything is known of the spread between speakers.
LEAST_SPEAKERS = 3
# Variances below this part of the scale of values are what rounding leaves.
_ROUNDING = 1e-6


class Maps(NamedTuple):
    """Maps, each (assignment, contrast, band, lag), missing where too few speakers are covered."""

    statistic: np.ndarray
    estimate: np.ndarray
    std_error: np.ndarray
    speakers: np.ndarray


@dataclass(frozen=True, eq=False)
class SpeakerSums:
    """Sums over speakers of differences and of their squares, and how many speakers have one: all (..., band)."""

    differences: np.ndarray
    squares: np.ndarray
    speakers: np.ndarray

    def maps(self, least: np.ndarray, scale: float) -> Maps:
        """Return the mean over speakers over its standard error.

        Parameters
        ----------
        least
            How many speakers a mean must have.
        scale
            Of the values.
        """
        speakers = self.speakers
        enough = (speakers >= least) & (speakers >= LEAST_SPEAKERS)
        number = np.where(enough, speakers, LEAST_SPEAKERS)
        mean = self.differences / number
        variance = (self.squares - self.differences * mean) / (number - 1)
        varying = variance > (_ROUNDING * scale) ** 2
        error = np.sqrt(np.where(varying, variance, 1) / number)
        missing = np.float32(np.nan)
        return Maps(
            np.where(enough, np.where(varying, mean / error, 0), missing),
            np.where(enough, mean, missing),
            np.where(enough, np.where(varying, error, 0), missing),
            np.broadcast_to(speakers, mean.shape),
        )


def map_of_labels(windows: PooledWindows, assignments: np.ndarray, labels: int, *, pair: bool, covered: float) -> Maps:
    """Return maps under some assignments of labels, each window aligned as its label there says.

    Of each speaker and label the mean over windows is taken first, less the mean of all the speaker's windows aligned
    as the label's are; what is tested is how far that of a label lies from the speaker's mean over labels (or of one
    label from the other's), by its spread between speakers.

    Parameters
    ----------
    windows
        What is averaged.
    assignments
        (assignment, window), codes of labels.
    labels
        How many there are.
    pair
        Whether the first of two labels is compared with the second.
    covered
        The part of a label's speakers that must be covered at a lag.

    Returns
    -------
    Maps
        (assignment, label, band, lag); of a pair one contrast instead of labels.
    """
    speakers = speakers_apart(windows.speaker_of)
    matrices = [_cell_sums(windows, rows, assignments[:, rows], labels) for rows in speakers]
    contrasts = 1 if pair else labels
    shape = (len(assignments), contrasts, len(windows.bands), len(windows.lags))
    found = Maps(*(np.empty(shape, np.float32) for _ in Maps._fields))
    least = covered * _speakers_by_contrast(windows, speakers, labels, pair)[:, None]
    for place, lag in enumerate(windows.lags):
        sums = [np.zeros((*shape[:2], size), np.float32) for size in (shape[2], shape[2], 1)]
        for rows, matrix in zip(speakers, matrices, strict=True):
            values = _beyond_any_window(windows.at_lag(rows, lag), windows.alignments)
            cells = (matrix @ values).reshape(len(assignments), labels, -1)
            _add(sums, cells, pair)
        for whole, part in zip(found, SpeakerSums(*sums).maps(least, windows.scale), strict=True):
            whole[..., place] = part
    return found


def _cell_sums(windows: PooledWindows, rows: np.ndarray, assignments: np.ndarray, labels: int) -> sparse.csr_array:
    """Return the matrix that sums a speaker's windows by assignment and label."""
    count, size = assignments.shape
    by_label = np.argsort(assignments, axis=1, kind="stable")
    ordered = np.take_along_axis(assignments, by_label, axis=1)
    columns = by_label * windows.alignments + (ordered if windows.alignments > 1 else 0)
    cell = np.arange(count)[:, None] * labels + ordered
    starts = np.concatenate([[0], np.cumsum(np.bincount(cell.ravel(), minlength=count * labels))])
    ones = np.ones(count * size, np.float32)
    return sparse.csr_array((ones, columns.ravel(), starts), (count * labels, size * windows.alignments))


def _beyond_any_window(values: np.ndarray, alignments: int) -> np.ndarray:
    """Take away what the mean of all of a speaker's windows is under each alignment, whatever their labels."""
    found = values.reshape(-1, alignments, values.shape[1])
    sums = found.sum(axis=0)
    found[..., :-1] -= sums[:, :-1] / np.maximum(sums[:, -1:], 1) * found[..., -1:]
    return values


def _add(sums: list[np.ndarray], cells: np.ndarray, pair: bool) -> None:
    """Add a speaker's differences, their squares, and where there are some."""
    counts = cells[..., -1:]
    present = counts > 0
    means = cells[..., :-1] / np.maximum(counts, 1)
    if pair:
        present = present[:, :1] & present[:, 1:]
        means = means[:, :1] - means[:, 1:]
    else:
        others = present.sum(axis=1, keepdims=True)
        means -= means.sum(axis=1, keepdims=True) / np.maximum(others, 1)
        present &= others > 1
    means *= present
    sums[0] += means
    sums[1] += means * means
    sums[2] += present


def _speakers_by_contrast(windows: PooledWindows, speakers: list[np.ndarray], labels: int, pair: bool) -> np.ndarray:
    """Return how many speakers have each label, or both of a pair, (contrast,)."""
    if pair:
        return np.array([len(speakers)])
    held = [np.bincount(windows.label_of[rows], minlength=labels) > 0 for rows in speakers]
    return np.sum(held, axis=0)
