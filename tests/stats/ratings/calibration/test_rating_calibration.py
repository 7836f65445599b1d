"""Tests of ratings against worlds whose truth is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.ratings.calibration.answer_calibration import ANSWER_WORLDS, simulate_answers
from layerstats.stats.ratings.calibration.rating_calibration import (
    METHODS,
    RATING_WORLDS,
    TRUTHS,
    calibrate_ratings,
    simulate_ratings,
)
from layerstats.stats.ratings.calibration.rating_worlds import CONDITIONS, RatingWorld
from layerstats.stats.resampling.calibration import shares_of

SMALL = RatingWorld("small", 12, 6, 12)
DOCS = Path(__file__).parents[4] / "docs" / "statistics"


def test_true_means_are_those_of_many_ratings():
    world = RatingWorld("large", 2000, 1000, 20, slope_sd=0.7, level=-1.0)
    means = world.draw(np.random.default_rng(3), 0.8).groupby("condition")["rating"].mean()
    for condition in CONDITIONS:
        assert means[condition] == pytest.approx(world.mean(condition, 0.8), abs=0.12)


def test_clips_are_dealt_to_raters_evenly_and_none_twice():
    table = RatingWorld("dealt", 40, 40, 5).draw(np.random.default_rng(1), 0.0)
    assert not table.duplicated(["rater", "clip"]).any()
    assert set(table.groupby("clip")["rater"].nunique()) == {5}
    assert set(table.groupby("rater").size()) == {10}


def test_blocks_put_together_are_the_whole():
    whole = shares_of(simulate_ratings(SMALL, "none", range(4)))
    parts = [simulate_ratings(SMALL, "none", block) for block in (range(1), range(1, 4))]
    pd.testing.assert_frame_equal(whole, shares_of(pd.concat(parts)))
    assert set(whole["recipe"]) == set(METHODS)


def test_a_world_that_is_not_known_is_refused():
    with pytest.raises(ArgumentError, match="'ninth'"):
        calibrate_ratings(["ninth"])


@pytest.mark.slow
def test_ratings_that_are_pooled_err_and_models_of_raters_and_clips_do_not():
    shares = calibrate_ratings(["0"], ["none"], 100).set_index(["recipe", "quantity"])["share"]
    # Of 100 data sets: a share of .05 is below .13, and one of .95 above .87, but for one case in a thousand.
    for method in ("two-way t", "permutation", "LMM", "CLMM", "CLMM, raters' own differences"):
        assert shares[method, "rejects"] < 0.13
    for method in ("two-way t", "two-way bootstrap", "CLMM"):
        assert shares[method, "covers difference"] > 0.87
    assert shares["naive", "rejects"] > 0.25
    assert shares["raters' means, paired t", "rejects"] > 0.25


def test_the_numbers_that_are_kept_are_of_these_worlds_and_methods():
    for name, worlds, recipes in (
        ("rating_calibration", RATING_WORLDS, METHODS),
        ("answer_calibration", ANSWER_WORLDS, set(shares_of(pd.concat(_every_recipe()))["recipe"])),
    ):
        kept = pd.read_csv(DOCS / f"{name}.csv")
        assert set(kept["world"]) == {world.name for world in worlds}
        assert set(kept["recipe"]) == set(recipes)
        assert set(kept["truth"]) == set(TRUTHS)
        assert kept["share"].between(0, 1).all()
        assert not kept.duplicated(["world", "truth", "recipe", "quantity"]).any()


def _every_recipe():
    right_or_wrong = replace(SMALL, thresholds=(0.0,))
    return [simulate_answers(world, truth, range(1)) for world in (SMALL, right_or_wrong) for truth in TRUTHS]
