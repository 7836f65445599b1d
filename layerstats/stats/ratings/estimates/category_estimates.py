"""Means on the scale, probabilities of categories and differences of conditions, of a model of ordered categories."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import special, stats

from layerstats.checks import check_choice, check_own_names, check_positive, check_share
from layerstats.errors import ArgumentError
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.ratings.estimates.latent_model import LatentCells, LatentModel, latent_cells
from layerstats.stats.ratings.estimates.level_counts import DISTRIBUTIONS, level_counts
from layerstats.tables import check_frame

AT = ("latent", "mean")
_OWN = ("category", "estimate", "std_error", "conf_low", "conf_high", "conf_level")


def scale_means(
    model: LatentModel,
    by: str | Sequence[str] = (),
    *,
    weights: str = "equal",
    hold: Mapping[str, object] | None = None,
    integrate: bool = True,
    distribution: str = "normal",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate mean ratings; of two categories, the probability of the second.

    The mean of each cell is the sum of values of categories times their probabilities, for a new rater and a new clip
    (random effects integrated out). Intervals are Wald's (delta method) on the logit of where the mean lies between
    the ends of the scale, and so stay inside.

    Parameters
    ----------
    model : LatentModel
        The model.
    by, weights, hold
        See `latent_cells`.
    integrate : bool
        False: at random effects of zero, as emmeans does, which is the rater and the clip in the middle.
    distribution : str
        "normal", as ordinal and emmeans have it, or "t" with the degrees of freedom of `level_counts`: with few raters
        or clips normal intervals are too narrow.
    conf_level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        ``<by>, estimate, std_error, conf_low, conf_high, conf_level``.

    Raises
    ------
    ArgumentError
        A column of `by` is called as one of these.
    """
    check_share("conf_level", conf_level)
    check_choice("distribution", distribution, DISTRIBUTIONS)
    cells = latent_cells(model, by, weights, hold)
    check_own_names(cells.groups, _OWN[1:])
    values, covariance = estimate_function(model, _mean_function(model, cells, integrate))
    low, high = model.ends
    freedom = level_counts(model, list(cells.groups), cells.groups, distribution).means
    lower, upper = bounded_interval(values, np.sqrt(np.diag(covariance)), low, high, conf_level, freedom)
    frame = cells.groups.assign(
        estimate=values,
        std_error=np.sqrt(np.diag(covariance)),
        conf_low=lower,
        conf_high=upper,
        conf_level=conf_level,
    )
    return _checked(frame, cells)


def probabilities_by_category(
    model: LatentModel,
    by: str | Sequence[str] = (),
    *,
    weights: str = "equal",
    hold: Mapping[str, object] | None = None,
    integrate: bool = True,
    distribution: str = "normal",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate the probability of each category, with intervals on the logit, which stay between 0 and 1.

    Parameters
    ----------
    model, by, weights, hold, integrate, distribution, conf_level
        See `scale_means`.

    Returns
    -------
    DataFrame
        ``<by>, category, estimate, std_error, conf_low, conf_high, conf_level``.
    """
    check_share("conf_level", conf_level)
    check_choice("distribution", distribution, DISTRIBUTIONS)
    cells = latent_cells(model, by, weights, hold)
    check_own_names(cells.groups, _OWN)

    def probabilities(parameters: np.ndarray) -> np.ndarray:
        return (cells.weights @ model.probabilities(parameters, cells.designs, integrate)).reshape(-1)

    values, covariance = estimate_function(model, probabilities)
    std_error = np.sqrt(np.diag(covariance))
    categories = len(model.categories)
    freedom = np.repeat(level_counts(model, list(cells.groups), cells.groups, distribution).means, categories)
    lower, upper = bounded_interval(values, std_error, 0.0, 1.0, conf_level, freedom)
    frame = cells.groups.loc[np.repeat(np.arange(len(cells.groups)), categories)].reset_index(drop=True)
    frame = frame.assign(
        category=list(model.categories) * len(cells.groups),
        estimate=values,
        std_error=std_error,
        conf_low=lower,
        conf_high=upper,
        conf_level=conf_level,
    )
    return _checked(frame, cells)


def level_contrasts(
    model: LatentModel,
    by: str | Sequence[str],
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
    reference: str | None = None,
    at: str = "latent",
    adjust: AdjustMethod = "holm",
    margin: float | None = None,
    weights: str = "equal",
    hold: Mapping[str, object] | None = None,
    integrate: bool = True,
    distribution: str = "normal",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate and test differences of levels, always ``level_1 - level_2``, as one family of tests.

    Parameters
    ----------
    model : LatentModel
        The model.
    by, weights, hold
        See `latent_cells`. Levels of several columns are named with a comma: "cold, yes".
    pairs : sequence of pairs of str, optional
        The differences that are wanted; all pairs by default.
    reference : str, optional
        Every other level less this one.
    at : str
        "latent": of linear predictors, in log odds or probits; "mean": of means on the scale.
    adjust : str
        How p-values are adjusted over the family.
    margin : float, optional
        Difference on the scale below which levels count as equivalent (only with ``at="mean"``): adds two one-sided
        tests (Schuirmann 1987), whose p-value is small where the difference lies inside the margin.
    integrate, distribution, conf_level
        See `scale_means`.

    Returns
    -------
    DataFrame
        ``contrast, level_1, level_2, at, estimate, std_error, statistic, conf_low, conf_high, conf_level, p_value,
        p_adjusted, adjust_method, family, tests``, and with a margin ``equivalence_margin, p_equivalence,
        p_equivalence_adjusted``. Intervals are Wald's; of means they end where the scale allows no larger difference.

    Raises
    ------
    ArgumentError
        There is no such level, or both pairs and reference are given.
    """
    check_choice("at", at, AT)
    check_choice("distribution", distribution, DISTRIBUTIONS)
    check_share("conf_level", conf_level)
    if margin is not None:
        check_positive("margin", margin)
        if at != "mean":
            raise ArgumentError("A margin of equivalence is a difference on the scale: use it with at='mean'.")
    cells = latent_cells(model, by, weights, hold)
    chosen, family = choose_pairs(cells.names, pairs, reference, by)
    if at == "mean":
        function = _mean_function(model, cells, integrate)
    else:
        function = lambda parameters: cells.weights @ model.predictors(parameters, cells.designs)  # noqa: E731
    names = list(cells.names)
    matrix = np.zeros((len(chosen), len(names)))
    for row, (level_1, level_2) in enumerate(chosen):
        matrix[row, names.index(level_1)], matrix[row, names.index(level_2)] = 1, -1
    values, covariance = estimate_function(model, function)
    low, high = model.ends
    furthest = high - low if at == "mean" else np.inf
    std_error = np.sqrt(np.einsum("ij,jk,ik->i", matrix, covariance, matrix))
    freedom = level_counts(model, list(cells.groups), cells.groups, distribution).differences
    table = difference_tests(chosen, matrix @ values, std_error, furthest, conf_level, freedom)
    table.insert(3, "at", at)
    table = adjust_p_values(table, f"{family}, {at}", method=adjust)
    if margin is not None:
        table = add_equivalence(table, margin, adjust, freedom)
    return _checked(table, cells)


def difference_tests(
    chosen: Sequence[tuple[str, str]],
    estimate: np.ndarray,
    std_error: np.ndarray,
    furthest: float,
    conf_level: float,
    freedom: float = np.inf,
) -> pd.DataFrame:
    """Return Wald tests of differences, whose intervals end at `furthest` on both sides."""
    width = stats.t.ppf((1 + conf_level) / 2, freedom) * std_error
    statistic = estimate / np.where(std_error > 0, std_error, np.nan)
    return pd.DataFrame(
        {
            "contrast": [f"{level_1} - {level_2}" for level_1, level_2 in chosen],
            "level_1": [level_1 for level_1, _ in chosen],
            "level_2": [level_2 for _, level_2 in chosen],
            "estimate": estimate,
            "std_error": std_error,
            "statistic": statistic,
            "conf_low": np.maximum(estimate - width, -furthest),
            "conf_high": np.minimum(estimate + width, furthest),
            "conf_level": conf_level,
            "p_value": 2 * stats.t.sf(np.abs(statistic), freedom),
        }
    )


def add_equivalence(table: pd.DataFrame, margin: float, adjust: AdjustMethod, freedom: float = np.inf) -> pd.DataFrame:
    """Add two one-sided tests of a difference within the margin; the p-value is the larger of the two.

    It is below alpha where the interval of level 1 - 2 alpha lies within the margin (Schuirmann 1987). Tests are of t
    where the table has degrees of freedom, `df`.
    """
    estimate, std_error = table["estimate"].to_numpy(), table["std_error"].to_numpy()
    nearer = (np.abs(estimate) - margin) / np.where(std_error > 0, std_error, np.nan)
    p_value = special.stdtr(table["df"].to_numpy(), nearer) if "df" in table else special.ndtr(nearer)
    tests = adjust_p_values(
        pd.DataFrame({"p_equivalence": p_value}),
        "equivalence",
        method=adjust,
        column="p_equivalence",
        adjusted="p_equivalence_adjusted",
    )
    return table.assign(
        equivalence_margin=margin,
        p_equivalence=p_value,
        p_equivalence_adjusted=tests["p_equivalence_adjusted"].to_numpy(),
    )


def choose_pairs(
    names: Sequence[str], pairs: Sequence[tuple[str, str]] | None, reference: str | None, by: str | Sequence[str]
) -> tuple[list[tuple[str, str]], str]:
    """Return the pairs of levels that are compared, and the name of the family that their tests are.

    Raises
    ------
    ArgumentError
        There is no such level, a level is compared with itself, or both pairs and reference are given.
    """
    what = by if isinstance(by, str) else " and ".join(by)
    if pairs is not None and reference is not None:
        raise ArgumentError("Give 'pairs' or 'reference', not both.")
    if reference is not None:
        check_choice("reference", reference, names)
        return [(name, reference) for name in names if name != reference], f"{what} less {reference}"
    if pairs is None:
        found = [(first, second) for place, first in enumerate(names) for second in names[place + 1 :]]
        if not found:
            raise ArgumentError(f"There is one level of {what} only, {names[0]!r}: nothing can be compared.")
        return found, f"all pairs of {what}"
    for pair in pairs:
        for level in pair:
            check_choice(f"level of {what}", level, names)
        if len(pair) != 2 or pair[0] == pair[1]:
            raise ArgumentError(f"A pair must be two different levels, but got {pair!r}.")
    return [(first, second) for first, second in pairs], f"{len(pairs)} chosen pairs of {what}"


def _mean_function(model: LatentModel, cells: LatentCells, integrate: bool) -> Callable[[np.ndarray], np.ndarray]:
    def means(parameters: np.ndarray) -> np.ndarray:
        return cells.weights @ (model.probabilities(parameters, cells.designs, integrate) @ model.scores)

    return means


def estimate_function(
    model: LatentModel, function: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a function of the parameters and their covariance, by the delta method."""
    spread = model.spread(function)
    return function(model.parameters), spread @ spread.T


def bounded_interval(
    values: np.ndarray,
    std_error: np.ndarray,
    low: float,
    high: float,
    conf_level: float,
    freedom: np.ndarray | float = np.inf,
) -> tuple[np.ndarray, np.ndarray]:
    """Return Wald intervals of the logit of where values lie between two ends, taken back."""
    share = (values - low) / (high - low)
    slope = share * (1 - share)
    width = stats.t.ppf((1 + conf_level) / 2, freedom) * std_error / (high - low) / np.where(slope > 0, slope, np.nan)
    middle = special.logit(share)
    lower, upper = special.expit(middle - width), special.expit(middle + width)
    return low + (high - low) * lower, low + (high - low) * upper


def _checked(frame: pd.DataFrame, cells: LatentCells) -> pd.DataFrame:
    columns = list(map(str, cells.groups.columns))
    checked = check_frame(frame, user_columns=columns)
    checked.attrs["notes"] = cells.notes
    return checked
