"""The likelihood-ratio test of two cumulative link mixed models, one inside the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from layerstats.errors import ArgumentError
from layerstats.stats.ratings.mixed_models.clmm_result import ClmmResult
from layerstats.tables import check_frame

# What rounding and stopping may leave between two maxima.
_ROUNDING = 1e-6


def compare_clmm(result_1: ClmmResult, result_2: ClmmResult) -> pd.DataFrame:
    """Test whether the larger of two nested models fits better than its size explains.

    Twice the difference of the log likelihoods is referred to chi-square with the difference of the numbers of
    parameters. Where the larger model has more random effects, variances at the edge of their space make the p-value
    too large (Self & Liang 1987): of one variance it is twice what it should be, as ``attrs["notes"]`` say.

    Parameters
    ----------
    result_1, result_2 : ClmmResult
        Fits to the same ratings, in any order.

    Returns
    -------
    DataFrame
        ``model, log_lik, df, aic, df_difference, statistic, p_value``, a row a model in the order of the arguments; the
        test stands in the row of the larger one.

    Raises
    ------
    ArgumentError
        The ratings, the link or the approximation differ, or neither model is inside the other.

    Examples
    --------
    >>> from layerstats.stats.ratings import clmm
    >>> ratings = pd.DataFrame({"rater": list("aaaabbbbcccc"), "system": list("xxyy") * 3})
    >>> ratings["rating"] = [int(rating) for rating in "123422451323"]
    >>> smaller, larger = (clmm(f"rating ~ {fixed} + (1 | rater)", ratings) for fixed in ("1", "system"))
    >>> print(compare_clmm(smaller, larger)[["df_difference", "statistic"]].iloc[1].round(2).tolist())
    [1.0, 7.66]
    """
    _check_comparable(result_1, result_2)
    results = (result_1, result_2)
    frame = pd.DataFrame(
        {
            "model": [result.formula for result in results],
            **{name: [result.glance[name].item() for result in results] for name in ("log_lik", "df", "aic")},
            "df_difference": np.nan,
            "statistic": np.nan,
            "p_value": np.nan,
        }
    )
    larger = int(np.argmax(frame["df"]))
    smaller_terms, larger_terms = (_terms(results[place]) for place in (1 - larger, larger))
    extra = float(np.ptp(frame["df"].to_numpy()))
    if extra == 0 or not smaller_terms <= larger_terms:
        raise ArgumentError(
            f"Neither model is inside the other, so that there is no test: {result_1.formula!r} and "
            f"{result_2.formula!r}. Compare their 'aic', or leave out terms of one of them."
        )
    heights = frame["log_lik"].to_numpy(dtype=float)
    gain = 2 * float(heights[larger] - heights[1 - larger])
    gain = 0.0 if -_ROUNDING < gain < 0 else gain
    frame.loc[larger, ["df_difference", "statistic", "p_value"]] = [extra, gain, special.chdtrc(extra, max(gain, 0.0))]
    table = check_frame(frame)
    table.attrs["notes"] = _notes(smaller_terms, larger_terms)
    return table


def _terms(result: ClmmResult) -> set[tuple[str, ...]]:
    """Return what a model has: coefficients, scale effects, random effects and their correlations, free thresholds."""
    pairs = result.correlations[["group", "term_1", "term_2"]].itertuples(index=False, name=None)
    return {
        *(("fixed", term) for term in result.coefficients["term"]),
        *(("scale", term) for term in result.scale["term"]),
        *(("random", *pair) for pair in result.random[["group", "term"]].itertuples(index=False, name=None)),
        *(("correlation", *map(str, pair)) for pair in pairs),
        *([("thresholds",)] if result.threshold_parameters.kind == "flexible" else []),
    }


def _notes(smaller: set[tuple[str, ...]], larger: set[tuple[str, ...]]) -> tuple[str, ...]:
    added = [term for term in larger - smaller if term[0] == "random"]
    if not added:
        return ()
    return (
        "The larger model has more variances, which cannot be below zero: the p-value is too large, of one variance "
        "alone twice what it should be.",
    )


def _check_comparable(result_1: ClmmResult, result_2: ClmmResult) -> None:
    same = result_1.categories == result_2.categories and np.array_equal(result_1.response, result_2.response)
    if not same:
        raise ArgumentError(
            f"Models of different ratings cannot be compared ({len(result_1.response)} and {len(result_2.response)} "
            "rows, or other values): fit both to the same rows."
        )
    if result_1.link != result_2.link:
        raise ArgumentError(
            f"Models of different links are not inside each other: {result_1.link!r} and {result_2.link!r}."
        )
    approximations = {result.glance["approximation"].item() for result in (result_1, result_2)} - {"none"}
    if len(approximations) > 1:
        raise ArgumentError(
            f"Likelihoods by different approximations cannot be compared: {', '.join(sorted(approximations))}. Fit "
            "both with the same engine."
        )
