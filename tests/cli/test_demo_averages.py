"""The part of the demonstration about averages of aligned windows: what is recorded, and which scripts look at it."""

import pytest

from layerstats.cli import demo_averages
from layerstats.cli.progress import steps
from layerstats.stats import stored_alignments


@pytest.mark.slow
def test_windows_of_the_shipped_network_are_recorded_with_their_alignments(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_averages, "SPEAKERS", 2)
    with steps() as step:
        store = demo_averages.record_small_windows(step, tmp_path / "letters.zarr")
    ways = [way.written for way in stored_alignments(store)]
    assert ways == ["none", "gradient:max_relevance", "gradient:min_relevance"]


def test_scripts_get_what_was_recorded(tmp_path):
    jobs = demo_averages.averages_jobs(tmp_path / "letters.zarr")
    assert tuple(jobs) == demo_averages.ANALYSES
    for arguments in jobs.values():
        assert arguments[0] == str(tmp_path / "letters.zarr")
    # The letter that gets a figure is one of those that are recorded, by the recording that aligns.
    patterns = jobs["letter_patterns"]
    assert patterns[patterns.index("--letters") + 1] in demo_averages.LETTERS
    assert patterns[patterns.index("--recording") + 1] == demo_averages.METHOD
