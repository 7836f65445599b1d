"""The gradient of the Laplace likelihood against differences, and the likelihood against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special
from wine_by_hand import wine

from layerstats.stats.ratings.mixed_models.category_thresholds import Thresholds
from layerstats.stats.ratings.mixed_models.coded_columns import code_columns
from layerstats.stats.ratings.mixed_models.laplace_likelihood import LaplaceLikelihood
from layerstats.stats.ratings.mixed_models.mixed_formula import parse_mixed_formula
from layerstats.stats.ratings.mixed_models.random_factors import build_factors
from layerstats.stats.ratings.mixed_models.rated_rows import rated_rows

FORMULAS = [
    "rating ~ temp + contact",
    "rating ~ temp + (1 | judge)",
    "rating ~ temp + (1 + temp | judge) + (1 | bottle)",
    "rating ~ temp + (1 | bottle) + (temp || judge) + (1 + contact | third) + (1 | third:bottle)",
]


def likelihood(formula: str, link: str, threshold: str) -> LaplaceLikelihood:
    written = parse_mixed_formula(formula)
    table = wine()
    table["third"] = np.array(["a", "b", "c"])[np.arange(len(table)) % 3]
    rows = rated_rows(written, table, None, "error")
    fixed = code_columns(written.fixed, rows.frame).matrix(rows.frame)[:, 1:]
    thresholds = Thresholds(threshold, rows.categories)
    return LaplaceLikelihood(
        rows.codes, thresholds, fixed, fixed[:, :1], build_factors(written.random, rows.frame), link
    )


def parameters(model: LaplaceLikelihood) -> np.ndarray:
    chosen = np.random.default_rng(1).normal(0, 0.3, model.size)
    chosen[0] = -1.5
    for factor, span in zip(model.factors, model.spans[3:], strict=True):
        chosen[span] += factor.start()
    return chosen


@pytest.mark.parametrize("threshold", ["flexible", "equidistant"])
@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_gradient_equals_differences(formula, link, threshold):
    model = likelihood(formula, link, threshold)
    point = parameters(model)
    gradient = model.gradient(point, model.mode(point))
    steps = 1e-5 * np.eye(model.size)
    ahead, behind = (np.array([model.mode(point + sign * step).log_likelihood for step in steps]) for sign in (1, -1))
    np.testing.assert_allclose(gradient, (ahead - behind) / 2e-5, atol=1e-5)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_likelihood_is_laplaces(link):
    """By a general optimiser and second differences, of crossed factors and correlated slopes."""
    model = likelihood(FORMULAS[2], link, "flexible")
    point = parameters(model)
    roots = [
        np.kron(np.eye(len(own.levels)), root) for own, root in zip(model.factors, model.roots(point), strict=True)
    ]
    columns = []
    for factor in model.factors:
        wide = np.zeros((len(model.codes), len(factor.levels) * factor.width))
        for effect in range(factor.width):
            wide[np.arange(len(wide)), factor.codes * factor.width + effect] = factor.columns[:, effect]
        columns.append(wide)
    design = np.column_stack([wide @ root for wide, root in zip(columns, roots, strict=True)])
    cumulative = special.expit if link == "logit" else special.ndtr
    ends = np.r_[-np.inf, model.thresholds.reported(point[model.spans[0]]), np.inf]
    scale = np.exp(model.scale @ point[model.spans[2]])

    def negative(effects):
        predictor = model.fixed @ point[model.spans[1]] + design @ effects
        upper, lower = ((ends[model.codes + more] - predictor) / scale for more in (1, 0))
        return effects @ effects / 2 - np.log(cumulative(upper) - cumulative(lower)).sum()

    best = optimize.minimize(negative, np.zeros(design.shape[1]), method="BFGS", options={"gtol": 1e-7}).x
    size = design.shape[1]
    steps = 1e-3 * np.eye(size)
    hessian = np.array(
        [
            [
                (negative(best + a + b) - negative(best + a - b) - negative(best - a + b) + negative(best - a - b))
                / 4e-6
                for a in steps
            ]
            for b in steps
        ]
    )
    expected = -negative(best) - np.linalg.slogdet(hessian)[1] / 2
    assert model.mode(point).log_likelihood == pytest.approx(expected, abs=1e-4)
