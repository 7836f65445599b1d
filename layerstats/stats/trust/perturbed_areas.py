"""Areas under curves of deletion and insertion, against random order and a map of energy alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import DataError
from layerstats.stats.trust.map_measures import NAMES, measurement_frame

RELEVANCE = "relevance"
_CURVE = ["direction", "replacement", "order"]


def perturbation_areas(curves: pd.DataFrame) -> pd.DataFrame:
    """Measure the areas under curves of deletion and insertion.

    The area is the mean of the score while the fraction goes from 0 to 1 (trapezoids). Where a map is right, deletion
    has a smaller area than random order, and insertion a larger one.

    Parameters
    ----------
    curves
        Of `layerstats.probes.relevance.trust.perturbation_curves`: a row a token, ``direction, replacement, order`` and
        ``fraction``, with ``score``.

    Returns
    -------
    pandas.DataFrame
        A row a token, direction (the measure), replacement (the condition) and other order (the baseline), see
        `measurement_frame`.

    Raises
    ------
    DataError
        A column or scores are missing, a point is there twice, fractions do not go from 0 to 1, or there is no order
        to compare with.

    Examples
    --------
    >>> rows = [("relevance", 0, 1.0), ("relevance", 1, 0.0), ("energy", 0, 1.0), ("energy", 1, 0.5)]
    >>> curves = pd.DataFrame(rows, columns=["order", "fraction", "score"])
    >>> curves = curves.assign(token="a", speaker="s1", direction="deletion", replacement="mean spectrum")
    >>> perturbation_areas(curves)[["measure", "condition", "baseline", "value", "baseline_value"]].values.tolist()
    [['deletion', 'mean spectrum', 'energy', 0.5, 0.75]]
    """
    check_columns(curves, ["token", "speaker", *_CURVE, "fraction", "score"], "the curves")
    check_complete(curves, ["fraction", "score"], "the curves")
    keys = ["token", *_CURVE]
    same = curves.duplicated([*keys, "fraction"])
    if same.any():
        one = curves.loc[same].to_dict("records")[0]
        raise DataError(
            f"The curves have points twice, for instance {one['direction']} of {one['token']!r} in the order "
            f"{one['order']!r} at the fraction {one['fraction']}: give each curve once."
        )
    wide = curves.pivot_table(index=keys, columns="fraction", values="score").sort_index(axis=1)
    if wide.isna().to_numpy().any():
        raise DataError("Curves of deletion and insertion must have the same fractions for all tokens and orders.")
    fractions = wide.columns.to_numpy(dtype=float)
    if fractions[0] != 0 or fractions[-1] != 1:
        raise DataError(f"Curves go from a fraction of 0 to 1, but these from {fractions[0]:g} to {fractions[-1]:g}.")
    areas = wide.index.to_frame(index=False).assign(area=np.trapezoid(wide.to_numpy(), fractions, axis=1))
    orders = areas.pivot_table(index=keys[:-1], columns="order", values="area")
    others = [name for name in orders.columns if name != RELEVANCE]
    if RELEVANCE not in orders.columns or not others:
        raise DataError(f"Curves of the order 'relevance' and of another one are compared, not of {[*orders.columns]}.")
    names = curves.loc[:, [name for name in NAMES if name in curves.columns]].drop_duplicates("token")
    tables = [
        orders.reset_index()
        .loc[:, ["token", "direction", "replacement"]]
        .assign(baseline=other, value=orders[RELEVANCE].to_numpy(), baseline_value=orders[other].to_numpy())
        for other in others
    ]
    areas_of = names.merge(pd.concat(tables, ignore_index=True), on="token", sort=False)
    return measurement_frame(areas_of.rename(columns={"direction": "measure", "replacement": "condition"}))
