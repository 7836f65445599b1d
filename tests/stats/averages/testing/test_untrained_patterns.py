"""The trained network's patterns among those of untrained networks' alignments of the same windows."""

from dataclasses import replace

import numpy as np
import pytest
from letter_stores import store_letters

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.averages import AlignedWindows, pattern_tests, read_windows, untrained_patterns

NETWORKS = 19


@pytest.fixture(scope="module")
def networks():
    """Windows by a network that aligns those of "a" where they have a burst, and by others that align anywhere."""
    rng = np.random.default_rng(0)
    labels, speakers = np.array(list("abc") * 40), np.repeat(list("pqrst"), 24)
    values = rng.normal(size=(120, 2, 9))
    samples = rng.integers(0, 9, size=(NETWORKS + 1, 120, 3))
    own = np.flatnonzero(labels == "a")
    values[own, 1, samples[0, own, 0]] += 4.0
    return [AlignedWindows.from_arrays(values, list(labels), list(speakers), one) for one in samples]


def named(networks):
    return {f"untrained_{number:02}": one for number, one in enumerate(networks[1:])}


def test_the_trained_network_ranks_among_untrained_ones(networks):
    result = untrained_patterns(networks[0], named(networks))
    row = result.table.set_index("level_1").loc["a"]
    assert row["null_p_value"] == 1 / (NETWORKS + 1)
    assert row["null_recordings"] == NETWORKS
    assert row["lag_s"] == 0
    assert row["null_statistic_low"] <= row["null_statistic_median"] <= row["null_statistic_high"] < row["statistic"]
    assert result.notes == ()


def test_statistics_are_those_of_the_tests(networks):
    result = untrained_patterns(networks[0], named(networks), resolution=(1, 2), reach_s=0.02)
    for name, one in {"trained": networks[0], "untrained_07": networks[8]}.items():
        table = pattern_tests(one, permutations=19, resolution=(1, 2), reach_s=0.02).table
        own = result.networks.query("recording == @name")
        columns = ["level_1", "level_2", "statistic", "lag_s", "frequency_hz"]
        assert own[columns].reset_index(drop=True).equals(table[columns])
        largest = np.abs(result.maps["statistic"].sel(recording=name)).max(["frequency", "lag"])
        assert largest.to_numpy() == pytest.approx(table["statistic"].abs().to_numpy())


def test_labels_that_too_few_speakers_have_are_named(networks):
    table = networks[0].table.copy()
    table.loc[(table["label"] == "c") & (table["speaker"] > "q"), "label"] = "b"
    few = [replace(one, table=table) for one in networks]
    result = untrained_patterns(few[0], named(few))
    assert result.table["level_1"].tolist() == ["a", "b"]
    assert "Not tested, since too few speakers have them: c." in result.notes


def test_so_few_networks_that_none_can_be_significant_are_noted(networks):
    notes = untrained_patterns(networks[0], named(networks[:4])).notes
    assert any("no p-value is below 1/4" in note for note in notes)


def test_what_cannot_be_compared_is_refused(networks):
    trained = networks[0]
    with pytest.raises(DataError, match="no untrained networks"):
        untrained_patterns(trained, {})
    with pytest.raises(ArgumentError, match="give these as 'untrained'"):
        untrained_patterns(trained)
    other = replace(networks[1], table=trained.table.iloc[::-1].reset_index(drop=True))
    with pytest.raises(DataError, match="'untrained_00' are not those"):
        untrained_patterns(trained, {"untrained_00": other})
    with pytest.raises(ArgumentError, match="same samples"):
        untrained_patterns(trained, {"untrained_00": replace(trained)})
    alone = replace(trained, table=trained.table.assign(label=np.where(trained.table["speaker"] > "q", "a", "b")))
    with pytest.raises(DataError, match="there are 0"):
        untrained_patterns(alone, {"untrained_00": replace(networks[1], table=alone.table)})


def test_networks_of_other_places_and_maps_without_any_are_refused(networks):
    trained, *others = networks
    with pytest.raises(DataError, match="'one' have other lags or bands"):
        untrained_patterns(trained, {"one": replace(others[0], lags=others[0].lags[2:])})
    with pytest.raises(ArgumentError, match="two numbers"):
        untrained_patterns(trained, named(networks), resolution=2)
    far = [replace(one, lags=one.lags + 1000) for one in networks]
    with pytest.raises(DataError, match="No label is tested in any network"):
        untrained_patterns(far[0], named(far))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "letters.zarr"
    store, *_ = store_letters(path, each=40, burst=4.0)
    for seed in range(3):
        store_letters(path, each=40, burst=4.0, name=f"adapted_untrained_{seed:02}", trained=False, aligned_seed=seed)
    return store


def test_a_store_has_its_untrained_networks(store, tmp_path):
    result = untrained_patterns(store, alignment="max_relevance")
    assert sorted(set(result.networks["recording"])) == [
        "adapted_untrained_00", "adapted_untrained_01", "adapted_untrained_02", "trained",
    ]  # fmt: skip
    with pytest.raises(ArgumentError, match="same samples"):
        untrained_patterns(store, alignment="none")
    lone, *_ = store_letters(tmp_path / "lone.zarr")
    with pytest.raises(DataError, match="no untrained networks"):
        untrained_patterns(lone, alignment="max_relevance")


def test_tests_read_stores(store):
    options = {"permutations": 19, "seed": 1}
    one = pattern_tests(store, alignment="max_relevance", **options)
    other = pattern_tests(read_windows(store, alignment="max_relevance"), **options)
    assert one.table.equals(other.table)
    assert one.alignment == "max_relevance"
    with pytest.raises(ArgumentError, match="read already"):
        pattern_tests(read_windows(store), alignment="none", **options)
