"""Filtering raters by one condition makes the other look better where nothing differs; catch trials do not."""

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.ratings import OpinionWorld, calibrate_outcome_filter


def test_the_truth_is_what_many_raters_hear():
    world = OpinionWorld(raters=4000, clips=4000, clips_per_rater=10, difference=0.4, careless=0.0)
    answers = world.draw(np.random.default_rng(1))
    means = answers[answers["role"] == "test"].groupby("condition")["rating"].mean()
    # The standard error of the difference is near .015: clips 0.011, raters and noise 0.006.
    assert means["decoder"] - means["classifier"] == pytest.approx(world.true_difference(), abs=0.06)
    assert OpinionWorld().true_difference() == 0.0


def test_raters_hear_no_clip_twice_and_as_many_of_each_condition():
    answers = OpinionWorld(raters=5, clips=12, clips_per_rater=8).draw(np.random.default_rng(0))
    test = answers[answers["role"] == "test"]
    assert not test.duplicated(["rater", "clip"]).any()
    assert test.groupby(["rater", "condition"]).size().eq(8).all()
    assert answers[answers["role"] == "catch"].groupby("rater").size().eq(4).all()


@pytest.mark.slow
def test_the_outcome_filter_builds_a_difference_and_catch_trials_do_not():
    study = calibrate_outcome_filter({"nothing differs": OpinionWorld(rater_sd=0.3)}, datasets=60, seed=3)
    found = study.set_index("rule")
    filtered = found.loc["outcome_filter"]
    # .04 to .14 points were found when the paper's method was rebuilt.
    assert filtered["bias"] > 0.02
    assert filtered["bias"] > 3 * filtered["std_error"]
    for rule in ("no rule", "catch_missed"):
        assert abs(found.loc[rule, "bias"]) < 4 * found.loc[rule, "std_error"]
    assert found.loc["no rule", "share_kept"] == 1.0
    assert 0.85 < found.loc["catch_missed", "share_kept"] < 0.97


def test_the_same_seed_gives_the_same_study():
    worlds = {"small": OpinionWorld(raters=12, clips=10, clips_per_rater=5)}
    first, second, other = (calibrate_outcome_filter(worlds, datasets=3, seed=seed) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(first, second)
    assert not first["estimate"].equals(other["estimate"])


def test_data_sets_of_which_nothing_is_left_are_counted_out():
    worlds = {"loud": OpinionWorld(raters=3, clips=10, clips_per_rater=10, mean=5.0)}
    study = calibrate_outcome_filter(worlds, datasets=4).set_index("rule")
    assert study.loc["outcome_filter", "datasets"] == 0
    assert np.isnan(study.loc["outcome_filter", "bias"])
    assert study.loc["no rule", "datasets"] == 4
