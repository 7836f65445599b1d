"""Compare two models of the same data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import special

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.formula.expression import Call, evaluate
from layerstats.stats.gamm.inference.result import GammResult
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
        The scores cannot be compared: other rows, response, family, weights, offset or AR(1) parameter, another method,
        REML scores of models with different fixed effects, scores of working models (``bam`` of a response that is not
        Gaussian), or an engine without likelihood scores.

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> import numpy as np
    >>> x = np.linspace(0, 1, 60)
    >>> data = pd.DataFrame({"x": x, "z": np.cos(40 * x), "y": np.sin(6 * x) + np.tile([0.05, -0.05], 30)})
    >>> models = [fit(formula, data, engine="structured", method="ML") for formula in ("y ~ s(x)", "y ~ s(x) + z")]
    >>> list(compare(*models).columns)
    ['model', 'score', 'edf', 'score_difference', 'df_difference', 'statistic', 'p_value', 'aic']
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
    for name, result in (("first", result_1), ("second", result_2)):
        if np.isnan(float(result.glance["score"].iloc[0])) or result.glance["method"].iloc[0] == "GCV":
            raise ArgumentError(
                f"The {name} model has no likelihood score (engine {result.engine!r}). Fit both with engine='mgcv'."
            )
    _check_same_likelihood(result_1, result_2)
    first, second = result_1.request, result_2.request
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


def _check_same_likelihood(result_1: GammResult, result_2: GammResult) -> None:
    """Refuse models that are not two descriptions of the same data by the same kind of likelihood."""
    first, second = result_1.request, result_2.request
    if first.response != second.response:
        raise ArgumentError(
            f"Models of different responses cannot be compared: {first.response!r} and {second.response!r}."
        )
    if first.family != second.family:
        raise ArgumentError(
            f"Models of different families cannot be compared: {first.family!r} and {second.family!r}. Fit both "
            "with the same 'family'."
        )
    if len(result_1.positions) != len(result_2.positions):
        rows = f"{len(result_1.positions)} and {len(result_2.positions)} rows"
        raise ArgumentError(f"Models of different data cannot be compared ({rows}): fit both to the same rows.")
    same_rows = np.array_equal(np.sort(result_1.positions), np.sort(result_2.positions))
    if not same_rows or not _same_by_row(result_1, result_2, lambda request: request.response_values):
        raise ArgumentError(
            "Models of different data cannot be compared (the rows or their responses differ): fit both to the same "
            "rows."
        )
    if not _same_by_row(result_1, result_2, lambda request: request.weights, without=1.0):
        raise ArgumentError("Models with different prior weights cannot be compared: fit both with the same 'weights'.")
    if not _same_by_row(result_1, result_2, _offset, without=0.0):
        raise ArgumentError("Models with different offsets are not nested in each other: give both the same offset().")
    _check_same_residuals(result_1, result_2)
    if first.family != "gaussian" and "bam" in (first.function, second.function):
        raise ArgumentError(
            f"With family {first.family!r} the score of bam() belongs to a working model, and each model has another. "
            "Fit both with function='gam' (engine='mgcv'), or compare the 'aic' of their glance tables."
        )
    if first.discrete != second.discrete:
        raise ArgumentError("Only one of the models has discretised covariates: fit both with the same 'discrete'.")


def _offset(request: FitRequest) -> np.ndarray:
    """Return the sum of the offsets of a model, (row,)."""
    inside = [
        argument.value
        for term in request.formula.parametric
        if term.is_offset
        for call in term.factors
        if isinstance(call, Call)
        for argument in call.arguments
    ]
    return np.sum([np.zeros(len(request.frame)), *(evaluate(one, request.frame) for one in inside)], axis=0)


def _check_same_residuals(result_1: GammResult, result_2: GammResult) -> None:
    """Refuse models whose residuals are correlated otherwise: no degree of freedom of the test stands for that."""
    if result_1.rho != result_2.rho:
        raise ArgumentError(
            f"Models with different AR(1) parameters are not nested in each other: rho = {result_1.rho:.6g} and "
            f"{result_2.rho:.6g}. Fit both with the same number as 'rho', for instance that of the larger model."
        )
    if result_1.rho == 0:
        return
    starts = _same_by_row(result_1, result_2, lambda request: request.series_start)
    if not starts or not _same_by_row(result_1, result_2, lambda request: request.series_gaps, without=1.0):
        raise ArgumentError(
            "Models whose series differ cannot be compared: fit both with the same 'series', 'order' and 'gaps'."
        )


def _same_by_row(
    result_1: GammResult,
    result_2: GammResult,
    values_of: Callable[[FitRequest], np.ndarray | None],
    without: float = np.nan,
) -> bool:
    """Return whether both fits have the same values in each row of the user's table; `without` stands for None."""
    in_table = []
    for result in (result_1, result_2):
        values = values_of(result.request)
        values = np.full(len(result.positions), without) if values is None else np.asarray(values, dtype=float)
        in_table.append(values[np.argsort(result.positions)])
    return bool(np.array_equal(*in_table, equal_nan=True))
