"""What the aligned windows of one speaker after another come to, by label: from windows, or from stored sums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows

if TYPE_CHECKING:
    import xarray as xr

# Windows that are read at once, which bounds memory.
_AT_ONCE = 256
# Under all other labels go all windows of a speaker with few, and one in so many of a speaker with more: these are then
# still several times as many as a label has of its own, and adding them up takes a part of the time of reading.
_ENOUGH, _ONE_IN = 100, 6


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


@dataclass(frozen=True, eq=False)
class CountedSpeaker:
    """Sums of one speaker.

    Attributes
    ----------
    speaker
        Who.
    own
        Over the windows of each label, aligned under it.
    others
        Over the windows of all other labels (of speakers with many a sixth of these), aligned under this label; None
        where they were not asked for.
    """

    speaker: str
    own: LabelSums
    others: LabelSums | None = None


def sums_of_windows(windows: AlignedWindows, *, others: bool = False) -> Iterator[CountedSpeaker]:
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
    begins = -int(windows.lags[0])
    aside = _under_others(numbers)
    adding, present = _Adding.of(windows, others), -1
    for first in range(0, len(order), _AT_ONCE):
        rows = order[first : first + _AT_ONCE]
        # Moved in time, a window stays in one piece where time comes first.
        by_time = np.ascontiguousarray(windows.read(rows).transpose(0, 2, 1))
        for row, window in zip(rows.tolist(), by_time, strict=True):
            if numbers[row] != present:
                if present >= 0:
                    yield adding.finished(str(names[present]))
                adding, present = _Adding.of(windows, others), numbers[row]
            code = int(codes[row])
            adding.own.add(code, window, begins - int(own[row]))
            if adding.others is not None and aside[row]:
                samples = windows.samples[row] if windows.by_label else np.full(len(windows.labels), own[row])
                for label, sample in enumerate(samples.tolist()):
                    if label != code:
                        adding.others.add(label, window, begins - sample)
    yield adding.finished(str(names[present]))


def _under_others(speakers: np.ndarray) -> np.ndarray:
    """Return whether each window goes under other labels, (window,), from the numbers of their speakers."""
    counts = np.bincount(speakers)
    order = np.argsort(speakers, kind="stable")
    place = np.empty(len(speakers), dtype=np.int64)
    place[order] = np.arange(len(speakers)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place % np.clip(counts // _ENOUGH, 1, _ONE_IN)[speakers] == 0


class _Adder:
    """Sums that windows are added to, (label, lag, band)."""

    def __init__(self, windows: AlignedWindows, dtype: type) -> None:
        labels, lags = len(windows.labels), len(windows.lags)
        self.total = np.zeros((labels, lags, len(windows.bands)), dtype=dtype)
        self.coverage = np.zeros((labels, lags), dtype=np.int64)
        self.windows = np.zeros(labels, dtype=np.int64)

    def add(self, label: int, window: np.ndarray, place: int) -> None:
        """Add a window, (sample, band), whose first sample lies at a place among the lags, maybe before the first."""
        begin, end = max(place, 0), min(place + len(window), self.total.shape[1])
        if begin < end:
            self.total[label, begin:end] += window[begin - place : end - place]
            self.coverage[label, begin:end] += 1
        self.windows[label] += 1

    def sums(self) -> LabelSums:
        return LabelSums(self.total.transpose(0, 2, 1), self.coverage, self.windows)


@dataclass(frozen=True, eq=False)
class _Adding:
    """What the windows of a speaker are added to."""

    own: _Adder
    others: _Adder | None

    @classmethod
    def of(cls, windows: AlignedWindows, others: bool) -> _Adding:
        # Single precision is enough for what is only drawn, and takes half the time of one window under all labels.
        return cls(_Adder(windows, np.float64), _Adder(windows, np.float32) if others else None)

    def finished(self, speaker: str) -> CountedSpeaker:
        if not np.isfinite(self.own.total).all():
            raise DataError(f"A window of the speaker {speaker!r} holds values that are NaN or infinite.")
        return CountedSpeaker(speaker, self.own.sums(), None if self.others is None else self.others.sums())


def sums_of_store(stored: xr.Dataset, quantity: str) -> Iterator[CountedSpeaker]:
    """Go through the sums that a recording of windows stored, a speaker at a time.

    Parameters
    ----------
    stored
        `<quantity>_sum` (speaker, letter, frequency, lag) and `coverage` (speaker, letter, lag), as
        `Experiment.window_sums` gives them of one alignment, and `windows_of_letter` (speaker, letter).
    quantity
        "input" or "relevance".
    """
    for number, speaker in enumerate(stored["speaker"].to_numpy()):
        one = stored.isel(speaker=number)
        names = (f"{quantity}_sum", "coverage", "windows_of_letter")
        yield CountedSpeaker(str(speaker), LabelSums(*(one[name].to_numpy() for name in names)))
