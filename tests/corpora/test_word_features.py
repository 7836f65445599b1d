import pandas as pd
import pytest

from layerstats.corpora import WORD_FEATURES, Corpus, demo_corpus, word_features
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import empty_phones, phones_table
from layerstats.errors import CorpusError


def corpus_of(pronunciations):
    """One token of 0.1 s a phone for each (word, phones)."""
    rows = [(f"t{number}", *pair) for number, pair in enumerate(pronunciations)]
    tokens = pd.DataFrame(
        [(token, word, "anna", "train", 0.1 * len(phones.split())) for token, word, phones in rows],
        columns=["token", "word", "speaker", "split", "duration_s"],
    )
    intervals = [
        (token, label, 0.1 * place, 0.1 * (place + 1))
        for token, _, phones in rows
        for place, label in enumerate(phones.split())
    ]
    phones = phones_table(pd.DataFrame(intervals, columns=["token", "label", "onset_s", "offset_s"]))
    return Corpus("spelled", tokens, phones, 16000, MemoryAudio({}))


def features_of(word):
    table = word_features(corpus_of([word])).set_index("word")
    return {name for name in WORD_FEATURES if table.loc[word[0], name]}


@pytest.mark.parametrize(
    ("word", "phones", "expected"),
    [
        ("ship", "sh ih p", {"first sound a fricative", "sibilant", "high vowel", "front vowel"}),
        ("dog", "dcl d ao gcl g", {"voiced first sound", "first sound a stop", "alveolar first sound", "low vowel"}),
        ("moon", "m uw n", {"voiced first sound", "first sound a nasal", "labial first sound", "nasal", "high vowel"}),
        ("ask", "q ae s kcl", {"voiced first sound", "first sound a vowel", "sibilant", "low vowel", "front vowel"}),
        ("cow", "kcl k aw", {"first sound a stop", "velar first sound"}),
        (
            "banana",
            "b ax n ae n ax",
            {"voiced first sound", "first sound a stop", "labial first sound", "nasal", "low vowel", "front vowel"}
            | {"more than one syllable", "more than two syllables"},
        ),
        ("people", "p iy p el", {"first sound a stop", "labial first sound", "high vowel", "front vowel"}
            | {"more than one syllable"}),
        ("yes", "y eh s", {"voiced first sound", "first sound an approximant", "sibilant", "front vowel"}),
    ],
)  # fmt: skip
def test_features_by_hand(word, phones, expected):
    assert features_of((word, phones)) == expected


def test_the_commonest_pronunciation_counts():
    table = word_features(corpus_of([("can", "k ih n"), ("can", "k ae n"), ("can", "k ae n")]))
    assert table["low vowel"].tolist() == [True]
    assert table["high vowel"].tolist() == [False]


def test_built_in_words():
    table = word_features(demo_corpus(voices=4)).set_index("word")
    assert table.index[table["sibilant"]].tolist() == ["ask", "greasy", "wash"]
    assert table.index[table["more than one syllable"]].tolist() == ["greasy", "oily", "water"]


def test_words_without_phones_are_named():
    corpus = corpus_of([("ship", "sh ih p")])
    bare = Corpus("bare", corpus.tokens, empty_phones(), 16000, corpus.source)
    with pytest.raises(CorpusError, match=r"no phones for 1 of 1 words, for instance 'ship'.*corpora\.align"):
        word_features(bare)
