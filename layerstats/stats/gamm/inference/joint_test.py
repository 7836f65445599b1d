"""Is there any difference, in level or in shape? One test for a parametric coefficient and a smooth together."""

from __future__ import annotations

import numpy as np

from layerstats.checks import check_choice
from layerstats.stats.gamm.engine_interface import Design
from layerstats.stats.gamm.inference.result import GammResult
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest, smooth_test
from layerstats.stats.gamm.structured.whitening import neighbour_correlation, whiten


def joint_test(
    result: GammResult,
    coefficient: str | None,
    smooth: str,
    residual_freedom: float | None = None,
    added: np.ndarray | None = None,
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
        As in ``result.parametric``, for instance ``"wordwash"``; None tests the smooth alone.
    smooth
        As in ``result.smooths``, for instance ``"s(time):word_orderedwash"``.
    residual_freedom
        Of the denominator; by default those of the residuals.
    added
        (column, column), over the columns of `columns_under_test`: what is added to their covariance, where the
        response itself was estimated (divided by a standard deviation of the same data, for instance).

    Returns
    -------
    tuple
        Effective degrees of freedom, and the test; NaN where the engine tests no smooths.

    Raises
    ------
    ArgumentError
        There is no such coefficient or smooth.
    """
    row = _row_of(result, smooth)
    more = 0.0 if coefficient is None else 1.0
    edf = row["edf"] + more
    if np.isnan(row["p_value"]):
        return edf, TermTest(np.nan, row["ref_df"] + more, np.nan)
    request = result.request
    design = result.design(request.frame, exclude=result.random_terms)
    columns = columns_under_test(result, coefficient, smooth, design)
    start = request.series_start
    start = np.ones(len(request.frame), dtype=bool) if start is None else start
    weights = np.ones(len(start)) if request.weights is None else request.weights
    correlation = neighbour_correlation(request, request.rho)
    rows = whiten(design.matrix[:, columns] * np.sqrt(weights)[:, None], correlation, start)
    freedom = float(result.glance["df_residual"].iloc[0]) if residual_freedom is None else residual_freedom
    covariance = design.covariance[np.ix_(columns, columns)]
    return edf, smooth_test(
        design.coefficients[columns],
        rows.T @ rows,
        covariance if added is None else covariance + added,
        # A coefficient without penalty has one degree of freedom, by every way of counting.
        row["ref_df"] + more,
        freedom,
    )


def columns_under_test(result: GammResult, coefficient: str | None, smooth: str, design: Design) -> np.ndarray:
    """Return the positions in `design` of a coefficient (none where it is None) and of a smooth's columns.

    Raises
    ------
    ArgumentError
        There is no such coefficient or smooth.
    """
    _row_of(result, smooth)
    terms = np.array(design.term_of_column)
    own = np.flatnonzero(terms == smooth)
    if coefficient is None:
        return own
    coefficients = [str(term) for term in result.parametric["term"]]
    check_choice("coefficient", coefficient, coefficients)
    parametric = np.flatnonzero(~np.isin(terms, result.smooth_labels))
    return np.append(parametric[coefficients.index(coefficient)], own)


def _row_of(result: GammResult, smooth: str) -> dict[str, float]:
    check_choice("smooth", smooth, result.smooth_labels)
    row = result.smooths.loc[result.smooths["term"] == smooth]
    return {name: float(row[name].iloc[0]) for name in ("edf", "ref_df", "p_value")}
