"""Analysis of variance of repeated measures: factors within subjects, and at most one between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import cast

import numpy as np
import pandas as pd
from scipy import optimize, stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.repeated_measures.measurements import Measurements, read_measurements
from layerstats.tables import PrintedResult, check_frame


@dataclass(frozen=True, eq=False, repr=False)
class RepeatedAnova(PrintedResult):
    """Tests of the effects on repeated measures.

    Attributes
    ----------
    effects
        A row an effect: ``term, df, df_residual, statistic, p_value``; the sphericity corrections ``epsilon_gg,
        epsilon_hf, p_value_gg, p_value_hf`` (Greenhouse and Geisser 1959; Huynh and Feldt 1976); ``partial_eta_squared,
        eta_low, eta_high, conf_level``; and ``p_adjusted``, of `p_value_gg` over the effects of the model.
    subjects
        How many.
    notes
        What is known of the design.
    """

    main_tables = ("effects",)
    effects: pd.DataFrame
    subjects: int
    notes: tuple[str, ...] = ()


def repeated_anova(
    frame: pd.DataFrame,
    *,
    value: str,
    subject: str,
    within: Sequence[str],
    between: str | None = None,
    conf_level: float = 0.95,
    adjust: AdjustMethod = "holm",
    family: str = "effects of one model",
) -> RepeatedAnova:
    """Test the effects of conditions on subjects who are measured in all of them.

    Each effect is tested against its own interaction with subjects (as by R's ``aov`` with an ``Error`` stratum), by
    the sums of squares of orthonormal contrasts of conditions. Groups of unequal size weigh the same (type III).

    Parameters
    ----------
    frame
        A row a subject and condition.
    value, subject
        Columns: what was measured, and on whom.
    within
        Columns of the factors that every subject has all levels of.
    between
        Column of the factor whose levels are groups of subjects, if there is one.
    conf_level
        Of the intervals of partial eta squared, which invert the noncentral F distribution (Steiger 2004, Psychol.
        Methods 9, 164-182), with the degrees of freedom of Greenhouse and Geisser.
    adjust, family
        See `adjust_p_values`.

    Returns
    -------
    RepeatedAnova
        The effects.

    Raises
    ------
    DataError
        See `read_measurements`; or an effect leaves nothing to estimate its error from.

    Examples
    --------
    >>> values = pd.DataFrame({"natural": [1, 2, 3], "conv1": [2, 2, 5], "final": [4, 6, 6]}, index=list("abc"))
    >>> table = values.rename_axis("listener").reset_index().melt("listener", var_name="stage")
    >>> effects = repeated_anova(table, value="value", subject="listener", within=["stage"]).effects
    >>> effects[["term", "df", "df_residual", "statistic"]].round(4).values.tolist()
    [['stage', 2, 4, 14.3636]]
    """
    if isinstance(within, str):
        raise ArgumentError(f"'within' must be a list of columns, but is the text {within!r}.")
    if not 0 < conf_level < 1:
        raise ArgumentError(f"'conf_level' must lie between 0 and 1, but is {conf_level!r}.")
    measured = read_measurements(frame, value, subject, within, between)
    rows = []
    for included in product([False, True], repeat=len(within)):
        contrasts = _contrasts(measured, included)
        named = [name for name, used in zip(within, included, strict=True) if used]
        hypotheses = [(named, _mean_of_groups(measured))] if named else []
        if between is not None:
            hypotheses.append(([between, *named], _differences_of_groups(measured)))
        rows += [_test(":".join(names), measured, contrasts, rows_of, conf_level) for names, rows_of in hypotheses]
    effects = pd.DataFrame(rows).sort_values("term", key=lambda terms: terms.str.count(":"), kind="stable")
    effects = adjust_p_values(effects.reset_index(drop=True), family, method=adjust, column="p_value_gg")
    return RepeatedAnova(check_frame(effects, "repeated_anova"), len(measured.subjects))


def _contrasts(measured: Measurements, included: tuple[bool, ...]) -> np.ndarray:
    """Return orthonormal contrasts, (contrast, condition): differences in included factors, means over others."""
    found = np.ones((1, 1))
    for levels, used in zip(measured.levels, included, strict=True):
        size = len(levels)
        mean = np.full((1, size), size**-0.5)
        part = np.linalg.svd(np.eye(size) - mean.T @ mean)[2][: size - 1] if used else mean
        found = np.kron(found, part)
    return found


def _mean_of_groups(measured: Measurements) -> np.ndarray:
    return np.full((1, len(measured.groups)), 1 / len(measured.groups))


def _differences_of_groups(measured: Measurements) -> np.ndarray:
    size = len(measured.groups)
    return np.eye(size)[1:] - np.eye(size)[:1]


def _test(
    term: str, measured: Measurements, contrasts: np.ndarray, hypothesis: np.ndarray, conf_level: float
) -> dict[str, object]:
    scores = measured.matrix @ contrasts.T
    member = np.eye(len(measured.groups))[measured.group_of]
    sizes = member.sum(axis=0)
    means = member.T @ scores / sizes[:, None]
    left = scores - means[measured.group_of]
    errors = left.T @ left
    contrast = hypothesis @ means
    effect = float(np.sum(contrast * np.linalg.solve(hypothesis / sizes @ hypothesis.T, contrast)))
    error = float(np.trace(errors))
    if error <= 1e-12 * max(effect, float(np.sum(measured.matrix**2))):
        raise DataError(
            f"Subjects do not differ at all in the effect of {term}: there is no variance to hold it against."
        )
    spare, count = len(scores) - len(sizes), len(contrasts)
    df, df_residual = len(hypothesis) * count, spare * count
    statistic = effect / df / (error / df_residual)
    gg = error**2 / (count * float(np.sum(errors**2)))
    # Lecoutre (1991, J. Educ. Statist. 16, 371-372) has the degrees of freedom right where there are groups.
    hf = min(((spare + 1) * count * gg - 2) / (count * (spare - count * gg)), 1.0) if spare > count * gg else 1.0
    low, high = _eta_interval(statistic, df * gg, df_residual * gg, conf_level)
    return {
        "term": term,
        "df": df,
        "df_residual": df_residual,
        "statistic": statistic,
        "p_value": float(stats.f.sf(statistic, df, df_residual)),
        "epsilon_gg": gg,
        "epsilon_hf": hf,
        "p_value_gg": float(stats.f.sf(statistic, df * gg, df_residual * gg)),
        "p_value_hf": float(stats.f.sf(statistic, df * hf, df_residual * hf)),
        "partial_eta_squared": effect / (effect + error),
        "eta_low": low,
        "eta_high": high,
        "conf_level": conf_level,
    }


def _eta_interval(statistic: float, df: float, df_residual: float, conf_level: float) -> tuple[float, float]:
    """Return the interval of partial eta squared in the population."""

    def noncentrality(probability: float) -> float:
        excess = lambda value: stats.ncf.cdf(statistic, df, df_residual, value) - probability  # noqa: E731
        if stats.f.cdf(statistic, df, df_residual) <= probability:
            return 0.0
        largest = 10.0 + 4 * df * statistic
        while excess(largest) > 0:
            largest *= 2
        return cast(float, optimize.brentq(excess, 1e-12, largest))

    ends = (noncentrality((1 + conf_level) / 2), noncentrality((1 - conf_level) / 2))
    low, high = (value / (value + df + df_residual + 1) for value in ends)
    return low, high
