import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.stats import read_events
from layerstats.stats.averages.reading.aligned_windows import aligned
from layerstats.store import open_store, store_arrays

HOP_S = 0.02
SAMPLES = 50
TIMES = 0.005 + np.arange(SAMPLES) * HOP_S
WORDS = ("ask", "wash")


def store_of_words(path, speakers=3, each=4, seed=0, *, texts=None, columns=True, phones=True):
    """Store clips of a word whose fricative is 1 in the first channel for as long as it lasts, 100 ms after silence."""
    rng = np.random.default_rng(seed)
    count = speakers * each
    tokens = pd.DataFrame(
        {
            "token": [f"t{row}" for row in range(count)],
            "word": texts or [WORDS[row % 2] for row in range(count)],
            "speaker": [f"s{row // each}" for row in range(count)],
            "split": "test",
            "sex": [("F", "M")[row // each % 2] for row in range(count)],
        }
    )
    onset, first, second = rng.uniform(0.0, 0.3, count), rng.uniform(0.1, 0.2, count), rng.uniform(0.1, 0.2, count)
    rows = []
    maps = 0.01 * rng.standard_normal((count, 2, SAMPLES))
    for row in range(count):
        edges = onset[row] + np.cumsum([0, first[row], second[row]])
        name = "s" if row % 2 == 0 else "sh"
        rows += [(f"t{row}", 0, "aa", edges[0], edges[1], "#", name, "vowel", 0)]
        rows += [(f"t{row}", 1, name, edges[1], edges[2], "aa", "#", None, 1)]
        maps[row, 0] += (edges[1] <= TIMES) & (edges[2] > TIMES)
    if columns:
        tokens = tokens.assign(onset_s=onset, duration_s=first + second)
    names = [
        "token",
        "phone_index",
        "label",
        "onset_s",
        "offset_s",
        "previous",
        "following",
        "phone_class",
        "word_index",
    ]
    options = {
        "time_s": {"conv1": TIMES, "conv2": TIMES},
        "phones": pd.DataFrame(rows, columns=names) if phones else None,
    }
    store_arrays(path, tokens, {"conv1": maps, "conv2": -maps}, **options)
    return open_store(path)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return store_of_words(tmp_path_factory.mktemp("events") / "s.zarr")


def means(windows):
    moved, covered = aligned(windows.read(np.arange(len(windows.table))), windows.own_samples, windows.lags)
    assert covered.any(axis=0).all()
    return {
        label: moved[rows].sum(axis=0) / np.maximum(covered[rows].sum(axis=0), 1)[None]
        for label in windows.labels
        for rows in [(windows.table["label"] == label).to_numpy()]
    }


def test_phones_are_aligned_at_their_onset(store):
    windows = read_events(store, layer="conv1")
    assert (windows.labels, len(windows.table), windows.notes) == (("aa", "s", "sh"), 24, ())
    assert (windows.quantity, windows.band_name, windows.by_label) == ("activation", "channel", False)
    assert windows.lags.tolist() == list(range(-10, 11))
    for label in ("s", "sh"):
        mean = means(windows)[label][0]
        assert mean[:10].max() < 0.1  # before the phone
        assert mean[10:15].min() > 0.9
    assert means(read_events(store, layer="conv2"))["s"][0, 10] == pytest.approx(-means(windows)["s"][0, 10])


def test_a_row_is_an_event_of_its_token(store):
    windows = read_events(store, by="phone_in_context", alignment="phone_centre", layer="conv1")
    assert windows.labels == ("#-aa+s", "#-aa+sh", "aa-s+#", "aa-sh+#")
    row = len(windows.table) - 1
    assert windows.table["token"].iloc[row] == "t11"
    assert np.array_equal(windows.read(np.array([row, 0]))[0], store.layer("conv1")["maps"].to_numpy()[11])
    phone = store.phones.iloc[-1]
    assert abs(TIMES[windows.samples[row]] - (phone["onset_s"] + phone["offset_s"]) / 2) <= HOP_S / 2 + 1e-9


def test_a_selection_of_phones_counts_and_tokens_may_label_them(store):
    windows = read_events(store.select(phone=["s", "sh"], speaker=["s0", "s1"]), by="word", layer="conv1")
    assert windows.table.groupby("label").size().to_dict() == {"ask": 4, "wash": 4}
    assert means(windows)["ask"][0, 10] > 0.9
    assert read_events(store, by="sex", layer="conv1").labels == ("F", "M")


def test_words_are_aligned_at_their_onset(store, tmp_path):
    windows = read_events(store, by="word", alignment="word_onset", layer="conv1")
    onset = store.tokens["onset_s"].to_numpy()
    assert np.array_equal(windows.samples, np.searchsorted(TIMES, onset))
    # Where tokens do not say when they begin, their phones do.
    of_phones = read_events(
        store_of_words(tmp_path / "p.zarr", columns=False), by="word", alignment="word_onset", layer="conv1"
    )
    assert np.array_equal(of_phones.samples, windows.samples)
    assert of_phones.table.equals(windows.table)


def test_words_of_sentences_are_those_of_the_text(tmp_path):
    store = store_of_words(tmp_path / "s.zarr", texts=["oh she"] * 11 + ["oh"])
    windows = read_events(store, by="word", alignment="word_onset", layer="conv1")
    assert windows.table["label"].tolist() == ["oh", "she"] * 11 + ["oh"]
    assert "Left out: 1 of 24 words" in windows.notes[0]
    assert np.array_equal(windows.samples[1::2], read_events(store, layer="conv1").samples[1:23:2])


def test_phones_without_a_label_or_beyond_the_layer_are_left_out_and_told(store, tmp_path):
    windows = read_events(store, by="phone_class", layer="conv1")
    assert (windows.labels, windows.notes[0][:36]) == (("vowel",), "Left out: 12 of 24 phones that have ")
    tokens, phones = store.tokens.iloc[:1], store.phones.iloc[:2].assign(onset_s=[0.1, 1.2], offset_s=[0.2, 1.4])
    path = store_arrays(
        tmp_path / "o.zarr", tokens, {"conv1": np.zeros((1, 2, SAMPLES))}, time_s={"conv1": TIMES}, phones=phones
    )
    assert read_events(path).table["label"].tolist() == ["aa"]


def test_what_is_not_there_is_refused(store, tmp_path):
    with pytest.raises(ArgumentError, match="'word_onset'"):
        read_events(store, alignment="max_relevance", layer="conv1")
    with pytest.raises(ArgumentError, match=r"'phone_in_context'.*got 'vowels'"):
        read_events(store, by="vowels", layer="conv1")
    with pytest.raises(ArgumentError, match="conv1, conv2"):
        read_events(store)
    with pytest.raises(ArgumentError, match="reach_s"):
        read_events(store.select(time_s=(0.0, 0.2)), layer="conv1")
    with pytest.raises(ArgumentError, match="Phones are selected"):
        read_events(store.select(phone="s"), by="word", alignment="word_onset", layer="conv1")
    bare = store_of_words(tmp_path / "b.zarr", columns=False, phones=False)
    with pytest.raises(DataError, match="not known where words begin"):
        read_events(bare, by="word", alignment="word_onset", layer="conv1")
    series = store_arrays(
        tmp_path / "m.zarr", store.tokens, {"conv1": np.zeros((12, SAMPLES))}, time_s={"conv1": TIMES}
    )
    with pytest.raises(StoreError, match="no maps"):
        read_events(series)
    windows = store.tokens.assign(utterance="u")
    path = store_arrays(tmp_path / "w.zarr", windows, {"input": np.zeros((12, 2, SAMPLES))}, time_s={"input": TIMES})
    with pytest.raises(DataError, match=r"read_windows\(\)"):
        read_events(path)
