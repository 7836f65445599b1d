"""Intervals and tests against attempts whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import ArgumentError
from layerstats.stats.resampling.calibration import shares_of
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.success import calibrate_success
from layerstats.stats.success.attempt_worlds import AttemptWorld
from layerstats.stats.success.success_calibration import simulate_attempts

SMALL = AttemptWorld("small", 5, classes=5, starts=10)


def test_simulated_rates_are_the_true_ones():
    world = AttemptWorld("large", 30, classes=8, starts=20, start_sd=0)
    pair = world.draw(replicate_generator(0, 0))
    others = ~np.eye(30, 31, dtype=bool)
    expected = pair.first_cells.mean(axis=1)[others].mean()
    assert abs(expected - world.expected(pair.classes)) < 0.05
    right = pair.first.right.reshape(30, -1, 31).mean(axis=1)
    assert abs(right[others].mean() - expected) < 0.01
    classes = world.class_sd * stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    assert world.expected(classes) == pytest.approx(world.rate, abs=1e-3)


def test_blocks_put_together_are_the_whole():
    whole = shares_of(simulate_attempts(SMALL, "none", range(6)))
    parts = [simulate_attempts(SMALL, "none", block) for block in (range(2), range(2, 6))]
    together = shares_of(pd.concat(parts))
    pd.testing.assert_frame_equal(whole, together)


def check(shares, slack):
    table = shares[shares["truth"] == "none"].set_index(["recipe", "quantity"])["share"]
    assert table["starts", "covers these networks"] > 0.95 - slack
    assert table["starts, networks", "covers other networks"] > 0.95 - slack
    assert table["starts, networks, classes", "covers other networks and classes"] > 0.95 - slack
    assert table["Wilson, starts pooled", "covers other networks"] < 0.75
    assert table["Wilson, starts pooled", "covers other networks and classes"] < 0.5
    for quantity in ("set-ups, other networks", "set-ups, recogniser", "target network against others"):
        assert table["starts, networks", quantity] < 0.05 + slack
    assert table["permutation", "target network against others"] < 0.05 + slack
    assert table["McNemar, starts pooled", "set-ups, recogniser"] > 0.1
    if "level" in set(shares["truth"]):
        power = shares[shares["truth"] == "level"].set_index(["recipe", "quantity"])["share"]
        assert power["permutation", "target network against others"] > 0.5


def test_intervals_cover_and_tests_err_as_often_as_they_say():
    # Of 60 data sets: a share of .95 is above .83, and one of .05 below .17, but for one case in a thousand.
    check(calibrate_success([SMALL], ["none"], 60), 0.12)


@pytest.mark.slow
def test_intervals_cover_in_many_data_sets():
    check(calibrate_success(["2"], datasets=400), 0.035)


def test_worlds_and_truths_are_checked():
    for options in ({"worlds": ["99"]}, {"truths": ["shape"]}, {"datasets": 0}):
        with pytest.raises(ArgumentError, match=next(iter(options))):
            calibrate_success(**options)
