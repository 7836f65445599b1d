"""Binomial responses through `fit()`: what is reported, scales, and what is refused or warned about."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.gamm import difference, fit

FORMULA = "y ~ word + s(x, by = word, k = 5) + s(token, bs = 're')"


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(11)
    token = np.repeat(np.arange(24), 10)
    x = np.tile(np.linspace(0, 1, 10), 24)
    predictor = np.sin(6 * x) + 0.8 * (token % 2) + generator.normal(0, 0.5, 24)[token]
    return pd.DataFrame(
        {
            "token": [f"t{number:02d}" for number in token],
            "word": np.array(["ask", "dark"])[token % 2],
            "x": x,
            "y": generator.binomial(1, special.expit(predictor)),
        }
    )


@pytest.fixture(scope="module")
def result(data):
    return fit(FORMULA, data, engine="structured", family="binomial")


def test_auto_takes_the_structured_engine(data):
    assert fit("y ~ word + s(x, k = 5)", data, family="binomial").engine == "structured"


def test_parametric_terms_are_tested_by_z(result):
    table = result.parametric
    assert table["p_value"].to_numpy() == pytest.approx(2 * stats.norm.sf(np.abs(table["statistic"])))
    glance = result.glance.iloc[0]
    assert glance["scale"] == 1
    assert glance["aic"] == pytest.approx(2 * glance["df"] - 2 * glance["log_lik"])
    # For single trials the saturated likelihood is 1.
    assert glance["log_lik"] == pytest.approx(-glance["deviance"] / 2)
    assert not result.warnings


def test_fitted_values_are_probabilities_and_residuals_add_up_to_the_deviance(result):
    assert result.fitted.between(0, 1, inclusive="neither").all()
    assert np.sum(result.residuals**2) == pytest.approx(result.glance["deviance"].iloc[0])


@pytest.mark.parametrize("interval", ["pointwise", "simultaneous"])
def test_predictions_on_the_scale_of_the_response(result, data, interval):
    link = result.predict(data.head(30), interval=interval, draws=500)
    response = result.predict(data.head(30), interval=interval, draws=500, scale="response")
    for column in ("fit", "conf_low", "conf_high"):
        assert response[column].to_numpy() == pytest.approx(special.expit(link[column].to_numpy()))
    slope = response["fit"] * (1 - response["fit"])
    assert response["std_error"].to_numpy() == pytest.approx((slope * link["std_error"]).to_numpy())


def test_a_gaussian_response_has_one_scale(data):
    gaussian = fit("x ~ word + y", data, engine="structured")
    pd.testing.assert_frame_equal(gaussian.predict(data.head()), gaussian.predict(data.head(), scale="response"))


def test_an_unknown_scale_is_refused(result, data):
    with pytest.raises(ArgumentError, match=r"Invalid value for the 'scale' parameter.*but got 'mean'"):
        result.predict(data, scale="mean")


def test_differences_are_log_odds(result, data):
    grid = np.array([0.2, 0.7])
    curve = difference(result, "word", "dark", "ask", at={"x": grid}, interval="pointwise").curve
    rows = pd.DataFrame({"word": ["dark", "dark", "ask", "ask"], "x": np.tile(grid, 2)})
    fitted = result.predict(rows, exclude=["s(token)"])["fit"].to_numpy()
    assert curve["diff"].to_numpy() == pytest.approx(fitted[:2] - fitted[2:])


def test_logical_responses_are_zero_and_one(data, result):
    other = fit(FORMULA, data.assign(y=data["y"] == 1), engine="structured", family="binomial")
    assert other.parametric["estimate"].to_numpy() == pytest.approx(result.parametric["estimate"].to_numpy())


def test_rows_in_any_order(data, result):
    shuffled = data.sample(frac=1, random_state=1)
    other = fit(FORMULA, shuffled, engine="structured", family="binomial")
    assert other.fitted.loc[data.index].to_numpy() == pytest.approx(result.fitted.to_numpy(), abs=1e-6)


@pytest.mark.parametrize("value", [-0.5, 1.5, 2])
def test_a_response_outside_the_unit_interval_is_refused(data, value):
    bad = data.assign(y=data["y"].astype(float))
    bad.loc[3, "y"] = value
    with pytest.raises(DataError, match=r"must be between 0 and 1.*1 of 240 rows.*number of trials as 'weights'"):
        fit(FORMULA, bad, family="binomial")


def test_a_constant_response_is_refused(data):
    with pytest.raises(DataError, match="nothing to model"):
        fit(FORMULA, data.assign(y=1), family="binomial")


@pytest.mark.parametrize("weight", [-1, np.nan])
def test_weights_must_be_positive(data, weight):
    with pytest.raises((ArgumentError, DataError), match="weights"):
        fit(FORMULA, data, family="binomial", weights=np.r_[weight, np.ones(len(data) - 1)])


def test_proportions_without_trials_are_noted(data):
    noted = fit("y ~ word + s(x, k = 5)", data.assign(y=data["y"] * 0.5 + 0.25), family="binomial", engine="structured")
    assert any("each row counts as one trial" in note for note in noted.notes)


def test_successes_that_are_not_whole_are_noted(data):
    rates = data.assign(y=data["y"] * 0.5 + 0.25, w=5)
    noted = fit("y ~ word + s(x, k = 5)", rates, family="binomial", engine="structured", weights="w")
    assert any("not whole numbers" in note for note in noted.notes)


def test_ar1_is_refused_with_the_reason(data):
    with pytest.raises(ArgumentError, match="AR\\(1\\) residuals need a Gaussian response"):
        fit(FORMULA, data, family="binomial", engine="structured", rho=0.3, series="token", order="x")


def test_a_level_that_never_fails_is_a_warning(data):
    certain = data.assign(y=np.where(data["word"] == "dark", 1, data["y"]))
    result = fit("y ~ word + s(x, k = 5)", certain, engine="structured", family="binomial")
    assert any("The response is 1 in all 120 rows where word is 'dark'" in warning for warning in result.warnings)
    assert any("numerically 0 or 1 in 120 of 240 rows" in warning for warning in result.warnings)
    # The other level is estimated as if it were alone.
    assert result.parametric["p_value"].iloc[1] > 0.9


def test_a_cell_of_an_interaction_that_never_succeeds_is_a_warning(data):
    crossed = data.assign(stress=np.where(data.index % 3 == 0, "weak", "strong"))
    empty = (crossed["word"] == "ask") & (crossed["stress"] == "weak")
    crossed.loc[empty, "y"] = 0
    result = fit("y ~ word * stress + s(x, k = 5)", crossed, engine="structured", family="binomial")
    (warning,) = [warning for warning in result.warnings if "The response is 0" in warning]
    assert "word is 'ask', stress is 'weak'" in warning


def test_complete_separation_along_a_curve_ends(data):
    split = data.assign(y=(data["x"] > 0.5).astype(int))
    result = fit("y ~ s(x, k = 5)", split, engine="structured", family="binomial")
    assert any("numerically 0 or 1" in warning for warning in result.warnings)
    assert ((result.fitted > 0.5) == (split["y"] == 1)).mean() > 0.98


def test_ordered_categories_are_not_for_this_engine(data):
    rated = data.assign(y=1 + np.arange(len(data)) % 4)
    with pytest.raises(ArgumentError, match=r"ordered categories.*thresholds"):
        fit("y ~ word + s(x, k = 5)", rated, engine="structured", family="ocat")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, 1, 2], "whole numbers from 1"),
        ([1, 2.5, 3], "whole numbers from 1"),
        ([1, 2], "two are a binomial response"),
        ([1, 2, 4], "No row of y has 3"),
    ],
)
def test_categories_must_be_numbered_from_one(data, values, message):
    with pytest.raises(DataError, match=message):
        fit("y ~ s(x, k = 5)", data.assign(y=np.resize(values, len(data))), family="ocat")


@pytest.mark.r
def test_ordered_categories_through_gam(data):
    generator = np.random.default_rng(5)
    latent = 2 * np.sin(5 * data["x"]) + (data["word"] == "dark") + generator.logistic(size=len(data))
    rated = data.assign(y=np.digitize(latent, [-1, 0.5, 2]) + 1)
    result = fit("y ~ word + s(x, k = 5)", rated, family="ocat", function="gam")
    assert result.engine == "mgcv"
    # mgcv puts the first threshold at -1; the others are a distance from it.
    assert result.thresholds[0] == -1
    assert np.diff(result.thresholds) == pytest.approx([1.5, 1.5], abs=0.5)
    assert np.isnan(result.glance["adj_r_squared"].iloc[0])
    with pytest.raises(ArgumentError, match="no response scale"):
        result.predict(rated.head(), scale="response")


@pytest.mark.r
def test_bam_draws_thresholds_together_and_the_result_says_so(data):
    rated = data.assign(y=1 + np.arange(len(data)) % 3)
    result = fit("y ~ word + s(x, k = 5)", rated, family="ocat")
    assert any("function='gam'" in note for note in result.notes)


@pytest.mark.r
def test_verify_compares_with_bam(data):
    result = fit("y ~ word + s(x, k = 5)", data, engine="structured", family="binomial", verify=True)
    assert result.verification is not None
    table = result.verification.set_index("quantity")
    assert abs(table.loc["parametric estimate", "difference"]) < 1e-4
    assert abs(table.loc["fitted", "difference"]) < 1e-4
    assert abs(table.loc["score", "difference"]) < 1e-3
