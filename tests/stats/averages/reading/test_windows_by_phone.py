import numpy as np
import pytest
from spoken_windows import LETTER_OF, TIMES, store_of_letters

from layerstats.corpora import demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models import Wav2Letter, seeded
from layerstats.probes import record_letter_relevance
from layerstats.stats import letter_delay, read_windows
from layerstats.stats.averages.reading.aligned_windows import aligned


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


def test_phones_of_recorded_windows_are_those_of_the_corpus(tmp_path):
    corpus = demo_corpus(sentences=["the quick fox jumped over a lazy dog"], voices=1, said_by=1)
    with seeded(0):
        network = Wav2Letter(width=4, top=8)
    store = record_letter_relevance(network, corpus, tmp_path / "s.zarr", maps=True)
    windows = read_windows(store, by="phone", alignment="phone_onset", delay_s=0.1)
    tokens = store.tokens.set_index("token").loc[windows.table["token"]]
    hop_s = windows.hop_s
    for row, window in enumerate(tokens.to_dict("records")):
        # In the time of the utterance: the window's first frame, and the phone before its middle.
        begins = window["start_frame"] * hop_s
        said = corpus.phones.loc[corpus.phones["token"] == window["utterance"]]
        time = begins + (windows.size - 1) / 2 * hop_s - 0.1
        phone = said.loc[(said["onset_s"] <= time) & (said["offset_s"] > time)].iloc[0]
        assert windows.table["label"].iloc[row] == phone["label"]
        first = int(np.ceil(round((phone["onset_s"] - begins) / hop_s, 6)))
        assert windows.samples[row] == max(first, 0)
    assert len(windows.table) > 5
