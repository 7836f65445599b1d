"""Scripts on averages of aligned windows as a user runs them, in a process of their own."""

import pandas as pd
import pytest

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
