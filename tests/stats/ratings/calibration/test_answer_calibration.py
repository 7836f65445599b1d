"""Shares, agreement and equivalence against worlds whose truth is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import calibrate_answers, icc, krippendorff_alpha
from layerstats.stats.ratings.calibration.answer_calibration import ANSWER_WORLDS, simulate_answers
from layerstats.stats.ratings.calibration.rating_worlds import RatingWorld
from layerstats.stats.resampling.calibration import shares_of

ONE_TO_FIVE = RatingWorld("small", 8, 10, 8)
RIGHT_OR_WRONG = replace(ONE_TO_FIVE, thresholds=(0.0,))


def test_true_agreement_is_that_of_many_ratings():
    table = RatingWorld("large", 500, 400, 500, rater_sd=0.8, clip_sd=1.2, level=-0.5).draw(
        np.random.default_rng(2), 0.0
    )
    truth = RatingWorld("large", 500, 400, 500, rater_sd=0.8, clip_sd=1.2, level=-0.5).intraclass()
    assert [icc(table, kind).estimate for kind in ("ICC(2)", "ICC(3)")] == pytest.approx(truth, abs=0.03)


def test_true_alpha_is_that_of_these_raters():
    world = RatingWorld("few raters", 5, 4000, 5)
    table = world.draw(np.random.default_rng(4), 0.0)
    truth = world.alpha(table.drop_duplicates("rater")["rater_effect"].to_numpy())
    assert krippendorff_alpha(table, "interval", draws=2).estimate == pytest.approx(truth, abs=0.02)


@pytest.mark.parametrize("truth", ["none", "level"])
def test_blocks_put_together_are_the_whole(truth):
    whole = shares_of(simulate_answers(ONE_TO_FIVE, truth, range(4)))
    parts = [simulate_answers(ONE_TO_FIVE, truth, block) for block in (range(1), range(1, 4))]
    pd.testing.assert_frame_equal(whole, shares_of(pd.concat(parts)))


def test_every_recipe_counts_every_data_set():
    found = shares_of(simulate_answers(RIGHT_OR_WRONG, "none", range(2)))
    assert set(found["datasets"]) == {2}
    assert {"preference, mixed model, t", "identification, naive", "judge, kappa"} <= set(found["recipe"])


def test_a_world_that_is_not_known_is_refused():
    with pytest.raises(ArgumentError, match="'ninth'"):
        calibrate_answers(["ninth"])


@pytest.mark.slow
def test_equivalence_at_its_margin_and_intra_class_correlations_keep_their_level():
    worlds = [ANSWER_WORLDS[3], ANSWER_WORLDS[5]]
    found = calibrate_answers(worlds, datasets=200).set_index(["recipe", "quantity", "world"])["share"].sort_index()
    # Of 200 data sets: a share of .05 is below .11, and one of .95 above .89, but for one case in a thousand.
    assert found["equivalence, two-way t", "rejects"].max() < 0.11
    assert found["ICC(2)", "covers agreement"].min() > 0.89
    assert found["ICC(3)", "covers agreement"].min() > 0.89
