"""Shares with Wilson's interval, as Newcombe (1998) publishes them."""

from __future__ import annotations

import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_values(successes, trials, low, high):
    found = wilson(successes, trials)
    assert found.estimate == successes / trials
    assert (round(found.conf_low, 4), round(found.conf_high, 4)) == (low, high)


def test_ends_do_not_pass_0_and_1():
    for trials in range(1, 300):
        none, every = wilson(0, trials), wilson(trials, trials)
        assert none.conf_low == 0
        assert every.conf_high == 1


def test_what_is_no_share_is_refused():
    with pytest.raises(ArgumentError, match="'trials' parameter must be a positive"):
        wilson(0, 0)
    for successes in (-1, 21, 0.5):
        with pytest.raises(ArgumentError, match="from 0 to the 20 trials"):
            wilson(successes, 20)
