"""Scripts on averages of aligned windows as a user runs them, in a process of their own."""

import numpy as np
import pandas as pd
import pytest
from spoken_windows import store_of_letters

from layerstats.tables import check_frame


def test_aligned_averages(letter_store, make, tmp_path):
    names = make("aligned_averages", tmp_path, letter_store, "--draws", "50", "--letters", "a,j")
    # Ten letters are a page of nine and a page of one.
    assert names == {"peaks", "patterns_a_to_i", "patterns_j_to_j", "means_and_patterns", "notes"}
    peaks = check_frame(pd.read_csv(tmp_path / "peaks.csv"), "aligned_peaks").set_index(["alignment", "label"])
    burst = peaks.loc[("maximum of adapted relevance", "a")]
    assert burst[["frequency_hz", "lag_s"]].tolist() == [200, 0]
    assert burst["pattern"] == pytest.approx(3.9, abs=0.6)
    assert abs(peaks.loc[("none", "a"), "pattern"]) < 2
    drawn = (tmp_path / "patterns_a_to_i.svg").read_text(encoding="utf-8")
    assert "Frequency (Hz)" in drawn
    assert "maximum of adapted" in drawn


def test_aligned_averages_as_published(letter_store, make, tmp_path):
    options = ["--averaging", "krug2018", "--scale", "panel", "--alignments", "adapted:min_relevance", "--draws", "20"]
    assert "means_and_patterns" not in make("aligned_averages", tmp_path, letter_store, *options, "--letters", "z")
    assert set(pd.read_csv(tmp_path / "peaks.csv")["alignment"]) == {"minimum of adapted relevance"}


@pytest.fixture(scope="module")
def spoken_store(tmp_path_factory):
    """Windows of "a", "s" and "t" with phones: "a" is in speech and the network finds it, "t" has a burst."""
    path = tmp_path_factory.mktemp("spoken") / "spoken.zarr"
    store_of_letters(path, speakers=6, each=60)
    return path


def test_letter_patterns(spoken_store, make, tmp_path):
    options = ["--resolution", "1,4", "--reach", "0.2", "--permutations", "199", "--pairs", "a:t", "--letters", "t"]
    names = make("letter_patterns", tmp_path, spoken_store, *options)
    assert names == {"claims", "letters", "network", "speech", "pairs", "letter_t", "notes"}
    letters = check_frame(pd.read_csv(tmp_path / "letters.csv"), "speech_and_network").set_index("letter")
    assert letters.loc["a", "found_in"] == "speech and network"
    assert letters.loc[["a", "t"], "network_frequency_hz"].tolist() == [500, 2000]
    # A page has room for both p-values.
    printed = (tmp_path / "letters.tex").read_text(encoding="utf-8")
    assert all(rf"{{{name}:\\adjusted\\p}}" in printed for name in ("Network", "Speech"))
    assert set(pd.read_csv(tmp_path / "network.csv")["adjust_method"]) == {"max_t"}
    pairs = check_frame(pd.read_csv(tmp_path / "pairs.csv"), "pattern_tests")
    assert pairs[["level_1", "level_2", "adjust_method"]].to_numpy().tolist() == [["a", "t", "holm"]]
    drawn = (tmp_path / "letter_t.svg").read_text(encoding="utf-8")
    assert "difference tested" in drawn
    assert "phone" in drawn


def test_letter_profiles(letter_store, make, tmp_path):
    ways = ["--alignments", "none,adapted:max_relevance", "--draws", "100", "--letters", "a,b", "--near", "0.01"]
    names = make("letter_profiles", tmp_path, letter_store, *ways)
    assert names == {"over_time", "over_frequency", "profiles_over_time", "profiles_over_frequency"}
    profiles = check_frame(pd.read_csv(tmp_path / "profiles_over_frequency.csv"), "pattern_profile")
    burst = profiles.query("alignment == 'maximum of adapted relevance' and label == 'a' and frequency_hz == 200")
    assert (burst["conf_low"] > 0.5).all()
    assert len(burst) == 1
    assert np.isfinite(profiles["conf_high"]).all()
