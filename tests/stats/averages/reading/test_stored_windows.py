"""Windows of a store."""

import numpy as np
import pytest
import zarr
from letter_stores import HOP_S, store_letters

from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.stats import read_windows
from layerstats.store import store_arrays


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    return store_letters(tmp_path_factory.mktemp("letters") / "s.zarr")


def test_windows_come_with_their_letters_and_alignments(letters):
    store, heard, relevance, aligned = letters
    windows = read_windows(store, alignment="max_relevance")
    assert windows.labels == ("a", "b", "c", "d")
    assert windows.table["label"].tolist() == store.tokens["letter"].tolist()
    assert np.array_equal(windows.samples, aligned[:, :4, 0])
    assert (windows.band_name, windows.quantity, windows.hop_s) == ("frequency", "input", pytest.approx(HOP_S))
    assert windows.bands.tolist() == [100.0, 200.0, 300.0]
    rows = np.array([30, 2, 2, 11])
    assert np.array_equal(windows.read(rows), heard[rows])
    assert np.array_equal(np.concatenate([block for _, block in windows.blocks(7)]), heard)
    assert "No window is of the letter e, f" in windows.notes[0]
    of_relevance = read_windows(store.path, alignment="min_relevance", quantity="relevance")
    assert np.array_equal(of_relevance.read(rows), relevance[rows])
    assert np.array_equal(of_relevance.samples, aligned[:, :4, 1])


def test_what_is_selected_is_read(letters):
    store, heard, _, aligned = letters
    windows = read_windows(store.select(speaker=["s1", "s3"], letter=["b", "d"]), alignment="max_relevance")
    tokens = store.tokens
    rows = np.flatnonzero(tokens["speaker"].isin(["s1", "s3"]) & tokens["letter"].isin(["b", "d"]))
    assert windows.labels == ("b", "d")
    assert np.array_equal(windows.samples, aligned[rows][:, [1, 3], 0])
    assert np.array_equal(windows.read(np.arange(len(rows))), heard[rows])


def test_by_another_column_windows_are_aligned_by_the_letter_that_was_read(letters):
    store, _, _, aligned = letters
    windows = read_windows(store, by="word", alignment="max_relevance")
    assert windows.labels == ("he had",)
    number = [ord(letter) - ord("a") for letter in store.tokens["letter"]]
    assert np.array_equal(windows.samples, aligned[np.arange(len(number)), number, 0])


def test_unaligned_windows_have_their_middle_and_reach_as_far_as_asked(letters):
    windows = read_windows(letters[0], reach_s=0.016)
    assert not windows.by_label
    assert set(windows.samples) == {4}
    assert windows.lags.tolist() == [-2, -1, 0, 1, 2]
    longer = read_windows(letters[0], reach_s=60.0)
    assert longer.lags.tolist() == list(range(1 - longer.size, longer.size))


def test_what_is_not_there_is_refused(letters, tmp_path):
    store = letters[0]
    with pytest.raises(ArgumentError, match=r"'alignment'.*'phone_onset'"):
        read_windows(store, alignment="max_gradient")
    with pytest.raises(ArgumentError, match="'vowel'"):
        read_windows(store, by="vowel")
    with pytest.raises(ArgumentError, match="reach_s"):
        read_windows(store.select(time_s=(0.0, 0.02)))
    with pytest.raises(ArgumentError, match="'quantity'"):
        read_windows(store, quantity="activation")
    plain = store_letters(tmp_path / "plain.zarr", alignments=False)[0]
    assert read_windows(plain).alignment == "none"
    with pytest.raises(StoreError, match="--alignments"):
        read_windows(plain, alignment="max_relevance")
    without = store_letters(tmp_path / "without.zarr", maps=False)[0]
    with pytest.raises(StoreError, match="--maps"):
        read_windows(without)


def test_it_is_said_which_of_several_recordings_is_meant(letters, tmp_path):
    store = store_letters(tmp_path / "s.zarr")[0]
    other = np.zeros((len(store.tokens), 3, 5), dtype=np.float32)
    times = {"input": np.arange(5) * HOP_S}
    store_arrays(
        store.path, store.tokens, {"input": other}, time_s=times, name="other", attrs={"quantity": "relevance"}
    )
    with pytest.raises(ArgumentError, match="'adapted', 'other'"):
        read_windows(store.path, alignment="max_relevance")
    with pytest.raises(DataError, match="different shapes"):
        read_windows(store.path, alignment="max_relevance", relevance="adapted", quantity="other")
    assert read_windows(store.path, alignment="max_relevance", relevance="adapted").by_label


@pytest.mark.parametrize("sample", [-1, 9, 2**32 + 3])
@pytest.mark.parametrize("by", ["letter", "word"])
def test_a_sample_outside_of_its_window_is_named(tmp_path, sample, by):
    store = store_letters(tmp_path / "s.zarr")[0]
    number = ord(store.tokens["letter"][7]) - ord("a")
    array = zarr.open_group(tmp_path / "s.zarr", mode="r+")["recordings/adapted/input/aligned_sample"]
    array[7, number, 1] = sample
    assert read_windows(store.path, by=by, alignment="max_relevance").size == 9
    letter = store.tokens["letter"][7]
    with pytest.raises(StoreError, match=rf"window 'u0@7' is aligned at sample {sample} under the letter '{letter}'"):
        read_windows(store.path, by=by, alignment="min_relevance", relevance="adapted")


def test_a_letter_that_has_no_alignment_is_named_whatever_labels_windows(tmp_path):
    store = store_letters(tmp_path / "s.zarr", letters="ab'")[0]
    for by in ("letter", "word"):
        with pytest.raises(DataError, match='letter "\'"'):
            read_windows(store, by=by, alignment="max_relevance")
