"""From any column of tokens or phones to labelled series, alike from a store and from its tidy table."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import Contrast, phone_series, word_series
from layerstats.store import open_store, store_arrays

SAMPLES = 20


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Six speakers, of whom one has no sex on record; two words of two phones; a number and a gap among the columns."""
    number = np.arange(12)
    tokens = pd.DataFrame(
        {
            "token": [f"t{one:02}" for one in number],
            "word": np.where(number % 2 == 0, "see", "she"),
            "speaker": [f"p{one // 2}" for one in number],
            "split": "test",
            "sex": [None if one // 2 == 5 else "fm"[one // 2 % 2] for one in number],
            "dialect": [f"dr{one // 4 + 1}" for one in number],
            "dose": number % 3 / 2,
            "onset_s": 0.1,
            "duration_s": 0.7,
        }
    )
    first = pd.DataFrame(
        {"token": tokens["token"], "phone_index": 0, "label": np.where(number % 2 == 0, "s", "sh"), "onset_s": 0.1,
         "offset_s": 0.4, "position": "initial", "stress": 0}
    )  # fmt: skip
    second = first.assign(phone_index=1, label="iy", onset_s=0.4, offset_s=0.8, position="final", stress=1)
    phones = pd.concat([first, second]).sort_values(["token", "phone_index"], ignore_index=True)
    values = np.random.default_rng(0).normal(size=(12, SAMPLES))
    time = (np.arange(SAMPLES) + 0.5) / SAMPLES
    path = tmp_path_factory.mktemp("columns") / "store.zarr"
    return open_store(store_arrays(path, tokens, {"conv1": values}, time_s={"conv1": time}, phones=phones))


def same(one, other):
    shared = [name for name in one.frame.columns if name in other.frame.columns]
    left, right = (each.frame.sort_values([one.identifier, one.covariate], ignore_index=True) for each in (one, other))
    pd.testing.assert_frame_equal(left[shared], right[shared])


def levels(series, contrast):
    return dict(series.frame.drop_duplicates(series.identifier)[contrast.group].value_counts())


def test_words_are_the_series_of_words(store):
    contrast = Contrast.of_words("she", "see")
    one = contrast.series(store, "conv1")
    same(one, word_series(store, "conv1", words=["see", "she"]))
    assert contrast.group == "word"
    assert levels(one, contrast) == {"see": 6, "she": 6}


def test_phones_are_the_series_of_phones(store):
    contrast = Contrast.read("s,sh:iy")
    one = contrast.series(store, "conv1")
    same(one, phone_series(store, "conv1", phones=["s", "sh", "iy"]))
    assert levels(one, contrast) == {"s,sh": 12, "iy": 12}
    assert set(one.frame.loc[one.frame["phone"] == "iy", "phone_set"]) == {"iy"}


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        # A token without a value is of no level.
        ("sex=f:m", {"f": 6, "m": 4}),
        ("dialect=north(dr1,dr2):south(dr3)", {"north": 8, "south": 4}),
        # Numbers are levels by the name that R gives them.
        ("dose=0:1", {"0": 4, "1": 4}),
        ("dose=0:0.5,1", {"0": 4, "0.5,1": 8}),
        ("word=see:she", {"see": 6, "she": 6}),
    ],
)
def test_any_column_of_tokens_makes_a_series_a_token(store, text, counts):
    contrast = Contrast.read(text)
    one = contrast.series(store, "conv1", samples=None)
    assert (one.identifier, one.covariate) == ("token", "sample")
    assert levels(one, contrast) == counts
    tidy = store.to_frame("conv1", columns=[contrast.column])
    same(contrast.series(tidy, samples=None), one)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("phones.position=initial:final", {"initial": 12, "final": 12}),
        ("phones.label=s:sh", {"s": 6, "sh": 6}),
        # A column of the tokens, one series a phone.
        ("phones.sex=f:m", {"f": 12, "m": 8}),
    ],
)
def test_any_column_of_phones_makes_a_series_a_phone(store, text, counts):
    contrast = Contrast.read(text)
    one = contrast.series(store, "conv1")
    assert (one.identifier, one.covariate) == ("phone_token", "time")
    assert levels(one, contrast) == counts


def test_a_selection_narrows_the_series(store):
    contrast = Contrast.read("phones.sex=f:m")
    one = contrast.series(store.select(phone="s", speaker=["p0", "p1", "p2"]), "conv1")
    assert levels(one, contrast) == {"f": 2, "m": 1}
    assert set(one.frame["phone"]) == {"s"}


def test_variants_choose_the_samples(store):
    contrast = Contrast.between("sex", "f", "m", variant="word")
    one = contrast.series(store, "conv1", samples=None)
    assert one.covariate == "time"
    assert one.points == 14
    assert (
        Contrast.between("sex", "f", "m", variant="duration").series(store, "conv1").frame["duration_s"].eq(0.7).all()
    )


def test_intervals_say_where_series_lie(store):
    whole = Contrast.read("sex=f:m").intervals(store)
    assert list(whole.columns) == ["token", "word", "speaker", "sex", "onset_s", "offset_s"]
    assert np.isinf(whole[["onset_s", "offset_s"]]).all(axis=None)
    word = Contrast.of_words("see", "she", variant="word").intervals(store)
    np.testing.assert_allclose(word["offset_s"], 0.8)
    phones = Contrast.read("phones.sex=f:m").intervals(store)
    assert list(phones.columns) == ["token", "word", "speaker", "phone", "phone_index", "sex", "onset_s", "offset_s"]
    assert len(phones) == 20


def test_a_level_too_short_everywhere_leaves_no_series(store):
    one = Contrast.read("s:sh").series(store.select(time_s=(0.0, 0.2)), "conv1")
    assert one.frame.empty
    assert "phone_set" in one.frame
    assert len(one.dropped) == 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sex=f:x", r"no sex 'x' in the data. There are: f, m"),
        ("s:zh", r"no phone 'zh' in the data. There are: iy, s, sh"),
        ("age=old:young", r"no column 'age' of tokens. There are: token, word"),
        ("position=initial:final", r"Phones have it: write 'phones.position=initial:final'"),
        ("phones.tone=1:2", r"no column 'tone'. Phones have: token, phone_index.*; tokens have: token, word"),
    ],
)
def test_columns_and_values_that_do_not_exist_are_named(store, text, message):
    with pytest.raises(ArgumentError, match=message):
        Contrast.read(text).series(store, "conv1")


def test_a_table_needs_the_column(store):
    with pytest.raises(DataError, match="'sex' is not in the series"):
        Contrast.read("sex=f:m").series(store.to_frame("conv1"))


def test_tables_of_ones_own_number_tokens_and_speakers(store):
    """From a CSV, codes of tokens and speakers are read as numbers; a category is whatever its values are."""
    frame = store.to_frame("conv1", columns=["sex"])
    numbered = frame.assign(token=frame["token"].str[1:].astype(int), speaker=frame["speaker"].str[1:].astype(float))
    numbered = numbered.astype({"sex": "category", "word": "category"}).sample(frac=1, random_state=0)
    contrast = Contrast.read("sex=f:m")
    found, expected = contrast.series(numbered).frame, contrast.series(frame).frame
    assert set(found["speaker"]) == {"0", "1", "2", "3", "4"}
    order = found["token"].astype(int).argsort(kind="stable").to_numpy()
    assert found["value"].to_numpy()[order].tolist() == expected["value"].tolist()
    assert found["sex"].astype(str).to_numpy()[order].tolist() == expected["sex"].tolist()


@pytest.mark.parametrize("text", ["sex=f:m", "phones.sex=f:m"])
def test_a_series_of_several_levels_is_refused(store, text):
    frame = store.select(phone=["s", "iy"]).to_frame("conv1", columns=["sex"])
    if text == "sex=f:m":
        frame = frame.drop_duplicates(["token", "sample"])
    frame.loc[frame.index[3], "sex"] = "m"
    with pytest.raises(DataError, match="'sex' has several values within series, for instance within 't00"):
        Contrast.read(text).series(frame)
