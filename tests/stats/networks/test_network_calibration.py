"""Do intervals cover and tests keep their level, where speakers and seeds both vary?"""

import numpy as np
import pytest
from scipy import stats

from layerstats.stats.networks.effects import draw_speakers, effect_sizes, sampling_covariance
from layerstats.stats.networks.means import difference_of_networks, mean_of_networks

KINDS = np.repeat([0, 1], 5)


def study(rng, heard, means, spreads, *, run=0.0, draws=200, **world):
    """One experiment: five networks of each of two kinds hear 16 new speakers."""
    shared = run * np.tile(rng.normal(size=5), 2)
    effects = np.abs(np.repeat(means, 5) + np.repeat(spreads, 5) * rng.normal(size=10) + shared)
    values, groups, speakers = heard(rng, effects, KINDS, **world)
    people = speakers.max() + 1
    weights = draw_speakers(people, draws, seed=int(rng.integers(1 << 31)))
    measured = np.array([effect_sizes(one, groups, speakers)[0] for one in values])
    covariance = sampling_covariance(np.array([effect_sizes(one, groups, speakers, weights) for one in values]), people)
    first, second = measured[:5], measured[5:]
    low, high = mean_of_networks(first, covariance[:5, :5], people).interval(0.95)
    difference = difference_of_networks(first, second, covariance, people, paired=run > 0)
    return {
        "mean": low <= means[0] <= high,
        "difference": difference.interval(0.95)[0] <= means[0] - means[1] <= difference.interval(0.95)[1],
        "rejected": difference.p_value < 0.05,
        "rejected by seeds alone": stats.ttest_ind(first, second, equal_var=False).pvalue < 0.05,
    }


def rates(rng, heard, experiments, *arguments, **options):
    rows = [study(rng, heard, *arguments, **options) for _ in range(experiments)]
    return {name: np.mean([row[name] for row in rows]) for name in rows[0]}


def test_level_and_coverage(rng, heard):
    found = rates(rng, heard, 150, (1.0, 1.0), (0.15, 0.15))
    assert 0.9 <= found["mean"] < 1
    assert 0.9 <= found["difference"] < 1
    assert 0 < found["rejected"] <= 0.1
    # A test that takes the speakers for all there are finds differences that other speakers would not show.
    assert found["rejected by seeds alone"] >= 0.12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("means", "spreads", "options"),
    [
        ((1.0, 1.0), (0.3, 0.05), {}),
        ((1.0, 1.0), (0.0, 0.0), {}),
        ((1.5, 0.5), (0.3, 0.1), {}),
        ((1.0, 1.0), (0.1, 0.1), {"run": 0.3}),
        ((1.0, 1.0), (0.2, 0.1), {"words": 8}),
        ((1.0, 1.0), (0.2, 0.1), {"speakers": 40}),
    ],
)
def test_level_and_coverage_in_other_worlds(rng, heard, means, spreads, options):
    found = rates(rng, heard, 500, means, spreads, **options)
    # Three binomial standard errors of 500 experiments.
    assert 0.92 <= found["mean"] <= 0.985
    assert 0.92 <= found["difference"] <= 0.99
    if means[0] == means[1]:
        assert found["rejected"] <= 0.08
    else:
        assert found["rejected"] >= 0.95
