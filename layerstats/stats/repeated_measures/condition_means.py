"""Means of conditions over subjects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.errors import ArgumentError
from layerstats.stats.repeated_measures.measurements import read_measurements
from layerstats.tables import check_frame


def condition_means(
    frame: pd.DataFrame,
    *,
    value: str,
    subject: str,
    within: Sequence[str],
    conf_level: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> pd.DataFrame:
    """Average a measurement over subjects in every condition, with Student's interval for other subjects.

    Parameters
    ----------
    frame
        A row a subject and condition.
    value, subject
        Columns: what was measured, and on whom.
    within
        Columns of the factors whose combinations are the conditions.
    conf_level
        Of each interval by itself. Intervals of differences within subjects are other ones: see `paired_differences`.
    bounds
        Ends of the scale, which intervals do not pass: (0, 1) for proportions.

    Returns
    -------
    pandas.DataFrame
        A row a condition: the factors, ``subjects, estimate, std_error, conf_low, conf_high, conf_level``.

    Raises
    ------
    DataError
        See `read_measurements`.

    Examples
    --------
    >>> rows = [("p", "natural", 0.9), ("q", "natural", 0.8), ("p", "conv1", 0.5), ("q", "conv1", 0.5)]
    >>> table = pd.DataFrame(rows, columns=["listener", "stage", "proportion"])
    >>> means = condition_means(table, value="proportion", subject="listener", within=["stage"], bounds=(0, 1))
    >>> means[["stage", "estimate", "conf_high"]].round(3).values.tolist()
    [['natural', 0.85, 1.0], ['conv1', 0.5, 0.5]]
    """
    if not 0 < conf_level < 1:
        raise ArgumentError(f"'conf_level' must lie between 0 and 1, but is {conf_level!r}.")
    measured = read_measurements(frame, value, subject, within)
    count = len(measured.subjects)
    mean = measured.matrix.mean(axis=0)
    error = measured.matrix.std(axis=0, ddof=1) / np.sqrt(count)
    reach = float(stats.t.ppf((1 + conf_level) / 2, count - 1)) * error
    factors = {name: [condition[place] for condition in measured.conditions] for place, name in enumerate(within)}
    table = pd.DataFrame(
        {
            **factors,
            "subjects": count,
            "estimate": mean,
            "std_error": error,
            "conf_low": np.clip(mean - reach, *bounds),
            "conf_high": np.clip(mean + reach, *bounds),
            "conf_level": conf_level,
        }
    )
    return check_frame(table, user_columns=list(within))
