import subprocess
import sys

import numpy as np
import pytest

from layerstats.corpora import PAPER_WORDS, Clips, demo_corpus, demo_words, phone_class
from layerstats.corpora.demo import timit_label
from layerstats.errors import ArgumentError, CorpusError


@pytest.fixture(scope="module")
def full_demo():
    return demo_corpus()


def band_share(corpus, token, phone, low_hz, high_hz):
    """Share of a phone's energy between two frequencies."""
    samples = corpus.audio(token)[round(phone.onset_s * corpus.rate_hz) : round(phone.offset_s * corpus.rate_hz)]
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / corpus.rate_hz)
    return power[(hertz >= low_hz) & (hertz < high_hz)].sum() / power.sum()


def test_sizes_and_split(full_demo):
    tokens = full_demo.tokens
    assert full_demo.words == tuple(sorted(PAPER_WORDS))
    assert len(full_demo.speakers) == 64
    assert len(tokens) == 64 * 8
    voices = tokens.drop_duplicates("speaker")
    assert voices["split"].value_counts().to_dict() == {"train": 48, "test": 16}
    assert tokens.groupby("speaker")["split"].nunique().max() == 1
    held_out = voices[voices["split"] == "test"]
    # One woman and one man of each of the eight accents.
    assert held_out.groupby(["accent", "sex"]).size().tolist() == [1] * 16


def test_boundaries_are_ordered_and_fill_the_word(full_demo):
    ends = full_demo.phones.groupby("token")["offset_s"].last()
    durations = full_demo.tokens.set_index("token")["duration_s"]
    np.testing.assert_allclose(ends[durations.index], durations)
    for _, phones in full_demo.phones.groupby("token"):
        assert phones["onset_s"].iloc[0] == 0
        np.testing.assert_array_equal(phones["onset_s"].iloc[1:], phones["offset_s"].iloc[:-1])
    for token, duration in durations.items():
        assert len(full_demo.audio(token)) == round(duration * full_demo.rate_hz)


def test_sound_is_speech_that_was_not_clipped(full_demo):
    assert full_demo.tokens["duration_s"].between(0.2, 0.8).all()
    for token in full_demo.tokens["token"]:
        samples = full_demo.audio(token)
        assert 0.05 < np.abs(samples).max() < 0.999
        assert np.sqrt(np.mean(samples**2)) > 0.01


def test_boundaries_are_where_the_sounds_are(full_demo):
    """Frication lies above the vowel's formants, and that of [s] above that of [ʃ]."""
    phones = full_demo.phones.merge(full_demo.tokens[["token", "word"]], on="token")
    share = {}
    for word, label in (("ask", "s"), ("wash", "sh")):
        rows = phones[(phones["word"] == word) & (phones["label"] == label)]
        assert len(rows) == 64
        share[label] = [band_share(full_demo, row.token, row, 1500, 11025) for row in rows.itertuples()]
        vowels = phones[(phones["word"] == word) & (phones["phone_class"] == "monophthong")]
        vowel = [band_share(full_demo, row.token, row, 1500, 11025) for row in vowels.itertuples()]
        assert min(share[label]) > 0.7
        assert np.quantile(vowel, 0.95) < 0.5
    rows = phones[phones["label"].isin(["s", "sh"]) & phones["word"].isin(["ask", "wash"])]
    high = rows.assign(high=[band_share(full_demo, row.token, row, 4500, 11025) for row in rows.itertuples()])
    by_voice = high.assign(voice=high["token"].str.rsplit("_", n=1).str[0]).pivot(
        index="voice", columns="label", values="high"
    )
    assert (by_voice["s"] > by_voice["sh"]).mean() > 0.95


def test_voices_differ(full_demo):
    """No two voices say a word with the same spectrum, and women speak higher than men."""
    clips = Clips(full_demo.subset(words="water"))
    power = np.abs(np.fft.rfft(clips.waveforms(slice(None)), axis=1)) ** 2
    bands = np.log(np.add.reduceat(power[:, 50:8000], np.geomspace(1, 7900, 40).astype(int), axis=1))
    distance = np.sqrt(np.mean((bands[:, None] - bands[None]) ** 2, axis=2)) + 10 * np.eye(len(bands))
    assert distance.min() > 0.1
    assert np.median(distance) > 0.5
    assert len(full_demo.tokens.drop_duplicates(["rate_wpm", "pitch", "pitch_range"])) >= 60


def test_accents_differ_in_their_phones(full_demo):
    said = full_demo.phones.merge(full_demo.tokens[["token", "word", "accent"]], on="token")
    said = said.groupby(["accent", "word", "token"])["source_label"].agg(" ".join).reset_index()
    assert said.groupby(["accent", "word"])["source_label"].nunique().max() == 1
    assert said.groupby("accent")["source_label"].agg(lambda phones: tuple(dict.fromkeys(phones))).nunique() >= 6


def test_same_samples_in_another_process_and_beside_other_words(small_demo):
    script = "from layerstats.corpora import demo_corpus; print(demo_corpus(voices=8).content_hash())"
    hashed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert hashed == small_demo.content_hash()
    alone = demo_corpus(words=["wash"], voices=[small_demo.speakers[-1]])
    token = alone.tokens["token"].iloc[0]
    np.testing.assert_array_equal(alone.audio(token), small_demo.audio(token))


def test_seed_changes_the_voices(small_demo):
    other = demo_corpus(voices=8, seed=1)
    assert other.speakers == small_demo.speakers
    assert other.tokens["rate_wpm"].tolist() != small_demo.tokens["rate_wpm"].tolist()


def test_any_words():
    corpus = demo_corpus(words=["ship", "sip", "new shoe"], voices=2)
    assert corpus.words == ("new shoe", "ship", "sip")
    assert corpus.subset(words="ship").phones["label"].tolist() == ["sh", "ih", "p"] * 2
    assert corpus.subset(words="sip").phones["label"].tolist()[:3] == ["s", "ih", "p"]


def test_long_list_is_said_as_in_a_dictionary():
    """Spot checks against the usual American pronunciations, one of each kind of first sound."""
    said = demo_corpus(words=demo_words(48), voices=["en-us+m3"])
    spelled = said.phones.merge(said.tokens[["token", "word"]]).groupby("word")["label"].agg(" ".join)
    expected = {
        "pat": "p ae t", "boot": "b uw t", "chair": "ch eh", "juice": "jh uw s", "fish": "f ih sh",
        "voice": "v oy s", "zoo": "z uw", "hat": "hh ae t", "moon": "m uw n", "leaf": "l iy f",
        "yellow": "y eh l ow", "thing": "th ih ng", "king": "k ih ng", "garden": "g aa d ax n",
        "animal": "ae n ih m el", "banana": "b ax n ae n ax", "chicken": "ch ih k ih n",
    }  # fmt: skip
    assert spelled[list(expected)].to_dict() == expected
    first = spelled.str.split().str[0]
    assert first.nunique() >= 20
    assert first.map(phone_class).nunique() >= 9
    assert demo_words(48)[:8] == PAPER_WORDS
    with pytest.raises(ArgumentError, match="8, 35, 48, but got 9"):
        demo_words(9)


@pytest.mark.slow
def test_long_list_fits_into_a_clip_in_every_voice():
    corpus = demo_corpus(words=demo_words(48))
    assert len(corpus) == 64 * 48
    assert not Clips(corpus).tokens["trimmed"].any()
    assert corpus.tokens["duration_s"].max() < 0.9


def test_a_voice_alone_is_not_held_out():
    assert set(demo_corpus(words="ask", voices=1).tokens["split"]) == {"train"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"words": []}, "at least one word"),
        ({"words": ["ask", " "]}, "no empty one"),
        ({"words": ["ask", "ask"]}, "repeats ask"),
        ({"voices": 0}, "positive"),
        ({"voices": 129}, "at most 128"),
        ({"voices": ["martian"]}, "en-us"),
        ({"voices": ["en-us+f1", "en-us+f1"]}, "different voices"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        demo_corpus(**arguments)


def test_words_without_sound():
    with pytest.raises(CorpusError, match=r"says nothing for '\.\.'"):
        demo_corpus(words=[".."], voices=1)


def test_unknown_phone():
    with pytest.raises(CorpusError, match="'ɧ'"):
        timit_label("ɧ")
