"""Series of measures as models take them: one a speaker, or a start, and condition, on equal times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.stats.exaggeration.feature_items import FeatureItems

ALONG = ("word", "clip")


def unit_series(
    items: FeatureItems, rows: np.ndarray, measures: Sequence[str], along: str, samples: int
) -> pd.DataFrame:
    """Return the tidy table of some items, the measure in the column `layer`, as `layer_contrasts` takes it.

    Items of one speaker and condition are averaged: they are no independent evidence. Items that began from a natural
    token and these themselves are by one speaker, so that a model compares them within speakers.

    Parameters
    ----------
    items
        From `feature_items`.
    rows
        (item,) positions of the items.
    measures
        Names of series.
    along
        "word": normalised time from the first to the last frame that is speech; "clip": the time of the clip.
    samples
        Points of every series.

    Returns
    -------
    DataFrame
        ``token, word, speaker, condition, layer, sample, time_s, onset_s, duration_s, value``.
    """
    tokens = items.tokens.iloc[rows].reset_index(drop=True)
    whole = items.measures
    frames = next(iter(whole.series.values())).shape[1]
    if not 4 <= samples <= frames:
        raise ArgumentError(f"The 'samples' parameter must be between 4 and {frames}, but got {samples!r} instead.")
    first = whole.first[rows] if along == "word" else np.zeros(len(rows), dtype=int)
    length = whole.last[rows] - first + 1 if along == "word" else np.full(len(rows), frames)
    weights = np.stack([_bins(start, size, frames, samples) for start, size in zip(first, length, strict=True)])
    units = tokens.groupby(["condition", "speaker"], sort=False).ngroup().to_numpy()
    first_of_unit = np.unique(units, return_index=True)[1]
    told = tokens.iloc[first_of_unit]
    lasts = 1.0 if along == "word" else frames * whole.settings.hop_s
    time_s = (np.arange(samples) + 0.5) * lasts / samples
    parts = []
    for measure in measures:
        values = np.einsum("isf,if->is", weights, whole.series[measure][rows])
        means = np.stack([values[units == unit].mean(axis=0) for unit in range(len(told))])
        part = told.loc[told.index.repeat(samples), ["token", "word", "speaker", "condition"]].reset_index(drop=True)
        grid = {"sample": np.tile(np.arange(samples), len(told)), "time_s": np.tile(time_s, len(told))}
        parts.append(part.assign(layer=measure, **grid, onset_s=0.0, duration_s=lasts, value=means.ravel()))
    return pd.concat(parts, ignore_index=True)


def _bins(first: int, length: int, frames: int, samples: int) -> np.ndarray:
    """Return what each frame is worth in the mean of each bin, (sample, time); frames are shared where bins are small.

    Examples
    --------
    >>> _bins(1, 4, 6, 2)
    array([[0. , 0.5, 0.5, 0. , 0. , 0. ],
           [0. , 0. , 0. , 0.5, 0.5, 0. ]])
    """
    edges = first + np.linspace(0, length, samples + 1)
    starts = np.arange(frames)
    overlap = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return np.clip(overlap, 0, None) / (length / samples)
