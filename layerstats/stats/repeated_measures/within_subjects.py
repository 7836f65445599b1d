"""Differences between two levels within subjects, condition by condition, with intervals for all at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_count
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.multiplicity import adjust_p_values
from layerstats.stats.repeated_measures.measurements import read_measurements
from layerstats.stats.symmetric_root import symmetric_root
from layerstats.tables import check_frame


def paired_differences(
    frame: pd.DataFrame,
    *,
    value: str,
    subject: str,
    factor: str,
    level_1: str,
    level_2: str,
    by: str,
    conf_level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate level_1 - level_2 of a factor within subjects at each level of another.

    Intervals are simultaneous: mean +- c standard errors, where c is what the largest of all ``|t|`` stays below with
    the probability `conf_level`, simulated for normal differences of as many subjects with the correlation that is
    found. The p-values are Student's; the adjusted ones are of the largest ``|t|`` in the same simulation.

    Parameters
    ----------
    frame
        A row a subject, level of `factor` and level of `by`.
    value, subject, factor, by
        Columns.
    level_1, level_2
        Of `factor`; swapping them changes signs only.
    conf_level
        Of all intervals together.
    draws, seed
        Of the simulation.

    Returns
    -------
    pandas.DataFrame
        A row a level of `by`, under its own name, with ``level_1, level_2, diff, std_error, df, statistic, p_value,
        p_adjusted, adjust_method, family, tests, conf_low, conf_high, interval, conf_level, standardised_diff``; the
        last is the mean difference over the standard deviation of differences.

    Raises
    ------
    DataError
        See `read_measurements`; or all subjects have the same difference.
    ArgumentError
        There is no such level.

    Examples
    --------
    >>> rows = [(s, o, "s1", v + (o == "b") * d) for s, v, d in (("p", 1, 2), ("q", 2, 3), ("r", 2, 4)) for o in "ab"]
    >>> table = pd.DataFrame(rows, columns=["listener", "observer", "stage", "value"])
    >>> table = pd.concat([table, table.assign(stage="s2")])
    >>> options = {"value": "value", "subject": "listener", "factor": "observer", "by": "stage"}
    >>> paired_differences(table, level_1="b", level_2="a", **options)[["stage", "diff"]].values.tolist()
    [['s1', 3.0], ['s2', 3.0]]
    """
    check_count("draws", draws)
    if not 0 < conf_level < 1:
        raise ArgumentError(f"'conf_level' must lie between 0 and 1, but is {conf_level!r}.")
    measured = read_measurements(frame, value, subject, [factor, by])
    for level in (level_1, level_2):
        if level not in measured.levels[0]:
            raise ArgumentError(f"{level!r} is no level of {factor!r}: they are {', '.join(measured.levels[0])}.")
    of = {level: [condition[0] == level for condition in measured.conditions] for level in (level_1, level_2)}
    differences = measured.matrix[:, of[level_1]] - measured.matrix[:, of[level_2]]
    count = len(differences)
    deviation = differences.std(axis=0, ddof=1)
    if np.any(deviation <= 1e-12):
        where = measured.levels[1][int(deviation.argmin())]
        raise DataError(
            f"All subjects have the same difference at {by} {where!r}: there is no variance to hold it against."
        )
    error = deviation / np.sqrt(count)
    mean = differences.mean(axis=0)
    correlation = np.corrcoef(differences, rowvar=False).reshape(len(mean), len(mean))
    largest = _largest_statistics(correlation, count, draws, seed)
    critical = float(np.quantile(largest, conf_level))
    statistic = mean / error
    # The observed one is one of them.
    adjusted = (1 + np.sum(largest[:, None] >= np.abs(statistic), axis=0)) / (draws + 1)
    table = pd.DataFrame(
        {
            by: measured.levels[1],
            "level_1": level_1,
            "level_2": level_2,
            "diff": mean,
            "std_error": error,
            "df": count - 1,
            "statistic": statistic,
            "p_value": 2 * stats.t.sf(np.abs(statistic), count - 1),
            "conf_low": mean - critical * error,
            "conf_high": mean + critical * error,
            "interval": "simultaneous",
            "conf_level": conf_level,
            "standardised_diff": mean / deviation,
        }
    )
    table = adjust_p_values(table, f"{level_1} - {level_2} over {by}", method="none")
    table = table.assign(adjust_method="max-T", p_adjusted=np.maximum(adjusted, table["p_value"]))
    return check_frame(table, user_columns=[by])


def _largest_statistics(correlation: np.ndarray, count: int, draws: int, seed: int) -> np.ndarray:
    """Return the largest ``|t|`` of `draws` sets of differences without a mean, (draw,)."""
    generator = np.random.default_rng(seed)
    size = len(correlation)
    root = symmetric_root(correlation)
    largest = np.empty(draws)
    for first in range(0, draws, 1000):
        own = min(1000, draws - first)
        drawn = generator.standard_normal((own, count, size)) @ root
        statistics = drawn.mean(axis=1) / (drawn.std(axis=1, ddof=1) / np.sqrt(count))
        largest[first : first + own] = np.abs(statistics).max(axis=1)
    return largest
