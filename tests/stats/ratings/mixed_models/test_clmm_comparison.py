"""Likelihood-ratio tests of wine beside those of ordinal 2022.11."""

from __future__ import annotations

import numpy as np
import pytest
from wine_by_hand import wine

from layerstats.errors import ArgumentError
from layerstats.stats.ratings import clmm, compare_clmm


@pytest.fixture(scope="module")
def fits():
    formulas = ("1", "temp", "contact", "temp + contact")
    return {fixed: clmm(f"rating ~ {fixed} + (1 | judge)", wine()) for fixed in formulas}


def test_the_test_of_contact_is_that_of_ordinal(fits):
    table = compare_clmm(fits["temp"], fits["temp + contact"])
    # anova() prints 14.347, p .000152 (Laplace; with adaptive quadrature it is 14.344).
    np.testing.assert_allclose(table.loc[1, ["statistic", "p_value"]].tolist(), [14.347, 0.000152], rtol=2e-3)
    np.testing.assert_allclose(table["log_lik"], [-88.739, -81.565], atol=1e-3)
    assert table["df_difference"].tolist()[1] == 1
    assert table[["statistic", "p_value"]].iloc[0].isna().all()
    turned = compare_clmm(fits["temp + contact"], fits["temp"])
    assert turned.loc[0, "statistic"] == table.loc[1, "statistic"]


def test_a_variance_at_the_edge_is_said():
    without, fitted = (clmm(f"rating ~ temp{judge}", wine()) for judge in ("", " + (1 | judge)"))
    table = compare_clmm(without, fitted)
    assert table.loc[1, "statistic"] > 0
    assert "twice what it should be" in table.attrs["notes"][0]
    same = clmm("rating ~ temp + (1 | judge) + (1 | bottle)", wine().assign(bottle=wine()["temp"] + wine()["contact"]))
    assert compare_clmm(fitted, same).loc[1, "statistic"] >= 0


def test_equidistant_thresholds_are_inside_flexible_ones(fits):
    equal = clmm("rating ~ temp + (1 | judge)", wine(), threshold="equidistant")
    assert compare_clmm(equal, fits["temp"]).loc[1, "df_difference"] == 2


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda fits: fits["contact"], "Neither model is inside the other"),
        (lambda fits: clmm("rating ~ 1 + (1 | bottle)", wine()), "Neither model is inside the other"),
        (lambda fits: clmm("rating ~ 1 + (1 | judge)", wine().iloc[:60]), "different ratings"),
        (lambda fits: clmm("rating ~ 1 + (1 | judge)", wine(), link="probit"), "different links"),
    ],
)
def test_what_is_not_nested_is_refused(fits, other, words):
    with pytest.raises(ArgumentError, match=words):
        compare_clmm(fits["temp"], other(fits))
