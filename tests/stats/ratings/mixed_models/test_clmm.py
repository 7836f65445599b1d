"""Cumulative link mixed models against what R's ordinal package prints of the wine data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from wine_by_hand import COVARIANCE, wine

from layerstats.errors import ArgumentError, DataError, FormulaError
from layerstats.stats import clmm
from layerstats.tables import check_frame

BY_JUDGE = "rating ~ temp + contact + (1 | judge)"


def estimates(table: pd.DataFrame) -> dict[str, float]:
    return dict(zip(table["term"], table["estimate"], strict=True))


def test_wine_is_as_ordinal_has_it():
    result = clmm(BY_JUDGE, wine())
    assert result.coefficients["term"].tolist() == ["tempwarm", "contactyes"]
    np.testing.assert_allclose(result.coefficients["estimate"], [3.0630, 1.8349], atol=1e-4)
    np.testing.assert_allclose(result.coefficients["std_error"], [0.5954, 0.5125], atol=2e-4)
    assert result.thresholds["term"].tolist() == ["1|2", "2|3", "3|4", "4|5"]
    np.testing.assert_allclose(result.thresholds["estimate"], [-1.6237, 1.5134, 4.2285, 6.0888], atol=1e-4)
    np.testing.assert_allclose(result.random["std_dev"], [1.1311], atol=1e-4)
    np.testing.assert_allclose(result.glance["log_lik"], [-81.5654], atol=1e-4)
    assert result.glance["max_gradient"].item() < 1e-4


def test_catch_trials_and_references_are_not_analysed():
    table = wine().assign(role="test")
    catch = pd.DataFrame({"judge": ["1", "2"], "rating": [1, 5], "role": ["catch", "reference"]})
    result = clmm(BY_JUDGE, pd.concat([catch, table], ignore_index=True))
    np.testing.assert_allclose(result.glance["log_lik"], [-81.5654], atol=1e-4)
    assert "2 of 74 rows were left out, of trials that are no tests: catch, reference." in result.notes
    with pytest.raises(DataError, match="role 'test'"):
        clmm(BY_JUDGE, table.assign(role="training"))


def test_covariances_are_those_of_the_hessian():
    result = clmm(BY_JUDGE, wine())
    # R has the logarithm of the standard deviation.
    unit = np.r_[np.ones(6), result.random["std_dev"].item()]
    np.testing.assert_allclose(result.covariance, COVARIANCE * np.outer(unit, unit), atol=5e-4)


def test_without_random_terms_it_is_ordinals_clm():
    result = clmm("rating ~ temp + contact", wine())
    np.testing.assert_allclose(result.coefficients["estimate"], [2.5031, 1.5278], atol=1e-4)
    np.testing.assert_allclose(result.coefficients["std_error"], [0.5287, 0.4766], atol=1e-4)
    np.testing.assert_allclose(result.glance["log_lik"], [-86.4919], atol=1e-4)
    assert result.random.empty


def test_a_variance_of_zero_changes_nothing():
    with_bottles = clmm("rating ~ temp + contact + (1 | judge) + (1 | bottle)", wine())
    assert dict(zip(with_bottles.random["group"], with_bottles.random["std_dev"], strict=True))["bottle"] < 1e-3
    np.testing.assert_allclose(with_bottles.glance["log_lik"], [-81.5654], atol=1e-4)
    np.testing.assert_allclose(with_bottles.coefficients["std_error"], [0.5954, 0.5125], atol=2e-4)


def test_declared_levels_turn_the_sign():
    turned = clmm(BY_JUDGE, wine(), levels={"temp": ["warm", "cold"]})
    assert turned.coefficients["term"].tolist() == ["tempcold", "contactyes"]
    np.testing.assert_allclose(turned.coefficients["estimate"], [-3.0630, 1.8349], atol=1e-4)


def test_rows_in_another_order_are_the_same_model():
    shuffled = wine().sample(frac=1.0, random_state=3)
    first, second = clmm(BY_JUDGE, wine()), clmm(BY_JUDGE, shuffled)
    np.testing.assert_allclose(first.covariance, second.covariance, atol=1e-6)


def test_unused_categories_are_left_out_with_a_note():
    gap = wine().assign(rating=lambda table: table["rating"].replace({4: 5, 5: 6}))
    result = clmm(BY_JUDGE, gap)
    assert result.thresholds["term"].tolist() == ["1|2", "2|3", "3|5", "5|6"]
    assert any("Nobody used the category 4" in note for note in result.notes)
    np.testing.assert_allclose(result.glance["log_lik"], [-81.5654], atol=1e-4)


@pytest.mark.parametrize("far", [1e300, 2e9, -20000.0])
def test_a_response_that_is_no_scale_is_refused_before_its_categories_are_listed(far):
    rated = wine().assign(rating=lambda table: table["rating"].astype(float))
    rated.loc[3, "rating"] = far
    with pytest.raises(DataError, match="no scale"):
        clmm(BY_JUDGE, rated)


def test_zero_has_no_sign():
    lower = wine().assign(rating=lambda table: table["rating"] - 3.0)
    lower.loc[lower["rating"] == 0, "rating"] = -0.0
    assert clmm(BY_JUDGE, lower).thresholds["term"].tolist() == ["-2|-1", "-1|0", "0|1", "1|2"]


def test_text_needs_an_order():
    named = wine().assign(rating=lambda table: table["rating"].map(dict(enumerate(["", "a", "b", "c", "d", "e"]))))
    with pytest.raises(DataError, match="order is not known"):
        clmm(BY_JUDGE, named)
    result = clmm(BY_JUDGE, named, levels={"rating": list("abcde")})
    np.testing.assert_allclose(result.glance["log_lik"], [-81.5654], atol=1e-4)


def test_tables_are_in_the_glossary():
    result = clmm("rating ~ temp + (1 + temp | judge)", wine())
    for table in (result.coefficients, result.thresholds, result.scale, result.random, result.correlations):
        check_frame(table)
    check_frame(result.glance)
    check_frame(result.modes)
    assert "tempwarm" in repr(result)


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("rating ~ tmp + (1 | judge)", FormulaError, "Did you mean 'temp'"),
        ("rating ~ temp + system('ls') + (1 | judge)", FormulaError, "not a function that a formula may call"),
        ("rating ~ temp + (1 | system('ls'))", FormulaError, "not a function that a formula may call"),
        ("rating ~ s(temp) + (1 | judge)", FormulaError, "is a smooth"),
        ("rating ~ 0 + temp + (1 | judge)", FormulaError, "thresholds are the intercepts"),
        ("rating ~ temp + (1 | )", FormulaError, "has the form"),
        ("log(rating) ~ temp", FormulaError, "column of ordered categories"),
    ],
)
def test_what_cannot_be_read_is_said(formula, error, message):
    with pytest.raises(error, match=message):
        clmm(formula, wine())


def test_bad_data_are_said():
    with pytest.raises(DataError, match="means of ratings"):
        clmm(BY_JUDGE, wine().assign(rating=1.5))
    with pytest.raises(DataError, match="in every row"):
        clmm(BY_JUDGE, wine().assign(rating=3))
    with pytest.raises(DataError, match="NaN"):
        clmm(BY_JUDGE, wine().assign(judge=[None, *wine()["judge"][1:]]))
    with pytest.raises(DataError, match="no rows"):
        clmm(BY_JUDGE, wine().head(0))
    with pytest.raises(ArgumentError, match="link"):
        clmm(BY_JUDGE, wine(), link="cloglog")
