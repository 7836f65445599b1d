"""The statistics in R's own language give the same tables as from Python. Their tests in R: `make test-r`."""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.resources import bundled
from layerstats.stats.gamm import compare, curves, derivatives, difference, fit

pytestmark = pytest.mark.r

IN_R = """
source("R/layerstats.R")
folder <- commandArgs(TRUE)[1]
write <- function(table, name) {
  numbers <- vapply(table, is.numeric, logical(1))
  table[numbers] <- lapply(table[numbers], function(x) format(x, digits = 17, trim = TRUE))
  write.csv(table, file.path(folder, paste0(name, ".csv")), row.names = FALSE)
}
data <- read.csv(file.path(folder, "data.csv"))
formula <- 'value ~ word + s(sample) + s(sample, by = wordOrd) + s(sample, token, bs = "fs", m = 1)'
fit <- gamm_fit(formula, data, rho = "auto", series = "token", order = "sample",
                ordered = list(wordOrd = c("word", "b")))
write(gamm_parametric(fit), "parametric")
write(gamm_smooths(fit), "smooths")
write(gamm_glance(fit), "glance")
write(autocorrelation(fit, 5), "autocorrelation")
write(residual_checks(fit), "residual_checks")
write(curves(fit, "word"), "curves")
slopes <- derivatives(fit, "word", seed = 7)
write(slopes$curve, "derivatives")
write(slopes$regions, "derivative_regions")
result <- difference(fit, "word", "a", "c", seed = 7)
write(result$curve, "difference")
write(result$regions, "regions")
ml <- function(formula) gamm_fit(formula, data, method = "ML")
write(compare(ml("value ~ s(sample)"), ml("value ~ word + s(sample)")), "comparison")
"""


def run_r(*arguments):
    # The top folder of R/, whether in a checkout or installed.
    folder = Path(bundled("R")).parent
    return subprocess.run(["Rscript", *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("r_language")
    generator = np.random.default_rng(5)
    tokens, samples = 15, np.arange(16)
    word = np.array(["a", "b", "c"])[np.arange(tokens) % 3]
    height = {"a": 0.0, "b": 0.5, "c": 1.5}
    frame = pd.DataFrame(
        {
            "token": np.repeat([f"t{i:02d}" for i in range(tokens)], len(samples)),
            "word": np.repeat(word, len(samples)),
            "sample": np.tile(samples, tokens),
        }
    )
    frame["value"] = (
        np.sin(frame["sample"] / 3)
        + frame["word"].map(height).to_numpy() * frame["sample"] / 16
        + np.repeat(generator.normal(0, 0.3, tokens), len(samples))
        + generator.normal(0, 0.3, len(frame))
    )
    frame.sample(frac=1, random_state=1).to_csv(folder / "data.csv", index=False)
    script = folder / "script.R"
    script.write_text(IN_R)
    outcome = run_r(str(script), str(folder))
    assert outcome.returncode == 0, outcome.stderr
    return folder


@pytest.fixture(scope="module")
def result(folder):
    return fit(
        'value ~ word + s(sample) + s(sample, by = wordOrd) + s(sample, token, bs = "fs", m = 1)',
        pd.read_csv(folder / "data.csv"),
        engine="mgcv",
        rho="auto",
        series="token",
        order="sample",
        ordered={"wordOrd": ("word", "b")},
    )


def assert_same(folder, name, from_python, rtol=1e-7):
    from_r = pd.read_csv(folder / f"{name}.csv")
    assert list(from_r.columns) == list(from_python.columns)
    pd.testing.assert_frame_equal(
        from_r, from_python.reset_index(drop=True), check_dtype=False, rtol=rtol, atol=1e-10, obj=name
    )


@pytest.mark.parametrize("name", ["parametric", "smooths", "glance"])
def test_tables_are_the_same(folder, result, name):
    assert_same(folder, name, getattr(result, name))


def test_autocorrelation_is_the_same(folder, result):
    assert_same(folder, "autocorrelation", result.autocorrelation(5))


def test_checks_of_residuals_are_the_same(folder, result):
    assert_same(folder, "residual_checks", result.residual_checks())


def test_curves_are_the_same(folder, result):
    assert_same(folder, "curves", curves(result, "word"))


def test_derivatives_are_the_same(folder, result):
    slopes = derivatives(result, "word", seed=7)
    assert len(slopes.regions) > 0
    # Finite differences keep some ten digits less five.
    assert_same(folder, "derivatives", slopes.curve, rtol=1e-5)
    assert_same(folder, "derivative_regions", slopes.regions, rtol=1e-5)


def test_difference_with_simultaneous_intervals_is_the_same(folder, result):
    from_python = difference(result, "word", "a", "c", seed=7)
    assert len(from_python.regions) > 0
    assert_same(folder, "difference", from_python.curve)
    assert_same(folder, "regions", from_python.regions)


def test_comparison_is_the_same(folder):
    data = pd.read_csv(folder / "data.csv")
    models = [
        fit(formula, data, engine="mgcv", method="ML") for formula in ("value ~ s(sample)", "value ~ word + s(sample)")
    ]
    assert_same(folder, "comparison", compare(*models))


def test_words_of_the_r_package_are_those_of_the_readme(tmp_path):
    written = tmp_path / "words.csv"
    code = f'load("R/data/words.rda"); write.csv(words, "{written}", row.names = FALSE)'
    assert run_r("-e", code).returncode == 0
    pd.testing.assert_frame_equal(pd.read_csv(written), pd.read_csv(bundled("data", "tables", "words.csv")))
