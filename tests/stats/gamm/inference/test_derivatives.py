"""Derivatives: against numerical derivatives of the fitted curve, known truth, and R."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.gamm import curves, derivatives, fit

GRID = np.linspace(0, 1, 41)


@pytest.fixture(scope="module", params=["structured", "pygam"])
def model(request, words):
    return fit("y ~ word + s(x, by = word)", words, engine=request.param)


@pytest.mark.parametrize(("order", "accuracy"), [(1, 1e-3), (2, 3e-2)])
def test_against_the_fitted_curve(model, order, accuracy):
    """Differences of a dense grid of the curve itself: another step, another way."""
    fine = np.linspace(0, 1, 2001)
    curve = curves(model, "word", at={"x": fine})
    found = derivatives(model, "word", at={"x": GRID}, order=order).curve
    for word in "AB":
        expected = curve.loc[curve["word"] == word, "fit"].to_numpy()
        for _ in range(order):
            expected = np.gradient(expected, fine, edge_order=2)
        ours = found[found["word"] == word]
        inner = slice(2, -2)
        np.testing.assert_allclose(
            ours["derivative"].to_numpy()[inner], np.interp(GRID, fine, expected)[inner], atol=accuracy * 40, rtol=0.01
        )


def test_standard_error_of_a_straight_line(words):
    """The slope of a line is a coefficient: its standard error is that of regression."""
    result = fit("y ~ word + x", words, engine="structured")
    found = derivatives(result, at={"x": GRID}, interval="pointwise").curve
    slope = result.parametric.set_index("term").loc["x"]
    np.testing.assert_allclose(found["derivative"], slope["estimate"], rtol=1e-8)
    np.testing.assert_allclose(found["std_error"], slope["std_error"], rtol=1e-8)


def test_regions_are_where_the_interval_excludes_zero(model):
    found = derivatives(model, "word", at={"x": GRID})
    assert set(found.regions["word"]) == {"A", "B"}
    assert found.regions[found.regions["word"] == "A"]["sign"].tolist() == ["negative"]  # cos(pi x)
    for row in found.regions.itertuples():
        inside = found.curve[(found.curve["word"] == row.word) & found.curve["x"].between(row.start, row.end)]
        assert np.all(inside["conf_low"] > 0) if row.sign == "positive" else np.all(inside["conf_high"] < 0)


def test_simultaneous_intervals_are_wider_and_seeded(model):
    pointwise = derivatives(model, "word", at={"x": GRID}, interval="pointwise").curve
    one, two = (derivatives(model, "word", at={"x": GRID}, seed=3).curve for _ in range(2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert np.all(one["conf_high"] > pointwise["conf_high"])
    assert np.array_equal(one["derivative"], pointwise["derivative"])


def test_uncertainty_of_the_smoothing_parameters_widens(words):
    result = fit("y ~ word + s(x, by = word)", words, engine="structured")
    narrow, wide = (
        derivatives(result, "word", at={"x": GRID}, interval="pointwise", unconditional=choice).curve["std_error"]
        for choice in (False, True)
    )
    assert np.all(wide >= narrow * (1 - 1e-12))
    assert np.max(wide / narrow) > 1.0001


def test_what_is_refused(words):
    result = fit("y ~ word + s(x, by = word)", words, engine="pygam")
    with pytest.raises(ArgumentError, match="'order'"):
        derivatives(result, "word", order=3)
    with pytest.raises(ArgumentError, match="no covariance with the uncertainty of the smoothing"):
        derivatives(result, "word", unconditional=True)
    random = fit("y ~ s(x) + s(x, token, bs = 'fs', m = 1, k = 4)", words, engine="structured")
    with pytest.raises(ArgumentError, match=r"exclude 's\(x,token\)'"):
        random.design(words.head(2), unconditional=True)
    assert random.design(words.head(2), exclude=["s(x,token)"], unconditional=True).covariance.shape == (10, 10)


@pytest.mark.slow
def test_coverage(simulate):
    """The simultaneous band holds the true slope of A, -pi sin(pi x), about as often as it says."""
    grid = np.linspace(0.02, 0.98, 30)
    truth = -np.pi * np.sin(np.pi * grid)
    reached = []
    for seed in range(200):
        result = fit("y ~ word + s(x, by = word)", simulate(seed, tokens=8), engine="structured")
        curve = derivatives(result, "word", at={"x": grid}, unconditional=True, draws=1000).curve
        curve = curve[curve["word"] == "A"]
        middle = (curve["conf_low"] + curve["conf_high"]) / 2
        reached.append(np.max(np.abs(truth - middle) / (curve["conf_high"] - middle)))
    # Bands of derivatives cover less than those of the curve: smoothing biases slopes more.
    assert np.mean(np.array(reached) < 1) >= 0.80
    # A band that is far too wide would hold it at six tenths of its width, too.
    assert np.mean(np.array(reached) < 0.6) <= 0.75


@pytest.mark.r
@pytest.mark.parametrize("engine", ["mgcv", "structured"])
def test_against_mgcv(words, engine, tmp_path):
    """A finite difference of predict(type = "lpmatrix") with Vp and Vc, typed by hand."""
    import subprocess

    script = """
    suppressPackageStartupMessages(library(mgcv))
    data <- read.csv(commandArgs(TRUE)[1], stringsAsFactors = TRUE)
    fit <- bam(y ~ word + s(x, by = word), data = data)
    at <- data.frame(x = seq(0.1, 0.9, by = 0.1), word = "B")
    rows <- function(shift) predict(fit, transform(at, x = x + shift), type = "lpmatrix")
    slope <- (rows(1e-4) - rows(-1e-4)) / 2e-4
    error <- function(covariance) sqrt(rowSums((slope %*% covariance) * slope))
    write.csv(data.frame(derivative = slope %*% coef(fit), Vp = error(fit$Vp), Vc = error(fit$Vc)), row.names = FALSE)
    """
    words.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "slope.R").write_text(script)
    command = ["Rscript", str(tmp_path / "slope.R"), str(tmp_path / "data.csv")]
    with (tmp_path / "slope.csv").open("w") as file:
        subprocess.run(command, check=True, stdout=file)
    expected = pd.read_csv(tmp_path / "slope.csv")
    result = fit("y ~ word + s(x, by = word)", words, engine=engine)
    for unconditional, column in ((False, "Vp"), (True, "Vc")):
        grid = np.linspace(0.1, 0.9, 9)
        found = derivatives(result, "word", at={"x": grid}, interval="pointwise", unconditional=unconditional).curve
        found = found[found["word"] == "B"]
        np.testing.assert_allclose(found["derivative"], expected["derivative"], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found["std_error"], expected[column], rtol=1e-4)
