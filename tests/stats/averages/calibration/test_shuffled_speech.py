"""Worlds of speech: letters stay with their speakers, alignments with windows, patterns are where they should be."""

import numpy as np
import pytest
from letter_stores import store_letters

from layerstats.stats.averages.calibration.noise_windows import ALIGNMENTS, GRADIENT_MINIMUM, NONE, RELEVANCE
from layerstats.stats.averages.calibration.shuffled_speech import SpeechWorld


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("letters") / "s.zarr"
    shape = {"speakers": 3, "each": 45, "bands": 64, "samples": 40, "letters": "abcdef"}
    _, heard, _, aligned = store_letters(path, **shape)
    store_letters(path, name="gradient", **shape)
    return path, heard, aligned


def kept(world):
    """The rows of the store that the windows are, by their tokens."""
    return np.array([int(token.split("@")[1]) for token in world.windows[NONE].table["token"]])


def test_values_are_pooled_and_alignments_are_those_of_the_store(stored):
    path, heard, aligned = stored
    world = SpeechWorld.of(path)
    windows = world.windows[RELEVANCE]
    assert set(world.windows) == set(ALIGNMENTS)
    letters = [ord(label) - ord("a") for label in windows.labels]
    assert len(letters) == 4
    assert windows.table.groupby(["speaker", "label"]).size().max() <= 4
    rows = kept(world)
    means = heard[rows].reshape(len(rows), 4, 16, 10, 4).mean(axis=(2, 4))
    assert world.values == pytest.approx(means, abs=1e-5)
    assert (windows.samples == aligned[rows][:, letters, 0] // 4).all()
    assert (world.windows[GRADIENT_MINIMUM].samples == aligned[rows][:, letters, 1] // 4).all()


def test_letters_are_shuffled_within_speakers(stored):
    world = SpeechWorld.of(stored[0])
    drawn = world.draw(np.random.default_rng(0), "none")
    before, after = world.windows[NONE].table, drawn[NONE].table
    assert not before["label"].equals(after["label"])
    count = ["speaker", "label"]
    assert before.groupby(count).size().equals(after.groupby(count).size())
    assert all(windows.table.equals(after) for windows in drawn.values())
    assert drawn[RELEVANCE].read(np.arange(5)) == pytest.approx(world.values[:5])


def test_the_pattern_is_where_relevance_of_the_first_letter_is_largest(stored):
    world = SpeechWorld.of(stored[0])
    drawn = world.draw(np.random.default_rng(0), "inserted")
    rows = np.arange(len(world.values))
    added = drawn[NONE].read(rows) - world.values
    places, first = drawn[RELEVANCE].own_samples, drawn[RELEVANCE].label_codes == 0
    assert not added[~first].any()
    for row in np.flatnonzero(first):
        assert set(np.flatnonzero(np.abs(added[row, 2]) > 1e-6)) == {places[row], min(places[row] + 1, 9)}
        assert not added[row, :2].any()
    # One height a speaker.
    heights = added[first, 2, places[first]]
    speakers = drawn[NONE].table["speaker"].to_numpy()[first]
    assert all(np.ptp(heights[speakers == one]) < 1e-5 for one in set(speakers))
