"""What large tables take another way gives what small ones give: columns in pieces, splines, clusters that are one."""

from __future__ import annotations

import numpy as np
import pytest

from layerstats.stats.gamm.structured import patterns, rows, system
from layerstats.stats.gamm.structured.bases import radial_sum
from layerstats.stats.gamm.structured.bases.basis import Values
from layerstats.stats.gamm.structured.bases.thin_plate import ThinPlateBasis
from layerstats.stats.gamm.structured.fitting import fit_structured
from layerstats.stats.gamm.structured.inference.tables import glance_table, parametric_table, smooth_table
from layerstats.stats.gamm.structured.model import build_model

FORMULAS = (
    "y ~ word + s(x, k = 5) + s(z) + s(x, token, bs = 'fs', m = 1, k = 4) + s(x, speaker, bs = 'fs', m = 1, k = 4)",
    "y ~ word + s(x, k = 5) + s(z) + s(token, bs = 're') + s(speaker, bs = 're')",
)


def tables(request):
    model = build_model(request)
    fitted = fit_structured(request, model)
    residuals, whitened = fitted.residuals(fitted.fitted())
    return [
        parametric_table(fitted, fitted.freedom).drop(columns="term"),
        smooth_table(fitted, fitted.freedom).drop(columns="term"),
        glance_table(fitted, fitted.freedom, residuals, whitened).drop(columns="method"),
    ]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_columns_in_pieces_give_the_same_fit(formula, rho, make_request, make_tokens, monkeypatch):
    data = make_tokens(24, 8, balanced=False)
    data["z"] = np.random.default_rng(1).uniform(0, 1, len(data))
    whole = tables(make_request(formula, data, rho=rho))
    for module in (rows, patterns):
        monkeypatch.setattr(module, "PIECE_VALUES", 2000)
    monkeypatch.setattr(patterns, "_KEPT", 0)
    monkeypatch.setattr(radial_sum, "_MOST", 100)
    for first, second in zip(whole, tables(make_request(formula, data, rho=rho)), strict=True):
        np.testing.assert_allclose(second.to_numpy(dtype=float), first.to_numpy(dtype=float), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("cost", [0.0, 1e12])
def test_clusters_are_joined_or_apart_with_the_same_fit(cost, make_request, make_tokens, monkeypatch):
    data = make_tokens(24, 8, balanced=False)
    data["z"] = np.random.default_rng(1).uniform(0, 1, len(data))
    request = make_request(FORMULAS[0], data)
    usual = tables(request)
    monkeypatch.setattr(system, "_CLUSTER", cost)
    monkeypatch.setattr(system, "_ELEMENT", 0.0)
    monkeypatch.setattr(system, "_WIDE", 0)
    for first, second in zip(usual, tables(request), strict=True):
        np.testing.assert_allclose(second.to_numpy(dtype=float), first.to_numpy(dtype=float), rtol=1e-6, atol=1e-9)


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
