"""How much of maps lies in phones, and how much in the same phones elsewhere, of arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd

PARTS = ("absolute", "positive", "negative")
SHIFTED, EXCHANGED = "shifted phones", "phones of other windows"
SHARE, HIT = "share inside the phone", "pointing game"
# Places of a shifted phone that its variance is taken over; its mean is over all places.
_PLACES = 512


def part_of(values: np.ndarray, part: str) -> np.ndarray:
    """Return a part of maps, none below zero, with frequencies added up, (map, sample).

    Examples
    --------
    >>> part_of(np.array([[[1.0, -2.0], [3.0, 1.0]]]), "positive")
    array([[4., 1.]])
    """
    chosen = np.abs(values) if part == "absolute" else np.maximum(values if part == "positive" else -values, 0)
    return chosen.sum(axis=1) if values.ndim == 3 else chosen


def speaker_shares(values: np.ndarray, units: pd.DataFrame, exchanged: bool) -> pd.DataFrame:
    """Measure the maps of one speaker.

    Parameters
    ----------
    values
        (map, sample), none below zero.
    units
        A row a map and phone: ``map`` (its row in `values`), the samples from ``first`` to before ``last`` that the
        phone has, and those from ``low`` to before ``high`` that it is shifted round.
    exchanged
        Whether phones of the other rows are a baseline: they are where maps have a common centre.

    Returns
    -------
    pandas.DataFrame
        ``row`` (of `units`), ``measure, baseline, value, baseline_value``; ``null_variance`` over the places of the
        baseline, and ``null_covariance`` with the mean of the speaker's rows, where all are shifted together. An empty
        map has no values.

    Examples
    --------
    >>> units = pd.DataFrame({"map": [0], "first": [1], "last": [3], "low": [0], "high": [4]})
    >>> found = speaker_shares(np.array([[1.0, 5.0, 1.0, 1.0]]), units, exchanged=False)
    >>> found[["measure", "value", "baseline_value"]].values.tolist()
    [['share inside the phone', 0.75, 0.5], ['pointing game', 1.0, 0.5]]
    """
    tables = [
        pd.DataFrame({"row": np.arange(len(units)), "measure": measure, "baseline": baseline, **found})
        for (measure, baseline), found in measured_shares(values, units, exchanged).items()
    ]
    return pd.concat(tables, ignore_index=True)


def measured_shares(
    values: np.ndarray, units: pd.DataFrame, exchanged: bool
) -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """Return what `speaker_shares` puts in a frame as arrays, (unit,), by name, for each measure and baseline."""
    first, last, low, high = (units[name].to_numpy() for name in ("first", "last", "low", "high"))
    total = values.sum(axis=1, keepdims=True)
    peaks = (np.arange(values.shape[1]) == values.argmax(axis=1)[:, None]).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        # A hit is the share of a map that has nothing but its maximum.
        of_measure = {SHARE: values / total, HIT: np.where(total > 0, peaks, np.nan)}
    tables = {}
    rows = np.arange(len(units))
    for measure, maps in of_measure.items():
        before = np.concatenate([np.zeros((len(maps), 1)), np.cumsum(maps, axis=1)], axis=1)[units["map"].to_numpy()]
        found = {"value": before[rows, last] - before[rows, first]}
        tables[measure, SHIFTED] = {**found, **_shifted(before, first, last, low, high)}
        if exchanged and len(units) > 1:
            tables[measure, EXCHANGED] = {**found, **_exchanged(before, first, last)}
    return tables


def _shifted(
    before: np.ndarray, first: np.ndarray, last: np.ndarray, low: np.ndarray, high: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what intervals have on average that are shifted round from `low` to `high`, and how that varies.

    Parameters
    ----------
    before
        (row, sample + 1) maps added up before each sample.
    """
    places = min(_PLACES, int((high - low).max()))
    shares = np.empty((len(before), places))
    chance = np.empty(len(before))
    for row, own in enumerate(before):
        size, length = high[row] - low[row], last[row] - first[row]
        chance[row] = (own[high[row]] - own[low[row]]) * length / size
        round_twice = np.concatenate(
            [own[low[row] : high[row]], own[low[row] : high[row] + 1] + own[high[row]] - own[low[row]]]
        )
        begin = (first[row] - low[row] + np.arange(places) * size // places) % size
        shares[row] = round_twice[begin + length] - round_twice[begin]
    away = shares - shares.mean(axis=1, keepdims=True)
    return {
        "baseline_value": chance,
        "null_variance": np.mean(away**2, axis=1),
        "null_covariance": away @ np.nan_to_num(away).mean(axis=0) / places,
    }


def _exchanged(before: np.ndarray, first: np.ndarray, last: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the intervals of the other rows have on average, and how that varies."""
    chance, variance = np.empty((2, len(before)))
    for row, own in enumerate(before):
        others = np.delete(own[last] - own[first], row)
        chance[row], variance[row] = others.mean(), others.var()
    return {"baseline_value": chance, "null_variance": variance, "null_covariance": np.zeros(len(before))}
