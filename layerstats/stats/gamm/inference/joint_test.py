"""Is there any difference, in level or in shape? One test for a parametric coefficient and a smooth together."""

from __future__ import annotations

import numpy as np

from layerstats.checks import check_choice
from layerstats.stats.gamm.inference.result import GammResult
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest, smooth_test
from layerstats.stats.gamm.structured.whitening import neighbour_correlation, whiten


def joint_test(
    result: GammResult, coefficient: str, smooth: str, residual_freedom: float | None = None
) -> tuple[float, TermTest]:
    """Test whether a level difference and the difference smooth that goes with it are both zero.

    Their columns span what an uncentred binary smooth (``s(time, by=is_second)`` with a 0/1 variable) spans, with the
    same penalty: one model says what used to take two, and the test is that of the binary smooth (Wood 2013, Biometrika
    100, 221-228), whichever engine fitted the model.

    Parameters
    ----------
    result
        A fitted model, for instance of ``value ~ word + s(time) + s(time, by=word_ordered) + ...``.
    coefficient
        As in ``result.parametric``, for instance ``"wordwash"``.
    smooth
        As in ``result.smooths``, for instance ``"s(time):word_orderedwash"``.
    residual_freedom
        Of the denominator; by default those of the residuals.

    Returns
    -------
    tuple
        Effective degrees of freedom, and the test; NaN where the engine tests no smooths.

    Raises
    ------
    ArgumentError
        There is no such coefficient or smooth.
    """
    coefficients = [str(term) for term in result.parametric["term"]]
    check_choice("coefficient", coefficient, coefficients)
    check_choice("smooth", smooth, result.smooth_labels)
    row = result.smooths.set_index("term").loc[smooth]
    edf = float(row["edf"]) + 1
    if np.isnan(row["p_value"]):
        return edf, TermTest(np.nan, float(row["ref_df"]) + 1, np.nan)
    request = result.request
    design = result.design(request.frame, exclude=result.random_terms)
    terms = np.array(design.term_of_column)
    parametric = np.flatnonzero(~np.isin(terms, result.smooth_labels))
    columns = np.append(parametric[coefficients.index(coefficient)], np.flatnonzero(terms == smooth))
    start = request.series_start
    start = np.ones(len(request.frame), dtype=bool) if start is None else start
    weights = np.ones(len(start)) if request.weights is None else request.weights
    correlation = neighbour_correlation(request, request.rho)
    rows = whiten(design.matrix[:, columns] * np.sqrt(weights)[:, None], correlation, start)
    freedom = float(result.glance["df_residual"].iloc[0]) if residual_freedom is None else residual_freedom
    return edf, smooth_test(
        design.coefficients[columns],
        rows.T @ rows,
        design.covariance[np.ix_(columns, columns)],
        # A coefficient without penalty has one degree of freedom, by every way of counting.
        float(row["ref_df"]) + 1,
        freedom,
    )
