"""One fit() for all engines: which engine, which rho, in which order."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError, FitError, FormulaError, MissingDependencyError
from layerstats.stats.gamm import FitTask, fit, fit_many
from layerstats.stats.gamm.engine_interface import FitPlan
from layerstats.stats.gamm.engines import registry
from layerstats.stats.gamm.engines.pygam import PygamEngine

FORMULA = "y ~ word + s(x, by = word)"


class WithoutR(PygamEngine):
    """Stands for mgcv on a machine that has no R."""

    name = "mgcv"

    def available(self):
        return "R was not found; install it with: apt install r-base-core"


class Recorder(PygamEngine):
    """Takes every model, ignores its AR(1) part, and remembers what it was asked for."""

    name = "recorder"

    def __init__(self):
        self.requests = []

    def plan(self, request):
        return FitPlan(request)

    def fit(self, plan):
        self.requests.append(plan.request)
        return super().fit(replace(plan, request=replace(plan.request, rho=0.0, method="fREML")))


@pytest.fixture
def no_r(monkeypatch):
    monkeypatch.setitem(registry.ENGINES, "mgcv", WithoutR)


@pytest.fixture
def only_pygam(monkeypatch, no_r):
    others = {name: make for name, make in registry.ENGINES.items() if name != "structured"}
    monkeypatch.setattr(registry, "ENGINES", others)


def autoregressive(rho, series=60, points=40, seed=0):
    generator = np.random.default_rng(seed)
    rows = []
    for token in range(series):
        residual = [generator.standard_normal() / np.sqrt(1 - rho**2)]
        for _ in range(points - 1):
            residual.append(rho * residual[-1] + generator.standard_normal())
        x = np.linspace(0, 1, points)
        rows.append(pd.DataFrame({"token": token, "x": x, "y": 3 * np.sin(4 * x) + residual}))
    return pd.concat(rows, ignore_index=True).sample(frac=1, random_state=1)


def test_without_r_auto_takes_our_own_engine_then_pygam(words, no_r, monkeypatch):
    assert fit(FORMULA, words).engine == "structured"
    others = {name: make for name, make in registry.ENGINES.items() if name != "structured"}
    monkeypatch.setattr(registry, "ENGINES", others)
    assert fit(FORMULA, words).engine == "pygam"


def test_a_model_that_no_engine_fits_says_what_each_lacks(words, only_pygam):
    with pytest.raises(FitError) as caught:
        fit("y ~ s(x) + s(x, token, bs = 'fs', m = 1)", words)
    assert "mgcv: R was not found; install it with" in str(caught.value)
    assert "pygam: it has no random effects or factor smooths (s(x,token))" in str(caught.value)


def test_without_r_asking_for_mgcv(words, no_r):
    with pytest.raises(MissingDependencyError, match="'mgcv' does not work here: R was not found"):
        fit(FORMULA, words, engine="mgcv")
    with pytest.raises(MissingDependencyError):
        fit(FORMULA, words, engine="pygam", verify=True)


def test_auto_takes_the_first_that_can(words, monkeypatch):
    engine = Recorder()
    monkeypatch.setattr(registry, "ENGINES", {"recorder": lambda: engine, **registry.ENGINES})
    assert fit(FORMULA, words).engine == "recorder"
    assert len(engine.requests) == 1


def test_results_are_in_the_users_order(words):
    shuffled = words.sample(frac=1, random_state=3)
    plain = fit(FORMULA, words, engine="pygam")
    sorted_ = fit(FORMULA, shuffled, engine="pygam", series="token", order="x")
    pd.testing.assert_series_equal(sorted_.fitted.sort_index(), plain.fitted)
    assert sorted_.fitted.index.equals(shuffled.index)
    np.testing.assert_allclose(sorted_.fitted + sorted_.residuals, shuffled["y"])


@pytest.mark.parametrize("rho", [0.7, -0.4])
def test_rho_auto_finds_the_truth(rho):
    engine = Recorder()
    result = fit("y ~ s(x)", autoregressive(rho), engine=engine, rho="auto", series="token", order="x")
    assert engine.requests[0].rho == 0
    assert engine.requests[1].rho == result.rho == pytest.approx(rho, abs=0.05)
    note = next(note for note in result.notes if note.startswith("rho ="))
    assert ("negative" in note) == (rho < 0)
    lags = result.autocorrelation(3).set_index("lag")["autocorrelation"]
    np.testing.assert_allclose(lags.to_numpy(), [1, rho, rho**2, rho**3], atol=0.08)


def test_rho_auto_without_a_pair_of_rows():
    data = autoregressive(0.5, series=40, points=1).assign(x=np.linspace(0, 1, 40))
    result = fit("y ~ s(x)", data, engine=Recorder(), rho="auto", series="token", order="x")
    assert result.rho == 0
    assert any("no series has two rows" in note for note in result.notes)


@pytest.mark.parametrize("rho", ["automatic", 1.0, -1, float("nan"), [0.1]])
def test_rho_that_cannot_be(words, rho):
    with pytest.raises(ArgumentError, match="'rho'"):
        fit(FORMULA, words, rho=rho)


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"method": "GCV"}, "'method'"), ({"engine": "stan"}, "'engine'"), ({"function": "gamm"}, "'function'")],
)
def test_arguments(words, options, problem):
    with pytest.raises(ArgumentError, match=problem):
        fit(FORMULA, words, **options)
    with pytest.raises(ArgumentError, match="'family'"):
        fit(FORMULA, words, family="weibull")


def test_bad_input_is_refused_before_any_fit(words):
    engine = Recorder()
    good = FitTask(FORMULA, words, engine=engine)
    for bad, error in (
        (FitTask("y ~ wrod", words, engine=engine), FormulaError),
        (FitTask("y ~ s(x", words, engine=engine), FormulaError),
        (FitTask(FORMULA, words.assign(y=np.nan), engine=engine), DataError),
    ):
        with pytest.raises(error):
            fit_many([good, bad])
    assert engine.requests == []
    with pytest.raises(ArgumentError, match="'workers'"):
        fit_many([good], workers=0)


def test_fit_many_keeps_the_order(words):
    tasks = [FitTask(text, words, engine="pygam") for text in ("y ~ word", "y ~ s(x)", FORMULA)]
    assert [result.formula for result in fit_many(tasks)] == [task.formula for task in tasks]
    assert fit_many([]) == []


@pytest.mark.r
def test_workers_do_not_change_results(words):
    tasks = [
        FitTask(text, words, engine="mgcv", rho=rho, series="token", order="x")
        for text in (FORMULA, "y ~ word + s(x)")
        for rho in (None, "auto")
    ]
    for one, two in zip(fit_many(tasks, workers=1), fit_many(tasks, workers=2), strict=True):
        assert one.rho == two.rho
        pd.testing.assert_frame_equal(one.parametric, two.parametric, check_exact=True)
        pd.testing.assert_frame_equal(one.smooths, two.smooths, check_exact=True)
        assert np.array_equal(one.fitted, two.fitted)


@pytest.mark.r
def test_verify_reports_differences_from_mgcv(words):
    same = fit(FORMULA, words, engine="mgcv", verify=True).verification
    other = fit(FORMULA, words, engine="pygam", verify=True).verification
    assert same is not None
    assert other is not None
    assert np.nanmax(np.abs(same["difference"])) == 0
    estimate = other.set_index("quantity").loc["parametric estimate"]
    assert 0 < abs(estimate["difference"]) < 1e-3
    assert estimate["difference"] == estimate["estimate"] - estimate["reference"]
    assert np.isnan(other.set_index("quantity").loc["smooth p_value", "difference"])
