import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from layerstats.corpora import demo_corpus, demo_sentences
from layerstats.corpora.sentences import deal, is_held_out
from layerstats.errors import ArgumentError


@pytest.fixture(scope="module")
def sentences():
    return demo_corpus(sentences=demo_sentences(24), voices=8, said_by=3)


def test_sentences_differ_and_have_all_letters_often():
    drawn = demo_sentences()
    assert len(set(drawn)) == 240
    assert all(re.fullmatch(r"[a-z']+( [a-z']+)+", sentence) for sentence in drawn)
    letters = Counter("".join(drawn))
    assert min(letters[letter] for letter in "abcdefghijklmnopqrstuvwxyz'") >= 30
    assert len(set(" ".join(drawn).split())) > 900
    assert len(set(" ".join(demo_sentences(2000)).split())) > 1600


def test_longer_draws_begin_with_shorter_ones_and_seeds_differ():
    assert demo_sentences(500)[:100] == demo_sentences(100)
    assert len(set(demo_sentences(1000, seed=1)) & set(demo_sentences(1000, seed=2))) < 20


def test_held_out_sentences_have_words_that_training_lacks():
    held_out = [sentence for sentence in demo_sentences() if is_held_out(sentence)]
    assert 36 <= len(held_out) <= 60
    trained = set(" ".join(set(demo_sentences()) - set(held_out)).split())
    assert len(set(" ".join(held_out).split()) - trained) > 50


def test_article_before_a_vowel():
    text = " ".join(demo_sentences(3000)) + " "
    assert not re.search(r"\ba (?!uni|use|one)[aeiou]", text)
    assert not re.search(r"\ban [^aeiou]", text)
    assert " an " in text
    assert " a unique " in text


def test_more_sentences_than_the_patterns_give(monkeypatch):
    few = {"seed": 0, "fewest_letters": 1, "most_letters": 9, "patterns": ["{one}"], "words": {"one": ["a", "b"]}}
    monkeypatch.setattr("layerstats.corpora.sentences._sentence_lists", lambda: few)
    assert sorted(demo_sentences(2)) == ["a", "b"]
    with pytest.raises(ArgumentError, match="about 2, but got 3"):
        demo_sentences(3)


@pytest.mark.parametrize(("count", "voices", "said_by"), [(7, 5, 3), (20, 4, 4), (9, 2, 1)])
def test_sentences_are_dealt_evenly(count, voices, said_by):
    pairs = deal(count, voices, said_by, seed=3)
    assert len(set(pairs)) == count * said_by
    assert set(Counter(sentence for _, sentence in pairs).values()) == {said_by}
    share = Counter(voice for voice, _ in pairs)
    assert max(share.values()) - min(share[voice] for voice in range(voices)) <= 1


def test_sides_by_voice_and_by_sentence(sentences):
    tokens = sentences.tokens
    assert len(tokens) == 24 * 3
    assert (tokens["sentence"] == tokens["word"]).all()
    assert set(tokens.groupby("speaker")["voice_split"].nunique()) == {1}
    assert tokens.drop_duplicates("speaker")["voice_split"].value_counts().to_dict() == {"train": 6, "test": 2}
    assert [split == "test" for split in tokens["sentence_split"]] == [is_held_out(text) for text in tokens["word"]]
    either = (tokens["voice_split"] == "test") | (tokens["sentence_split"] == "test")
    assert [split == "test" for split in tokens["split"]] == either.tolist()


def test_sentences_last_longer_than_the_network_hears(sentences):
    assert sentences.tokens["duration_s"].between(1.4, 6).all()
    assert (sentences.tokens["duration_s"] > 1.65).mean() > 0.95
    for token in sentences.tokens["token"][:6]:
        assert 0.05 < np.abs(sentences.audio(token)).max() < 0.999


def test_phones_of_a_sentence_are_those_of_a_dictionary():
    corpus = demo_corpus(sentences=["the quick fox kept a wise judge"], voices=["en-us+m3"], said_by=1)
    assert " ".join(corpus.phones["label"]) == "dh ax k w ih k f aa k s k eh p t ax w ay z jh ah jh"
    assert corpus.phones["onset_s"].iloc[0] == 0
    assert corpus.phones["offset_s"].iloc[-1] == pytest.approx(corpus.tokens["duration_s"].iloc[0])
    hiss = corpus.phones[corpus.phones["label"].isin(["s", "f", "z"])]
    samples = corpus.audio(corpus.tokens["token"].iloc[0])
    power = np.abs(np.diff(samples, prepend=0)) ** 2 / np.mean(samples**2)
    shares = [
        power[round(row.onset_s * corpus.rate_hz) : round(row.offset_s * corpus.rate_hz)].sum()
        / power[round((row.onset_s - 0.06) * corpus.rate_hz) : round((row.offset_s + 0.06) * corpus.rate_hz)].sum()
        for row in hiss[hiss["label"] == "s"].itertuples()
    ]
    assert min(shares) > 0.5  # high frequencies lie inside the fricative


@pytest.mark.slow
def test_every_accent_has_known_phones_in_sentences():
    """Sentences join words otherwise than lists do: r and y come between vowels, and t is flapped."""
    drawn = demo_sentences(150)
    assert len(set(" ".join(drawn).split())) > 700
    corpus = demo_corpus(sentences=drawn, voices=8, said_by=8)
    assert len(corpus) == 1200
    assert not (corpus.phones["phone_class"] == "other").any()
    assert corpus.tokens["duration_s"].min() > 1.4


def test_same_samples_in_another_process(sentences):
    script = (
        "from layerstats.corpora import demo_corpus, demo_sentences;"
        "print(demo_corpus(sentences=demo_sentences(24), voices=8, said_by=3).content_hash())"
    )
    hashed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert hashed == sentences.content_hash()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sentences": []}, "at least one sentence"),
        ({"sentences": ["ask me", "ask me"]}, "none twice"),
        ({"sentences": ["Ask me"]}, "'Ask me'"),
        ({"sentences": ["ask  me"]}, "single spaces"),
        ({"sentences": ["ask me"], "words": ["ask"]}, "not both"),
        ({"sentences": ["ask me"], "voices": 2, "said_by": 3}, "number of voices, 2, but got 3"),
        ({"words": ["ask"], "said_by": 2}, "every voice says every word"),
    ],
)
def test_bad_sentences(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        demo_corpus(**arguments)


def test_closures_belong_to_their_stops():
    """Between sounds a voiceless stop begins with silence, and the vowel before it does not end with it."""
    voices = ["en-us+m3", "en-us+f1", "en-gb-scotland+m1", "en-us+f4"]  # the last one has an echo
    corpus = demo_corpus(sentences=demo_sentences(12), voices=voices, said_by=4)
    table = corpus.phones.merge(corpus.tokens[["token", "speaker"]], on="token")
    rows = []
    for phone in table.itertuples():
        samples = corpus.audio(phone.token)
        start, stop = (round(edge * corpus.rate_hz) for edge in (phone.onset_s, phone.offset_s))
        level = [
            20 * np.log10(np.std(part) + 1e-5) for part in (samples[start : start + 300], samples[stop - 300 : stop])
        ]
        rows.append(level)
    table[["first_db", "last_db"]] = rows
    stops = table["label"].isin(["p", "t", "k", "ch"]) & (table["position"] == "medial")
    after_vowel = stops & (table["phone_class"].shift(1) == "monophthong")
    assert after_vowel.sum() > 60
    echoes = table["speaker"] == "en-us+f4"
    assert (table.loc[stops & ~echoes, "first_db"] < -90).mean() > 0.95
    vowel_end = table["last_db"].shift(1)
    assert (table["first_db"] < vowel_end - 5)[after_vowel].mean() > 0.95
    durations = (table["offset_s"] - table["onset_s"])[after_vowel]
    assert durations[echoes].mean() == pytest.approx(durations[~echoes].mean(), rel=0.25)


def test_words_of_phones():
    corpus = demo_corpus(sentences=["she'll judge the king's axes in front of us"], voices=["en-us+m3"], said_by=1)
    words = corpus.phones.groupby("word_index")["label"].agg(" ".join)
    expected = ["sh iy l", "jh ah jh", "dh ax", "k ih ng z", "ae k s ix z", "ih n", "f r ah n t", "ah v", "ah s"]
    assert words.tolist() == expected


def test_words_said_as_one_have_the_first_one_s_number():
    corpus = demo_corpus(sentences=["some of the jam"], voices=["en-us+m3"], said_by=1)
    assert corpus.phones.groupby("word_index")["label"].agg(" ".join).to_dict() == {
        0: "s ah m",
        1: "ah v dh ax",
        3: "jh ae m",
    }
