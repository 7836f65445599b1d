"""How far a fit is from mgcv's answers, quantity by quantity."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from layerstats.stats.gamm import GammResult

from .models import Case

SCORE = 1e-6
RELATIVE = 1e-5
FREEDOM = 1e-3
PROBABILITY = 2e-5


def compare_with_answers(result: GammResult, case: Case, answers: str = "tight") -> pd.DataFrame:
    """Return the largest difference of each quantity: ``quantity, difference, tolerance, passes``.

    `answers` is a column of the answers: "value" as bam() gives them, "tight" with its optimiser run to the end.

    Differences of estimates, standard errors and fitted values are relative: to the answer, or to the spread of the
    quantity where an answer happens to be next to zero. The score may be better than mgcv's by any amount.
    """
    values, value = partial(case.values, column=answers), partial(case.value, column=answers)
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
    errors = values("std_error")
    fitted_errors, fixed_errors = values("fitted_std_error"), values("fixed_std_error")
    differences = [
        ("score", max(glance["score"] - value("score"), 0.0), SCORE),
        # An estimate is known to its standard error and no better.
        ("estimate", _relative(parametric["estimate"], values("estimate"), errors), RELATIVE),
        ("std_error", _relative(parametric["std_error"], errors), RELATIVE),
        ("p_value", _absolute(parametric["p_value"], values("p_value")), PROBABILITY),
        ("fitted", _relative(result.fitted.to_numpy()[rows], values("fitted"), spread), RELATIVE),
        ("predicted", _relative(whole["fit"], values("fitted"), spread), RELATIVE),
        ("fitted_std_error", _relative(whole["std_error"], fitted_errors), RELATIVE),
        ("fixed", _relative(fixed["fit"], values("fixed"), spread), RELATIVE),
        ("fixed_std_error", _relative(fixed["std_error"], fixed_errors), RELATIVE),
        ("edf", _absolute(smooths["edf"], values("edf")), FREEDOM),
        ("ref_df", _absolute(smooths["ref_df"], values("ref_df")), FREEDOM),
        ("smooth_p_value", _absolute(smooths["p_value"], values("smooth_p_value")), PROBABILITY),
        ("edf_total", _absolute(len(case.data) - glance["df_residual"], value("edf_total")), FREEDOM),
        ("df", _absolute(glance["df"], value("df")), FREEDOM),
        ("scale", _relative(glance["scale"], value("scale")), RELATIVE),
        ("deviance", _relative(glance["deviance"], value("deviance")), RELATIVE),
        ("log_lik", _absolute(glance["log_lik"], value("log_lik")), FREEDOM),
        ("aic", _absolute(glance["aic"], value("aic")), 2 * FREEDOM),
        ("adj_r_squared", _absolute(glance["adj_r_squared"], value("adj_r_squared")), RELATIVE),
    ]
    table = pd.DataFrame(differences, columns=["quantity", "difference", "tolerance"])
    return table.assign(passes=table["difference"] <= table["tolerance"])


def failures(table: pd.DataFrame, excepted: Collection[str] = ()) -> str:
    """Return the lines of a comparison that do not pass and are not excepted; empty where there are none."""
    failed = table[~table["passes"].to_numpy(dtype=bool) & ~table["quantity"].isin(list(excepted)).to_numpy()]
    return "" if failed.empty else failed.to_string()


def _absolute(values: ArrayLike, answers: ArrayLike) -> float:
    return _largest(values, answers, 1.0)


def _relative(values: ArrayLike, answers: ArrayLike, least: ArrayLike = 0.0) -> float:
    """Return the largest difference, relative to the answer or to `least` where that is larger."""
    return _largest(values, answers, np.maximum(np.abs(np.asarray(answers)), np.asarray(least)))


def _largest(values: ArrayLike, answers: ArrayLike, scale: ArrayLike) -> float:
    first, second = np.atleast_1d(np.asarray(values, dtype=float)), np.atleast_1d(np.asarray(answers, dtype=float))
    # Coefficients that mgcv drops have estimate and error 0 and no p-value.
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    # One that only one of the two drops is as far off as can be.
    divisor = np.where(same, 1.0, np.maximum(scale, 1e-300))
    difference = np.where(same, 0, np.abs(first - second) / divisor)
    return float(np.max(difference, initial=0))
