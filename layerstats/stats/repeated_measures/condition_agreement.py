"""Do two observers follow each other over conditions? Rank correlation within subjects."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_count, check_seed, check_share
from layerstats.errors import ArgumentError
from layerstats.stats.repeated_measures.measurements import read_measurements
from layerstats.tables import check_frame


def agreement_over_conditions(
    frame: pd.DataFrame,
    *,
    value: str,
    subject: str,
    factor: str,
    level_1: str,
    level_2: str,
    by: str,
    conf_level: float = 0.95,
    permutations: int = 1999,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate two levels of a factor over the levels of another, subject by subject.

    The estimate is the mean over subjects of Spearman's correlation; its interval is Student's over subjects, for other
    subjects in these conditions. Conditions are what is exchanged under the null: those of `level_2` are permuted, for
    all subjects alike, since what a condition is is the same for all.

    Parameters
    ----------
    frame
        A row a subject, level of `factor` and level of `by`.
    value, subject, factor, by
        Columns.
    level_1, level_2
        Of `factor`: the listener and the network, for instance.
    conf_level
        Of the interval, and of the ends of the null.
    permutations, seed
        Of the null.

    Returns
    -------
    pandas.DataFrame
        One row: ``level_1, level_2, subjects, estimate, conf_low, conf_high, conf_level, null_low, null_high,
        p_value``. Subjects of whom a level is the same in all conditions have no correlation and are left out of
        `subjects`.

    Raises
    ------
    ArgumentError
        There is no such level.
    DataError
        See `read_measurements`.

    Examples
    --------
    >>> rows = [(s, o, f"s{n}", n + (s == "q") * n * n) for s in "pqr" for o in ("human", "network") for n in range(5)]
    >>> table = pd.DataFrame(rows, columns=["listener", "observer", "stage", "value"])
    >>> options = {"value": "value", "subject": "listener", "factor": "observer", "by": "stage"}
    >>> found = agreement_over_conditions(table, level_1="human", level_2="network", **options)
    >>> found[["subjects", "estimate"]].round(3).values.tolist()
    [[3.0, 1.0]]
    """
    check_count("permutations", permutations)
    check_seed(seed)
    check_share("conf_level", conf_level)
    measured = read_measurements(frame, value, subject, [factor, by])
    for level in (level_1, level_2):
        if level not in measured.levels[0]:
            raise ArgumentError(f"{level!r} is no level of {factor!r}: they are {', '.join(measured.levels[0])}.")
    first, second = (
        _standardised(measured.matrix[:, [condition[0] == level for condition in measured.conditions]])
        for level in (level_1, level_2)
    )
    known = np.isfinite(first).all(axis=1) & np.isfinite(second).all(axis=1)
    first, second = first[known], second[known]
    correlations = (first * second).sum(axis=1)
    count = len(correlations)
    estimate = float(correlations.mean()) if count else np.nan
    row: dict[str, object] = {"level_1": level_1, "level_2": level_2, "subjects": count, "estimate": estimate}
    row |= {"conf_low": np.nan, "conf_high": np.nan, "conf_level": conf_level}
    row |= {"null_low": np.nan, "null_high": np.nan, "p_value": np.nan}
    if count > 1:
        width = stats.t.isf((1 - conf_level) / 2, count - 1) * correlations.std(ddof=1) / np.sqrt(count)
        row |= {"conf_low": max(estimate - width, -1.0), "conf_high": min(estimate + width, 1.0)}
    if count:
        generator = np.random.default_rng(seed)
        # Of one permutation for all subjects only the sums over subjects are needed.
        table = first.T @ second / count
        places = np.arange(len(table))
        null = np.array([table[places, generator.permutation(len(table))].sum() for _ in range(permutations)])
        low, high = np.quantile(null, [(1 - conf_level) / 2, (1 + conf_level) / 2])
        extreme = np.count_nonzero(np.abs(null) >= abs(estimate) - 1e-12)
        row |= {"null_low": low, "null_high": high, "p_value": (1 + extreme) / (1 + permutations)}
    return check_frame(pd.DataFrame([row]))


def _standardised(values: np.ndarray) -> np.ndarray:
    """Return ranks within subjects, centred and of length 1, (subject, condition); NaN where all are alike."""
    # Shares are quotients: what is equal must not be parted by rounding.
    ranks = stats.rankdata(np.round(values, 12), axis=1)
    ranks = ranks - ranks.mean(axis=1, keepdims=True)
    length = np.linalg.norm(ranks, axis=1, keepdims=True)
    return np.divide(ranks, length, out=np.full_like(ranks, np.nan), where=length > 1e-9)
