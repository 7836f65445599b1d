"""Intra-class correlations: Shrout & Fleiss's table, incomplete tables with known truth, and what has none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rating_worlds import crossed_ratings

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import icc

GIVEN = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Shrout & Fleiss 1979, and the intervals that R's psych::ICC prints of their table.
PUBLISHED = {
    "ICC(1)": (0.17, -0.133, 0.723),
    "ICC(2)": (0.29, 0.019, 0.761),
    "ICC(3)": (0.71, 0.342, 0.946),
    "ICC(1,k)": (0.44, -0.884, 0.912),
    "ICC(2,k)": (0.62, 0.071, 0.927),
    "ICC(3,k)": (0.91, 0.676, 0.986),
}


def rated(matrix):
    rows = [(f"j{j}", f"t{t}", value) for t, row in enumerate(matrix) for j, value in enumerate(row)]
    return pd.DataFrame(rows, columns=["rater", "clip", "rating"])


@pytest.mark.parametrize(("kind", "values"), PUBLISHED.items())
def test_published_table(kind, values):
    found = icc(rated(GIVEN), kind)
    assert round(found.estimate, 2) == values[0]
    assert (found.conf_low, found.conf_high) == pytest.approx(values[1:], abs=0.0011)


ALIKE = [[1, 2, 4, 4, 5], [5, 4, 1, 2, 4], [4, 5, 2, 4, 1], [2, 4, 4, 1, 5], [4, 1, 5, 4, 2]]


@pytest.mark.parametrize("kind", ["ICC(1)", "ICC(2)", "ICC(3)"])
def test_clips_with_equal_means_have_a_correlation_below_zero(kind):
    # The square of a clip's mean is exactly zero, so that raters agree less than by chance.
    found = icc(rated(ALIKE), kind)
    assert found.estimate < 0
    assert -1 <= found.conf_low <= found.estimate + 1e-12
    assert found.estimate - 1e-12 <= found.conf_high <= 1
    of_means = icc(rated(ALIKE), f"{kind[:-1]},k)")
    assert of_means.estimate <= found.estimate
    assert of_means.conf_low <= of_means.estimate <= of_means.conf_high + 1e-12


def test_order_of_rows_and_other_roles_do_not_matter():
    table = rated(GIVEN).assign(role="test")
    more = pd.concat([table, table.assign(role="catch", rating=1)]).sample(frac=1, random_state=1)
    for kind in PUBLISHED:
        assert icc(more, kind).estimate == pytest.approx(icc(table, kind).estimate)


def test_a_table_with_a_gap_is_near_the_whole_one_and_is_said():
    table = crossed_ratings(12, 30, conditions=1, rater=0.7, clip=1.0, seed=1)
    whole, gap = icc(table), icc(table.drop(index=5))
    assert gap.estimate == pytest.approx(whole.estimate, abs=0.01)
    assert whole.notes == ()
    assert any("moments" in note for note in gap.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "truth", "widest"), [("ICC(1)", 0.4, 0.3), ("ICC(2)", 0.4, 0.4), ("ICC(3)", 0.5, 0.45)]
)
def test_intervals_of_incomplete_tables_cover_the_truth(kind, truth, widest):
    """100 tables of 60 clips that 4 of 25 raters heard: variances of clips .5, raters .25, noise .5."""
    found = [
        icc(crossed_ratings(25, 60, conditions=1, clip=0.5**0.5, noise=0.5**0.5, heard=4, seed=seed), kind)
        for seed in range(100)
    ]
    assert np.mean([one.conf_low <= truth <= one.conf_high for one in found]) >= 0.89
    assert np.mean([one.conf_high - one.conf_low for one in found]) < widest


def test_what_has_no_correlation_is_said():
    table = rated(GIVEN)
    with pytest.raises(DataError, match="one clip only"):
        icc(table[table["clip"] == "t0"])
    with pytest.raises(DataError, match="No clip has two ratings"):
        icc(table[table["rater"] == "j0"])
    with pytest.raises(DataError, match="All ratings are the same"):
        icc(table.assign(rating=3))
    with pytest.raises(ArgumentError, match=r"ICC\(2,k\)"):
        icc(table, "ICC(4)")


def test_clips_that_differ_less_than_by_chance_have_an_interval_all_the_same():
    """Every clip has the same mean; and raters of whom one is stricter, in hundreds of small tables."""
    for kind in PUBLISHED:
        found = icc(rated([[1, 3], [3, 1], [2, 2]]), kind)
        assert found.conf_low <= found.estimate + 1e-12
    random = np.random.default_rng(1)
    for _ in range(300):
        table = rated(random.integers(1, 4, (3, 2)))
        if table["rating"].nunique() == 1:
            continue
        found = icc(table, "ICC(2)")
        assert np.isfinite(found.estimate)
        assert not found.conf_low > found.conf_high


def test_raters_who_agree_wholly():
    for kind in PUBLISHED:
        found = icc(rated([[one] * 3 for one in (1, 2, 5, 3)]), kind)
        assert found.estimate == pytest.approx(1)
        assert found.conf_low == pytest.approx(1)
        assert np.isfinite(found.conf_high)
