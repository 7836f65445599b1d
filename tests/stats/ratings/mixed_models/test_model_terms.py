"""Scale effects, kinds of thresholds, terms of a formula, few levels and separation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from wine_by_hand import wine

from layerstats.errors import DataError, FitError, UnsupportedModelError
from layerstats.stats import clmm
from layerstats.stats.ratings.mixed_models.coded_columns import code_columns
from layerstats.stats.ratings.mixed_models.mixed_formula import parse_mixed_formula
from layerstats.stats.ratings.mixed_models.separated_ratings import separating_columns


def two_judges() -> pd.DataFrame:
    return wine().query("judge in ['1', '2']")


def test_scale_effects_are_ordinals():
    """``clm(rating ~ temp + contact, scale = ~ temp)``."""
    result = clmm("rating ~ temp + contact", wine(), scale="~ temp")
    np.testing.assert_allclose(result.glance["log_lik"], [-86.4394629], atol=1e-6)
    np.testing.assert_allclose(result.coefficients["estimate"], [2.62941843, 1.58784376], atol=1e-4)
    np.testing.assert_allclose(result.coefficients["std_error"], [0.68597064, 0.53013796], atol=1e-4)
    assert result.scale["term"].tolist() == ["tempwarm"]
    np.testing.assert_allclose(result.scale[["estimate", "std_error"]], [[0.09535917, 0.29414247]], atol=1e-4)


def test_scale_effects_with_equidistant_thresholds_and_probit_are_ordinals():
    result = clmm("rating ~ temp * contact", wine(), link="probit", threshold="equidistant", scale="~ temp + contact")
    np.testing.assert_allclose(result.glance["log_lik"], [-86.1390227], atol=1e-6)
    assert result.thresholds["term"].tolist() == ["threshold.1", "spacing"]
    np.testing.assert_allclose(result.thresholds["estimate"], [-0.80328309, 1.48002507], atol=1e-4)
    np.testing.assert_allclose(result.thresholds["std_error"], [0.30981064, 0.28152913], atol=1e-4)
    np.testing.assert_allclose(result.coefficients["estimate"], [1.59419665, 0.83936215, 0.37324704], atol=1e-4)
    np.testing.assert_allclose(result.scale["estimate"], [0.28986027, 0.02735529], atol=1e-4)


def test_scale_effects_beside_raters_are_found():
    """No other program fits these: a world in which the second condition is heard twice as variably."""
    draws = np.random.default_rng(4)
    rater, clip = (part.ravel() for part in np.meshgrid(np.arange(60), np.arange(40), indexing="ij"))
    loud = clip % 2
    latent = 0.7 * loud + draws.normal(size=60)[rater] + np.where(loud, 2.0, 1.0) * draws.logistic(size=len(rater))
    rating = 1 + (latent[:, None] > np.array([-2.0, 0.0, 2.0])).sum(axis=1)
    frame = pd.DataFrame({"rating": rating, "rater": rater.astype(str), "loud": loud})
    result = clmm("rating ~ loud + (1 | rater)", frame, scale="~ loud")
    estimate, error = result.scale[["estimate", "std_error"]].iloc[0]
    assert abs(estimate - np.log(2)) < 3 * error < 0.3
    assert result.glance["log_lik"].item() > clmm("rating ~ loud + (1 | rater)", frame).glance["log_lik"].item() + 20


def test_slopes_are_correlated_as_ordinals():
    result = clmm("rating ~ temp + (1 + temp | judge)", wine())
    np.testing.assert_allclose(result.glance["log_lik"], [-88.67898], atol=1e-4)
    np.testing.assert_allclose(result.random["std_dev"], [0.83951, 0.20177], atol=1e-3)
    np.testing.assert_allclose(result.correlations["correlation"], [1.0], atol=1e-3)
    assert any("fewer dimensions" in note for note in result.notes)


def test_two_bars_leave_correlations_out():
    result = clmm("rating ~ temp + (temp || judge)", wine())
    assert result.random["term"].tolist() == ["(Intercept)", "tempwarm"]
    assert result.correlations.empty
    split = clmm("rating ~ temp + (1 | judge) + (0 + I(1 * warm) | judge)", wine().assign(warm=wine()["temp"] == "warm")
                 .astype({"warm": float}))  # fmt: skip
    np.testing.assert_allclose(result.glance["log_lik"], split.glance["log_lik"], atol=1e-6)


def test_nested_factors_are_two_terms():
    frame = wine().assign(site=lambda table: np.where(table["judge"].astype(int) > 4, "n", "s"))
    frame.loc[frame["judge"] == "9", "site"] = "w"
    nested = clmm("rating ~ temp + (1 | site/judge)", frame)
    written = clmm("rating ~ temp + (1 | site) + (1 | site:judge)", frame)
    assert sorted(nested.random["group"]) == ["site", "site:judge"]
    pd.testing.assert_frame_equal(nested.coefficients, written.coefficients)


def test_polynomials_are_rs_and_are_kept_for_new_data():
    frame = pd.DataFrame({"rating": [1, 2, 3, 4, 5], "x": [1.0, 2, 4, 7, 11]})
    columns = code_columns(parse_mixed_formula("rating ~ poly(x, 2)").fixed, frame)
    expected = [
        [-0.492365964, 0.4759972968],
        [-0.369274473, 0.0793328828],
        [-0.123091491, -0.4495530025],
        [0.246182982, -0.5817744739],
        [0.738548946, 0.4759972968],
    ]
    np.testing.assert_allclose(columns.matrix(frame)[:, 1:], expected, atol=1e-9)
    np.testing.assert_allclose(columns.matrix(frame.head(1))[:, 1:], expected[:1], atol=1e-9)
    assert columns.names == ("(Intercept)", "poly(x, 2)1", "poly(x, 2)2")


def test_numbers_are_factors_where_the_formula_says_so():
    frame = wine().assign(dose=lambda table: table["bottle"].astype(int) * 2)
    result = clmm("rating ~ factor(dose) + (1 | judge)", frame)
    assert result.coefficients["term"].tolist() == [f"factor(dose){dose}" for dose in range(4, 17, 2)]
    assert len(clmm("rating ~ log(dose) + (1 | judge)", frame).coefficients) == 1


def test_two_levels_become_a_fixed_effect():
    result = clmm("rating ~ temp + (1 | judge)", two_judges())
    fixed = clmm("rating ~ temp + judge", two_judges())
    assert result.random.empty
    assert any("judge has two levels" in note for note in result.notes)
    pd.testing.assert_frame_equal(result.coefficients, fixed.coefficients)
    slopes = clmm("rating ~ temp + (1 + temp | judge)", two_judges())
    assert slopes.coefficients["term"].tolist() == ["tempwarm", "judge2", "tempwarm:judge2"]


def test_one_level_is_left_out():
    frame = wine().assign(site="only")
    result = clmm("rating ~ temp + (1 | judge) + (1 | site)", frame)
    assert any("one level, 'only'" in note for note in result.notes)
    assert result.random["group"].tolist() == ["judge"]


def test_a_level_a_row_is_refused():
    with pytest.raises(DataError, match="level of row of its own"):
        clmm("rating ~ temp + (1 | row)", wine().assign(row=range(72)))


def test_columns_that_depend_on_others_are_left_out():
    result = clmm("rating ~ temp + bottle + (1 | judge)", wine())
    assert "bottle8" not in result.coefficients["term"].tolist()
    assert any("bottle8" in note for note in result.notes)


def test_separation_is_named():
    apart = wine()
    apart["rating"] = np.where(apart["temp"] == "warm", apart["rating"].clip(lower=4), apart["rating"].clip(upper=3))
    with pytest.raises(FitError, match=r"separated by tempwarm \(temp = 'warm'\)"):
        clmm("rating ~ temp + contact + (1 | judge)", apart)
    with pytest.raises(FitError, match=r"separated by tempwarm"):
        clmm("rating ~ temp + contact", apart, link="probit")


def test_ratings_that_overlap_are_not_separated():
    table = wine()
    fixed = np.column_stack([table["temp"] == "warm", table["contact"] == "yes"]).astype(float)
    assert separating_columns(table["rating"].to_numpy() - 1, fixed) == []


def test_raters_of_one_category_each_are_named():
    frame = wine().assign(rating=lambda table: (table["judge"].astype(int) > 4).astype(int))
    with pytest.raises(FitError, match="standard deviation of judge grows without end"):
        clmm("rating ~ temp + (1 | judge)", frame)


def test_too_large_a_corner_is_refused_before_it_is_made():
    count = 7000
    frame = pd.DataFrame(
        {"rating": np.arange(2 * count) % 5, "a": np.arange(2 * count) % count, "b": np.arange(2 * count) // 2}
    )
    with pytest.raises(UnsupportedModelError, match="7000"):
        clmm("rating ~ 1 + (1 | a) + (1 | b)", frame)


def test_units_of_a_column_do_not_matter():
    """Milliseconds or kilometres: the same likelihood, and estimates in the column's units."""
    draws = np.random.default_rng(8)
    rater, clip = (part.ravel() for part in np.meshgrid(np.arange(15), np.arange(20), indexing="ij"))
    delay = draws.normal(size=20)[clip]
    latent = (0.8 + 0.7 * draws.normal(size=15)[rater]) * delay + draws.logistic(size=len(rater))
    rating = 1 + (latent[:, None] > np.array([-1.0, 0.0, 1.5])).sum(axis=1)
    frame = pd.DataFrame({"rating": rating, "rater": rater.astype(str), "delay": delay})
    formula = "rating ~ delay + (1 + delay | rater)"
    first = clmm(formula, frame)
    for factor in (1e-4, 1e4):
        other = clmm(formula, frame.assign(delay=delay * factor))
        np.testing.assert_allclose(other.glance["log_lik"], first.glance["log_lik"], atol=1e-6)
        for column in ("estimate", "std_error"):
            np.testing.assert_allclose(other.coefficients[column] * factor, first.coefficients[column], rtol=1e-3)
        units = np.array([1.0, factor])
        np.testing.assert_allclose(other.random["std_dev"] * units, first.random["std_dev"], rtol=1e-2, atol=1e-4)
        own = other.modes["mode"].to_numpy().reshape(-1, 2) * units
        np.testing.assert_allclose(own, first.modes["mode"].to_numpy().reshape(-1, 2), atol=1e-3)


def test_covariances_of_too_few_dimensions_are_no_failure():
    """Three correlated effects of a rater where the data hold one: the likelihood is a ridge."""
    draws = np.random.default_rng(5)
    rater, clip = (part.ravel() for part in np.meshgrid(np.arange(8), np.arange(15), indexing="ij"))
    latent = draws.normal(size=8)[rater] + draws.logistic(size=len(rater))
    rating = 1 + (latent[:, None] > np.array([-1.0, 1.0])).sum(axis=1)
    group = np.array(["a", "b", "c"])[clip % 3]
    frame = pd.DataFrame({"rating": rating, "rater": rater.astype(str), "group": group})
    result = clmm("rating ~ group + (1 + group | rater)", frame)
    assert np.all(np.isfinite(result.coefficients["std_error"]))
    assert (
        result.glance["log_lik"].item() >= clmm("rating ~ group + (1 | rater)", frame).glance["log_lik"].item() - 1e-6
    )
