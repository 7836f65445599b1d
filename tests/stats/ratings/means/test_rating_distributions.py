"""Shares of ratings: counts, intervals that are wider for whole raters, and ratings that nobody gave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rating_worlds import crossed_ratings

from layerstats.stats import rating_distribution
from layerstats.stats.proportions import wilson_interval


def whole_ratings(**options):
    table = crossed_ratings(**options)
    return table.assign(rating=table["rating"].round().clip(1, 5))


def test_shares_are_counts_and_every_rating_of_the_scale_has_a_row():
    table = whole_ratings(raters=8, clips=10, noise=0.5, seed=1)
    found = rating_distribution(table, scale=(1, 6))
    assert found["rating"].tolist() == [1, 2, 3, 4, 5, 6] * 2
    by_hand = pd.crosstab(table["condition"], table["rating"]).reindex(columns=range(1, 7), fill_value=0)
    assert found["ratings"].tolist() == by_hand.to_numpy().ravel().tolist()
    assert found.groupby("condition")["share"].sum().to_numpy() == pytest.approx(np.ones(2))
    assert (found["conf_low"] <= found["share"]).all()
    assert (found["share"] <= found["conf_high"]).all()
    nobody = found[found["rating"] == 6].iloc[0]
    assert nobody["conf_high"] == pytest.approx(float(wilson_interval(np.array([0]), np.array([8]))[1][0]))


def test_intervals_count_raters_where_raters_differ():
    table = whole_ratings(raters=10, clips=40, conditions=1, rater=1.5, clip=0.0, noise=0.3, seed=2)
    found = rating_distribution(table, scale=(1, 5)).set_index("rating").loc[3]
    low, high = wilson_interval(np.array([found["ratings"]]), np.array([400]))
    assert found["conf_high"] - found["conf_low"] > 2.5 * float(high[0] - low[0])


def test_ratings_between_whole_numbers_are_their_own():
    table = pd.DataFrame({"rater": list("abab"), "clip": list("xxyy"), "rating": [1.5, 2, 2, 3]})
    assert rating_distribution(table, [], scale=(1, 5))["rating"].tolist() == [1.5, 2, 3]
