"""The calibration study in small."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.resampling.calibration import RECIPES, WORLDS, World, calibrate
from layerstats.stats.resampling.seeds import replicate_generator

SMALL = World("small", speakers=6, tokens=3, points=10)
BY_NAME = {recipe.name: recipe for recipe in RECIPES}


def test_truths():
    assert np.all(SMALL.truth("none") == 0)
    assert np.all(SMALL.truth("level") == SMALL.difference)
    assert SMALL.truth("shape").mean() == pytest.approx(0, abs=1e-12)
    assert np.sqrt(np.mean(SMALL.truth("shape") ** 2)) == pytest.approx(SMALL.difference)


def test_worlds_vary_as_they_say():
    world = World("large", speakers=3000, tokens=1, token_sd=0.0, speaker_sd=0.7, contrast_sd=0.0, rho=0.5)
    values = world.draw("level", [replicate_generator(1, 0)])[0].reshape(3000, 2, world.points)
    gap = values[:, 1] - values[:, 0]
    np.testing.assert_allclose(gap.mean(axis=0), world.truth("level"), atol=0.15)
    # Speakers cancel: twice the variance of the noise is left, with its autocorrelation.
    assert gap.var() == pytest.approx(2.0, rel=0.05)
    assert np.corrcoef(gap[:, 0], gap[:, 1])[0, 1] == pytest.approx(0.5, abs=0.05)
    # Level and shape of speakers' curves, and noise.
    assert values[:, 0].var(axis=0).mean() == pytest.approx(2 * 0.7**2 + 1, rel=0.1)


def test_small_study_is_reproducible():
    recipes = [BY_NAME["AR + fs token"], BY_NAME["permute tokens, held"], BY_NAME["bootstrap speakers, held"]]
    one = calibrate([SMALL], recipes, ["level"], datasets=4, replicates=9, seed=1)
    two = calibrate([SMALL], recipes, ["level"], datasets=4, replicates=9, seed=1)
    pd.testing.assert_frame_equal(one, two)
    assert one.loc[one["quantity"] == "converged", "share"].eq(1).all()
    assert one["datasets"].eq(4).all()
    # Shares of four data sets, but for those of time points.
    whole = one.loc[~one["quantity"].str.startswith("pointwise"), "share"]
    assert set(whole * 4) <= {0.0, 1.0, 2.0, 3.0, 4.0}
    assert set(one["recipe"]) == {recipe.name for recipe in recipes}


@pytest.mark.slow
def test_known_errors():
    """Where tokens are not independent points, a model without their smooths finds what is not there."""
    recipes = [BY_NAME["no random smooths"], BY_NAME["AR + fs token"]]
    table = calibrate([WORLDS[0]], recipes, ["none"], datasets=200).set_index(["recipe", "quantity"])["share"]
    assert table["no random smooths", "joint"] > 0.2
    assert table["AR + fs token", "joint"] < 0.11
    assert 0.9 < table["AR + fs token", "simultaneous"] < 1
    assert 0.9 < table["AR + fs token", "pointwise"] < 0.995


def test_levels_keep_their_size_with_few_speakers_and_one_token_each():
    """The token's smooth is then that of the speaker's version of the label, and six speakers are six."""
    recipe = BY_NAME["AR + fs token + fs speaker"]
    table = calibrate([WORLDS[5]], [recipe], ["none"], datasets=300).set_index("quantity")["share"]
    assert 0.08 < table["level"] < 0.3
    # Three standard errors of a share of 0.05 in 300 are 0.038.
    assert 0.012 < table["level, df of speakers"] < 0.088


@pytest.mark.slow
def test_bootstrap_covers():
    recipe = BY_NAME["bootstrap speakers, held"]
    table = calibrate([WORLDS[1]], [recipe], ["level"], datasets=100, replicates=199).set_index("quantity")["share"]
    assert 0.9 < table["pointwise"] < 0.99
    assert 0.85 < table["simultaneous"] < 1
