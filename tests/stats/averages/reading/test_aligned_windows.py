"""Windows, their labels, and where they are aligned."""

from dataclasses import replace

import numpy as np
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.averages import AlignedWindows
from layerstats.stats.averages.reading.aligned_windows import aligned, centred_lags


def test_windows_lie_on_each_other_where_they_are_aligned():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 2, 7))
    samples = rng.integers(0, 7, size=5)
    moved, covered = aligned(values, samples, centred_lags(7))
    for window in range(5):
        for place, lag in enumerate(range(-3, 4)):
            inside = 0 <= samples[window] + lag < 7
            assert covered[window, place] == inside
            expected = values[window, :, samples[window] + lag] if inside else np.zeros(2)
            assert np.array_equal(moved[window, :, place], expected)


def test_the_alignment_may_depend_on_the_label():
    samples = np.array([[0, 3], [1, 2]])
    windows = AlignedWindows.from_arrays(np.zeros((2, 1, 4)), ["b", "a"], ["s", "s"], samples)
    assert windows.by_label
    assert windows.own_samples.tolist() == [3, 1]


def test_blocks_are_all_windows_once():
    values = np.arange(24.0).reshape(4, 2, 3)
    windows = AlignedWindows.from_arrays(values, ["a"] * 4, ["s"] * 4)
    found = list(windows.blocks(at_once=3))
    assert [len(rows) for rows, _ in found] == [3, 1]
    assert np.array_equal(np.concatenate([block for _, block in found]), values)


@pytest.mark.parametrize(
    ("samples", "labels", "levels", "message"),
    [
        (np.array([5, 0]), ["a", "b"], None, "0 to 4"),
        (np.zeros((2, 3), dtype=int), ["a", "b"], None, "samples must be"),
        (None, ["a", "b"], ["a"], "'b' of a window is none"),
        (np.array([1.5, 2.0]), ["a", "b"], None, "whole numbers"),
        (np.array([np.nan, 2.0]), ["a", "b"], None, "whole numbers"),
        (None, [1, 2], None, "must be text, but 1 is"),
        (None, ["a", "b"], ["a", "b", "a"], "'a' is there twice"),
    ],
)
def test_what_cannot_be_aligned_is_refused(samples, labels, levels, message):
    with pytest.raises(ArgumentError, match=message):
        AlignedWindows.from_arrays(np.zeros((2, 1, 5)), labels, ["s", "s"], samples, levels=levels)


def test_labels_bands_and_steps_are_there():
    with pytest.raises(DataError, match="label"):
        AlignedWindows.from_arrays(np.zeros((2, 1, 5)), ["a", None], ["s", "s"])
    with pytest.raises(ArgumentError, match="1 bands, but 'bands' are 3"):
        AlignedWindows.from_arrays(np.zeros((2, 1, 5)), ["a", "b"], ["s", "s"], bands=np.arange(3))
    with pytest.raises(DataError, match="no bands"):
        AlignedWindows.from_arrays(np.zeros((2, 0, 5)), ["a", "b"], ["s", "s"])
    with pytest.raises(ArgumentError, match="hop_s"):
        AlignedWindows.from_arrays(np.zeros((2, 1, 5)), ["a", "b"], ["s", "s"], hop_s=0.0)


def test_windows_of_different_shapes_are_refused():
    with pytest.raises(ArgumentError, match=r"one shape.*\(1, 4\), \(1, 5\)"):
        AlignedWindows.from_arrays([np.zeros((1, 5)), np.zeros((1, 4))], ["a", "b"], ["s", "s"])
    with pytest.raises(ArgumentError, match="2 windows, 1 labels"):
        AlignedWindows.from_arrays(np.zeros((2, 1, 5)), ["a"], ["s", "s"])


def test_lags_have_no_gaps():
    windows = AlignedWindows.from_arrays(np.zeros((1, 1, 5)), ["a"], ["s"])
    with pytest.raises(ArgumentError, match="lags"):
        replace(windows, lags=np.array([-2, 0, 2]))


def test_no_windows_are_no_data():
    with pytest.raises(DataError, match="no windows"):
        AlignedWindows.from_arrays(np.zeros((0, 1, 5)), [], [])


def test_windows_print_in_a_line():
    windows = AlignedWindows.from_arrays(np.zeros((3, 2, 5)), ["a", "b", "a"], ["s1", "s1", "s2"], hop_s=0.01)
    assert repr(windows) == (
        "AlignedWindows(3 windows of 2 labels by 2 speakers: input aligned by none, 2 bands by 5 lags of 0.01 s)"
    )
