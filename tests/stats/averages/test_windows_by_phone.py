import numpy as np
import pytest
from spoken_windows import LETTER_OF, TIMES, store_of_letters

from layerstats.errors import ArgumentError
from layerstats.stats import letter_delay, read_windows
from layerstats.stats.averages.aligned_windows import aligned


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return store_of_letters(tmp_path_factory.mktemp("phones") / "s.zarr", delay_s=0.05)


def test_aligned_by_the_onset_the_pattern_begins_at_lag_zero(store):
    windows = read_windows(store, alignment="phone_onset", delay_s=0.05)
    moved, covered = aligned(windows.read(np.arange(len(windows.table))), windows.own_samples, windows.lags)
    rows = windows.table["label"].to_numpy() == "a"
    mean = moved[rows, 0].sum(axis=0) / np.maximum(covered[rows].sum(axis=0), 1)
    # Half of the phones before it are [ae] at most; from the onset on all are.
    first = int(np.flatnonzero(windows.lags == 0)[0])
    assert mean[first : first + 4].min() > 0.9
    assert mean[first - 4 : first].max() < 0.6
    assert (windows.by_label, windows.alignment) == (False, "phone_onset")
    assert "The phone of a window is the one 50 ms before its middle." in windows.notes


def test_the_delay_is_that_of_all_windows_of_the_store(store):
    delay = letter_delay(store).delay_s
    part = store.select(letter="a", speaker=["s1", "s2"])
    of_part = read_windows(part, alignment="phone_centre")
    told = read_windows(part, alignment="phone_centre", delay_s=delay)
    assert np.array_equal(of_part.samples, told.samples)
    assert set(of_part.table["speaker"]) == {"s1", "s2"}


def test_windows_by_phone_and_in_context_have_the_phone_that_is_told(store):
    windows = read_windows(store, by="phone", delay_s=0.05)
    letters = store.tokens.set_index("token")["letter"][windows.table["token"]]
    assert [LETTER_OF[label] for label in windows.table["label"]] == letters.tolist()
    assert set(windows.own_samples) == {len(TIMES) // 2}
    contexts = read_windows(store, by="phone_in_context", delay_s=0.05).table["label"]
    assert contexts.str.extract(r"-(\w+)\+")[0].tolist() == windows.table["label"].tolist()
    assert read_windows(store, by="label", delay_s=0.05).table["label"].equals(windows.table["label"])


def test_windows_without_a_phone_are_left_out_and_values_are_of_the_others(store):
    # So far before the middle some windows have none.
    windows = read_windows(store, by="phone", delay_s=-0.4)
    row = store.tokens["token"].tolist().index(windows.table["token"].iloc[-1])
    expected = store.layer("input")["maps"].to_numpy()[row]
    assert np.array_equal(windows.read(np.array([len(windows.table) - 1]))[0], expected)


def test_columns_that_do_not_exist_are_refused_with_those_that_do(store):
    with pytest.raises(ArgumentError, match=r"'phone_in_context'.*got 'vowels'"):
        read_windows(store, by="vowels")
