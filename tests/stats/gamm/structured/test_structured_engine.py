"""What the engine refuses and why, the edges of what it fits, and predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.gamm.engines.registry import choose_engine
from layerstats.stats.gamm.engines.structured import StructuredEngine
from layerstats.stats.gamm.fit import fit
from layerstats.stats.gamm.structured import edf

CURVES = "y ~ word + s(x, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)"


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("y ~ s(x, bs = 'gp', k = 4)", "the basis 'gp'"),
        ("y ~ s(x, v, bs = 'cr', k = 8)", "the basis 'cr' of 2 covariates"),
        ("y ~ t2(x, v, bs = 'ts', k = 4)", "the basis 'ts' as a margin"),
        ("y ~ t2(x, v, k = 4, full = TRUE)", "full = TRUE"),
        ("y ~ te(x, v, k = 4, id = 1) + te(x, w, id = 1)", "one id for several smooths"),
        ("y ~ s(token, bs = 're', id = 1)", "id = 1"),
        ("y ~ s(x, k = 4, fx = TRUE)", "fx = TRUE"),
        ("y ~ s(x, k = 4) + offset(factor(v))", "offset"),
        ("y ~ s(x, k = 4) + t2(x, v, k = 4)", "contain each other"),
        ("y ~ s(x, k = 5) + s(x, k = 4, bs = 'cr')", "two smooths called s(x)"),
    ],
)
def test_refusals_name_what_is_not_expressed(formula, reason, make_request, make_tokens):
    answer = StructuredEngine().plan(make_request(formula, make_tokens())).reason
    assert answer is not None
    assert reason in answer


@pytest.mark.parametrize(("field", "value"), [("family", "poisson"), ("discrete", True), ("function", "gam")])
def test_refused_settings(field, value, make_tokens):
    with pytest.raises(ArgumentError, match="cannot fit this model"):
        fit("v ~ s(x, k = 4)", make_tokens(), engine="structured", **{field: value})


def test_auto_prefers_the_engine_where_it_can(make_request, make_tokens):
    assert choose_engine("auto", make_request(CURVES, make_tokens())).engine.name == "structured"


@given(st.floats(-1e8, 1e8), st.floats(1e-3, 1e3))
@settings(max_examples=12, deadline=None)
def test_offset_and_unit_of_the_response_change_nothing_else(offset, unit):
    generator = np.random.default_rng(4)
    data = pd.DataFrame({"x": np.tile(np.arange(8.0), 6), "token": np.repeat([f"t{i}" for i in range(6)], 8)})
    data["y"] = np.sin(data["x"]) + np.repeat(generator.normal(0, 0.5, 6), 8) + generator.normal(0, 0.2, 48)
    formula = "y ~ s(x, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)"
    plain = fit(formula, data, engine="structured")
    moved = fit(formula, data.assign(y=offset + unit * data["y"]), engine="structured")
    # Digits of the response are lost before the fit: as many as the offset has more than the spread.
    tolerance = 1e-6 + 1e-15 * abs(offset) / unit * 1e3
    assert np.allclose(moved.smooths["edf"], plain.smooths["edf"], rtol=max(tolerance, 1e-5), atol=1e-3)
    assert np.allclose((moved.fitted - offset) / unit, plain.fitted, atol=max(tolerance, 1e-6))


def test_order_of_rows_does_not_matter(make_tokens):
    data = make_tokens(balanced=False)
    shuffled = data.sample(frac=1, random_state=1)
    options = {"engine": "structured", "rho": 0.4, "series": "token", "order": "x"}
    first, second = fit(CURVES, data, **options), fit(CURVES, shuffled, **options)
    assert np.allclose(first.fitted, second.fitted.loc[data.index], atol=1e-8)
    assert np.allclose(first.parametric["estimate"], second.parametric["estimate"], atol=1e-9)


def test_two_samples_a_token(make_tokens):
    """With an intercept a token the slope is that of the differences within tokens, by a t-test of pairs."""
    data = make_tokens(12, 2)
    # Tokens far apart, so that their variance is not estimated as none.
    data["y"] += 3 * pd.factorize(data["token"])[0]
    result = fit("y ~ x + s(token, bs = 're')", data, engine="structured").parametric.set_index("term")
    pairs = data.sort_values(["token", "x"]).groupby("token").agg({"y": ["first", "last"], "x": ["first", "last"]})
    slopes = (pairs["y", "last"] - pairs["y", "first"]) / (pairs["x", "last"] - pairs["x", "first"])
    assert result.loc["x", "estimate"] == pytest.approx(slopes.mean(), rel=1e-6)
    assert result.loc["x", "std_error"] == pytest.approx(slopes.std(ddof=1) / np.sqrt(12), rel=1e-4)


def test_one_row_a_token_and_unused_levels(make_tokens):
    data = make_tokens(12, 6).groupby("token").head(1)
    result = fit("y ~ v + s(speaker, bs = 're')", data, engine="structured")
    assert len(result.fitted) == 12


def test_a_combination_of_levels_without_data(make_tokens):
    data = make_tokens(12, 6)
    result = fit("y ~ s(x, k = 4) + s(speaker, word, bs = 're')", data, engine="structured")
    design = result.design(data.assign(speaker="s0"))
    assert np.all(np.linalg.eigvalsh(design.covariance) > -1e-10)
    missing = data[~((data["speaker"] == "s0") & (data["word"] == "a"))]
    fitted = fit("y ~ s(x, k = 4) + s(speaker, word, bs = 're')", missing, engine="structured")
    new = missing.head(1).assign(speaker="s0", word="a")
    predicted = fitted.predict(new)
    fixed = fitted.predict(new, exclude=["s(speaker,word)"])
    assert predicted["fit"][predicted.index[0]] == pytest.approx(fixed["fit"].iloc[0], abs=1e-12)
    assert predicted["std_error"].iloc[0] > fixed["std_error"].iloc[0]


def test_a_response_without_noise_is_refused(make_tokens):
    data = make_tokens()
    data["y"] = 2 + 3 * data["x"]
    with pytest.raises(DataError, match="fits the response exactly"):
        fit("y ~ x + s(v, k = 4)", data, engine="structured")


def test_constant_response_is_refused_as_for_mgcv(make_tokens):
    with pytest.raises(DataError, match="nothing to model"):
        fit(CURVES, make_tokens().assign(y=1.0), engine="structured")


def test_excluding_terms_takes_them_out_of_all_parts(make_tokens):
    data = make_tokens()
    result = fit(CURVES, data, engine="structured")
    design = result.design(data, exclude=["s(x,token)"])
    assert "s(x,token)" not in design.term_of_column
    assert design.covariance.shape == (len(design.coefficients),) * 2
    assert set(design.term_of_column) == {"(Intercept)", "word", "s(x)"}
    whole = result.predict(data)
    assert np.allclose(whole["fit"], result.fitted, atol=1e-9)


def test_parametric_terms_are_coded_as_r_codes_them(make_tokens):
    data = make_tokens()
    names = fit("y ~ word * v + s(x, k = 4)", data, engine="structured").parametric["term"]
    assert list(names) == ["(Intercept)", "wordb", "wordc", "v", "wordb:v", "wordc:v"]
    names = fit("y ~ 0 + word + v + s(x, k = 4)", data, engine="structured").parametric["term"]
    assert list(names) == ["worda", "wordb", "wordc", "v"]


def test_null_space_of_a_factor_smooth_is_noted(make_tokens):
    formula = "y ~ s(x, k = 4) + s(x, token, bs = 'fs', m = 2, k = 4)"
    notes = fit(formula, make_tokens(), engine="structured").notes
    assert any("rounding errors" in note for note in notes)


def test_what_degrees_of_freedom_leave_out_is_noted(make_tokens, monkeypatch):
    data = make_tokens(noise=1.0)
    whole = fit(CURVES, data, engine="structured", method="REML")
    assert whole.notes == fit(CURVES, data, engine="structured", method="fREML").notes
    monkeypatch.setattr(edf, "MOST_COEFFICIENTS", 40)
    less = fit(CURVES, data, engine="structured", method="REML")
    assert less.glance["df"][0] < whole.glance["df"][0]
    assert any("second-order uncertainty" in note for note in less.notes)


def test_units_of_time_do_not_matter_for_m_2(make_tokens):
    formula = "y ~ s(x, k = 4) + s(x, token, bs = 'fs', m = 2, k = 4)"
    data = make_tokens()
    first = fit(formula, data, engine="structured")
    second = fit(formula, data.assign(x=0.37 * data["x"]), engine="structured")
    assert first.glance["score"][0] == pytest.approx(second.glance["score"][0], abs=1e-6)


def _fitted(request):
    engine = StructuredEngine()
    return engine.fit(engine.plan(request))


def test_deviance_explained_is_about_the_mean_without_an_intercept_too(make_request, make_tokens):
    data = make_tokens()
    with_intercept, without = (
        _fitted(make_request(formula, data)).glance["deviance_explained"][0]
        for formula in ("y ~ word + s(x, k = 5)", "y ~ 0 + word + s(x, k = 5)")
    )
    assert without == pytest.approx(with_intercept, abs=1e-9)
