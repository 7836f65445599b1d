"""The AR(1) parameter by REML and ML against nlme, which estimates it with the variance of a random intercept."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from layerstats.errors import ArgumentError, FitError
from layerstats.stats.gamm.fit import fit
from layerstats.stats.gamm.structured.autoregression import estimate_rho
from layerstats.stats.gamm.structured.model_building import build_model

REFERENCE = Path(__file__).parent / "reference"
FORMULA = "y ~ word + x + s(token, bs = 're')"


def rho_of(request):
    return estimate_rho(request, build_model(request))


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_equals_nlme(method, make_request):
    rows = pd.read_csv(REFERENCE / "corar1_rows.csv")
    answers = pd.read_csv(REFERENCE / "corar1_answers.csv").query("method == @method").set_index("quantity")["value"]
    rho = rho_of(make_request(FORMULA, rows, method=method, rho="reml"))
    assert rho == pytest.approx(answers["rho"], abs=2e-5)
    result = fit(FORMULA, rows, engine="structured", method=method, rho=rho, series="token", order="x")
    estimates = result.parametric.set_index("term")["estimate"]
    for name in ("(Intercept)", "wordb", "x"):
        assert estimates[name] == pytest.approx(answers[name], rel=2e-5)
    if method == "ML":
        # Restricted likelihoods of the two differ by a constant: nlme's has the determinant of X'X.
        assert -result.glance["score"][0] == pytest.approx(answers["log_lik"], abs=1e-4)


def test_series_without_two_rows(make_request, make_tokens):
    rows = make_tokens(12, 2).groupby("token").head(1)
    request = make_request("y ~ v", rows, rho="reml")
    with pytest.raises(FitError, match="no series has two rows"):
        rho_of(request)


def test_rows_without_series(make_request, make_tokens):
    request = make_request("y ~ s(x, k = 4)", make_tokens().drop(columns="token"))
    with pytest.raises(ArgumentError, match="where series begin"):
        rho_of(request)


def test_fit_estimates_rho_jointly(make_tokens):
    rows = make_tokens(12, 10)
    options = {"engine": "structured", "series": "token", "order": "x"}
    formula = "y ~ word + s(x, k = 6) + s(token, bs = 're')"
    joint = fit(formula, rows, rho="reml", **options)
    best = joint.glance["score"][0]
    assert any("jointly" in note for note in joint.notes)
    for away in (-0.02, 0.02):
        assert fit(formula, rows, rho=joint.rho + away, **options).glance["score"][0] > best


@pytest.mark.r
def test_rho_by_reml_needs_the_engine(make_tokens):
    with pytest.raises(ArgumentError, match="rho='reml' is for the structured engine"):
        fit("y ~ s(x)", make_tokens(6, 10), engine="mgcv", rho="reml", series="token", order="x")
