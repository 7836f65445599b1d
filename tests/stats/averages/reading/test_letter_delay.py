import numpy as np
import pandas as pd
import pytest
from spoken_windows import HOP_S, SAMPLES, TIMES, store_of_letters

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.averages import letter_delay
from layerstats.store import open_store, store_arrays


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return store_of_letters(tmp_path_factory.mktemp("letters") / "s.zarr", delay_s=0.03)


def test_the_delay_is_that_with_which_letters_were_told(store):
    found = letter_delay(store, reach_s=(-0.2, 0.3))
    # Edges of phones lie between samples: the next delay can hold as much, within one sample.
    assert found.delay_s == pytest.approx(0.03, abs=HOP_S)
    assert found.conf_low <= 0.03 <= found.conf_high
    assert (found.windows, found.speakers, found.notes) == (120, 4, ())


def test_information_is_that_of_the_definition(store):
    found = letter_delay(store, reach_s=(0.0, 0.1), draws=1).curve
    place = TIMES[SAMPLES // 2] - 0.06
    phones = store.phones.loc[lambda frame: (frame["onset_s"] <= place) & (frame["offset_s"] > place)]
    joined = store.tokens.merge(phones[["token", "label"]], on="token", how="left")
    share = pd.crosstab(joined["letter"], joined["label"].fillna("pause"), normalize=True).to_numpy()
    alone = share.sum(axis=1, keepdims=True) * share.sum(axis=0)
    shared = sum(one * np.log2(one / by_chance) for one, by_chance in zip(share.flat, alone.flat, strict=True) if one)
    assert np.isclose(found["delay_s"].iloc[6], 0.06)
    assert found["information_bits"].iloc[6] == pytest.approx(shared)


def test_the_same_seed_gives_the_same_interval_and_one_speaker_none(store):
    assert letter_delay(store, seed=3).conf_low == letter_delay(store, seed=3).conf_low
    alone = letter_delay(store.select(speaker="s0"), draws=2)
    assert np.isnan(alone.conf_low)
    assert "One speaker only" in alone.notes[0]


def test_a_delay_at_the_end_of_those_looked_at_is_told(store):
    assert "end of the delays" in letter_delay(store, reach_s=(0.05, 0.2), draws=2).notes[0]


@pytest.mark.parametrize("reach", [(0.1, 0.1), (-0.6, 0.1), (0.0, 0.5)])
def test_delays_that_no_window_has_are_refused(store, reach):
    with pytest.raises(ArgumentError, match=r"from -0\.400 to 0\.400 s"):
        letter_delay(store, reach_s=reach)


def test_a_folder_will_do_and_seeds_and_levels_are_checked(store):
    options = {"reach_s": (-0.2, 0.3), "draws": 5}
    assert letter_delay(store.path, **options).delay_s == letter_delay(store, **options).delay_s
    with pytest.raises(ArgumentError, match="'seed'"):
        letter_delay(store, seed=-1)
    with pytest.raises(ArgumentError, match="'conf_level'"):
        letter_delay(store, conf_level=95)


def test_letters_that_say_nothing_of_phones_are_refused(store):
    with pytest.raises(DataError, match="nothing in common"):
        letter_delay(store.select(letter="a"), reach_s=(-0.2, 0.2), draws=2)


def test_whole_tokens_and_stores_without_phones_are_refused(tmp_path):
    tokens = pd.DataFrame({"token": ["a"], "word": "ask", "speaker": "s1", "split": "test"})
    for name, table, reason in (("t", tokens, "no windows"), ("w", tokens.assign(utterance="u"), "has no phones")):
        path = store_arrays(tmp_path / name, table, {"input": np.zeros((1, 3))}, time_s={"input": np.arange(3) / 3})
        with pytest.raises(DataError, match=reason):
            letter_delay(open_store(path))
