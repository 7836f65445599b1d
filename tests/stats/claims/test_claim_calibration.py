"""The study of claims: its worlds have the truth that they say, and its numbers are those of the package."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import calibrate_claims
from layerstats.stats.claims.claim_calibration import (
    CLAIM_WORLDS,
    RECIPE,
    ClaimWorld,
    fitted_effects,
    network_effects_of,
    simulate_claims,
)
from layerstats.stats.effect_sizes import token_spread
from layerstats.stats.null import descriptive_effect_size
from layerstats.stats.resampling.calibration import World
from layerstats.stats.resampling.calibration.study import world_design

SMALL = ClaimWorld("small", World("few", speakers=6, tokens=2, contrast_sd=0.4, difference=4.0), untrained=3, layers=2,
                   planted=1)  # fmt: skip


def test_effects_of_networks_are_those_of_the_package():
    values = SMALL.draw("level", np.random.default_rng(0))
    frame = SMALL.speech.frame()
    found = network_effects_of(values, world_design(SMALL.speech, RECIPE).label_of)
    for row, own in zip(found.to_dict("records"), values.reshape(8, -1), strict=True):
        one = descriptive_effect_size(frame.assign(value=own), group="label", identifier="token")
        assert row["effect_size"] == pytest.approx(one)
    assert found["trained"].tolist() == [True, False, False, False] * 2


def test_the_planted_difference_is_found_at_its_layer_and_its_size():
    world = ClaimWorld("many", World("many", speakers=80, tokens=3, difference=4.0), untrained=0, layers=3, planted=1)
    values = world.draw("level", np.random.default_rng(1))[:, 0]
    found = fitted_effects(world_design(world.speech, RECIPE), values)
    assert found["effect_size"].tolist() == pytest.approx([0.0, 4.0 / world.token_sd, 0.0], abs=0.25)
    assert found["joint_p_value"][1] < 1e-10
    frame = world.speech.frame().assign(value=values[1].ravel())
    means = frame.groupby(["label", "time"])["value"].transform("mean").to_numpy()
    assert token_spread(frame, means, identifier="token", group="label").sd == pytest.approx(world.token_sd, rel=0.1)


def test_a_data_set_depends_on_its_number_alone():
    both = simulate_claims(SMALL, "level", range(2))
    parts = pd.concat(simulate_claims(SMALL, "level", range(n, n + 1)) for n in (0, 1))
    told = parts.groupby("quantity")["total"].sum()
    assert both.set_index("quantity")["total"].to_dict() == pytest.approx(told.to_dict())


def test_three_untrained_networks_can_show_nothing_learned():
    found = calibrate_claims([SMALL], ["level"], datasets=2).set_index("quantity")["share"]
    assert found["those that differ are significant"] == 1
    assert found["holds"] == found["holds elsewhere"] == 0


def test_unknown_worlds_and_truths_are_refused():
    assert len({world.name for world in CLAIM_WORLDS}) == 3
    with pytest.raises(ArgumentError, match="'worlds' parameter"):
        calibrate_claims(["no such"], datasets=1)
    with pytest.raises(ArgumentError, match="'truths' parameter"):
        calibrate_claims([SMALL], ["shape"], datasets=1)
