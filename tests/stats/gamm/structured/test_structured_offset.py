"""``offset()``: a column whose coefficient is known to be 1."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError, FormulaError, UnsupportedModelError
from layerstats.stats.gamm.batched.rows import channel_design
from layerstats.stats.gamm.engines.structured import StructuredEngine
from layerstats.stats.gamm.fit import fit
from layerstats.stats.gamm.inference.difference import difference
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.resampling import permutation_test

TERMS = "word + s(x, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)"
SERIES = {"series": "token", "order": "x"}


@pytest.fixture
def tokens(make_tokens):
    return make_tokens(balanced=False).assign(known=lambda rows: 3 * rows["v"] + rows["x"])


@pytest.mark.parametrize("options", [{}, {"rho": 0.4}, {"rho": "reml"}, {"method": "ML", "weights": "w"}])
def test_a_fit_with_offset_is_that_of_what_is_left(options, tokens):
    left = tokens.assign(y=tokens["y"] - 3 * tokens["v"] - tokens["x"])
    with_offset = fit(f"y ~ offset(known) + {TERMS}", tokens, engine="structured", **SERIES, **options)
    without = fit(f"y ~ {TERMS}", left, engine="structured", **SERIES, **options)
    pd.testing.assert_frame_equal(with_offset.parametric, without.parametric, rtol=1e-6)
    pd.testing.assert_frame_equal(with_offset.smooths, without.smooths, rtol=1e-5, atol=1e-8)
    assert np.allclose(with_offset.fitted - tokens["known"], without.fitted, atol=1e-7)
    assert np.allclose(with_offset.residuals, without.residuals, atol=1e-7)
    for quantity in ("score", "scale", "df", "log_lik", "rho"):
        assert with_offset.glance[quantity][0] == pytest.approx(without.glance[quantity][0], rel=1e-6)
    moved = tokens.iloc[::7].assign(known=0.5)
    found, expected = with_offset.predict(moved), without.predict(moved)
    assert np.allclose(found["fit"] - 0.5, expected["fit"], atol=1e-7)
    assert np.allclose(found["std_error"], expected["std_error"], rtol=1e-6)


def test_expressions_and_excluded_offsets(tokens):
    result = fit(f"y ~ {TERMS} + offset(2 * v + log(x))", tokens, engine="structured", **SERIES)
    rows = tokens.iloc[::5]
    parts = result.predict(rows)["fit"] - result.predict(rows, exclude="offset(2 * v + log(x))")["fit"]
    assert np.allclose(parts, 2 * rows["v"] + np.log(rows["x"]), atol=1e-10)
    assert result.design(rows).term_of_column[-1] == "offset"


def test_prediction_needs_the_column(tokens):
    result = fit(f"y ~ {TERMS} + offset(known)", tokens, engine="structured", **SERIES)
    with pytest.raises(DataError, match="'known' is needed"):
        result.predict(tokens.drop(columns="known"))
    without = result.predict(tokens.drop(columns="known"), exclude="offset(known)")["fit"]
    assert np.allclose(without, result.predict(tokens)["fit"] - tokens["known"], atol=1e-10)


def test_differences_have_no_offset_in_them(tokens):
    formula = "y ~ {} word + s(x, by = word, k = 4) + s(token, bs = 're')"
    left = tokens.assign(y=tokens["y"] - tokens["known"])
    at = {"x": np.arange(1.0, 8.0)}
    with_offset = fit(formula.format("offset(known) +"), tokens, engine="structured", **SERIES)
    without = fit(formula.format(""), left, engine="structured", **SERIES)
    curves = [difference(result, ["word"], "a", "b", at=at, draws=500).curve for result in (with_offset, without)]
    pd.testing.assert_frame_equal(*curves, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("written", ["offset(v) + offset(w)", "word:offset(v)", "offset(v, w)"])
def test_one_offset_of_one_expression(written, tokens):
    with pytest.raises(FormulaError, match=r"[oO]ffset"):
        fit(f"y ~ word + {written} + s(x, k = 4)", tokens, engine="structured")


def test_an_offset_that_is_no_number_is_refused(tokens, make_request):
    answer = StructuredEngine().plan(make_request("y ~ offset(word) + s(x, k = 4)", tokens)).reason
    assert answer is not None
    assert "offset(word)" in answer


def test_channels_and_resampling_say_that_they_cannot(make_tokens):
    tokens = make_tokens()
    formula = f"y ~ {TERMS} + offset(x)"
    with pytest.raises(ArgumentError, match=r"has offset\(\): subtract it"):
        channel_design(FitTask(formula, tokens, **SERIES))
    with pytest.raises(ArgumentError, match=r"offset\(\), which is none: subtract it"):
        permutation_test({"one": FitTask(formula, tokens, **SERIES)}, "word", replicates=10)


def test_mgcv_refuses_what_it_would_forget(tokens):
    with pytest.raises(UnsupportedModelError, match=r"forgets offset\(\) with AR\(1\)"):
        fit("y ~ offset(known) + s(x, k = 4)", tokens, engine="mgcv", rho=0.3, **SERIES)


@pytest.mark.r
@pytest.mark.parametrize("method", ["fREML", "ML"])
def test_offsets_of_mgcv(method, tokens):
    for formula in (f"y ~ offset(known) + {TERMS}", "y ~ word + offset(log(x) + v) + s(x, k = 4)"):
        ours, theirs = (fit(formula, tokens, engine=one, method=method, **SERIES) for one in ("structured", "mgcv"))
        assert ours.glance["score"][0] == pytest.approx(theirs.glance["score"][0], abs=1e-3)
        assert np.allclose(ours.fitted, theirs.fitted, atol=1e-3)
        for exclude in ((), [str(term) for term in ours.request.formula.parametric if term.is_offset]):
            both = [one.predict(tokens.iloc[::9], exclude=exclude)["fit"] for one in (ours, theirs)]
            assert np.allclose(*both, atol=1e-3)


@pytest.mark.r
def test_offsets_of_binomial_responses(tokens):
    generator = np.random.default_rng(3)
    trials = tokens.assign(n=generator.integers(3, 9, len(tokens)).astype(float))
    success = 1 / (1 + np.exp(-trials["y"] - trials["v"]))
    trials["y"] = generator.binomial(trials["n"].astype(int), success) / trials["n"]
    ours, theirs = (
        fit("y ~ word + offset(v) + s(x, k = 4)", trials, engine=one, family="binomial", weights="n", **SERIES)
        for one in ("structured", "mgcv")
    )
    assert np.allclose(ours.fitted, theirs.fitted, atol=1e-5)
    assert ours.parametric["std_error"].to_numpy() == pytest.approx(theirs.parametric["std_error"], rel=1e-3)
    assert ours.glance["deviance"][0] == pytest.approx(theirs.glance["deviance"][0], rel=1e-4)
