"""The same question asked from Python, the shell, stored models, R, channels and resampling is the same request."""

from __future__ import annotations

import subprocess
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import layerstats.stats.gamm as gamm_room
from layerstats.cli.gamm import gamm
from layerstats.cli.stored_models import read_stored_models
from layerstats.resources import bundled
from layerstats.stats.gamm import FitTask, fit, fit_many
from layerstats.stats.gamm.batched.curves.curve_design_building import curve_design
from layerstats.stats.gamm.batched.curves.fitted import fit_design
from layerstats.stats.gamm.batched.rows import channel_design, fit_channels
from layerstats.stats.gamm.engine_interface import FitRequest, ModelRequest
from layerstats.stats.gamm.request.builder import build_model_request, build_request

FORMULA = 'y ~ word + s(x, k = 5) + s(x, by = word_o, k = 5) + s(x, token, bs = "fs", m = 1, k = 4)'
OPTIONS = {
    "rho": 0.3,
    "series": "token",
    "order": "x",
    "factors": {"word": ["wash", "ask"]},
    "ordered": {"word_o": ("word", "wash")},
}
IN_SHELL = ["--rho", "0.3", "--series", "token", "--order", "x", "--factor", "word=wash,ask"]
IN_SHELL += ["--ordered", "word_o=word:wash"]
IN_R = """
source("R/layerstats.R")
folder <- commandArgs(TRUE)[1]
fit <- gamm_fit('FORMULA', read.csv(file.path(folder, "table.csv")), rho = 0.3, series = "token", order = "x",
                factors = list(word = c("wash", "ask")), ordered = list(word_o = c("word", "wash")))
asked <- cbind(fit$data, start = as.integer(fit$start), rho = fit$rho,
               .ordered = as.integer(is.ordered(fit$data$word_o)),
               .method = fit$method, .reference = levels(fit$data$word)[1])
write.csv(format(asked, digits = 17), file.path(folder, "asked.csv"), row.names = FALSE)
numbers <- format(gamm_parametric(fit)[2:5], digits = 17)
write.csv(numbers, file.path(folder, "parametric.csv"), row.names = FALSE)
"""


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(8)
    token, x = np.repeat(np.arange(16), 8), np.tile(np.arange(8.0), 16)
    frame = pd.DataFrame(
        {"token": [f"t{one:02d}" for one in token], "x": x, "word": np.where(token % 2, "ask", "wash")}
    )
    frame["speaker"] = [f"s{one % 4}" for one in token]
    frame["trials"] = generator.integers(1, 6, len(x))
    frame["y"] = (
        np.sin(x / 2) * (1 + token % 2) + np.repeat(generator.normal(size=16), 8) + generator.normal(size=len(x))
    )
    # In no order: rows are sorted for the user, the same way from everywhere.
    return frame.sample(frac=1, random_state=2).reset_index(drop=True)


@pytest.fixture
def asked(monkeypatch):
    """Return a list that the results of `fit_many` go to, from the shell too."""
    results = []

    def recording(tasks, workers=2):
        results.extend(fit_many(tasks, workers=workers))
        return results[-len(tasks) :]

    monkeypatch.setattr(gamm_room, "fit_many", recording)
    return results


def assert_same(one: ModelRequest, other: ModelRequest) -> None:
    shared = {field.name for field in fields(type(one))} & {field.name for field in fields(type(other))}
    for name in shared - {"progress"}:
        ours, theirs = getattr(one, name), getattr(other, name)
        if name == "frame":
            columns = [column for column in ours.columns if column in theirs.columns]
            assert set(ours.columns) ^ set(theirs.columns) <= {"y"}
            pd.testing.assert_frame_equal(ours[columns], theirs[columns], check_exact=True)
        elif isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs)
        else:
            assert ours == theirs, name


def run_in_shell(folder: Path, table: pd.DataFrame, formula: str, *options: str) -> None:
    table.to_csv(folder / "table.csv", index=False)
    app = typer.Typer()
    app.command()(gamm)
    arguments = [str(folder / "table.csv"), "--formula", formula, "--out", str(folder / "out")]
    outcome = CliRunner().invoke(app, [*arguments, *options])
    assert outcome.exit_code == 0, outcome.output


def test_python_shell_and_stored_models(table, tmp_path, asked):
    request, _ = build_request(FitTask(FORMULA, table, **OPTIONS))
    in_python = fit(FORMULA, table, engine="structured", **OPTIONS)
    assert_same(request, in_python.request)
    run_in_shell(tmp_path, table, FORMULA, "--engine", "structured", *IN_SHELL)
    assert_same(request, asked[-1].request)
    pd.testing.assert_frame_equal(in_python.parametric, asked[-1].parametric, check_exact=True)
    stored = read_stored_models(tmp_path / "out")[0]
    assert_same(request, build_request(stored.task())[0])


@pytest.mark.r
def test_options_of_the_shell_are_those_of_python(table, tmp_path, asked):
    formula = 'y ~ s(x, bs = "cr", k = 3)'
    run_in_shell(tmp_path, table, formula, "--knots", "x=0,3.5,7", "--weights", "trials", "--discrete")
    task = FitTask(formula, table, knots={"x": [0, 3.5, 7]}, weights="trials", discrete=True)
    request, _ = build_request(task)
    assert_same(request, asked[-1].request)
    assert request.discrete
    assert request.knots == {"x": [0, 3.5, 7]}
    assert_same(request, build_request(read_stored_models(tmp_path / "out")[0].task())[0])


def test_channels_and_resampling(table):
    task = FitTask(FORMULA, table, **OPTIONS)
    request, prepared = build_request(task)
    assert isinstance(request, FitRequest)
    without = FitTask(FORMULA, table.drop(columns="y"), **OPTIONS)
    for other in (build_model_request(without)[0], channel_design(without).request):
        assert not isinstance(other, FitRequest)
        assert_same(request, other)
    assert_same(request, curve_design(without, "word", response=False).request)
    design = curve_design(task, "word")
    assert_same(request, design.request)
    np.testing.assert_array_equal(design.positions, prepared.positions)


def test_numbers_of_channels_and_resampling(table):
    task = FitTask(FORMULA, table, engine="structured", **OPTIONS)
    whole = fit_many([task])[0]
    channel = fit_channels(channel_design(task), table["y"].to_numpy()[None])
    np.testing.assert_allclose(channel.estimate[0], whole.parametric["estimate"], rtol=1e-6)
    np.testing.assert_allclose(channel.score[0], whole.glance["score"][0], rtol=1e-8)
    refitted = fit_design(task, "word").fit
    np.testing.assert_allclose(refitted.score[0], whole.glance["score"][0], rtol=1e-8)
    np.testing.assert_allclose(refitted.scale[0], whole.glance["scale"][0], rtol=1e-6)


@pytest.mark.r
def test_r(table, tmp_path):
    table.to_csv(tmp_path / "table.csv", index=False)
    script = tmp_path / "asked.R"
    script.write_text(IN_R.replace("FORMULA", FORMULA))
    folder = Path(bundled("R")).parent
    outcome = subprocess.run(["Rscript", script, tmp_path], cwd=folder, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    there = pd.read_csv(tmp_path / "asked.csv")
    request = build_request(FitTask(FORMULA, table, **OPTIONS))[0]
    assert list(there["token"]) == list(request.frame["token"].astype(str))
    assert list(there["word"]) == list(request.frame["word"].astype(str))
    np.testing.assert_allclose(there[["x", "y"]], request.frame[["x", "y"]], rtol=1e-14)
    np.testing.assert_array_equal(there["start"] == 1, request.series_start)
    assert there["rho"][0] == request.rho
    assert there[".method"][0] == request.method
    assert there[".reference"][0] == request.frame["word"].cat.categories[0]
    assert there[".ordered"].all()
    assert request.frame["word_o"].cat.ordered
    here = fit(FORMULA, table, engine="mgcv", **OPTIONS).parametric
    numbers = pd.read_csv(tmp_path / "parametric.csv")
    np.testing.assert_allclose(numbers, here[["estimate", "std_error", "statistic", "p_value"]], rtol=1e-7)
