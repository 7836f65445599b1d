"""What finds out whether an engine can fit a model is what it fits: terms are built once a fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.gamm import FitTask, fit, fit_many
from layerstats.stats.gamm.engine_interface import CannotFit, FitPlan
from layerstats.stats.gamm.engines import structured_plan
from layerstats.stats.gamm.engines.structured import StructuredEngine
from layerstats.stats.gamm.engines.structured_plan import StructuredPlan
from layerstats.stats.gamm.request.builder import build_request

CURVES = "y ~ word + s(x, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)"
# Under AR(1) the blocks cannot be speakers' times, which series cross.
CROSSED = "y ~ s(x, k = 5) + s(x, word, bs = 'fs', m = 1, k = 4) + s(speaker_x, bs = 're')"
ALIASED = "y ~ word + d + s(x, k = 5) + s(token, bs = 're')"
SERIES = {"series": "token", "order": "x", "engine": "structured"}


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(4)
    token, x = np.repeat(np.arange(18), 9), np.tile(np.arange(9.0), 18)
    frame = pd.DataFrame({"token": [f"t{one:02d}" for one in token], "x": x})
    frame["word"] = np.array(["a", "b", "c"])[token % 3]
    frame["speaker"] = [f"s{one // 6}" for one in token]
    frame["speaker_x"] = frame["speaker"] + frame["x"].astype(str)
    frame["d"] = (frame["word"] == "b").astype(float)
    frame["y"] = np.sin(x / 2) + token % 3 + np.repeat(generator.normal(size=18), 9) + generator.normal(0, 0.3, len(x))
    return frame


@pytest.fixture
def built(monkeypatch):
    """Return a list that grows with each building of terms."""
    counted = []
    build = structured_plan.build_terms
    monkeypatch.setattr(structured_plan, "build_terms", lambda request: counted.append(request) or build(request))
    return counted


@pytest.mark.parametrize("rho", [None, 0.3, "auto", "reml"])
@pytest.mark.parametrize("formula", [CURVES, CROSSED, ALIASED])
def test_terms_are_built_once_a_fit(rows, built, formula, rho):
    result = fit(formula, rows, rho=rho, **SERIES)
    assert len(built) == 1
    given = fit(formula, rows, rho=result.rho, **SERIES)
    for table in ("parametric", "smooths", "glance"):
        pd.testing.assert_frame_equal(getattr(result, table), getattr(given, table), rtol=1e-9)


def test_and_once_for_each_of_many(rows, built):
    fit_many([FitTask(CURVES, rows, rho="auto", **SERIES)] * 3)
    assert len(built) == 3


def test_data_of_large_tables_are_summed_up_for_each_rho(rows, built, monkeypatch):
    expected = fit(CURVES, rows, rho="auto", **SERIES)
    monkeypatch.setattr("layerstats.stats.gamm.structured.model_building.is_large", lambda model: True)
    built.clear()
    result = fit(CURVES, rows, rho="auto", **SERIES)
    assert len(built) == 1
    pd.testing.assert_frame_equal(result.glance, expected.glance, rtol=1e-9)


def test_what_needs_no_terms_is_said_without_them(rows, built):
    request = build_request(FitTask(CURVES, rows, discrete=True))[0]
    answer = StructuredEngine().plan(request)
    assert isinstance(answer, CannotFit)
    assert "does not discretise" in answer.reason
    assert not built


def test_a_plan_is_for_its_own_engine(rows):
    request = build_request(FitTask(CURVES, rows))[0]
    with pytest.raises(ArgumentError, match="what its own plan"):
        StructuredEngine().fit(FitPlan(request))


def test_another_rho_keeps_the_bases(rows):
    plan = StructuredEngine().plan(build_request(FitTask(CURVES, rows, rho="auto", series="token", order="x"))[0])
    assert isinstance(plan, StructuredPlan)
    other = plan.with_rho(0.4)
    assert isinstance(other, StructuredPlan)
    assert other.terms is plan.terms
    assert other.model is plan.model
    assert np.isnan(plan.request.rho)
    assert other.request.rho == 0.4
    assert replace(plan.request, rho=0.4).frame is other.request.frame
