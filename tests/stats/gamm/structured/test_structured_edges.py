"""The edges of what the engine fits: against whole matrices, and with what other data say must hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerstats.errors import DataError
from layerstats.stats.gamm.fit import fit
from layerstats.stats.gamm.structured.fitting import criterion_of, fit_structured
from layerstats.stats.gamm.structured.model_building import build_model

from .test_structured_dense import Whole

CURVES = "y ~ s(x, k = 4) + s(x, token, bs = 'fs', m = 1, k = 3)"


def _two_samples(tokens):
    return tokens(14, 2)


def _one_row_in_a_token(tokens):
    data = tokens(12, 6)
    return data[(data["token"] != "t003") | (data["x"] == 2)].reset_index(drop=True)


def _level_without_data(tokens):
    data = tokens(12, 6)
    return data[(data["speaker"] != "s0") | (data["word"] != "a")].reset_index(drop=True)


def _nearly_collinear(tokens):
    data = tokens(12, 8)
    return data.assign(u=data["x"] + 1e-3 * data["v"])


def _offset(tokens):
    return tokens(12, 8).assign(y=lambda rows: rows["y"] + 1e8)


EDGES = {
    "two samples": ("y ~ x + s(token, bs = 're')", _two_samples),
    "two samples with slopes": ("y ~ word + x + s(token, bs = 're') + s(token, x, bs = 're')", _two_samples),
    "one row in a token": (CURVES, _one_row_in_a_token),
    "level without data": ("y ~ s(x, k = 4) + s(speaker, word, bs = 're') + s(token, bs = 're')", _level_without_data),
    "level without data in blocks": ("y ~ s(x, k = 4) + s(speaker, word, bs = 're')", _level_without_data),
    "nearly collinear smooths": ("y ~ s(x, k = 5) + s(u, k = 5) + s(token, bs = 're')", _nearly_collinear),
    "offset of 1e8": (CURVES, _offset),
}


@pytest.mark.parametrize("edge", EDGES)
def test_estimates_and_score_are_those_of_whole_matrices(edge, make_request, make_tokens):
    formula, make = EDGES[edge]
    data = make(make_tokens)
    request = make_request(formula, data)
    model = build_model(request)
    fitted = fit_structured(request, model)
    assert fitted.optimum.converged
    # Whole matrices lose the digits that the offset takes.
    offset = round(float(data["y"].mean()), -8)
    whole = Whole(make_request(formula, data.assign(y=data["y"] - offset)), model)
    whole.at(fitted.optimum.solution.smoothing)
    digits = max(1e-8, 1e-15 * abs(offset))
    assert np.allclose(fitted.fitted() - offset, whole.matrix @ whole.coefficients, atol=10 * digits)
    assert fitted.optimum.value == pytest.approx(whole.reml(np.exp(fitted.optimum.log_scale)), abs=1e3 * digits)
    assert fitted.edf.total == pytest.approx(np.trace(whole.kept), rel=1e-5)


@pytest.mark.parametrize("edge", EDGES)
def test_the_gradient_vanishes_in_finite_differences_too(edge, make_request, make_tokens):
    formula, make = EDGES[edge]
    request = make_request(formula, make(make_tokens))
    model = build_model(request)
    optimum = fit_structured(request, model).optimum
    criterion = criterion_of(request, model, 0.0)
    point = optimum.solution.log_smoothing
    for step in 1e-3 * np.eye(len(point)):
        up, down = (criterion.value(criterion.solve(point + sign * step), optimum.log_scale) for sign in (1, -1))
        assert (up - down) / 2e-3 == pytest.approx(0, abs=1e-4)
        assert min(up, down) > optimum.value - 1e-6


@pytest.mark.parametrize("basis", ["tp", "cr"])
def test_more_functions_than_values_are_refused_with_the_number(basis, make_tokens):
    with pytest.raises(DataError, match="'x' has 6 unique"):
        fit(f"y ~ s(x, bs = '{basis}', k = 7)", make_tokens(12, 6), engine="structured")


def test_a_p_spline_may_have_more_functions_than_values(make_tokens):
    """Its penalty determines them, as in mgcv: 6 values, 9 functions, and a straight line is still found."""
    data = make_tokens(12, 6)
    data["y"] = 2 + 3 * data["x"] + 1e-3 * (data["v"] - data["v"].mean())
    result = fit("y ~ s(x, bs = 'ps', k = 9)", data, engine="structured")
    assert np.allclose(result.fitted, 2 + 3 * data["x"], atol=2e-3)


@pytest.mark.parametrize("method", ["fREML", "REML", "ML"])
def test_collinear_smooths_fit_as_well_as_one(method, make_tokens):
    """They are the same functions: the better of two penalties, and one straight line for both."""
    data = make_tokens().assign(u=lambda rows: 2 * rows["x"] + 1)
    both, one = (
        fit(formula, data, engine="structured", method=method)
        for formula in ("y ~ s(x, k = 5) + s(u, k = 5)", "y ~ s(x, k = 5)")
    )
    assert np.allclose(both.fitted, one.fitted, atol=1e-3)
    assert both.smooths["edf"].sum() == pytest.approx(one.smooths["edf"].sum(), abs=1e-2)
    assert any("left out" in note for note in both.notes)


# Copies and sums of columns, in any order: what is left out changes no fit.
@given(
    st.permutations(["v", "w", "I(2 * v)", "I(v + w)", "word", "d"]),
    st.sampled_from(["fREML", "REML", "ML"]),
    st.integers(3, 6),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rank_deficient_parametric_parts_fit_as_without_the_dependent_columns(make_tokens, terms, method, number):
    data = make_tokens(12, 6)
    written = [*terms[:number], "v", "w"]
    whole = fit(f"y ~ {' + '.join(dict.fromkeys(written))} + s(x, k = 4)", data, engine="structured", method=method)
    free = ["v", "w", *({"word", "d"} & set(written))]
    free = [term for term in free if not (term == "d" and "word" in free)]
    alone = fit(f"y ~ {' + '.join(free)} + s(x, k = 4)", data, engine="structured", method=method)
    # With REML mgcv counts what it leaves out as estimated, so that the smooths are a little wigglier.
    near = 0.05 if method == "REML" else 1e-5
    assert np.allclose(whole.fitted, alone.fitted, atol=near)
    assert whole.glance["df_residual"][0] == pytest.approx(alone.glance["df_residual"][0], abs=10 * near)
    assert whole.parametric["estimate"].notna().all()
    assert (whole.parametric["std_error"] > 0).sum() == len(alone.parametric)


def test_nearly_constant_response(make_tokens):
    """All but one row the same: smoothing parameters go to infinity, and the numbers stay numbers."""
    data = make_tokens(12, 6).assign(y=0.0)
    data.loc[5, "y"] = 1e-6
    result = fit(CURVES, data, engine="structured")
    assert np.isfinite(result.smooths[["edf", "ref_df"]].to_numpy()).all()
    assert result.fitted.abs().max() < 1e-6


def test_one_token_is_refused_with_the_way_out(make_tokens):
    with pytest.raises(DataError, match=r"'token' has one level \('t000'\).*leave 'token' out"):
        fit(CURVES, make_tokens(1, 12), engine="structured")


# Without slopes, which with two samples leave nothing for residuals.
@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 10**6))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_small_table_is_fitted_as_by_whole_matrices(make_request, tokens, samples, seed):
    generator = np.random.default_rng(seed)
    number = np.repeat(np.arange(tokens), samples)
    data = pd.DataFrame({"x": np.tile(np.arange(float(samples)), tokens), "token": [f"t{one}" for one in number]})
    data["y"] = data["x"] + generator.normal(0, 0.5, tokens)[number] + generator.normal(0, 0.2, len(data))
    request = make_request("y ~ x + s(token, bs = 're')", data)
    model = build_model(request)
    fitted = fit_structured(request, model)
    whole = Whole(request, model).at(fitted.optimum.solution.smoothing)
    assert np.allclose(fitted.fitted(), whole.matrix @ whole.coefficients, atol=1e-7)
    assert fitted.optimum.value == pytest.approx(whole.reml(np.exp(fitted.optimum.log_scale)), abs=1e-6)
