import shutil

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import Corpus, read_timit
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import empty_phones, phones_table
from layerstats.errors import ArgumentError, CorpusError, DataError


def tokens_table(names, **columns):
    count = len(names)
    table = {"token": names, "word": ["ask"] * count, "speaker": ["x"] * count, "split": ["train"] * count}
    return pd.DataFrame(table | {"duration_s": [0.1] * count} | columns)


def corpus(tokens, phones=None):
    audio = {name: np.arange(1600, dtype=np.int16) for name in tokens["token"]}
    return Corpus("made", tokens, empty_phones() if phones is None else phones, 16000, MemoryAudio(audio))


def test_duplicate_tokens_are_named():
    with pytest.raises(CorpusError, match="unique, but 1 occur more than once in made: 'a'"):
        corpus(tokens_table(["a", "b", "a"]))


def test_no_tokens_and_missing_columns():
    with pytest.raises(CorpusError, match="no tokens"):
        corpus(tokens_table([]))
    with pytest.raises(DataError, match="'speaker'"):
        corpus(tokens_table(["a"]).drop(columns="speaker"))
    with pytest.raises(DataError, match="'word'"):
        corpus(tokens_table(["a"], word=pd.Series([None], dtype="str")))


def test_phones_must_belong_to_tokens():
    phones = phones_table(pd.DataFrame({"token": ["b"], "label": ["s"], "onset_s": [0.0], "offset_s": [0.1]}))
    with pytest.raises(CorpusError, match="unknown tokens, for instance 'b'"):
        corpus(tokens_table(["a"]), phones)


def test_subset_meets_every_condition(small_demo):
    voice = small_demo.speakers[0]
    found = small_demo.subset(words=["wash", "ask"], speakers=voice)
    table = small_demo.tokens
    expected = table[table["word"].isin(["wash", "ask"]) & (table["speaker"] == voice)]
    assert found.tokens["token"].tolist() == expected["token"].tolist()
    assert set(found.phones["token"]) == set(expected["token"])
    token = expected["token"].iloc[0]
    np.testing.assert_array_equal(found.audio(token), small_demo.audio(token))
    assert list(found.subset(tokens=token).tokens["token"]) == [token]
    assert set(small_demo.subset(split="test").tokens["split"]) == {"test"}


def test_subset_names_what_does_not_occur(small_demo):
    with pytest.raises(ArgumentError, match=r"No word 'zebra'.*'ask'"):
        small_demo.subset(words=["ask", "zebra"])
    test_voice = small_demo.tokens.loc[small_demo.tokens["split"] == "test", "speaker"].iloc[0]
    with pytest.raises(CorpusError, match="meets all the conditions"):
        small_demo.subset(speakers=test_voice, split="train")
    with pytest.raises(ArgumentError, match="no token 'nothing'"):
        small_demo.audio("nothing")


def test_subset_without_phones_keeps_the_types(small_demo):
    made = corpus(tokens_table(["a", "b"])).subset(tokens="a")
    assert list(made.phones.dtypes) == list(small_demo.phones.dtypes)


def test_split_speakers_separates_speakers(small_demo):
    found = small_demo.split_speakers(3, seed=1)
    sides = found.tokens.groupby("split")["speaker"].unique()
    assert len(sides["test"]) == 3
    assert not set(sides["test"]) & set(sides["train"])
    assert found.tokens["token"].tolist() == small_demo.tokens["token"].tolist()
    pd.testing.assert_frame_equal(found.tokens, small_demo.split_speakers(3, seed=1).tokens)
    drawn = {tuple(small_demo.split_speakers(3, seed=s).subset(split="test").speakers) for s in range(5)}
    assert len(drawn) > 1
    named = small_demo.split_speakers(list(small_demo.speakers[:2]))
    assert named.subset(split="test").speakers == small_demo.speakers[:2]


@pytest.mark.parametrize("held_out", [0, 8, ["nobody"], []])
def test_split_speakers_refuses(small_demo, held_out):
    with pytest.raises(ArgumentError, match="held_out"):
        small_demo.split_speakers(held_out)


def test_hash_knows_content_not_place(tmp_path, write_timit):
    write_timit(tmp_path / "one" / "dr1-fvmh0")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    here, there = (read_timit(tmp_path / name, words=None) for name in ("one", "two"))
    assert here.content_hash() == there.content_hash()
    assert here.subset(words="she").content_hash() != here.content_hash()
    write_timit(tmp_path / "two" / "dr1-fvmh0", samples=6001)
    assert read_timit(tmp_path / "two", words=None).content_hash() != here.content_hash()


def test_hash_knows_labels(small_demo):
    changed = small_demo.split_speakers(1)
    assert changed.content_hash() != small_demo.content_hash()


def test_words_are_one_whichever_system_wrote_them(small_demo):
    tokens = small_demo.tokens.iloc[:2].assign(word=["f\u00fcr", "fu\u0308r"], speaker=["J\u00f8rn", "Ze\u0301"])
    corpus = Corpus("two", tokens, empty_phones(), small_demo.rate_hz, small_demo.source)
    assert corpus.words == ("f\u00fcr",)
    assert len(corpus.subset(words="fu\u0308r")) == 2
    assert len(corpus.subset(speakers="Z\u00e9")) == 1


def test_repr_says_what_is_inside(small_demo):
    assert repr(small_demo).startswith("Corpus('demo': 64 tokens, 8 words, 8 speakers,")
