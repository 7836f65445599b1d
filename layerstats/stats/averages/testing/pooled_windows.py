"""Windows laid out for permutations: by speaker, pooled, with what is covered counted beside the values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows


@dataclass(frozen=True, eq=False)
class PooledWindows:
    """Values of windows and where each is aligned under each label.

    Attributes
    ----------
    values
        (window, sample, band + 1) in single precision, less each band's mean over all windows, over `scale`, so that
        squares of the smallest relevance are not lost. Samples are sums over
        `pooled` of them from this one on; the last column counts how many of these lie in the window.
    samples
        As of `AlignedWindows`: (window, alignment), of which there is one, or one a label.
    label_of, speaker_of
        Codes, (window,).
    lags
        First sample of each lag, from the alignment, (lag,).
    pooled
        How many samples a lag has.
    before
        How many samples `values` have before the window's first.
    lag_s, bands
        Centres of lags and bands.
    scale
        Root mean square of all values, or the next power of two, by which nothing is rounded.
    """

    values: np.ndarray
    samples: np.ndarray
    label_of: np.ndarray
    speaker_of: np.ndarray
    lags: np.ndarray
    pooled: int
    before: int
    lag_s: np.ndarray
    bands: np.ndarray
    scale: float

    @classmethod
    def of(
        cls,
        windows: AlignedWindows,
        rows: np.ndarray,
        labels: np.ndarray,
        resolution: tuple[int, int],
        reach_s: float | None,
    ) -> PooledWindows:
        """Read some windows once.

        Parameters
        ----------
        windows
            What to read.
        rows
            Which of them, (window,).
        labels
            Codes of the labels that they have, in the order that they are to have, (label,).
        resolution
            How many bands, and how many samples, are pooled; what is left over at the end is left out.
        reach_s
            How far lags reach from the alignment; None: as far as those of the windows.
        """
        bands, pooled = resolution
        lags, lag_s = _lags(windows, pooled, reach_s)
        count = len(windows.bands) // bands
        if count == 0:
            raise ArgumentError(f"There are {len(windows.bands)} bands: {bands} of them cannot be pooled.")
        before = pooled - 1
        values = np.empty((len(rows), windows.size + before, count + 1), np.float32)
        for first in range(0, len(rows), 256):
            some = rows[first : first + 256]
            read = windows.read(some)[:, : count * bands]
            means = read.reshape(len(some), count, bands, windows.size).mean(axis=2)
            if not np.isfinite(means).all():
                token = windows.table["token"].iloc[int(some[~np.isfinite(means).all(axis=(1, 2))][0])]
                raise DataError(f"Window {token!r} has values that are no numbers. Leave it out.")
            values[first : first + len(some), before:, :-1] = means.transpose(0, 2, 1)
        scale = _centre(values[:, before:, :-1])
        values[:, before:, -1] = 1
        values[:, :before] = 0
        samples = windows.samples[rows]
        order = np.argsort(labels)
        return cls(
            _running_sums(values, pooled),
            samples[:, labels] if windows.by_label else samples[:, None],
            order[np.searchsorted(labels, windows.label_codes[rows], sorter=order)],
            np.unique(windows.table["speaker"].to_numpy(dtype=str)[rows], return_inverse=True)[1],
            lags,
            pooled,
            before,
            lag_s,
            windows.bands[: count * bands].reshape(count, bands).mean(axis=1),
            scale,
        )

    @property
    def alignments(self) -> int:
        """How many alignments a window has: one, or one a label."""
        return self.samples.shape[1]

    def at_lag(self, rows: np.ndarray, lag: int) -> np.ndarray:
        """Return values of some windows at a lag under each alignment, (window and alignment, band + 1)."""
        places = self.samples[rows] + lag + self.before
        outside = (places < 0) | (places >= self.values.shape[1])
        places[outside] = 0
        flat = self.values.reshape(-1, self.values.shape[2])
        found = flat.take((places + rows[:, None] * self.values.shape[1]).ravel(), axis=0)
        found[outside.ravel()] = 0
        return found


def _lags(windows: AlignedWindows, pooled: int, reach_s: float | None) -> tuple[np.ndarray, np.ndarray]:
    lags = windows.lags
    if reach_s is not None:
        lags = lags[np.abs(windows.lag_s) <= reach_s * (1 + 1e-9)]
    count = len(lags) // pooled
    if count == 0:
        raise ArgumentError(
            f"There are {len(lags)} lags{'' if reach_s is None else f' within {reach_s} s'}: {pooled} of them cannot "
            "be pooled."
        )
    groups = lags[: count * pooled].reshape(count, pooled)
    return groups[:, 0], groups.mean(axis=1) * windows.hop_s


def _centre(values: np.ndarray) -> float:
    """Take the mean of each band away and divide by the scale, so that single precision is enough; return the scale."""
    count = values.shape[0] * values.shape[1]
    total, squares = np.zeros(values.shape[2]), 0.0
    for one in values:
        total += one.sum(axis=0, dtype=float)
        squares += float(np.sum(one.astype(float) ** 2))
    scale = 2.0 ** np.frexp(np.sqrt(squares / (count * values.shape[2])))[1]
    values -= (total / count).astype(np.float32)
    values /= np.float32(scale)
    return float(scale)


def _running_sums(values: np.ndarray, pooled: int) -> np.ndarray:
    """Sum `pooled` samples from each one on, in place; there are none behind the last."""
    for one in values if pooled > 1 else ():
        summed = one.copy()
        for ahead in range(1, pooled):
            summed[:-ahead] += one[ahead:]
        one[:] = summed
    return values


def speakers_apart(speaker_of: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each speaker.

    Examples
    --------
    >>> [rows.tolist() for rows in speakers_apart(np.array([1, 0, 1]))]
    [[1], [0, 2]]
    """
    order = np.argsort(speaker_of, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(speaker_of[order])) + 1)
