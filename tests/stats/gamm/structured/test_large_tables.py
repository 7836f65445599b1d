"""What large tables take another way gives what small ones give: columns in pieces, splines, clusters that are one."""

from __future__ import annotations

import numpy as np
import pytest

from layerstats.stats.gamm.smoothing_selection import SECOND_START, minimise
from layerstats.stats.gamm.structured import row_patterns, system_building, unique_rows
from layerstats.stats.gamm.structured.bases import radial_sum
from layerstats.stats.gamm.structured.bases.basis import Values
from layerstats.stats.gamm.structured.bases.thin_plate import ThinPlateBasis
from layerstats.stats.gamm.structured.block_traces import _by_rows, _by_squares
from layerstats.stats.gamm.structured.fitting import criterion_of, fit_structured
from layerstats.stats.gamm.structured.model_building import build_model
from layerstats.stats.gamm.structured.optimum import OneCriterion, starting_point
from layerstats.stats.gamm.structured.results.tables import glance_table, parametric_table, smooth_table

FORMULAS = (
    "y ~ word + s(x, k = 5) + s(z) + s(x, token, bs = 'fs', m = 1, k = 4) + s(x, speaker, bs = 'fs', m = 1, k = 4)",
    "y ~ word + s(x, k = 5) + s(z) + s(token, bs = 're') + s(speaker, bs = 're')",
)


def tables(request):
    model = build_model(request)
    fitted = fit_structured(request, model)
    residuals, whitened = fitted.residuals(fitted.fitted())
    return [
        parametric_table(fitted, fitted.edf).drop(columns="term"),
        smooth_table(fitted, fitted.edf).drop(columns="term"),
        glance_table(fitted, fitted.edf, residuals, whitened).drop(columns="method"),
    ]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_columns_in_pieces_give_the_same_fit(formula, rho, make_request, make_tokens, monkeypatch):
    data = make_tokens(24, 8, balanced=False)
    data["z"] = np.random.default_rng(1).uniform(0, 1, len(data))
    whole = tables(make_request(formula, data, rho=rho))
    for module in (unique_rows, row_patterns):
        monkeypatch.setattr(module, "PIECE_VALUES", 2000)
    monkeypatch.setattr(row_patterns, "_KEPT", 0)
    monkeypatch.setattr(radial_sum, "_MOST", 100)
    for first, second in zip(whole, tables(make_request(formula, data, rho=rho)), strict=True):
        np.testing.assert_allclose(second.to_numpy(dtype=float), first.to_numpy(dtype=float), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("cost", [0.0, 1e12])
def test_clusters_are_joined_or_apart_with_the_same_fit(cost, make_request, make_tokens, monkeypatch):
    data = make_tokens(24, 8, balanced=False)
    data["z"] = np.random.default_rng(1).uniform(0, 1, len(data))
    request = make_request(FORMULAS[0], data)
    usual = tables(request)
    monkeypatch.setattr(system_building, "_CLUSTER", cost)
    monkeypatch.setattr(system_building, "_ELEMENT", 0.0)
    monkeypatch.setattr(system_building, "_WIDE", 0)
    for first, second in zip(usual, tables(request), strict=True):
        np.testing.assert_allclose(second.to_numpy(dtype=float), first.to_numpy(dtype=float), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", ["fREML", "ML"])
@pytest.mark.parametrize("smooth", ["s(z)", "te(x, z, k = 3) + s(z)"])
def test_traces_of_block_penalties_by_rows_and_by_squares(smooth, method, make_request, make_tokens):
    data = make_tokens(24, 8, balanced=False)
    data["z"] = np.random.default_rng(1).uniform(0, 1, len(data))
    random = "s(x, token, bs = 'fs', m = 1, k = 4) + s(x, speaker, bs = 'fs', m = 1, k = 4)"
    request = make_request(f"y ~ word + {smooth} + {random}", data, method=method)
    criterion = criterion_of(request, build_model(request), 0.0)
    solution = criterion.solve(starting_point(criterion))
    inverse = solution.inverse_in_range
    rows, squares = _by_rows(solution, inverse), _by_squares(solution, inverse)
    for name in ("spread", "axes", "pairs"):
        first, second = getattr(rows, name), getattr(squares, name)
        np.testing.assert_allclose(first, second, rtol=1e-7, atol=1e-9 * np.abs(second).max())


def test_columns_that_depend_on_others_leave_the_sums_of_a_large_table(make_request, make_tokens, monkeypatch):
    """The sums are made once, before columns are left out, and give what they give when made anew."""
    data = make_tokens(24, 8, balanced=False)
    request = make_request(
        "y ~ word + s(x, k = 5) + s(x, by = word, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)", data
    )
    usual = tables(request)
    monkeypatch.setattr(row_patterns, "_KEPT", 0)
    model = build_model(request)
    assert model.summed is not None
    assert model.aliased.names
    for first, second in zip(usual, tables(request), strict=True):
        np.testing.assert_allclose(second.to_numpy(dtype=float), first.to_numpy(dtype=float), rtol=1e-6, atol=1e-9)


def test_an_optimum_that_is_known_is_recognised_on_the_way(make_request, make_tokens):
    """And nothing is taken for it that is far away, or not on its way to infinity with it."""
    request = make_request("y ~ word + s(x, k = 5) + s(v) + s(x, token, bs = 'fs', m = 1, k = 4)", make_tokens(24, 8))
    criterion = criterion_of(request, build_model(request), 0.0)
    one, start = OneCriterion(criterion), starting_point(criterion)[None]
    best = minimise(one, start)
    again = minimise(one, start + SECOND_START)
    assert again.value == pytest.approx(best.value, abs=1e-6)
    early = minimise(one, start + SECOND_START, best)
    assert early.iterations[0] < again.iterations[0]
    chosen, second = best.or_lower(early)
    assert chosen is best
    assert not second[0]
    here, only = np.column_stack([best.log_smoothing, best.log_scale]), np.arange(1)
    bent = int(np.argmax(np.diag(best.hessian[0])[:-1]))
    there = here + 0.5 * np.eye(here.shape[1])[bent]
    assert best.attract(only, here, best.value, best.gradient)[0]
    assert not best.attract(only, there, best.value, best.gradient)[0]
    assert not best.attract(only, here, best.value + 1.0, best.gradient)[0]


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_splines_are_sums_of_radial_functions(order, scale, monkeypatch):
    generator = np.random.default_rng(order)
    values = scale * generator.lognormal(size=300)
    basis = ThinPlateBasis.build(Values.of(values), 8, order)
    points = np.concatenate([values, scale * generator.uniform(-1, 12, 200)])
    direct = basis.rows(points)
    monkeypatch.setattr(radial_sum, "_MOST", 1000)
    basis = ThinPlateBasis.build(Values.of(values), 8, order)
    np.testing.assert_allclose(basis.rows(points), direct, atol=1e-10 * np.abs(direct).max())


def test_pieces_of_several_covariates_are_the_whole(monkeypatch):
    points = np.random.default_rng(5).standard_normal((60, 2))
    basis = ThinPlateBasis.build(Values.of(points), 8, 2)
    direct = basis.rows(points)
    monkeypatch.setattr(radial_sum, "_MOST", 100)
    np.testing.assert_allclose(basis.rows(points), direct, atol=1e-11 * np.abs(direct).max())
