"""p-values of a table over a family, by permutations where there are any."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.resampling.westfall_young import permutation_p_values, step_down_p_values


def adjusted_by_draws(table: pd.DataFrame, draws: np.ndarray, family: str, adjust: AdjustMethod) -> pd.DataFrame:
    """Add adjusted p-values; from permutations, both kinds.

    Parameters
    ----------
    table
        A row a test, with ``p_value``.
    draws
        (assignment, test), the observed one first: estimates that are large against the null hypothesis.
    family, adjust
        Its name; how p-values are adjusted where the observed assignment is the only one.

    Returns
    -------
    pandas.DataFrame
        With ``p_value, p_adjusted, adjust_method, family, tests``; "max-T" is the step-down method of Westfall & Young
        on estimates that were standardised by all assignments, the observed one too.

    Examples
    --------
    >>> table = pd.DataFrame({"layer": ["conv1", "conv2"], "p_value": np.nan})
    >>> draws = np.array([[0.9, 0.35], [0.3, 0.4], [0.4, 0.3], [0.2, 0.3]])
    >>> adjusted_by_draws(table, draws, "layers", "holm")[["p_value", "p_adjusted"]].values.tolist()
    [[0.25, 0.25], [0.5, 0.5]]
    """
    if len(draws) == 1:
        return adjust_p_values(table, family, method=adjust)
    spread = draws.std(axis=0)
    # On one scale, so that the largest over tests is not that of the test that varies most. The observed assignment is
    # one of those that the scale comes from: without it, it would lie farther out than any other by that alone.
    scaled = (draws - draws.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    # All above zero: what counts as equal is a part of the statistic.
    scaled -= scaled.min() - 1.0
    return table.assign(
        p_value=permutation_p_values(scaled),
        p_adjusted=step_down_p_values(scaled),
        adjust_method="max-T",
        family=family,
        tests=len(table),
    )
