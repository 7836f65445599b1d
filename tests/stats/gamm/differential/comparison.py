"""How far a fit is from mgcv's answers, quantity by quantity."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from layerstats.stats.gamm import GammResult

from .models import Case, Exemption

SCORE = 1e-6
RELATIVE = 1e-5
FREEDOM = 1e-3
PROBABILITY = 2e-5
STATISTIC = 1e-3


def compare_with_answers(result: GammResult, case: Case, answers: str) -> pd.DataFrame:
    """Return the largest difference of each quantity: ``quantity, difference, tolerance, passes``.

    `answers` is a column of the answers, for instance "value" for bam() as it is.

    Differences of estimates, standard errors and fitted values are relative: to the answer, or to the spread of the
    quantity where an answer happens to be next to zero.
    """
    values, value = partial(case.values, column=answers), partial(case.value, column=answers)
    glance = result.glance.iloc[0]
    smooths, parametric = result.smooths, result.parametric
    if parametric["term"].tolist() != case.terms("estimate"):
        raise AssertionError(f"{parametric['term'].tolist()} instead of {case.terms('estimate')}")
    if smooths["term"].tolist() != case.terms("edf"):
        raise AssertionError(f"{smooths['term'].tolist()} instead of {case.terms('edf')}")
    errors = values("std_error")
    differences = [
        ("score", _absolute(glance["score"], value("score")), SCORE),
        # An estimate is known to its standard error and no better.
        ("estimate", _relative(parametric["estimate"], values("estimate"), errors), RELATIVE),
        ("std_error", _relative(parametric["std_error"], errors), RELATIVE),
        ("p_value", _absolute(parametric["p_value"], values("p_value")), PROBABILITY),
        *_row_differences(result, case, answers),
        ("edf", _absolute(smooths["edf"], values("edf")), FREEDOM),
        ("ref_df", _absolute(smooths["ref_df"], values("ref_df")), FREEDOM),
        # Of a random effect it is a sum of squares over the rank, which rounding errors may count otherwise.
        ("smooth_statistic", _relative(smooths["statistic"], values("smooth_statistic")), STATISTIC),
        ("smooth_p_value", _absolute(smooths["p_value"], values("smooth_p_value")), PROBABILITY),
        ("edf_total", _absolute(len(case.data) - glance["df_residual"], value("edf_total")), FREEDOM),
        ("df", _absolute(glance["df"], value("df")), FREEDOM),
        ("scale", _relative(glance["scale"], value("scale")), RELATIVE),
        ("deviance", _relative(glance["deviance"], value("deviance")), RELATIVE),
        ("deviance_explained", _absolute(glance["deviance_explained"], value("deviance_explained")), RELATIVE),
        ("log_lik", _absolute(glance["log_lik"], value("log_lik")), FREEDOM),
        ("aic", _absolute(glance["aic"], value("aic")), 2 * FREEDOM),
        ("adj_r_squared", _absolute(glance["adj_r_squared"], value("adj_r_squared")), RELATIVE),
    ]
    return _table(differences)


def _row_differences(result: GammResult, case: Case, answers: str) -> list[tuple[str, float, float]]:
    """Return what differs in the rows that have answers."""
    values = partial(case.values, column=answers)
    rows = np.array(case.terms("fitted"), dtype=int)
    data = case.data.iloc[rows]
    whole, fixed = result.predict(data), result.predict(data, exclude=result.random_terms)
    response = result.predict(data, scale="response")
    binomial = case.family == "binomial"
    spread = 1.0 if binomial else float(np.std(case.data["y"]))
    differences = [
        ("fitted", whole["fit"], "fitted", max(spread, float(np.std(values("fitted"))))),
        ("fitted_std_error", whole["std_error"], "fitted_std_error", 0.0),
        ("fixed", fixed["fit"], "fixed", max(spread, float(np.std(values("fitted"))))),
        ("fixed_std_error", fixed["std_error"], "fixed_std_error", 0.0),
        ("residual", result.residuals.iloc[rows], "residual", spread),
        # Of binomial models fitted values are probabilities.
        ("fitted_response", result.fitted.iloc[rows], "probability" if binomial else "fitted", spread),
    ]
    if binomial:
        differences.append(("probability_std_error", response["std_error"], "probability_std_error", 0.0))
    return [(name, _relative(ours, values(theirs), least), RELATIVE) for name, ours, theirs, least in differences]


def _table(differences: list[tuple[str, float, float]]) -> pd.DataFrame:
    table = pd.DataFrame(differences, columns=["quantity", "difference", "tolerance"])
    return table.assign(passes=table["difference"] <= table["tolerance"])


def failures(table: pd.DataFrame, exempt: Mapping[str, Exemption] | None = None) -> str:
    """Return the lines that are wrong, empty if there are none.

    Wrong is what differs and is not exempt, what differs by more than its ceiling, and what is exempt for nothing.
    """
    exempt = exempt or {}
    listed = [exempt.get(quantity, Exemption(0.0, may_agree=True)) for quantity in table["quantity"]]
    ceilings = np.array([one.ceiling for one in listed])
    may_agree = np.array([one.may_agree for one in listed])
    passes = table["passes"].to_numpy(dtype=bool)
    right = np.where(passes, may_agree, table["difference"].to_numpy() <= ceilings)
    return "" if right.all() else table.assign(ceiling=ceilings)[~right].to_string()


def _absolute(values: ArrayLike, answers: ArrayLike) -> float:
    return _largest(values, answers, 1.0)


def _relative(values: ArrayLike, answers: ArrayLike, least: ArrayLike = 0.0) -> float:
    """Return the largest difference, relative to the answer or to `least` where that is larger."""
    magnitude = np.maximum(np.abs(np.asarray(answers)), np.asarray(least))
    # What only one of the two drops, and sets to zero, differs by all of itself.
    return _largest(values, answers, np.where(magnitude == 0, np.abs(np.asarray(values)), magnitude))


def _largest(values: ArrayLike, answers: ArrayLike, scale: ArrayLike) -> float:
    first, second = np.atleast_1d(np.asarray(values, dtype=float)), np.atleast_1d(np.asarray(answers, dtype=float))
    # Coefficients that both drop have estimate and error 0 and no p-value.
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    difference = np.where(same, 0, np.abs(first - second) / np.where(same, 1.0, scale))
    return float(np.max(np.where(np.isnan(difference), 1.0, difference), initial=0))
