"""Means over speakers against scipy's tests and against sums by hand."""

import numpy as np
import pytest
from scipy import stats

from layerstats.stats.proportions import wilson_interval
from layerstats.stats.trust.cluster_means import cluster_mean


def test_it_is_students_test_of_the_means_of_speakers():
    rng = np.random.default_rng(0)
    speakers = rng.integers(0, 7, 60)
    values = rng.normal(size=60) + 0.3 * speakers
    found = cluster_mean(values, speakers)
    means = [values[speakers == one].mean() for one in range(7)]
    expected = stats.ttest_1samp(means, 0)
    assert found.estimate == pytest.approx(np.mean(means))
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.interval(0.9) == pytest.approx(tuple(expected.confidence_interval(0.9)))
    assert (found.df, found.clusters, found.items) == (6, 7, 60)


def test_missing_values_are_left_out():
    found = cluster_mean(np.array([1.0, np.nan, 3.0, np.nan]), np.array(["a", "a", "b", "c"]))
    assert (found.estimate, found.clusters, found.items) == (2.0, 2, 2)


def test_one_cluster_has_no_interval():
    found = cluster_mean(np.ones(3), np.array(["a"] * 3))
    assert found.estimate == 1
    assert np.isnan([found.std_error, found.statistic, found.p_value, *found.interval(0.95)]).all()
    assert np.isnan(cluster_mean(np.array([np.nan]), np.array(["a"])).estimate)


def test_hits_that_are_all_alike_have_the_error_that_chance_gives_them():
    clusters = np.repeat(["a", "b"], [3, 2])
    apart = cluster_mean(np.full(5, -0.1), clusters, np.full(5, 0.09))
    assert apart.std_error == pytest.approx(np.sqrt(0.09 / 3 + 0.09 / 2) / 2)
    alike = cluster_mean(np.full(5, -0.1), clusters, np.full(5, 0.09), np.full(5, 0.09))
    assert alike.std_error == pytest.approx(np.sqrt(2 * 0.09) / 2)
    assert cluster_mean(np.full(5, -0.1), clusters).std_error == 0


def test_shares_that_are_all_one_have_wilsons_interval_with_the_quantile_of_few_speakers():
    found = cluster_mean(np.ones(20), np.repeat(np.arange(1000), 1)[:20])
    low, high = found.share_interval(0.95)
    naive = wilson_interval(np.array([20.0]), np.array([20.0]))
    assert high == 1
    assert low < naive[0][0]
    assert low == pytest.approx(20 / (20 + stats.t.isf(0.025, 19) ** 2))
