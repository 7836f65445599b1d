"""Windows of speech, what each is called, and where it is aligned under each label it might have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete, check_positive
from layerstats.errors import ArgumentError, DataError

# Windows that are read at once, which bounds memory.
_AT_ONCE = 256


@dataclass(frozen=True, eq=False, repr=False)
class AlignedWindows:
    """Maps of windows with a label each, and the sample at which each is aligned; values are read when asked for.

    Where the alignment depends on the label (the maximum of the relevance for a letter), it is known for every label
    that the window might have: it is part of the statistic, and recomputed whenever labels are permuted.

    Attributes
    ----------
    table
        A row a window: `token`, `speaker`, `label`.
    labels
        All labels, in their order.
    samples
        At which sample a window is aligned: (window,), whatever its label, or (window, label).
    lags
        Samples from the alignment, (lag,), that averages have. Those that lie outside a window are not covered by it.
    bands
        Centres of the frequency bands in Hz, or numbers of channels, (band,).
    size
        Samples of every window.
    hop_s
        Seconds from one sample to the next.
    read
        Values (window, band, sample) of some rows of the table.
    band_name
        "frequency" or "channel".
    quantity
        What the values are: "input", "relevance", "activation", ...
    alignment
        How windows are aligned, for captions.
    notes
        What was left out, in sentences.
    """

    table: pd.DataFrame
    labels: tuple[str, ...]
    samples: np.ndarray
    lags: np.ndarray
    bands: np.ndarray
    size: int
    hop_s: float
    read: Callable[[np.ndarray], np.ndarray]
    band_name: str = "frequency"
    quantity: str = "input"
    alignment: str = "none"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wanted = ["token", "speaker", "label"]
        check_columns(self.table, wanted, "the windows")
        check_complete(self.table, wanted, "the windows")
        if self.table.empty:
            raise DataError("There are no windows to average.")
        if not len(self.bands):
            raise DataError("Windows have no bands.")
        check_positive("hop_s", self.hop_s)
        _check_labels(self.labels, list(dict.fromkeys(self.table["label"])))
        strangers = sorted(set(self.table["label"]) - set(self.labels))
        if strangers:
            raise ArgumentError(f"The label {strangers[0]!r} of a window is none of {list(self.labels)}.")
        shape = (len(self.table), len(self.labels))
        if self.samples.shape not in (shape, shape[:1]):
            raise ArgumentError(f"samples must be {shape[:1]} or {shape}, but is {self.samples.shape}.")
        if not np.issubdtype(self.samples.dtype, np.integer):
            raise ArgumentError(f"samples must be whole numbers, but their dtype is {self.samples.dtype}.")
        if self.samples.min() < 0 or self.samples.max() >= self.size:
            raise ArgumentError(f"Windows are aligned at a sample from 0 to {self.size - 1}, but one is elsewhere.")
        if not len(self.lags) or np.any(np.diff(self.lags) != 1):
            raise ArgumentError("lags must be whole numbers of samples, each one more than the one before.")

    def __repr__(self) -> str:
        speakers, labels = self.table["speaker"].nunique(), len(self.labels)
        return (
            f"AlignedWindows({len(self.table)} windows of {labels} labels by {speakers} speakers: {self.quantity} "
            f"aligned by {self.alignment}, {len(self.bands)} bands by {len(self.lags)} lags of {self.hop_s:g} s)"
        )

    @classmethod
    def from_arrays(
        cls,
        values: np.ndarray,
        labels: Sequence[str],
        speakers: Sequence[str],
        samples: np.ndarray | None = None,
        *,
        levels: Sequence[str] | None = None,
        hop_s: float = 0.008,
        bands: np.ndarray | None = None,
        quantity: str = "input",
        alignment: str = "none",
    ) -> AlignedWindows:
        """Make them of arrays in memory.

        Parameters
        ----------
        values
            (window, band, sample).
        labels, speakers
            (window,).
        samples
            As the attribute; by default the middle.
        levels
            All labels, in their order; by default those that there are.
        hop_s, bands, quantity, alignment
            As the attributes; bands are numbered by default.

        Examples
        --------
        >>> windows = AlignedWindows.from_arrays(np.zeros((2, 3, 5)), ["a", "b"], ["s1", "s1"])
        >>> windows.own_samples.tolist(), windows.lags.tolist()
        ([2, 2], [-2, -1, 0, 1, 2])
        """
        shapes = sorted({np.shape(window) for window in values})
        if len(shapes) > 1 or (shapes and len(shapes[0]) != 2):
            raise ArgumentError(f"Windows must all have one shape, (band, sample), but these have {shapes[:3]}.")
        values = np.asarray(values)
        if values.ndim != 3 or not len(values) == len(labels) == len(speakers):
            raise ArgumentError(
                f"There must be a label and a speaker for each window, but there are {len(values)} windows, "
                f"{len(labels)} labels and {len(speakers)} speakers."
            )
        count, heights, size = values.shape
        if bands is not None and len(bands) != heights:
            raise ArgumentError(f"Windows have {heights} bands, but 'bands' are {len(bands)}.")
        if levels is None:
            check_complete(pd.DataFrame({"label": labels}), ["label"], "the windows")
        table = pd.DataFrame({"token": [str(row) for row in range(count)], "speaker": speakers, "label": labels})
        return cls(
            table,
            tuple(levels or sorted(set(labels))),
            np.full(count, size // 2) if samples is None else np.asarray(samples),
            centred_lags(size),
            np.arange(heights) if bands is None else np.asarray(bands),
            size,
            hop_s,
            lambda rows: values[rows],
            quantity=quantity,
            alignment=alignment,
        )

    @property
    def by_label(self) -> bool:
        """Whether the alignment depends on the label."""
        return self.samples.ndim == 2

    @property
    def label_codes(self) -> np.ndarray:
        """The number of the label of each window, (window,)."""
        return pd.Index(self.labels).get_indexer(pd.Index(self.table["label"]))

    @property
    def own_samples(self) -> np.ndarray:
        """The sample at which each window is aligned under the label that it has, (window,)."""
        if not self.by_label:
            return self.samples
        return self.samples[np.arange(len(self.samples)), self.label_codes]

    @property
    def lag_s(self) -> np.ndarray:
        """Seconds from the alignment, (lag,)."""
        return self.lags * self.hop_s

    def blocks(self, at_once: int = _AT_ONCE) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Go through the windows once: (rows of the table, values (window, band, sample))."""
        for first in range(0, len(self.table), at_once):
            rows = np.arange(first, min(first + at_once, len(self.table)))
            yield rows, self.read(rows)


def _check_labels(labels: tuple[str, ...], of_windows: Sequence[object]) -> None:
    numbers = [label for label in (*labels, *of_windows) if not isinstance(label, str)]
    if numbers:
        raise ArgumentError(f"Labels must be text, but {numbers[0]!r} is a {type(numbers[0]).__name__}.")
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ArgumentError(f"The label {twice!r} is there twice among {list(labels)}.")


def centred_lags(size: int) -> np.ndarray:
    """Return as many lags as a window has samples, about its middle.

    Examples
    --------
    >>> centred_lags(4).tolist()
    [-2, -1, 0, 1]
    """
    return np.arange(size) - size // 2


def aligned(values: np.ndarray, samples: np.ndarray, lags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move windows so that the samples at which they are aligned lie on each other.

    Returns
    -------
    tuple of ndarray
        (window, band, lag), 0 where a window does not reach, and whether it does, (window, lag).

    Examples
    --------
    >>> moved, covered = aligned(np.array([[[1.0, 2.0, 3.0]]]), np.array([2]), np.array([-1, 0, 1]))
    >>> moved.tolist(), covered.tolist()
    ([[[2.0, 3.0, 0.0]]], [[True, True, False]])
    """
    places = samples[:, None] + lags
    covered = (places >= 0) & (places < values.shape[2])
    moved = np.take_along_axis(values, np.where(covered, places, 0)[:, None, :], axis=2)
    return moved * covered[:, None, :], covered
