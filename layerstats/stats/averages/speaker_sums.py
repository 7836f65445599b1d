"""What the aligned windows of one speaker after another come to, by label: from windows, or from stored sums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.averages.aligned_windows import AlignedWindows

if TYPE_CHECKING:
    import xarray as xr

# Windows that are read at once, which bounds memory.
_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class LabelSums:
    """Sums over aligned windows by label.

    Attributes
    ----------
    total
        (label, band, lag), over the windows that have the lag.
    coverage
        (label, lag), how many have it.
    windows
        (label,), how many there are.
    """

    total: np.ndarray
    coverage: np.ndarray
    windows: np.ndarray

    @classmethod
    def none(cls, labels: int, bands: int, lags: int) -> LabelSums:
        """Return sums over no windows."""
        counts = np.zeros((labels, lags), dtype=np.int64), np.zeros(labels, dtype=np.int64)
        return cls(np.zeros((labels, bands, lags)), *counts)

    def add(self, label: int, window: np.ndarray, place: int) -> None:
        """Add a window, (band, sample), whose first sample lies at a place among the lags, maybe before the first."""
        begin, end = max(place, 0), min(place + window.shape[1], self.total.shape[2])
        if begin < end:
            self.total[label, :, begin:end] += window[:, begin - place : end - place]
            self.coverage[label, begin:end] += 1
        self.windows[label] += 1


@dataclass(frozen=True, eq=False)
class SpeakerSums:
    """Sums of one speaker.

    Attributes
    ----------
    speaker
        Who.
    own
        Over the windows of each label, aligned under it.
    others
        Over the windows of all other labels, aligned under this label; None where they were not asked for.
    """

    speaker: str
    own: LabelSums
    others: LabelSums | None = None


def sums_of_windows(windows: AlignedWindows, *, others: bool = False) -> Iterator[SpeakerSums]:
    """Go through the windows once, speaker by speaker, and add them up.

    Memory depends on neither the number of windows nor that of speakers. Stores of windows have those of a speaker
    together, and are read from the first to the last.

    Parameters
    ----------
    windows
        What is added up.
    others
        Add up other labels' windows under each label, too.

    Raises
    ------
    DataError
        A value is not a number.

    Examples
    --------
    >>> windows = AlignedWindows.from_arrays(np.ones((2, 1, 3)), ["a", "b"], ["s", "s"], np.array([[0, 1], [1, 2]]))
    >>> (found,) = sums_of_windows(windows, others=True)
    >>> found.own.total[:, 0].tolist(), found.others.total[:, 0].tolist()
    ([[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]], [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    """
    codes, own = windows.label_codes, windows.own_samples
    numbers, names = pd.factorize(windows.table["speaker"])
    order = np.argsort(numbers, kind="stable")
    size = (len(windows.labels), len(windows.bands), len(windows.lags))
    begins = -int(windows.lags[0])
    found, present = _nothing(size, others), -1
    for first in range(0, len(order), _AT_ONCE):
        rows = order[first : first + _AT_ONCE]
        values = np.asarray(windows.read(rows), dtype=np.float64)
        for row, window in zip(rows.tolist(), values, strict=True):
            if numbers[row] != present:
                if present >= 0:
                    yield _finished(str(names[present]), *found)
                found, present = _nothing(size, others), numbers[row]
            code = int(codes[row])
            found[0].add(code, window, begins - int(own[row]))
            if found[1] is not None:
                samples = windows.samples[row] if windows.by_label else np.full(size[0], own[row])
                for label, sample in enumerate(samples.tolist()):
                    if label != code:
                        found[1].add(label, window, begins - sample)
    yield _finished(str(names[present]), *found)


def _nothing(size: tuple[int, int, int], others: bool) -> tuple[LabelSums, LabelSums | None]:
    return LabelSums.none(*size), LabelSums.none(*size) if others else None


def _finished(speaker: str, own: LabelSums, others: LabelSums | None) -> SpeakerSums:
    if not np.isfinite(own.total).all():
        raise DataError(f"A window of the speaker {speaker!r} holds values that are NaN or infinite.")
    return SpeakerSums(speaker, own, others)


def sums_of_store(
    stored: xr.Dataset, quantity: str, alignment: str, labels: tuple[str, ...], lags: np.ndarray
) -> Iterator[SpeakerSums]:
    """Return the sums that a recording of windows stored, a speaker at a time.

    Parameters
    ----------
    stored
        As `Experiment.window_sums` gives it.
    quantity, alignment
        "input" or "relevance"; one of its alignments.
    labels
        Letters.
    lags
        Places among its lags, (lag,).
    """
    chosen = stored.sel(alignment=alignment, letter=list(labels)).isel(lag=lags)
    # At the alignment itself every window is there.
    middle = int(np.abs(stored["lag_s"].to_numpy()).argmin())
    windows = stored["coverage"].sel(alignment=alignment, letter=list(labels)).isel(lag=middle).to_numpy()
    for number, speaker in enumerate(stored["speaker"].to_numpy()):
        one = chosen.isel(speaker=number)
        total, coverage = one[f"{quantity}_sum"].to_numpy(), one["coverage"].to_numpy()
        yield SpeakerSums(str(speaker), LabelSums(total, coverage, windows[number]))
