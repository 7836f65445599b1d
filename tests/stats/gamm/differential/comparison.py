"""How far a fit is from mgcv's answers, quantity by quantity."""

from __future__ import annotations

import numpy as np
import pandas as pd
from models import Case

from layerstats.stats.gamm import GammResult

SCORE = 1e-6
RELATIVE = 1e-5
FREEDOM = 1e-3
PROBABILITY = 2e-5


def compare_with_answers(result: GammResult, case: Case) -> pd.DataFrame:
    """Return the largest difference of each quantity: ``quantity, difference, tolerance, passes``.

    Differences of estimates, standard errors and fitted values are relative: to the answer, or to the spread of the
    quantity where an answer happens to be next to zero. The score may be better than mgcv's by any amount.
    """
    glance = result.glance.iloc[0]
    smooths, parametric = result.smooths, result.parametric
    if parametric["term"].tolist() != case.terms("estimate"):
        raise AssertionError(f"{parametric['term'].tolist()} instead of {case.terms('estimate')}")
    if smooths["term"].tolist() != case.terms("edf"):
        raise AssertionError(f"{smooths['term'].tolist()} instead of {case.terms('edf')}")
    rows = np.array(case.terms("fitted"), dtype=int)
    whole = result.predict(case.data.iloc[rows])
    fixed = result.predict(case.data.iloc[rows], exclude=result.random_terms)
    spread = float(np.std(case.data["y"]))
    errors = case.values("std_error")
    fitted_errors, fixed_errors = case.values("fitted_std_error"), case.values("fixed_std_error")
    differences = [
        ("score", max(glance["score"] - case.value("score"), 0.0), SCORE),
        # An estimate is known to its standard error and no better.
        ("estimate", _relative(parametric["estimate"], case.values("estimate"), errors), RELATIVE),
        ("std_error", _relative(parametric["std_error"], errors), RELATIVE),
        ("p_value", _absolute(parametric["p_value"], case.values("p_value")), PROBABILITY),
        ("fitted", _relative(result.fitted.to_numpy()[rows], case.values("fitted"), spread), RELATIVE),
        ("predicted", _relative(whole["fit"], case.values("fitted"), spread), RELATIVE),
        ("fitted_std_error", _relative(whole["std_error"], fitted_errors), RELATIVE),
        ("fixed", _relative(fixed["fit"], case.values("fixed"), spread), RELATIVE),
        ("fixed_std_error", _relative(fixed["std_error"], fixed_errors), RELATIVE),
        ("edf", _absolute(smooths["edf"], case.values("edf")), FREEDOM),
        ("ref_df", _absolute(smooths["ref_df"], case.values("ref_df")), FREEDOM),
        ("smooth_p_value", _absolute(smooths["p_value"], case.values("smooth_p_value")), PROBABILITY),
        ("edf_total", _absolute(len(case.data) - glance["df_residual"], case.value("edf_total")), FREEDOM),
        ("df", _absolute(glance["df"], case.value("df")), FREEDOM),
        ("scale", _relative(glance["scale"], case.value("scale")), RELATIVE),
        ("deviance", _relative(glance["deviance"], case.value("deviance")), RELATIVE),
        ("log_lik", _absolute(glance["log_lik"], case.value("log_lik")), FREEDOM),
        ("aic", _absolute(glance["aic"], case.value("aic")), 2 * FREEDOM),
        ("adj_r_squared", _absolute(glance["adj_r_squared"], case.value("adj_r_squared")), RELATIVE),
    ]
    table = pd.DataFrame(differences, columns=["quantity", "difference", "tolerance"])
    return table.assign(passes=table["difference"] <= table["tolerance"])


def _absolute(values: object, answers: object) -> float:
    return _largest(values, answers, 1.0)


def _relative(values: object, answers: object, least: object = 0.0) -> float:
    """Return the largest difference, relative to the answer or to `least` where that is larger."""
    return _largest(values, answers, np.maximum(np.abs(np.asarray(answers)), np.asarray(least)))


def _largest(values: object, answers: object, scale: object) -> float:
    first, second = np.atleast_1d(np.asarray(values, dtype=float)), np.atleast_1d(np.asarray(answers, dtype=float))
    # Coefficients that mgcv drops have estimate and error 0 and no p-value.
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    difference = np.where(same, 0, np.abs(first - second) / np.where(same, 1, scale))
    return float(np.max(difference, initial=0))
