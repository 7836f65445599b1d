"""Tests of patterns by signs of speakers, against MNE: the largest statistic, cluster mass and enhancement."""

import numpy as np
import pytest
from mne.stats import permutation_cluster_1samp_test, permutation_t_test, ttest_1samp_no_p

from layerstats.stats.averages import AlignedWindows, pattern_tests
from layerstats.stats.averages.testing.map_statistics import (
    cluster_threshold,
    clusters_of_maps,
    enhanced,
    largest_of_maps,
)
from layerstats.stats.averages.testing.studentised_maps import normal_deviate

BANDS, SIZE, SPEAKERS = 6, 9, 8
# MNE 1.13.2 leaves one assignment out where it is asked for "all"; asked for as many as there are, it uses each.
EVERY = 2 ** (SPEAKERS - 1)
OPTIONS = {"against": [("a", "b")], "exchange": "signs", "permutations": 999}


def deviates(differences):
    """Normal deviates of MNE's own Student's t, since tests of patterns are of these."""
    return normal_deviate(ttest_1samp_no_p(differences), len(differences))


def windows_of_pair(seed, pattern=0.75):
    """Four windows a speaker and label, and each speaker's difference."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(-2, 2, size=(SPEAKERS, 2, 4, BANDS, SIZE))
    values[:, 0, :, 1:4, 3:6] += pattern
    labels = np.tile(np.repeat(["a", "b"], 4), SPEAKERS)
    speakers = np.repeat([f"s{number}" for number in range(SPEAKERS)], 8)
    means = values.mean(axis=2)
    windows = AlignedWindows.from_arrays(values.reshape(-1, BANDS, SIZE), list(labels), list(speakers))
    return windows, means[:, 0] - means[:, 1]


@pytest.mark.parametrize("seed", range(3))
def test_the_largest_statistic_and_its_p_values_are_those_of_mne(seed):
    windows, differences = windows_of_pair(seed)
    result = pattern_tests(windows, **OPTIONS)
    statistic, p_values, largest = permutation_t_test(
        differences.reshape(SPEAKERS, -1), n_permutations=EVERY, tail=0, verbose="error"
    )
    place = result.maps.sel(label="a:b")
    assert place["statistic"].to_numpy().ravel() == pytest.approx(normal_deviate(statistic, SPEAKERS), rel=1e-4)
    assert place["p_value"].to_numpy().ravel() == pytest.approx(p_values)
    assert result.table["permutations"].item() == len(largest) - 1 == EVERY - 1


@pytest.mark.parametrize("seed", range(3))
def test_clusters_and_their_p_values_are_those_of_mne(seed):
    windows, differences = windows_of_pair(seed)
    result = pattern_tests(windows, statistic="cluster_mass", cluster_alpha=0.05, **OPTIONS)
    threshold = cluster_threshold(0.05)
    statistic, clusters, p_values, largest = permutation_cluster_1samp_test(
        differences, threshold, n_permutations=EVERY, tail=0, out_type="mask", stat_fun=deviates, verbose="error"
    )
    masses = [statistic[cluster].sum() for cluster in clusters]
    order = np.argsort(masses)
    found = result.clusters.sort_values("statistic")
    assert found["statistic"].to_numpy() == pytest.approx(np.array(masses)[order], rel=1e-4)
    assert found["p_value"].to_numpy() == pytest.approx(p_values[order])
    assert result.table["p_value"].item() == pytest.approx(p_values.min())
    assert len(largest) == EVERY
    numbers = result.maps["cluster"].to_numpy()[0]
    for cluster in clusters:
        assert len(np.unique(numbers[cluster])) == 1
    assert ((numbers > 0) == np.any(clusters, axis=0)).all()


@pytest.mark.parametrize("seed", range(3))
def test_enhanced_maps_and_their_p_values_are_those_of_mne(seed):
    windows, differences = windows_of_pair(seed)
    result = pattern_tests(windows, statistic="tfce", **OPTIONS)
    values, _, p_values, _ = permutation_cluster_1samp_test(
        differences, {"start": 0, "step": 0.2}, n_permutations=EVERY, tail=0, stat_fun=deviates, verbose="error"
    )
    # Where a statistic lies on a height, rounding decides whether it exceeds it: none does here.
    assert enhanced(result.maps["statistic"].to_numpy())[0] == pytest.approx(values, rel=1e-6)
    assert result.table["statistic"].item() == pytest.approx(values.flat[np.abs(values).argmax()], rel=1e-6)
    assert result.table["p_value"].item() == pytest.approx(p_values.min())
    assert "p_value" not in result.maps


def test_sums_of_clusters_and_enhancement_are_those_of_a_map_at_a_time():
    maps = np.random.default_rng(0).normal(size=(5, 4, 7)) * 2
    maps[0, 0, 0] = np.nan
    together = enhanced(maps)
    for one, whole in zip(maps, together, strict=True):
        assert enhanced(one[None])[0] == pytest.approx(whole)
        masses = clusters_of_maps(one[None], 1.0)[1]
        assert largest_of_maps(one, "cluster_mass", 1.0) == pytest.approx(np.abs(masses).max())
    assert largest_of_maps(maps, "tfce", 1.0) == pytest.approx(np.abs(together).max(axis=(1, 2)))
