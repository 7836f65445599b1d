import numpy as np
import pandas as pd
import pytest
from spoken_windows import LETTER_OF, TIMES, store_of_letters

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.averages.reading.told_phones import ToldPhones, phone_names, phone_samples
from layerstats.store import open_store, store_arrays


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return store_of_letters(tmp_path_factory.mktemp("told") / "s.zarr", delay_s=0.05)


def test_each_window_has_the_phone_that_its_letter_stands_for(store):
    told = ToldPhones.of(store, 0.05)
    letters = store.tokens["letter"].iloc[told.rows]
    assert [LETTER_OF[label] for label in told.labels("phone")] == letters.tolist()
    assert len(told.rows) == len(store.tokens)
    assert told.notes == ("The phone of a window is the one 50 ms before its middle.",)


def test_the_onset_is_the_first_sample_of_the_phone(store):
    told = ToldPhones.of(store, 0.05)
    samples = told.samples("phone_onset")
    onset = told.table["onset_s"].to_numpy()
    assert (TIMES[samples] >= onset).all()
    assert ((TIMES[samples] - onset < 0.01) | (samples == 0)).all()
    # Where [ae] is told, its band is loud from there on and not before.
    values = store.layer("input")["maps"].to_numpy()[told.rows, 0]
    rows = np.flatnonzero((told.labels("phone") == "ae") & (told.table["previous"] != "ae").to_numpy() & (samples > 0))
    assert (values[rows, samples[rows]] > 0.5).all()
    assert (values[rows, samples[rows] - 1] < 0.5).all()


def test_the_centre_is_the_sample_next_to_it(store):
    told = ToldPhones.of(store, 0.05)
    centre = told.table[["onset_s", "offset_s"]].mean(axis=1).to_numpy()
    assert (np.abs(TIMES[told.samples("phone_centre")] - centre) <= 0.005 + 1e-9).all()


def test_a_selection_counts_and_rows_are_those_of_the_selection(store):
    some = store.select(speaker="s2")
    told = ToldPhones.of(some, 0.05)
    assert told.table["token"].tolist() == some.tokens["token"].iloc[told.rows].tolist()
    assert told.table["token"].str.split("@").str[1].astype(int).between(60, 89).all()


def test_windows_in_a_pause_are_left_out_and_told(tmp_path):
    tokens = pd.DataFrame({"token": ["u@0", "u@1"], "utterance": "u", "word": "a", "speaker": "s", "split": "test"})
    rows = [("u@0", 0, "t", 0.0, 0.1), ("u@1", 0, "ae", 0.0, 0.5), ("u@1", 1, "s", 0.3, 0.7)]
    phones = pd.DataFrame(rows, columns=["token", "phone_index", "label", "onset_s", "offset_s"])
    times = {"input": np.arange(9) / 10}
    path = store_arrays(tmp_path / "s.zarr", tokens, {"input": np.zeros((2, 9))}, time_s=times, phones=phones)
    told = ToldPhones.of(open_store(path), 0.0)
    # Where labels overlap, that which begins last.
    assert (told.rows.tolist(), told.labels("phone").tolist()) == ([1], ["s"])
    assert told.notes[1] == "Left out: 1 of 2 windows in which no labelled phone lies there."
    with pytest.raises(DataError, match=r"No labelled phone lies -0\.4"):
        ToldPhones.of(open_store(path), -0.4)
    with pytest.raises(ArgumentError, match=r"between -0\.400 and 0\.400"):
        ToldPhones.of(open_store(path), 0.5)


def test_names_are_of_the_phone_its_context_or_a_column():
    phones = pd.DataFrame({"label": ["s"], "previous": ["ae"], "following": ["k"], "phone_class": ["fricative"]})
    assert phone_names(phones, "phone").tolist() == ["s"]
    assert phone_names(phones, "phone_in_context").tolist() == ["ae-s+k"]
    assert phone_names(phones, "phone_class").tolist() == ["fricative"]
    with pytest.raises(DataError, match="position"):
        phone_names(phones, "position")


def test_a_phone_from_before_the_window_is_aligned_at_its_first_sample():
    phones = pd.DataFrame({"onset_s": [-0.1, 0.2], "offset_s": [0.3, 0.4]})
    assert phone_samples(phones, np.arange(5) / 10, "phone_onset").tolist() == [0, 2]
    with pytest.raises(ArgumentError, match="phone_onset"):
        phone_samples(phones, np.arange(5) / 10, "none")
