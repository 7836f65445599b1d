"""Simulated raters answer as the world says that they do, and say that they are simulated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.listening import RaterWorld, simulate_answers
from layerstats.listening.design import ListeningDesign, ScalePoint

SCALE = tuple(ScalePoint(value, str(value)) for value in range(1, 6))
STILL = {"rater_sd": 0.0, "slope_sd": 0.0, "clip_sd": 0.0}


def design_of(clips, sessions, task="opinion", alternatives=(), **columns):
    trials = pd.DataFrame(
        [(session, place, clip) for session in range(1, sessions + 1) for place, clip in enumerate(clips["clip"], 1)],
        columns=["session", "position", "clip"],
    )
    scale = SCALE if task == "opinion" else ()
    clips = clips.assign(file="x.wav", file_a="x.wav", file_b="y.wav")
    return ListeningDesign("Test", task, "What?", clips, trials.assign(**columns), scale, alternatives)


def opinions(sessions=40, **columns):
    names = [f"clip{number:02d}" for number in range(10)]
    clips = pd.DataFrame({"clip": names, "role": "test", "condition": ["old", "new"] * 5, "file": "x.wav"})
    return design_of(clips.assign(**columns), sessions)


def test_ratings_follow_the_proportional_odds_of_the_world():
    answers = simulate_answers(opinions(600), RaterWorld({"new": 1.5}, **STILL), seed=3)
    shares = answers.table.groupby("condition")["rating"].value_counts(normalize=True).unstack()
    cuts = np.array([-np.inf, -2.25, -0.75, 0.75, 2.25, np.inf])
    for condition, effect in (("old", 0.0), ("new", 1.5)):
        expected = np.diff(1 / (1 + np.exp(effect - cuts)))
        assert np.abs(shares.loc[condition].to_numpy() - expected).max() < 4 * np.sqrt(0.25 / 3000)
    assert answers.scale == (1, 5)
    assert answers.notes == ("The 600 raters are simulated: nobody listened.",)
    assert set(answers.table["rater"].str[:16]) == {"simulated rater "}
    assert "file" not in answers.table


def test_raters_are_the_same_whoever_else_answers():
    world = RaterWorld({"new": 1.0})
    few, many = (simulate_answers(opinions(number), world, seed=5).table for number in (12, 30))
    pd.testing.assert_frame_equal(few, many.loc[many["session"] <= 12])
    assert not simulate_answers(opinions(12), world, seed=6).table["rating"].equals(few["rating"])


def test_only_careless_raters_miss_catch_trials():
    design = opinions(200, role=["catch"] * 5 + ["test"] * 5, expected=["4"] * 5 + [None] * 5)
    table = simulate_answers(design, RaterWorld({}, careless=0.25, attention=1.0), seed=1).table
    caught = table.loc[table["role"] == "catch"]
    missed = caught.assign(missed=caught["rating"].astype(str) != "4").groupby("rater")["missed"].mean()
    assert abs((missed > 0).mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 200)
    assert missed[missed > 0].mean() > 0.6


def test_preferences_follow_effects_and_order():
    clips = pd.DataFrame({"clip": ["p", "q"], "role": "test", "condition_a": "new", "condition_b": "old"})
    design = design_of(clips, 800, "preference", ("a", "b"), swapped=[True, False] * 800)
    world = RaterWorld({"new": 1.0}, second=0.5, **STILL)
    table = simulate_answers(design, world, seed=2).table
    shares = (table["response"] == "a").groupby(table["swapped"]).mean()
    for swapped, value in ((True, 1.5), (False, 0.5)):
        assert abs(shares[swapped] - 1 / (1 + np.exp(-value))) < 4 * np.sqrt(0.25 / 800)


def test_what_is_not_heard_is_guessed():
    clips = pd.DataFrame({"clip": ["p", "q"], "role": "test", "condition": ["none", "all"], "expected": ["no", "yes"]})
    design = design_of(clips, 800, "identification", ("no", "yes", "up", "down"))
    table = simulate_answers(design, RaterWorld({"none": -30.0, "all": 30.0}, **STILL), seed=2).table
    right = (table["response"] == table["expected"]).groupby(table["condition"]).mean()
    assert right["all"] == 1
    assert abs(right["none"] - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 800)


def test_what_cannot_be_answered_is_named():
    with pytest.raises(ArgumentError, match="'newer'"):
        simulate_answers(opinions(), RaterWorld({"newer": 1.0}))
    with pytest.raises(DataError, match="system"):
        simulate_answers(opinions(), RaterWorld({}, by="system"))
    with pytest.raises(ArgumentError, match="careless"):
        RaterWorld({}, careless=1.5)
    clips = pd.DataFrame({"clip": ["p"], "role": "test", "condition": "x", "expected": [None]})
    with pytest.raises(DataError, match="'p' has no right answer"):
        simulate_answers(design_of(clips, 1, "identification", ("no", "yes")), RaterWorld({}))
