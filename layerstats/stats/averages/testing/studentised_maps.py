"""Patterns over their standard errors between speakers, for many assignments of labels at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from layerstats.stats.averages.testing.pooled_windows import PooledWindows, speakers_apart

# With fewer, hardly anything is known of the spread between speakers.
LEAST_SPEAKERS = 3
# Variances below this part of the scale of values are what rounding leaves.
_ROUNDING = 1e-6


class Maps(NamedTuple):
    """Maps, each (assignment, contrast, band, lag), missing where too few speakers are covered.

    The statistic is the normal deviate of Student's t, the estimate over its standard error: see `normal_deviate`.
    """

    statistic: np.ndarray
    estimate: np.ndarray
    std_error: np.ndarray
    speakers: np.ndarray


def studentised(
    differences: np.ndarray, squares: np.ndarray, speakers: np.ndarray, least: np.ndarray, scale: float
) -> Maps:
    """Return means over speakers over their standard errors, as normal deviates.

    Parameters
    ----------
    differences, squares
        Sums over speakers, (..., band, lag) or any other order.
    speakers
        How many of them there are, such as broadcast against `differences`.
    least
        How many a mean must have.
    scale
        What differences were divided by; estimates and standard errors are of what they were before.
    """
    enough = (speakers >= least) & (speakers >= LEAST_SPEAKERS)
    number = np.where(enough, speakers, LEAST_SPEAKERS).astype(differences.dtype)
    mean = differences / number
    variance = (squares - differences * mean) / (number - 1)
    varying = variance > _ROUNDING**2
    error = np.sqrt(np.where(varying, variance, 1) / number)
    missing = differences.dtype.type(np.nan)
    return Maps(
        np.where(enough, np.where(varying, normal_deviate(mean / error, number), 0), missing),
        np.where(enough, mean * mean.dtype.type(scale), missing),
        np.where(enough, np.where(varying, error * error.dtype.type(scale), 0), missing),
        np.broadcast_to(speakers, mean.shape),
    )


def normal_deviate(statistic: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Return Student's t on the scale of the normal distribution, by Wallace's (1959) approximation.

    Of three speakers t is above 10 as often as of thirty above 2.8: what few speakers have, or few windows reach, would
    otherwise have the largest statistic of most permutations.

    Parameters
    ----------
    statistic, speakers
        t, and how many speakers it is of; it has one degree of freedom less.

    Examples
    --------
    >>> normal_deviate(np.array([4.30, 2.04]), np.array([3, 31])).round(2)
    array([1.93, 1.96])
    """
    free = speakers - 1
    return np.sign(statistic) * _shrinkage(free) * np.sqrt(free * np.log1p(statistic * statistic / free))


def t_of_normal_deviate(deviate: float, speakers: float) -> float:
    """Return the t of a normal deviate, the inverse of `normal_deviate`.

    Examples
    --------
    >>> round(t_of_normal_deviate(float(normal_deviate(np.array(4.5), np.array(8))), 8), 6)
    4.5
    """
    free = speakers - 1
    return float(np.sign(deviate) * np.sqrt(free * np.expm1((deviate / _shrinkage(free)) ** 2 / free)))


def _shrinkage(free: Any) -> Any:
    return (8 * free + 1) / (8 * free + 3)


def maps_by_lag(
    windows: PooledWindows, assignments: np.ndarray, labels: int, *, pair: bool, covered: float
) -> Iterator[Maps]:
    """Yield maps under some assignments of labels, lag by lag, each window aligned as its label there says.

    Of each speaker and label the mean over windows is taken first, less the mean of all the speaker's windows aligned
    as the label's are; what is tested is how far that of a label lies from the speaker's mean over labels (or of one
    label from the other's), by its spread between speakers.

    Parameters
    ----------
    windows
        What is averaged, of speakers that have two labels or more.
    assignments
        (assignment, window), codes of labels.
    labels
        How many there are.
    pair
        Whether the first of two labels is compared with the second.
    covered
        The part of a label's speakers that must be covered at a lag.

    Yields
    ------
    Maps
        (assignment, label, band); of a pair one contrast instead of labels.
    """
    speakers = speakers_apart(windows.speaker_of)
    matrices = [_cell_sums(windows, rows, assignments[:, rows], labels) for rows in speakers]
    shape = (len(assignments), 1 if pair else labels, len(windows.bands))
    least = covered * speakers_of_contrasts(windows, labels, pair)[:, None]
    for lag in windows.lags:
        sums = [np.zeros((*shape[:2], size), np.float32) for size in (shape[2], shape[2], 1)]
        for rows, matrix in zip(speakers, matrices, strict=True):
            values = _beyond_any_window(windows.at_lag(rows, lag), windows.alignments)
            cells = (matrix @ values).reshape(len(assignments), labels, -1)
            differences, present = _differences(cells, pair)
            sums[0] += differences
            sums[1] += differences * differences
            sums[2] += present
        yield studentised(sums[0], sums[1], sums[2], least, windows.scale)


def differences_of_speakers(windows: PooledWindows, labels: int, *, pair: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return each speaker's differences under the labels as they are, 0 where not covered, and where they are.

    Only where the alignment does not depend on the label.

    Parameters
    ----------
    windows, labels, pair
        As of `maps_by_lag`.

    Returns
    -------
    tuple of ndarray
        (speaker, contrast, band, lag) and (speaker, contrast, 1, lag).
    """
    differences, present = [], []
    for rows in speakers_apart(windows.speaker_of):
        matrix = _cell_sums(windows, rows, windows.label_of[None, rows], labels)
        cells = [(matrix @ windows.at_lag(rows, lag)).reshape(1, labels, -1) for lag in windows.lags]
        found = [_differences(one.astype(float), pair) for one in cells]
        differences.append(np.stack([one[0][0] for one in found], axis=-1))
        present.append(np.stack([one[1][0] for one in found], axis=-1))
    return np.stack(differences), np.stack(present)


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
    if alignments == 1:
        return values  # the same for all labels: their differences are what they are
    found = values.reshape(-1, alignments, values.shape[1])
    sums = found.sum(axis=0)
    found[..., :-1] -= sums[:, :-1] / np.maximum(sums[:, -1:], 1) * found[..., -1:]
    return values


def _differences(cells: np.ndarray, pair: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return a speaker's differences, (assignment, contrast, band), and where there are some."""
    counts = cells[..., -1:]
    present = counts > 0
    means = cells[..., :-1] * (1 / np.maximum(counts, 1))
    if pair:
        present = present[:, :1] & present[:, 1:]
        means = means[:, :1] - means[:, 1:]
    else:
        others = present.sum(axis=1, keepdims=True)
        means -= means.sum(axis=1, keepdims=True) / np.maximum(others, 1).astype(means.dtype)
        present &= others > 1
    means *= present
    return means, present


def speakers_of_contrasts(windows: PooledWindows, labels: int, pair: bool) -> np.ndarray:
    """Return how many speakers have each label, or both of a pair, (contrast,)."""
    cells = np.zeros((int(windows.speaker_of.max()) + 1, labels), bool)
    cells[windows.speaker_of, windows.label_of] = True
    return cells.all(axis=1).sum(keepdims=True) if pair else cells.sum(axis=0)
