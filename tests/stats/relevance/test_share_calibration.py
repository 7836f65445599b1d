"""The study of shares of a score: its worlds have the truth that they say, and its shares are as they should be."""

import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import calibrate_shares
from layerstats.stats.relevance.share_calibration import LEARNED, SHARE, ShareWorld, simulate_shares
from layerstats.stats.relevance.speaker_means import speaker_mean


@pytest.mark.parametrize("learned", [0.0, LEARNED])
def test_worlds_have_the_share_that_they_say(learned):
    shares, speaker, expected = ShareWorld("many", 4000, 4).draw(np.random.default_rng(0), learned)
    assert expected == SHARE + learned
    found = speaker_mean(shares[0], speaker)
    assert abs(found.mean - expected) < 4 * found.std_error
    untrained = speaker_mean(shares[1:].mean(axis=0), speaker)
    assert abs(untrained.mean - SHARE) < 4 * untrained.std_error


def test_a_data_set_depends_on_its_number_alone():
    world = ShareWorld("small", 3, 3)
    both = simulate_shares(world, "level", range(2))
    parts = [simulate_shares(world, "level", range(number, number + 1)) for number in (0, 1)]
    assert both["total"].to_numpy() == pytest.approx(sum(part["total"].to_numpy() for part in parts))


def test_unknown_worlds_and_truths_are_refused():
    with pytest.raises(ArgumentError, match="'worlds' parameter"):
        calibrate_shares(["no such"], datasets=1)
    with pytest.raises(ArgumentError, match="'truths' parameter"):
        calibrate_shares([ShareWorld("small", 3, 3)], ["shape"], datasets=1)


def test_tests_keep_their_level_and_tokens_pooled_do_not():
    """Speakers hold it where networks are alike; networks hold it where they differ, which speakers cannot know."""
    alike, differing = (ShareWorld("world", 12, 20, network_sd=sd) for sd in (0.0, 0.05))
    found = calibrate_shares([alike], ["none"], datasets=200).set_index(["recipe", "quantity"])["share"]
    assert found["speakers", "trained minus untrained"] < 0.1
    assert found["speakers", "covers the share"] > 0.9
    assert found["tokens pooled", "covers the share"] < 0.85
    found = calibrate_shares([differing], ["none"], datasets=200).set_index(["recipe", "quantity"])["share"]
    assert found["speakers", "trained minus untrained"] > 0.2
    assert found["networks", "trained above untrained"] < 0.1
