"""The mgcv engine through `fit()`: R's own numbers, designs, models side by side, and what goes wrong."""

import gc
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, MissingDependencyError, RCrashError, RError, RMemoryError
from layerstats.rbridge import RPool, RSession
from layerstats.stats.gamm import FitTask, fit, fit_many, parse_formula
from layerstats.stats.gamm.engine_interface import FitPlan, FitRequest
from layerstats.stats.gamm.engines.mgcv import MgcvEngine

pytestmark = pytest.mark.r

FORMULA = 'y ~ word + s(x) + s(x, by = ordered_word) + s(x, token, bs = "fs", m = 1, k = 4)'
ORDERED = {"ordered_word": ("word", "A")}

# mgcv itself, without any of our R code.
DIRECT = f"""
model <- mgcv::bam({FORMULA}, data = data, rho = 0.3, AR.start = data$start)
summary <- base::summary(model)
discrete <- mgcv::bam({FORMULA}, data = data, rho = 0.3, AR.start = data$start, discrete = TRUE)
list(
  discrete = unname(base::summary(discrete)$p.table),
  parametric = unname(summary$p.table), smooths = unname(summary$s.table), terms = rownames(summary$s.table),
  predicted = as.numeric(predict(model, data)),
  predicted_se = as.numeric(predict(model, data, se.fit = TRUE)$se.fit),
  without_token = as.numeric(predict(model, data, exclude = "s(x,token)")),
  whitened = as.numeric(model$std.rsd), sp = unname(model$sp),
  glance = list(nobs = nobs(model), df_residual = df.residual(model), log_lik = c(logLik(model)), aic = AIC(model),
                bic = BIC(model), deviance = deviance(model), deviance_explained = summary$dev.expl,
                adj_r_squared = summary$r.sq, scale = model$sig2, score = unname(model$gcv.ubre), rho = 0.3)
)
"""


@pytest.fixture(scope="module")
def engine():
    with RPool(workers=2) as pool:
        yield MgcvEngine(pool)


@pytest.fixture(scope="module")
def result(words, engine):
    return fit(FORMULA, words, engine=engine, ordered=ORDERED, rho=0.3, series="token", order="x")


@pytest.fixture(scope="module")
def direct(words, tmp_path_factory):
    script = tmp_path_factory.mktemp("direct") / "direct.R"
    script.write_text(DIRECT)
    coded = words.assign(
        word=pd.Categorical(words["word"]),
        ordered_word=pd.Categorical(words["word"], ordered=True),
        token=pd.Categorical(words["token"]),
        start=words["x"] == 0,
    )
    with RSession() as session:
        session.call("assign", x="data", value=coded, pos=1)
        return session.call("source", file=str(script)).value["value"]


def test_tables_are_those_of_r(result, direct):
    assert result.parametric["term"].tolist() == ["(Intercept)", "wordB"]
    assert result.parametric.iloc[:, 1:5].to_numpy() == pytest.approx(direct["parametric"], rel=1e-9)
    assert result.smooths["term"].tolist() == direct["terms"]
    assert result.smooths.iloc[:, 1:].to_numpy() == pytest.approx(direct["smooths"], rel=1e-9)


def test_glance_is_that_of_r(result, direct):
    row = result.glance.iloc[0]
    assert {name: row[name] for name in direct["glance"]} == pytest.approx(direct["glance"], rel=1e-9)
    assert row["method"] == "fREML"


def test_residuals_are_those_of_r(result, direct):
    assert result.residuals.to_numpy() == pytest.approx(direct["whitened"], abs=1e-10)
    assert result.fitted.to_numpy() == pytest.approx(direct["predicted"], abs=1e-10)
    assert result.engine_fit.smoothing_parameters == pytest.approx(direct["sp"], rel=1e-9)


def test_predictions_are_those_of_r(result, words, direct):
    whole = result.predict(words)
    assert whole["fit"].to_numpy() == pytest.approx(direct["predicted"], abs=1e-10)
    assert whole["std_error"].to_numpy() == pytest.approx(direct["predicted_se"], abs=1e-10)
    new = words.drop(columns="token")
    without = result.predict(new, exclude=["s(x, token)"])
    assert without["fit"].to_numpy() == pytest.approx(direct["without_token"], abs=1e-10)


def test_excluded_random_smooths_need_no_columns(result, words):
    design = result.design(words.head(3), exclude=result.random_terms)
    # intercept, word, and nine coefficients for each of the two smooths of x
    assert design.matrix.shape == (3, 20)
    assert design.covariance.shape == (20, 20)
    assert design.term_of_column == ("(Intercept)", "word", *["s(x)"] * 9, *["s(x):ordered_wordB"] * 9)
    assert "s(x,token)" in result.design(words.head(3)).term_of_column


def test_offset_counts_in_full(words, engine):
    shifted = fit("y ~ s(x) + offset(x)", words, engine=engine)
    assert shifted.predict(words)["fit"].to_numpy() == pytest.approx(shifted.fitted.to_numpy(), abs=1e-10)


def test_weights_families_and_gam_reach_mgcv(words, engine):
    counts = words.assign(n=np.round(np.exp(words["y"])), w=np.where(words["word"] == "A", 2.0, 1.0))
    poisson = fit("n ~ word + s(x)", counts, engine=engine, family="poisson", function="gam", method="REML")
    assert poisson.parametric["estimate"].iloc[1] > 0
    assert poisson.glance["scale"].iloc[0] == 1
    weighted, plain = (fit("y ~ s(x)", counts, engine=engine, weights=weights) for weights in ("w", None))
    # Rows of the lower word weigh twice.
    assert weighted.fitted.mean() < plain.fitted.mean()


def test_discrete_fit_is_that_of_r(words, engine, direct):
    discrete = fit(FORMULA, words, engine=engine, ordered=ORDERED, rho=0.3, series="token", order="x", discrete=True)
    assert discrete.parametric.iloc[:, 1:5].to_numpy() == pytest.approx(direct["discrete"], rel=1e-9)


def test_results_do_not_depend_on_the_number_of_workers(simulate, engine):
    tasks = [FitTask("y ~ word + s(x, by = word)", simulate(seed), engine=engine) for seed in range(4)]
    one_by_one = fit_many(tasks, workers=1)
    side_by_side = fit_many(tasks, workers=2)
    for first, second in zip(one_by_one, side_by_side, strict=True):
        pd.testing.assert_frame_equal(first.parametric, second.parametric, check_exact=True)
        pd.testing.assert_frame_equal(first.smooths, second.smooths, check_exact=True)


def test_predictions_survive_the_death_of_the_worker(words):
    with RPool(workers=1) as pool:
        result = fit("y ~ s(x)", words, engine=MgcvEngine(pool))
        before = result.predict(words.head())
        worker = pool.call("Sys.getpid").value
        os.kill(worker, signal.SIGKILL)
        # On a busy machine its threads take their time to die.
        until = time.monotonic() + 30
        while len(os.listdir(f"/proc/{worker}/task")) > 1 and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.5)
        pd.testing.assert_frame_equal(result.predict(words.head()), before, check_exact=True)


def test_model_on_disk_goes_with_its_result(words, engine):
    result = fit("y ~ s(x)", words, engine=engine)
    path: Path = result.engine_fit.design.__self__.path
    assert path.is_file()
    del result
    gc.collect()
    assert not path.parent.exists()


def test_warnings_of_r_are_kept(result):
    assert result.warnings == ("model has repeated 1-d smooths of same variable.",)


def request(words, **changes):
    frame = words.assign(token=pd.Categorical(words["token"]))
    fields = {
        "formula": parse_formula("y ~ s(x)"),
        "frame": frame,
        "response_values": frame["y"].to_numpy(),
        "method": "fREML",
    }
    return FitRequest(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"function": "gam", "rho": 0.5}, "no AR"),
        ({"function": "gam", "discrete": True}, "does not discretise"),
        ({"method": "ML", "discrete": True}, "needs method='fREML'"),
        ({"family": "scat", "rho": 0.5}, "need discrete=True"),
    ],
)
def test_what_mgcv_cannot_do_is_said_before_the_fit(words, changes, reason):
    assert reason in MgcvEngine().plan(request(words, **changes)).reason
    with pytest.raises(ArgumentError, match=reason):
        fit("y ~ s(x)", words, engine="mgcv", series="token", order="x", **changes)


def test_error_of_r_in_the_formula(words, engine):
    # A basis that only R can know does not exist.
    broken = request(words, formula=parse_formula('y ~ s(x, bs = "no")'))
    with pytest.raises(RError, match=r"R reported an error in .*smooth\.construct"):
        engine.fit(FitPlan(broken))


def test_r_that_is_not_there(words, monkeypatch, tmp_path):
    monkeypatch.delenv("R_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with RPool() as pool:
        assert "apt-get install" in MgcvEngine(pool).available()
        with pytest.raises(MissingDependencyError, match=r"apt-get install r-base-core r-cran-mgcv"):
            fit("y ~ s(x)", words, engine=MgcvEngine(pool))


def test_r_dying_in_the_middle_of_a_fit(simulate, words):
    slow = simulate(tokens=150)
    with RPool(workers=1) as pool:
        engine = MgcvEngine(pool)
        worker = pool.call("Sys.getpid").value
        killer = threading.Timer(1.0, os.kill, (worker, signal.SIGKILL))
        killer.start()
        with pytest.raises(RCrashError, match=r"calling bridge_fit\(\).*SIGKILL"):
            fit('y ~ word + s(x) + s(x, token, bs = "fs", m = 1)', slow, engine=engine)
        killer.join()
        # Nothing is lost: the next fit starts a new worker.
        assert fit("y ~ s(x)", words, engine=engine).parametric.shape == (1, 7)


def test_r_out_of_memory_in_a_fit(simulate, words):
    large = simulate(tokens=300)
    with RPool(workers=1, memory_limit_bytes=1_500_000_000) as pool:
        engine = MgcvEngine(pool)
        with pytest.raises(RMemoryError, match="ran out of memory"):
            fit('y ~ word + s(x, token, bs = "fs", m = 1)', large, engine=engine)
        assert fit("y ~ s(x)", words, engine=engine).parametric.shape == (1, 7)
