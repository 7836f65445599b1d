"""The study of trust: its worlds have the truth that they say, and its shares are as they should be."""

import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import calibrate_trust
from layerstats.stats.trust.map_worlds import INSIDE, MapWorld
from layerstats.stats.trust.trust_calibration import simulate_maps


@pytest.mark.parametrize("lag", ["anywhere", "speaker"])
@pytest.mark.parametrize("inside", [0.0, INSIDE])
def test_worlds_have_the_share_that_they_say(lag, inside):
    world = MapWorld("many", 4000, 2, lag)
    values, units = world.draw(np.random.default_rng(0), inside)
    place = np.arange(values.shape[1])
    within = (place >= units["first"].to_numpy()[:, None]) & (place < units["last"].to_numpy()[:, None])
    shares = (values * within).sum(axis=1)
    assert values.sum(axis=1) == pytest.approx(np.ones(len(values)))
    by_speaker = np.bincount(units["speaker"], shares) / np.bincount(units["speaker"])
    error = by_speaker.std() / np.sqrt(4000)
    assert by_speaker.mean() == pytest.approx(world.expected_share(inside), abs=4 * error)


def test_a_data_set_depends_on_its_number_alone():
    world = MapWorld("small", 3, 3)
    both = simulate_maps(world, "level", range(2))
    parts = [simulate_maps(world, "level", range(number, number + 1)) for number in (0, 1)]
    totals = sum(part["total"].to_numpy() for part in parts)
    assert both["total"].to_numpy() == pytest.approx(totals)


def test_unknown_worlds_and_truths_are_refused():
    with pytest.raises(ArgumentError, match="'worlds' parameter"):
        calibrate_trust(["no such"], datasets=1)
    with pytest.raises(ArgumentError, match="'truths' parameter"):
        calibrate_trust([MapWorld("small", 3, 3)], ["shape"], datasets=1)


@pytest.mark.slow
def test_tests_err_no_more_often_than_they_promise_and_windows_pooled_do():
    world = MapWorld("lags of their own", 10, 6, "speaker")
    shares = calibrate_trust([world], ["none"], datasets=100).set_index(["recipe", "quantity"])["share"]
    for quantity in ("share inside the phone against shifted phones", "pointing game against shifted phones"):
        assert shares["speakers", quantity] < 0.12
        assert shares["windows pooled", quantity] > 0.2
