import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.multiplicity import adjust_p_values

P = [0.01, 0.04, 0.03, 0.2, 0.005]


# R 4.2.2: p.adjust(c(.01, .04, .03, .2, .005), method = "holm" | "BH" | "bonferroni")
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("holm", [0.04, 0.09, 0.09, 0.2, 0.025]),
        ("fdr_bh", [0.025, 0.05, 0.05, 0.2, 0.025]),
        ("bonferroni", [0.05, 0.2, 0.15, 1.0, 0.025]),
        ("none", P),
    ],
)
def test_agrees_with_p_adjust_of_r(method, expected):
    result = adjust_p_values(pd.DataFrame({"p_value": P}), "levels", method=method)
    np.testing.assert_allclose(result["p_adjusted"], expected, rtol=1e-12)
    assert result["adjust_method"].eq(method).all()
    assert result["tests"].eq(5).all()


@pytest.mark.parametrize("method", ["holm", "fdr_bh", "bonferroni"])
@pytest.mark.parametrize("tests", [1, 2, 40])
def test_agrees_with_statsmodels_where_p_values_are_tied_or_zero_or_one(method, tests):
    p = np.random.default_rng(tests).choice([0, 1e-300, 1e-3, 0.01, 0.011, 0.3, 1], tests)
    result = adjust_p_values(pd.DataFrame({"p_value": p}), "levels", method=method)
    np.testing.assert_allclose(result["p_adjusted"], multipletests(p, method=method)[1], rtol=1e-14)


def test_each_family_is_adjusted_by_itself():
    frame = pd.DataFrame({"p_value": [0.01, 0.04, 0.01, 0.04, 0.03]})
    result = adjust_p_values(frame, ["a", "a", "b", "b", "b"])
    assert result["p_adjusted"].tolist() == pytest.approx([0.02, 0.04, 0.03, 0.06, 0.06])
    assert result["family"].tolist() == ["a", "a", "b", "b", "b"]
    assert result["tests"].tolist() == [2, 2, 3, 3, 3]


def test_missing_tests_are_no_part_of_the_family():
    result = adjust_p_values(pd.DataFrame({"p_value": [0.01, np.nan, 0.04]}), "levels")
    np.testing.assert_allclose(result["p_adjusted"], [0.02, np.nan, 0.04])
    assert result["tests"].eq(2).all()


def test_the_table_that_came_in_is_untouched():
    frame = pd.DataFrame({"p_value": P})
    adjust_p_values(frame, "levels")
    assert list(frame.columns) == ["p_value"]


def test_bad_input_is_refused():
    with pytest.raises(ArgumentError, match="Allowed values are 'holm'"):
        adjust_p_values(pd.DataFrame({"p_value": P}), "levels", method="sidak")  # pyright: ignore
    with pytest.raises(DataError, match="must hold probabilities"):
        adjust_p_values(pd.DataFrame({"p_value": [0.1, 1.2]}), "levels")


@pytest.mark.parametrize("family", [["a", "a", None, None], ["a", "a", float("nan"), ""]])
def test_rows_without_a_family_are_named(family):
    frame = pd.DataFrame({"p_value": [0.01, 0.02, 0.001, 0.5]}, index=["w", "x", "y", "z"])
    with pytest.raises(DataError, match=r"2 of 4 tests belong to no family \(rows y, z\)"):
        adjust_p_values(frame, pd.Series(family, index=frame.index))
    with pytest.raises(ArgumentError, match="one name a row"):
        adjust_p_values(frame, family[:2])
