"""Autocorrelation within series, residual checks, basis dimensions."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.gamm import fit
from layerstats.stats.gamm.checks.autocorrelation import autocorrelation_table, series_autocorrelation
from layerstats.stats.gamm.checks.implied_autocorrelation import implied_autocorrelation
from layerstats.stats.gamm.checks.residual_checks import failed_checks, residual_checks_table


def test_autocorrelation_never_crosses_series():
    generator = np.random.default_rng(0)
    residuals = generator.standard_normal(50)
    start = np.zeros(50, dtype=bool)
    start[[0, 7, 8, 30]] = True
    edges = [0, 7, 8, 30, 50]
    pairs = [(residuals[t], residuals[t + 2]) for first, last in pairwise(edges) for t in range(first, last - 2)]
    early, late = np.array(pairs).T
    value, count = series_autocorrelation(residuals, start, 2)
    assert count == len(pairs)
    assert value == pytest.approx(np.sum(early * late) / np.sqrt(np.sum(early**2) * np.sum(late**2)))


def test_autocorrelation_of_one_long_series_is_the_usual_one():
    residuals = np.random.default_rng(0).standard_normal(2000)
    residuals = np.convolve(residuals, [1, 0.8])
    table = autocorrelation_table(residuals - residuals.mean(), None, 2)
    assert list(table["lag"]) == [0, 1, 2]
    np.testing.assert_allclose(table["autocorrelation"], [1, 0.8 / 1.64, 0], atol=0.05)
    assert list(table["pairs"]) == [2001, 2000, 1999]


def test_autocorrelation_stops_at_the_longest_series():
    start = np.array([True, False, False, True, False])
    assert list(autocorrelation_table(np.arange(1.0, 6), start, 20)["lag"]) == [0, 1, 2]
    with pytest.raises(ArgumentError, match="'max_lag'"):
        autocorrelation_table(np.ones(3), None, 0)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(5).standard_normal(3000)


def test_good_residuals_pass(noise):
    table = residual_checks_table(np.linspace(0, 1, 3000), noise, np.arange(3000) % 10 == 0).set_index("check")
    lags = ["autocorrelation", "autocorrelation at lag 2", "autocorrelation at lag 3"]
    assert list(table.index) == ["normality", "equal variance", "outliers", *lags]
    assert (table["p_value"] > 0.01).all()
    assert table["passed"].all()


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (lambda noise: np.sign(noise) * np.abs(noise) ** 1.4, "normality"),
        (lambda noise: noise * np.linspace(0.5, 1.5, 3000), "equal variance"),
        (lambda noise: np.where(np.arange(3000) == 17, 9.0, noise), "outliers"),
        (lambda noise: noise + 0.3 * np.roll(noise, 1), "autocorrelation"),
    ],
)
def test_bad_residuals_are_found(noise, spoil, check):
    table = residual_checks_table(np.linspace(0, 1, 3000), spoil(noise), np.arange(3000) % 10 == 0)
    assert table.set_index("check").loc[check, "p_value"] < 1e-4


def test_what_is_significant_and_small_passes(noise):
    slightly = noise + 0.12 * np.roll(noise, 1)
    table = residual_checks_table(np.linspace(0, 1, 3000), slightly, np.arange(3000) % 10 == 0).set_index("check")
    assert table.loc["autocorrelation", "p_value"] < 0.01
    assert table["passed"].all()
    much = residual_checks_table(np.linspace(0, 1, 3000), noise + 0.4 * np.roll(noise, 1), np.arange(3000) % 10 == 0)
    assert failed_checks(much) == ["autocorrelation"]


def test_two_points_a_series_have_no_second_lag(noise):
    table = residual_checks_table(np.linspace(0, 1, 3000), noise, np.arange(3000) % 2 == 0)
    assert "autocorrelation at lag 2" not in set(table["check"])


@pytest.mark.parametrize("rho", [None, -0.4])
def test_curves_that_take_up_most_of_a_series_leave_residuals_that_alternate(rho):
    """The implied autocorrelation is what residuals of many data sets from the model itself have on average."""
    generator = np.random.default_rng(3)
    time = np.tile(np.arange(12.0), 30)
    token = np.repeat([f"t{number:02}" for number in range(30)], 12)
    curves = np.repeat(generator.normal(size=(30, 3)), 12, axis=0)
    values = curves[:, 0] + curves[:, 1] * (time - 5.5) / 3 + curves[:, 2] * np.cos(time) + generator.normal(size=360)
    table = pd.DataFrame({"time": time, "token": token, "value": values})
    formula = 'value ~ s(time, k=8) + s(time, token, bs="fs", m=1, k=8)'
    result = fit(formula, table, engine="structured", rho=rho, series="token", order="time")
    implied = implied_autocorrelation(result.request, result.engine_fit, 3)
    assert implied[0] < -0.2
    checks = result.residual_checks().set_index("check")
    np.testing.assert_allclose(checks["implied"].iloc[-3:], implied)
    # Of the hat matrix by hand: residuals of unit vectors at the same smoothing parameters.
    if rho is None:
        matrix = result.design(table).matrix
        design = result.design(table)
        influence = matrix @ design.covariance @ matrix.T / result.glance["scale"][0]
        left = np.eye(360) - influence
        pairs = np.flatnonzero(token[1:] == token[:-1])
        assert implied[0] == pytest.approx(left[pairs, pairs + 1].sum() / np.trace(left))


def test_without_series_nothing_is_implied(noise):
    data = pd.DataFrame({"x": np.linspace(0, 1, 200), "y": noise[:200]})
    result = fit("y ~ s(x)", data, engine="structured")
    assert np.isnan(implied_autocorrelation(result.request, result.engine_fit, 2)).all()


def test_breusch_pagan_agrees_with_statsmodels(noise):
    from statsmodels.stats.diagnostic import het_breuschpagan

    fitted = np.linspace(0, 1, 3000) ** 2
    statistic, p_value, *_ = het_breuschpagan(noise, np.column_stack([np.ones(3000), fitted]))
    row = residual_checks_table(fitted, noise, None).set_index("check").loc["equal variance"]
    assert row["statistic"] == pytest.approx(statistic)
    assert row["p_value"] == pytest.approx(p_value)


def test_small_basis_is_found():
    generator = np.random.default_rng(0)
    data = pd.DataFrame({"x": generator.uniform(size=400), "z": generator.uniform(size=400)})
    data["y"] = np.sin(25 * data["x"]) + generator.normal(0, 0.3, 400)
    small = fit("y ~ s(x, k = 5) + s(z)", data, engine="pygam").k_check()
    large = fit("y ~ s(x, k = 25) + s(z)", data, engine="pygam").k_check()
    assert list(small["k"]) == [4, 9]
    assert small["p_value"].iloc[0] < 0.01
    assert small["k_index"].iloc[0] < 0.7
    assert large["p_value"].iloc[0] > 0.01
    assert large.equals(fit("y ~ s(x, k = 25) + s(z)", data, engine="pygam").k_check())


@pytest.mark.r
def test_k_index_agrees_with_mgcv(tmp_path):
    """The k-index itself has no chance in it; p-values are within the noise of 400 permutations."""
    import subprocess

    generator = np.random.default_rng(2)
    data = pd.DataFrame(generator.uniform(size=(300, 2)), columns=["x", "z"])
    data["g"] = generator.choice(list("abcdef"), 300)
    data["w"] = generator.choice(list("uv"), 300)
    data["y"] = np.sin(20 * data["x"]) * data["z"] + generator.normal(0, 0.3, 300)
    data.to_csv(tmp_path / "data.csv", index=False)
    formula = 'y ~ w + s(x, by=w, k=5) + te(x, z, by=w, k=4) + s(x, g, bs="fs", k=5, m=1) + s(g, bs="re")'
    code = (
        f"library(mgcv); d <- read.csv('{tmp_path}/data.csv', stringsAsFactors = TRUE); set.seed(1); "
        f"k <- k.check(bam({formula}, data = d)); "
        f"write.csv(data.frame(term = rownames(k), k), '{tmp_path}/k.csv', row.names = FALSE)"
    )
    subprocess.run(["Rscript", "-e", code], check=True, capture_output=True)
    expected = pd.read_csv(tmp_path / "k.csv")
    found = fit(formula, data, engine="mgcv").k_check()
    assert list(found["term"]) == list(expected["term"])
    np.testing.assert_allclose(found["k"], expected["k."])
    np.testing.assert_allclose(found["edf"], expected["edf"], rtol=1e-6)
    np.testing.assert_allclose(found["k_index"], expected["k.index"], rtol=1e-5)
    np.testing.assert_allclose(found["p_value"], expected["p.value"], atol=0.1)
