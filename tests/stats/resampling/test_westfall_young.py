"""Adjusted p-values against the method's own words, loop by loop."""

from __future__ import annotations

import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.resampling.westfall_young import permutation_p_values, step_down_p_values


def slow_step_down(statistics):
    """Westfall & Young's algorithm for one assignment after another."""
    order = sorted(range(statistics.shape[1]), key=lambda test: -statistics[0, test])
    adjusted, before = {}, 0.0
    for place, test in enumerate(order):
        count = 0
        for row in statistics:
            count += max(row[other] for other in order[place:]) >= statistics[0, test]
        before = max(before, count / len(statistics))
        adjusted[test] = before
    return np.array([adjusted[test] for test in range(statistics.shape[1])])


@pytest.mark.parametrize("seed", range(5))
def test_by_definition(seed):
    statistics = np.abs(np.random.default_rng(seed).normal(size=(200, 6)))
    statistics[0] += np.linspace(0, 3, 6)
    np.testing.assert_allclose(step_down_p_values(statistics), slow_step_down(statistics))


def test_no_smaller_than_unadjusted_and_equal_for_repeated_tests():
    one = np.abs(np.random.default_rng(0).normal(size=(100, 1)))
    # Ten times the same test is one test: Holm's method would multiply by ten.
    np.testing.assert_allclose(step_down_p_values(np.tile(one, 10)), permutation_p_values(np.tile(one, 10)))
    two = np.abs(np.random.default_rng(1).normal(size=(100, 5)))
    assert np.all(step_down_p_values(two) >= permutation_p_values(two))


def test_family_wise_error_under_the_null_hypothesis():
    generator = np.random.default_rng(2)
    common = generator.normal(size=(1000, 40, 1))
    statistics = np.abs(common + generator.normal(size=(1000, 40, 8)))
    rejected = [np.any(step_down_p_values(one) <= 0.05) for one in statistics]
    # 0.05 with a Monte Carlo error of 0.007.
    assert 0.025 < np.mean(rejected) < 0.075


def test_refused():
    with pytest.raises(ArgumentError, match="observed first"):
        step_down_p_values(np.ones(3))
