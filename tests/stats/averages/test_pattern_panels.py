"""What a figure of one label shows, laid out on one grid."""

import numpy as np
import pytest
from letter_stores import store_letters
from spoken_windows import store_of_letters

from layerstats.errors import ArgumentError
from layerstats.stats import (
    AlignedWindows,
    aligned_averages,
    panel_averages,
    pattern_panels,
    pattern_tests,
    read_windows,
)

BANDS_HZ = 100.0 * (1 + np.arange(6))


@pytest.fixture(scope="module")
def heard():
    """Six speakers who say "a", "b" and "c" in noise; "a" is louder in the upper bands where it is aligned."""
    rng = np.random.default_rng(3)
    labels, speakers = np.tile(list("abc"), 48), np.repeat(list("pqrstu"), 24)
    values, samples = rng.normal(size=(144, 6, 16)), rng.integers(4, 12, size=(144, 3))
    own = np.flatnonzero(labels == "a")
    values[own, 4, samples[own, 0]] += 5
    values[own, 5, samples[own, 0]] += 5
    return AlignedWindows.from_arrays(values, labels, speakers, samples, hop_s=0.01, bands=BANDS_HZ)


@pytest.fixture(scope="module")
def averages(heard):
    return aligned_averages(heard, draws=2)


def test_maps_of_a_letter_lie_on_the_grid_of_the_averages(heard, averages):
    tests = pattern_tests(heard, permutations=99, resolution=(2, 1), reach_s=0.03)
    panels = pattern_panels("a", tests, {"input": averages}, {"untrained network": averages})
    assert list(panels["panel"].unique()) == [
        "input", "difference tested", "other letters' windows", "untrained network",
    ]  # fmt: skip
    assert panels.groupby("panel").size().unique().tolist() == [6 * 16]
    assert panels.groupby("panel")["kind"].first()["untrained network"] == "difference"
    tested = panels[panels["panel"] == "difference tested"].set_index(["frequency_hz", "lag_s"])
    # Two bands were pooled, so both have the value of the pool; beyond what was tested nothing is known.
    assert tested.loc[(500.0, 0.0), "value"] == tested.loc[(600.0, 0.0), "value"]
    assert tested.loc[(500.0, 0.0), "value"] == pytest.approx(tests.maps["estimate"].sel(label="a").max().item())
    assert tested.loc[(500.0, 0.05), "value"] != tested.loc[(500.0, 0.05), "value"]
    claimed = tested.index[tested["claimed"]].tolist()
    assert claimed == [(500.0, 0.0), (600.0, 0.0)]
    assert not panels.loc[panels["panel"] != "difference tested", "claimed"].any()
    means = panels[panels["panel"] == "input"].set_index(["frequency_hz", "lag_s"])["value"]
    own = averages.maps["mean"].sel(label="a").to_numpy()
    assert means.loc[(500.0, 0.0)] == pytest.approx(own[4, np.flatnonzero(averages.maps["lag"] == 0)[0]])


def test_maps_on_other_grids_are_refused(heard, averages):
    tests = pattern_tests(heard, permutations=99, reach_s=0.03)
    with pytest.raises(ArgumentError, match="'z'"):
        pattern_panels("z", tests, {"input": averages})
    short = AlignedWindows.from_arrays(
        heard.read(np.arange(144))[:, :, :9], heard.table["label"], heard.table["speaker"]
    )
    with pytest.raises(ArgumentError, match="same lags"):
        pattern_panels("a", tests, {"input": averages, "relevance": aligned_averages(short, draws=2)})


def test_averages_beside_tests_are_aligned_as_these_are(tmp_path):
    experiment, *_ = store_letters(tmp_path / "s.zarr", letters="ab")
    windows = read_windows(experiment, alignment="max_relevance")
    tests = pattern_tests(windows, permutations=99)
    means, nulls = panel_averages(experiment, tests, relevance="adapted", delay_s=0.0)
    assert [(name, one.quantity, one.alignment) for name, one in means.items()] == [
        ("input", "input", "max_relevance"), ("relevance", "relevance", "max_relevance"),
    ]  # fmt: skip
    # There is no untrained network in this store.
    assert nulls == {}
    assert np.allclose(means["input"].maps["mean"], aligned_averages(windows, draws=2).maps["mean"], equal_nan=True)


def test_an_untrained_network_stands_beside_where_windows_are_aligned_by_relevance(tmp_path):
    experiment = store_of_letters(tmp_path / "s.zarr", each=15, twins=2)
    how = {"relevance": "adapted", "delay_s": 0.03, "reach_s": 0.1}
    windows = read_windows(experiment, alignment="max_relevance", relevance="adapted", reach_s=0.1)
    means, nulls = panel_averages(experiment, pattern_tests(windows, permutations=99), **how)
    twin = aligned_averages(
        experiment, alignment="max_relevance", relevance="adapted_untrained_00", reach_s=0.1, draws=2
    )
    assert np.array_equal(nulls["untrained network"].maps["pattern"], twin.maps["pattern"])
    assert not np.array_equal(nulls["untrained network"].maps["pattern"], means["input"].maps["pattern"])
    by_phone = read_windows(experiment, alignment="phone_onset", relevance="adapted", delay_s=0.03, reach_s=0.1)
    assert panel_averages(experiment, pattern_tests(by_phone, permutations=99), **how)[1] == {}
