"""The same tokens in two layers or recordings: series on one axis of time, in comparable units, and differences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.contrasts.interactions.token_scale import TokenScale
from layerstats.stats.series import Series


def on_one_axis(every: Sequence[Series]) -> list[Series]:
    """Return the series that all have, at the times of the coarsest.

    Each of its points is compared with the mean of the points of a finer layer that lie nearest to it; where none does,
    with what a straight line between the finer layer's points has there. Nothing changes where all have the same times.

    Parameters
    ----------
    every
        Of the same contrast, in normalised time, or both padded.

    Raises
    ------
    DataError
        No series is in all of them.
    """
    identifier = every[0].identifier
    coarse = min(every, key=lambda one: one.points)
    shared = set.intersection(*(set(one.frame[identifier]) for one in every))
    if not shared:
        raise DataError("No token has enough samples in both recordings: there is nothing to compare.")
    axis = "time" if coarse.covariate == "time" else "time_s"
    frame = coarse.frame.loc[coarse.frame[identifier].isin(sorted(shared))].reset_index(drop=True)
    kept = {}
    for number, one in enumerate(every):
        if one is coarse:
            kept[number] = frame
            continue
        own = dict(iter(one.frame.groupby(identifier, sort=False)))
        parts = [
            _means_near(
                place[axis].to_numpy(dtype=float),
                own[name][axis].to_numpy(dtype=float),
                own[name]["value"].to_numpy(dtype=float),
            )
            for name, place in frame.groupby(identifier, sort=False)
        ]
        # Rows of a series stand together, in the order of time.
        kept[number] = frame.assign(value=np.concatenate(parts))
    dropped = _left_out(every, shared)
    return [replace(coarse, frame=kept[number], dropped=dropped) for number in range(len(every))]


def _left_out(every: Sequence[Series], shared: Collection[str]) -> pd.DataFrame:
    """Return the series that are not compared, each once: too short somewhere, or not in all recordings."""
    identifier = every[0].identifier
    keys = ["token"] if identifier == "token" else ["token", "phone", "phone_index"]
    tables = [one.dropped.loc[:, [*keys, "samples", "note"]] for one in every]
    for one in every:
        alone = one.frame.loc[~one.frame[identifier].isin(sorted(shared))]
        sizes = alone.groupby(keys, sort=False).size().reset_index(name="samples")
        tables.append(sizes.assign(note="not in all of the recordings that are compared"))
    filled = [table for table in tables if len(table)] or tables[:1]
    return pd.concat(filled, ignore_index=True).drop_duplicates(keys, ignore_index=True)


def _means_near(places: np.ndarray, times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the mean of the values whose times are nearest to each place, (place,).

    Examples
    --------
    >>> _means_near(np.array([0.25, 0.75]), np.array([0.1, 0.4, 0.6, 0.9]), np.array([1.0, 3.0, 5.0, 6.0])).tolist()
    [2.0, 5.5]
    """
    if len(places) == len(times) and np.array_equal(places, times):
        return values
    nearest = np.searchsorted((places[1:] + places[:-1]) / 2, times)
    counts = np.bincount(nearest, minlength=len(places))
    sums = np.bincount(nearest, weights=values, minlength=len(places))
    between = np.interp(places, times, values)
    return np.where(counts > 0, sums / np.maximum(counts, 1), between)


def scaled(series: Series, scale: TokenScale) -> Series:
    """Return the series in units of the recording's standard deviation of tokens."""
    return _with_values(series, series.frame["value"].to_numpy() / scale.sd)


def weighted_sum(every: Sequence[Series], weights: Sequence[float]) -> Series:
    """Return the weighted sum of series that stand on one axis."""
    values = [weight * one.frame["value"].to_numpy() for one, weight in zip(every, weights, strict=True)]
    return _with_values(every[0], np.sum(values, axis=0))


def _with_values(series: Series, values: np.ndarray) -> Series:
    return replace(series, frame=pd.DataFrame(series.frame.assign(value=values)))
