"""Agreement of maps against numpy and scipy, and its baseline."""

import numpy as np
import pandas as pd
import pytest
from map_stores import store_of_windows
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import map_agreement, measure_agreement
from layerstats.stats.trust.map_agreement import (
    ABSOLUTE_RANKS,
    CORRELATION,
    RANKS,
    SAME_MAXIMUM,
    agreements,
    other_tokens,
)


def test_correlations_are_those_of_numpy_and_scipy():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(5, 3, 20)).round(1)
    second = (first + rng.normal(size=first.shape)).round(1)
    found = agreements(first, second)
    for row, (one, two) in enumerate(zip(first, second, strict=True)):
        flat = one.ravel(), two.ravel()
        assert found[CORRELATION][row] == pytest.approx(np.corrcoef(*flat)[0, 1])
        assert found[RANKS][row] == pytest.approx(stats.spearmanr(*flat).statistic)
        assert found[ABSOLUTE_RANKS][row] == pytest.approx(stats.spearmanr(*np.abs(flat)).statistic)
        assert found[SAME_MAXIMUM][row] == (one.sum(axis=0).argmax() == two.sum(axis=0).argmax())


def test_values_that_one_lacks_are_left_out_of_both():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 1, 30))
    first[0, :10], second[0, 5:15] = np.nan, np.nan
    found = agreements(first, second)
    assert found[CORRELATION][0] == pytest.approx(np.corrcoef(first[0, 15:], second[0, 15:])[0, 1])
    assert found[RANKS][0] == pytest.approx(stats.spearmanr(first[0, 15:], second[0, 15:]).statistic)


def test_a_map_that_does_not_vary_is_like_no_other():
    found = agreements(np.full((1, 8), 0.1), np.arange(8.0)[None])
    assert np.isnan([found[name][0] for name in (CORRELATION, RANKS, ABSOLUTE_RANKS)]).all()
    assert np.isnan(agreements(np.full((1, 8), np.nan), np.arange(8.0)[None])[SAME_MAXIMUM][0])
    assert agreements(-np.ones((1, 4)) * [1, 2, 3, 4], np.ones((1, 4)) * [1, 2, 3, 4])[CORRELATION] == pytest.approx(-1)


def test_the_baseline_is_another_map_of_the_same_speaker():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(5, 12))
    tokens = pd.DataFrame({"token": list("abcde"), "speaker": ["s1", "s2", "s1", "s1", "s3"]})
    found = measure_agreement(maps, maps, tokens, "the same")
    own = found[found["measure"] == CORRELATION]
    assert own["value"].to_numpy() == pytest.approx(np.ones(5))
    assert own["baseline_value"].iloc[0] == pytest.approx(np.corrcoef(maps[0], maps[2])[0, 1])
    # The only map of its speaker is compared with no other.
    assert own["baseline_value"].isna().tolist() == [False, True, False, False, True]
    assert (other_tokens(tokens["speaker"].to_numpy())[[0, 2, 3]] == [2, 3, 0]).all()


def test_recordings_of_one_store(tmp_path):
    view, values, units = store_of_windows(tmp_path / "s.zarr", names=("adapted", "epsilon", "gradient"))
    found = map_agreement(view, ["epsilon", "gradient"])
    assert set(found["condition"]) == {"epsilon", "gradient"}
    assert len(found) == 2 * 4 * len(units)
    other = view.in_recording("gradient")
    second = other.layer("input")["mean"].to_numpy()
    one = found[(found["condition"] == "gradient") & (found["measure"] == RANKS)].set_index("token")["value"]
    expected = [stats.spearmanr(*pair).statistic for pair in zip(values, second, strict=True)]
    assert one.loc[view.tokens["token"]].to_numpy() == pytest.approx(np.array(expected), abs=1e-3)
    chosen = map_agreement(view.select(speaker="s1"), ["epsilon"])
    assert set(chosen["speaker"]) == {"s1"}


def test_maps_of_other_shapes_and_unknown_recordings_are_refused(tmp_path):
    view, *_ = store_of_windows(tmp_path / "s.zarr")
    with pytest.raises(ArgumentError, match="no recording"):
        map_agreement(view, ["gamma"])
    with pytest.raises(ArgumentError, match="same shape"):
        agreements(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ArgumentError, match="2 maps of 1 tokens"):
        measure_agreement(np.ones((2, 3)), np.ones((2, 3)), pd.DataFrame({"token": ["a"], "speaker": ["b"]}), "x")


def test_infinite_values_are_refused():
    maps = np.ones((2, 4)) * np.arange(4)
    with pytest.raises(DataError, match="infinite"):
        agreements(maps, np.where(maps == 3, np.inf, maps))
