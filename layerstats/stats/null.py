"""Compare a trained network with untrained ones: did it learn the difference, or do the sounds differ anyway?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import DataError

# Enough to follow a phone; more only add noise to each bin.
BINS = 10


def descriptive_effect_size(frame: pd.DataFrame, *, group: str, identifier: str, covariate: str = "time") -> float:
    """Return the effect size of the difference between two groups of series, from plain means, without a model.

    Time is cut into equal bins, ten at most and no more than the shortest series has points. The effect size is the
    root mean square over bins of the difference between the groups' means, over the standard deviation of series
    within groups (pooled over groups and bins). It is what `effect_size` estimates, without smoothing and without the
    correction for bias: fit to be compared between networks on the same series, where both biases are the same.

    Parameters
    ----------
    frame
        One row a point: `identifier`, `group` (two levels), `covariate`, ``value``.

    Raises
    ------
    DataError
        There are not two groups, or a group has one series only.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "token": np.repeat(list("abcd"), 4), "set": np.repeat(["s", "sh"], 8),
    ...     "time": np.tile([0.0, 0.3, 0.6, 0.9], 4), "value": np.repeat([1.0, 3.0, 6.0, 8.0], 4),
    ... })
    >>> round(descriptive_effect_size(frame, group="set", identifier="token"), 3)  # 5 / sqrt(2)
    3.536
    """
    cells = binned_series(frame, group=group, identifier=identifier, covariate=covariate)
    values, labels = cells.to_numpy(), cells.index.get_level_values(0).to_numpy()
    groups = [values[labels == label] for label in np.unique(labels)]
    if len(groups) != 2 or min(map(len, groups)) < 2:
        raise DataError(f"Two groups of two series or more are needed, but got {[len(part) for part in groups]}.")
    difference = groups[0].mean(axis=0) - groups[1].mean(axis=0)
    squares = sum(((part - part.mean(axis=0)) ** 2).sum(axis=0) for part in groups)
    within = float(np.mean(squares)) / (len(values) - 2)
    if within == 0:
        raise DataError("Series do not vary within groups: there is no spread to compare a difference with.")
    return float(np.sqrt(np.mean(difference**2) / within))


def binned_series(frame: pd.DataFrame, *, group: str, identifier: str, covariate: str = "time") -> pd.DataFrame:
    """Return the means of series in equal bins of time, ten at most and no more than the shortest series has points.

    Returns
    -------
    pandas.DataFrame
        A row a series, by `group` and `identifier` in the index, and a column a bin.
    """
    check_columns(frame, [group, identifier, covariate, "value"])
    series = frame.groupby(identifier, sort=False)
    points = series["value"].transform("size").to_numpy()
    bins = min(BINS, int(points.min()))
    # Ranks within the series, so that every series has points in every bin.
    rank = series[covariate].rank(method="first").to_numpy() - 1
    position = (rank * bins // points).astype(int)
    return frame.assign(_bin=position).pivot_table(index=[group, identifier], columns="_bin", values="value")


def compare_with_untrained(effects: pd.DataFrame) -> pd.DataFrame:
    """Rank the trained network's effect at each layer among those of untrained networks.

    If training did not matter, the trained network would be one more draw of the same kind. The p-value is the share
    of networks, itself counted, whose effect is at least as large: (1 + number of untrained >= trained) / (1 + number
    of untrained). The adjusted p-value is over layers, by the distribution of the largest standardised effect of a
    network over its layers: unlike Holm's method it can fall as low as 1 / (1 + number of untrained).

    Parameters
    ----------
    effects
        ``layer, recording, trained, effect_size``: one row a layer and network, one of them trained.

    Returns
    -------
    pandas.DataFrame
        A row a layer: ``layer, null_effect_median, null_effect_low, null_effect_high, null_p_value, null_p_adjusted,
        null_recordings``; low and high are the 2.5 % and 97.5 % quantiles.

    Raises
    ------
    DataError
        There is not exactly one trained network, or a layer lacks a recording.

    Examples
    --------
    >>> effects = pd.DataFrame({
    ...     "layer": "conv1", "recording": ["activations", "seed_00", "seed_01", "seed_02"],
    ...     "trained": [True, False, False, False], "effect_size": [2.0, 0.5, 1.0, 1.5],
    ... })
    >>> compare_with_untrained(effects)[["null_effect_median", "null_p_value"]].values.tolist()
    [[1.0, 0.25]]
    """
    check_columns(effects, ["layer", "recording", "trained", "effect_size"])
    # Not pivot_table: that would average a recording that is there twice.
    wide = effects.set_index(["layer", "recording"])["effect_size"].unstack()  # noqa: PD010
    wide = wide.loc[pd.unique(effects.loc[:, "layer"])]
    trained = pd.unique(effects.loc[effects["trained"].to_numpy(dtype=bool), "recording"])
    if len(trained) != 1 or wide.isna().to_numpy().any() or wide.shape[1] < 2:
        raise DataError(
            "One trained network and at least one untrained one are needed, each with every layer, but got "
            f"{len(trained)} trained, {wide.shape[1] - len(trained)} untrained and {int(wide.isna().sum().sum())} gaps."
        )
    everyone = wide.to_numpy()
    observed = wide[[trained[0]]].to_numpy()
    untrained = wide.drop(columns=trained[0]).to_numpy()
    spread = everyone.std(axis=1, keepdims=True)
    centre = everyone.mean(axis=1, keepdims=True)
    scale = np.where(spread > 0, spread, 1.0)
    largest = ((everyone - centre) / scale).max(axis=0)
    total = everyone.shape[1]
    low, median, high = np.quantile(untrained, [0.025, 0.5, 0.975], axis=1)
    return pd.DataFrame(
        {
            "layer": wide.index.astype(str),
            "null_effect_median": median,
            "null_effect_low": low,
            "null_effect_high": high,
            "null_p_value": (1 + (untrained >= observed).sum(axis=1)) / total,
            # Rounding must not make the trained network smaller than itself.
            "null_p_adjusted": (largest >= (observed - centre) / scale - 1e-12).sum(axis=1) / total,
            "null_recordings": untrained.shape[1],
        }
    )
