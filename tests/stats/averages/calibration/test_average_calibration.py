"""The study of aligned averages: the truth of its worlds, and that tests hold their level only with the alignment."""

import numpy as np
import pandas as pd
import pytest
from letter_stores import store_letters

from layerstats.errors import ArgumentError
from layerstats.stats import SpeechWorld, calibrate_averages, pattern_tests
from layerstats.stats.averages.calibration.average_calibration import expected_patterns, simulate_averages
from layerstats.stats.averages.calibration.noise_windows import ALIGNMENTS, NONE, RELEVANCE, NoiseWorld
from layerstats.stats.resampling.seeds import replicate_generator

SMALL = NoiseWorld("small", 6, 6, inserted=8.0)
# Speakers enough that a pattern made by alignment is found where it is not allowed for.
MANY = NoiseWorld("many", 10, 18)
FOUND = NoiseWorld("found", 8, 9, inserted=8.0)


def test_noise_has_no_pattern_beyond_that_of_any_windows_aligned_alike():
    found = expected_patterns(SMALL, "none")
    assert np.abs(found[NONE].whole).max() < 0.05
    for alignment in ALIGNMENTS:
        assert np.abs(found[alignment].beyond).max() < 0.05
        assert (alignment == NONE) == (np.abs(found[alignment].whole).max() < 0.3)


def test_what_is_inserted_is_expected():
    found = expected_patterns(SMALL, "inserted")[NONE]
    # A letter's mean less that over letters. Of five samples, beginning at seven, nine lags about the middle see some.
    expected = 8.0 / 3.0 * 2 / 3 * SMALL.detectors[0]
    seen = np.zeros((4, 9))
    for first in range(4, 11):
        for offset in range(5):
            if 6 <= first + offset <= 14:
                seen[:, first + offset - 6] += expected[:, offset] / 7
    assert found.whole == pytest.approx(seen, abs=0.1)
    # A speaker without one of the letters has a mean over fewer.
    assert found.beyond == pytest.approx(seen, abs=0.2)


def test_a_data_set_depends_on_its_number_alone():
    both = simulate_averages(SMALL, "none", range(2), 19)
    parts = [simulate_averages(SMALL, "none", range(number, number + 1), 19) for number in (0, 1)]
    keys = ["recipe", "quantity"]
    summed = sum(part.set_index(keys)["total"] for part in parts[:1]).add(
        parts[1].set_index(keys)["total"], fill_value=0
    )
    assert both.set_index(keys)["total"].sort_index().equals(summed.sort_index())


def test_rejections_are_those_of_the_tests():
    """The study computes permuted maps once for several tests, and makes no tables of them."""
    found = []
    for number in range(3):
        windows = FOUND.draw(replicate_generator(0, *FOUND.name.encode(), number), "inserted")[RELEVANCE]
        for statistic in ("max", "cluster_mass", "tfce"):
            table = pattern_tests(windows, statistic=statistic, permutations=19, seed=number).table
            found.append((f"{statistic}: any letter", float((table["p_adjusted"] <= 0.05).any())))
        expected = expected_patterns(FOUND, "inserted")[RELEVANCE].beyond
        row = pattern_tests(windows, permutations=19, seed=number).table.iloc[0]
        there = expected[int(row["frequency_hz"]), round(row["lag_s"] / windows.hop_s) + 4]
        found.append(("max: interval covers", float(row["conf_low"] <= there <= row["conf_high"])))
    expected = pd.DataFrame(found, columns=["quantity", "total"]).groupby("quantity")["total"].sum()
    study = simulate_averages(FOUND, "inserted", range(3), 19).query("recipe == @RELEVANCE").set_index("quantity")
    assert study.loc[expected.index, "total"].equals(expected)
    assert expected.sum() > 0


@pytest.mark.slow
def test_tests_hold_their_level_only_where_the_alignment_is_part_of_them():
    found = calibrate_averages([MANY], ["none"], datasets=20, permutations=39)
    shares = found.groupby("quantity")["share"].mean()
    assert shares["max: any letter"] < 0.15
    assert shares["max, labels permuted after alignment: any letter"] > 0.5


def test_speech_is_a_world_too(tmp_path):
    path, shape = tmp_path / "s.zarr", {"speakers": 4, "each": 30, "bands": 32, "samples": 48, "letters": "bcde"}
    store_letters(path, **shape)
    store_letters(path, name="gradient", **shape)
    found = calibrate_averages([SpeechWorld.of(path)], ["inserted"], datasets=2, permutations=39)
    assert set(found["recipe"]) == set(ALIGNMENTS)
    assert set(found["world"]) == {"speech"}


def test_unknown_worlds_and_truths_are_refused():
    with pytest.raises(ArgumentError, match="'worlds' parameter"):
        calibrate_averages(["no such"], datasets=1)
    with pytest.raises(ArgumentError, match="'truths' parameter"):
        calibrate_averages([SMALL], ["level"], datasets=1)
