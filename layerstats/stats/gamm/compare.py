"""Compare two models of the same data."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.result import GammResult
from layerstats.tables import check_frame


def compare(result_1: GammResult, result_2: GammResult) -> pd.DataFrame:
    """Test whether the larger of two models fits better than its larger size explains.

    The degrees of freedom of a model are counted, not effective: parametric coefficients, unpenalised dimensions of the
    smooths, and smoothing parameters. Twice the difference of the ML scores (minus log-likelihoods) is referred to
    chi-square with the difference of these counts, as is usual in the field (compareML of van Rij et al., itsadug;
    note that itsadug prints the difference of the scores, half the statistic). Smoothing parameters at the edge of
    their space make the test approximate: read a p-value near the threshold with care.

    Returns
    -------
    pandas.DataFrame
        ``model, score, edf, score_difference, df_difference, statistic, p_value, aic``, one row a model in the order
        of the arguments; the test stands in the row of the larger model. There is no test (NaN) where the models
        have equal size or the smaller one has the lower score: prefer the lower score.

    Raises
    ------
    ArgumentError
        The scores cannot be compared: other rows or response, another method, REML scores of models with different
        fixed effects, or an engine without likelihood scores.
    """
    _check_comparable(result_1, result_2)
    results = (result_1, result_2)
    counts = [count_parameters(result) for result in results]
    scores = [float(result.glance["score"].iloc[0]) for result in results]
    frame = pd.DataFrame(
        {
            "model": [result.formula for result in results],
            "score": scores,
            "edf": [float(count) for count in counts],
            "score_difference": np.nan,
            "df_difference": np.nan,
            "statistic": np.nan,
            "p_value": np.nan,
            "aic": [float(result.glance["aic"].iloc[0]) for result in results],
        }
    )
    larger = int(np.argmax(counts))
    gain = scores[1 - larger] - scores[larger]
    extra = counts[larger] - counts[1 - larger]
    frame.loc[larger, "score_difference"] = gain
    frame.loc[larger, "df_difference"] = float(extra)
    if extra > 0 and gain > 0:
        frame.loc[larger, "statistic"] = 2 * gain
        frame.loc[larger, "p_value"] = special.chdtrc(extra, 2 * gain)
    return check_frame(frame, "comparison")


def count_parameters(result: GammResult) -> int:
    """Return parametric coefficients + unpenalised dimensions of the smooths + smoothing parameters."""
    fit = result.engine_fit
    unpenalised = sum(part.null_dimension for part in fit.smooth_parts)
    return len(fit.parametric) + unpenalised + len(fit.smoothing_parameters)


def _check_comparable(result_1: GammResult, result_2: GammResult) -> None:
    first, second = result_1.request, result_2.request
    for name, result in (("first", result_1), ("second", result_2)):
        if np.isnan(float(result.glance["score"].iloc[0])) or result.glance["method"].iloc[0] == "GCV":
            raise ArgumentError(
                f"The {name} model has no likelihood score (engine {result.engine!r}). Fit both with engine='mgcv'."
            )
    if first.response != second.response:
        raise ArgumentError(
            f"Models of different responses cannot be compared: {first.response!r} and {second.response!r}."
        )
    if not _same_rows(result_1, result_2):
        raise ArgumentError("Models of different data cannot be compared: fit both to the same rows.")
    if first.method != second.method:
        raise ArgumentError(
            f"Scores of different methods cannot be compared: {first.method!r} and {second.method!r}. "
            "Fit both with method='ML'."
        )
    if first.method != "ML" and first.formula.fixed_part != second.formula.fixed_part:
        raise ArgumentError(
            f"{first.method} scores of models with different fixed effects (parametric terms and smooths that are not "
            "random) cannot be compared: each is a likelihood of other data. Fit both with method='ML'."
        )


def _same_rows(result_1: GammResult, result_2: GammResult) -> bool:
    if len(result_1.positions) != len(result_2.positions):
        return False
    responses = []
    for result in (result_1, result_2):
        values = np.empty(len(result.positions))
        values[result.positions] = result.request.response_values
        responses.append(values)
    return bool(np.array_equal(*responses))
