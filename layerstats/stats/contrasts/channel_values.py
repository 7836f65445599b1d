"""Values of every channel of a layer under the series of a contrast, read from a store block by block."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.errors import StoreError
from layerstats.stats.series import Series, bin_series

if TYPE_CHECKING:
    import zarr

    from layerstats.store import Experiment

# Decoded at the same time, whatever the number of channels; each call of Zarr costs as much as some hundred kilobytes.
READ_BYTES = 2**20


@dataclass(frozen=True, eq=False)
class ChannelRows:
    """How the rows of series are made of the outputs of a layer, the same for all channels.

    Attributes
    ----------
    token
        (output,) position of each output that is read among the tokens of the store.
    sample
        (output,) its position along the layer.
    bins
        (bin,) the first output of each bin; a bin is averaged.
    lower, upper, weight
        (row,) bins that a row lies between, and the weight of the upper one; None where rows are bins.
    factor
        (bin,) what a bin's average is multiplied by where series are summed; None elsewhere.
    """

    token: np.ndarray
    sample: np.ndarray
    bins: np.ndarray
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    weight: np.ndarray | None = None
    factor: np.ndarray | None = None

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.bins) if self.lower is None else len(self.lower)

    def read(self, maps: zarr.Array, channels: slice | np.ndarray) -> np.ndarray:
        """Return the rows of some channels of `maps` (token, channel, sample), as (channel, row) in float64.

        Every chunk that holds one of the channels is decoded once; `READ_BYTES` of chunks at a time, or one chunk.
        """
        wanted = np.arange(maps.shape[1])[channels]
        values = np.empty((len(wanted), len(self.bins)))
        column_of = wanted // maps.chunks[1]
        for column in np.unique(column_of):
            own = np.flatnonzero(column_of == column)
            self._read_column(maps, wanted[own], values[own[0] : own[-1] + 1])
        if self.factor is not None:
            values *= self.factor
        if self.lower is None or self.upper is None or self.weight is None:
            return values
        return values[:, self.lower] * (1 - self.weight) + values[:, self.upper] * self.weight

    def _read_column(self, maps: zarr.Array, channels: np.ndarray, values: np.ndarray) -> None:
        """Fill the bins of channels that share chunks, (channel, bin)."""
        counts = np.diff(np.append(self.bins, len(self.token)))
        token_of_bin = self.token[self.bins]
        step = maps.chunks[0] * max(1, READ_BYTES // (math.prod(maps.chunks) * maps.dtype.itemsize))
        together = channels[-1] - channels[0] + 1 == len(channels)
        for begin in range(0, maps.shape[0], step):
            inside = np.flatnonzero((token_of_bin >= begin) & (token_of_bin < begin + step))
            if not len(inside):
                continue
            tokens = slice(begin, begin + step)
            if together:
                chunks = np.asarray(maps[tokens, channels[0] : channels[-1] + 1])
            else:
                chunks = np.asarray(maps.oindex[tokens, channels])
            # A bin lies within a token, and so do its outputs.
            outputs = np.flatnonzero((self.token >= begin) & (self.token < begin + step))
            raw = chunks[self.token[outputs] - begin, :, self.sample[outputs]].T.astype(np.float64)
            first = np.cumsum(counts[inside]) - counts[inside]
            values[:, inside] = np.add.reduceat(raw, first, axis=1) / counts[inside]


def rows_of_series(experiment: Experiment, layer: str, raw: Series, samples: int | None) -> tuple[Series, ChannelRows]:
    """Return the series in bins, as `bin_series` makes them, and where their rows come from.

    Parameters
    ----------
    experiment
        The store, or a selection of it.
    layer
        The layer.
    raw
        Its series with all their samples.
    samples
        Bins that longer series are averaged into.
    """
    points = raw.frame.groupby(raw.identifier, sort=False)["value"].transform("size")
    frame = raw.frame.assign(first_output=np.arange(len(raw.frame)), points=points)
    binned = bin_series(frame, samples, identifier=raw.identifier)
    place = pd.Series(experiment.token_rows, index=experiment.tokens["token"].to_numpy())
    rows = ChannelRows(
        token=place.loc[frame["token"].to_numpy()].to_numpy(),
        sample=frame["sample"].to_numpy(dtype=np.int64),
        bins=binned["first_output"].to_numpy(dtype=np.int64),
        factor=binned["points"].to_numpy(dtype=float) if raw.summed else None,
    )
    return replace(raw, frame=binned.drop(columns=["first_output", "points"])), rows


def on_common_times(series: Series, rows: ChannelRows) -> tuple[Series, ChannelRows]:
    """Interpolate series that run along normalised time to the same times.

    As many times as the median series has points, equally spaced in the middle of equal parts of the interval; linear
    between a series' own points, and constant outside the first and the last.

    Returns
    -------
    tuple
        The series and where their rows come from.
    """
    points = series.points
    times = (np.arange(points) + 0.5) / points
    frame = series.frame.reset_index(drop=True)
    pieces = np.flatnonzero((frame[series.identifier] != frame[series.identifier].shift()).to_numpy())
    ends = np.append(pieces[1:], len(frame))
    own = frame[series.covariate].to_numpy(dtype=float)
    # A row at fractional position 2.25 lies a quarter of the way from the third point to the fourth.
    position = np.concatenate(
        [np.interp(times, own[first:end], np.arange(first, end)) for first, end in zip(pieces, ends, strict=True)]
    )
    lower = np.floor(position).astype(np.int64)
    upper = np.minimum(lower + 1, np.repeat(ends - 1, points))
    first = frame.iloc[np.repeat(pieces, points)].reset_index(drop=True)
    common = first.assign(**{series.covariate: np.tile(times, len(pieces))})
    moved = replace(rows, lower=lower, upper=upper, weight=position - lower)
    return replace(series, frame=common), moved


def channel_count(experiment: Experiment, layer: str) -> int:
    """Return the number of channels that were recorded.

    Raises
    ------
    StoreError
        The layer was recorded without maps.
    """
    dataset = experiment.layer(layer)
    if "maps" not in dataset:
        raise StoreError(
            f"The store {experiment.path.name} has only the mean over channels of layer {layer!r}. Record every "
            "channel: layerstats record --maps, or record_activations(..., maps=True)."
        )
    return int(dataset.sizes["channel"])


def channel_blocks(experiment: Experiment, layer: str, rows: ChannelRows, memory_mb: float) -> list[slice]:
    """Return the blocks of channels, one after another, whose values need at most `memory_mb`.

    Blocks are whole columns of chunks where these hold a part of the channels, as from version 2 of the store on, so
    that no chunk is decoded for two blocks; unless memory is too small for one column.
    """
    maps = experiment.array(layer, "maps")
    # The values; where they are interpolated, also what from, and both neighbours. Fits copy a few channels at a time.
    each = rows.count if rows.lower is None else len(rows.bins) + 3 * rows.count
    size = max(1, int(memory_mb * 1e6 / (8 * each)))
    total, column = maps.shape[1], maps.chunks[1]
    if size >= column:
        size -= size % column
    return [slice(begin, min(begin + size, total)) for begin in range(0, total, size)]
