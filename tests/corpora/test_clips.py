import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import Clips, Corpus, clips_for
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import phones_table
from layerstats.errors import ArgumentError, AudioError, CorpusError

LENGTHS = {"short": 1600, "fits": 15584, "long": 15585}


@pytest.fixture
def made():
    """Tokens at 16 kHz: one short, one that just fits, one a sample too long."""
    rng = np.random.default_rng(0)
    audio = {name: rng.integers(-5000, 5000, length).astype(np.int16) for name, length in LENGTHS.items()}
    tokens = pd.DataFrame(
        {
            "token": list(LENGTHS),
            "word": list(LENGTHS),
            "speaker": "x",
            "split": "train",
            "duration_s": [length / 16000 for length in LENGTHS.values()],
        }
    )
    rows = [
        (name, label, start / 16000, stop / 16000)
        for name, length in LENGTHS.items()
        for label, start, stop in (("ae", 0, length - 1), ("s", length - 1, length))
    ]
    phones = phones_table(pd.DataFrame(rows, columns=["token", "label", "onset_s", "offset_s"]))
    return Corpus("made", tokens, phones, 16000, MemoryAudio(audio))


def test_clip_by_definition(made):
    clips = Clips(made.subset(tokens=["short", "fits"]))
    found = clips.waveforms(slice(None))
    assert found.shape == (2, 16384)
    assert found.dtype == np.float32
    for row, name in enumerate(("short", "fits")):
        codes = made.audio(name).astype(np.float64)
        expected = np.concatenate([np.zeros(400), codes / max(abs(codes)), np.zeros(16384 - 400 - len(codes))])
        np.testing.assert_allclose(found[row], expected, atol=1e-6)


def test_selections_agree(made):
    clips = Clips(made, too_long="trim")
    everything = clips.waveforms(slice(None))
    np.testing.assert_array_equal(clips.waveforms([2, 0]), everything[[2, 0]])
    np.testing.assert_array_equal(clips.waveforms(np.array([1])), everything[1:2])
    assert clips.waveforms([]).shape == (0, 16384)
    np.testing.assert_array_equal(clips.waveform("fits"), everything[1])


def test_resampled_to_the_rate_of_the_network(small_demo):
    clips = Clips(small_demo, rate_hz=16000)
    heard = clips.waveforms([0])[0]
    last = np.flatnonzero(heard)[-1]
    assert small_demo.rate_hz == 22050
    assert last - 400 == pytest.approx(small_demo.tokens["duration_s"][0] * 16000, abs=2)
    assert np.abs(heard).max() == 1


def test_too_long_is_an_error_that_names_the_token(made):
    with pytest.raises(AudioError, match=r"'long' lasts 0\.974 s.*1 of 3 tokens.*samples=16385.*too_long='trim'"):
        Clips(made)
    Clips(made, samples=16385)


def test_too_long_trimmed_by_choice(made):
    clips = Clips(made, too_long="trim")
    assert clips.tokens["trimmed"].tolist() == [False, False, True]
    assert clips.attrs["trimmed_tokens"] == 1
    assert clips.tokens["duration_s"].tolist()[1:] == [15584 / 16000] * 2
    heard = clips.waveforms([2])[0]
    assert not heard[-400:].any()
    assert np.flatnonzero(heard)[-1] < 400 + 15584
    # The phone that lies behind the end is gone, the one before it is whole.
    assert clips.phones.loc[clips.phones["token"] == "long", "label"].tolist() == ["ae"]
    assert clips.phones.loc[clips.phones["token"] == "fits", "label"].tolist() == ["ae", "s"]


def test_too_long_skipped_by_choice(made):
    clips = Clips(made, too_long="skip")
    assert clips.tokens["token"].tolist() == ["short", "fits"]
    assert set(clips.phones["token"]) == {"short", "fits"}
    assert clips.attrs["skipped_tokens"] == ["long"]
    assert len(clips) == 2
    with pytest.raises(CorpusError, match="Every token"):
        Clips(made.subset(tokens="long"), too_long="skip")


def test_times_are_those_of_the_clip(made):
    clips = Clips(made.subset(tokens="short"), silence_s=0.01)
    assert clips.tokens["onset_s"].tolist() == [0.01]
    np.testing.assert_allclose(clips.phones["onset_s"], [0.01, 0.01 + 1599 / 16000])
    np.testing.assert_allclose(clips.phones["offset_s"], [0.01 + 1599 / 16000, 0.11])
    np.testing.assert_array_equal(made.phones["onset_s"][:2], [0.0, 1599 / 16000])


def test_silent_token_is_named(made):
    silent = MemoryAudio({name: np.zeros(length, dtype=np.int16) for name, length in LENGTHS.items()})
    corpus = Corpus("silent", made.tokens, made.phones, 16000, silent)
    with pytest.raises(AudioError, match="token 'short' is silent"):
        Clips(corpus, too_long="trim").waveforms([0])


def test_audio_longer_than_its_duration(made):
    tokens = made.tokens.assign(duration_s=0.05)
    corpus = Corpus("wrong", tokens, made.phones.iloc[:0], 16000, made.source)
    with pytest.raises(AudioError, match="'long' is longer than its duration_s says"):
        Clips(corpus, samples=15584).waveforms([2])


def test_hash_knows_preprocessing_and_corpus(made):
    hashes = [
        Clips(made, too_long="trim").content_hash(),
        Clips(made, too_long="skip").content_hash(),
        Clips(made, too_long="trim", silence_s=0.02).content_hash(),
        Clips(made, too_long="trim", samples=10000).content_hash(),
        Clips(made, too_long="trim", rate_hz=8000).content_hash(),
        Clips(made.subset(tokens="short"), too_long="trim").content_hash(),
    ]
    assert len(set(hashes)) == len(hashes)
    assert Clips(made, too_long="trim").content_hash() == hashes[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"too_long": "cut"}, "too_long"),
        ({"silence_s": -0.1}, "silence_s"),
        ({"silence_s": 0.6}, "silence_s"),
        ({"samples": 0}, "samples"),
        ({"rate_hz": -1}, "rate_hz"),
    ],
)
def test_bad_options(made, options, message):
    with pytest.raises(ArgumentError, match=message):
        Clips(made, **options)


def codes_of(corpus, name):
    return corpus.audio(name).astype(np.float64)


NORMALISED = {
    "peak": lambda speech: speech / max(abs(speech)),
    "rms": lambda speech: speech / np.sqrt((speech**2).mean()),
    "standard": lambda speech: (speech - speech.mean()) / np.sqrt(speech.var() + 1e-7),
    "none": lambda speech: speech,
}


@pytest.mark.parametrize("normalisation", NORMALISED)
def test_clips_of_their_own_length_by_definition(made, normalisation):
    clips = Clips(made, samples=None, silence_s=0.01, normalisation=normalisation)
    np.testing.assert_array_equal(clips.lengths(), [length + 320 for length in LENGTHS.values()])
    np.testing.assert_array_equal(clips.lengths([2, 0]), [15585 + 320, 1600 + 320])
    for row, name in enumerate(LENGTHS):
        speech = NORMALISED[normalisation](codes_of(made, name))
        expected = np.concatenate([np.zeros(160), speech, np.zeros(160)])
        np.testing.assert_allclose(clips.waveform(name), expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(clips.waveforms([row])[0], clips.waveform(name))


def test_clips_together_are_filled_with_zeros_to_the_longest_of_them(made):
    clips = Clips(made, samples=None, silence_s=0.0, normalisation="standard")
    together = clips.waveforms([0, 1])
    assert together.shape == (2, 15584)
    np.testing.assert_array_equal(together[0, :1600], clips.waveform("short"))
    assert not together[0, 1600:].any()
    assert clips.waveforms([]).shape == (0, 0)
    assert clips.attrs["clip_samples"] == 15585
    assert clips.attrs["ragged"] is True


def test_nothing_is_too_long_for_its_own_length_unless_a_longest_one_is_named(made):
    assert Clips(made, samples=None).tokens["trimmed"].tolist() == [False] * 3
    with pytest.raises(
        AudioError, match=r"'long' lasts 0\.974 s.*clip of 15584 samples.*needs longest=15585\). Pass a"
    ):
        Clips(made, samples=None, silence_s=0.0, longest=15584)
    trimmed = Clips(made, samples=None, silence_s=0.0, longest=15584, too_long="trim")
    np.testing.assert_array_equal(trimmed.lengths(), [1600, 15584, 15584])
    assert trimmed.waveform("long").shape == (15584,)
    assert Clips(made, samples=None, silence_s=0.0, longest=15584, too_long="skip").attrs["skipped_tokens"] == ["long"]


def test_hash_of_fixed_clips_is_that_of_earlier_versions(made):
    # Recordings are found again by it.
    clips = Clips(made, too_long="trim")
    told = {key: value for key, value in clips.attrs.items() if key not in ("corpus", "damaged")}
    assert told == {
        "rate_hz": 16000,
        "clip_samples": 16384,
        "silence_s": 0.025,
        "normalisation": "peak",
        "too_long": "trim",
        "trimmed_tokens": 1,
        "skipped_tokens": [],
    }
    others = [
        Clips(made, too_long="trim", samples=None),
        Clips(made, too_long="trim", normalisation="rms"),
        Clips(made, too_long="trim", samples=None, longest=15584),
        Clips(made, too_long="trim", samples=None, longest=15500),
    ]
    assert len({one.content_hash() for one in (clips, *others)}) == 5


def test_own_lengths_at_another_rate(small_demo):
    clips = Clips(small_demo, samples=None, silence_s=0.0)
    expected = np.rint(small_demo.tokens["duration_s"].to_numpy() * 16000)
    np.testing.assert_array_equal(clips.lengths(), expected)
    assert len(clips.waveform(small_demo.tokens["token"][0])) == expected[0]


def test_audio_of_another_length_than_its_duration_has_no_own_length(made):
    tokens = made.tokens.assign(duration_s=[0.2, 0.974, 0.9])
    corpus = Corpus("wrong", tokens, made.phones.iloc[:0], 16000, made.source)
    clips = Clips(corpus, samples=None)
    with pytest.raises(AudioError, match="'short' is shorter than its duration_s says"):
        clips.waveforms([0])
    with pytest.raises(AudioError, match="'long' is longer than its duration_s says"):
        clips.waveforms([2])


def test_who_needs_one_length_says_so(made):
    assert Clips(made, too_long="trim").one_length("Training") == 16384
    with pytest.raises(ArgumentError, match=r"Training needs clips of one length.*samples="):
        Clips(made, samples=None).one_length("Training")
    with pytest.raises(ArgumentError, match="no other longest one"):
        Clips(made, samples=20000, longest=100)
    with pytest.raises(ArgumentError, match="normalisation"):
        Clips(made, samples=None, normalisation="loud")
    with pytest.raises(ArgumentError, match="silence_s"):
        Clips(made, samples=None, silence_s=float("inf"))


class Hearing:
    """What a network that was opened says of its input."""

    rate_hz, fixed_samples, least_samples, normalisation = 16000, None, 400, "standard"


class Network:
    hearing = Hearing()


def test_a_network_that_says_what_it_hears_gets_clips_as_long_as_their_tokens(made):
    clips = clips_for(Network(), made)
    assert (clips.samples, clips.silence_s, clips.normalisation, clips.longest) == (None, 0.0, "standard", None)
    assert clips_for(Network(), made, samples=20000).samples == 20000
    with pytest.raises(ArgumentError, match=r"at 8000 Hz, but the network hears 16000 Hz"):
        clips_for(Network(), Clips(made, rate_hz=8000, samples=16384))


def test_clips_too_short_or_too_long_for_a_network_are_named(made):
    network = Network()
    network.hearing = Hearing()
    network.hearing.least_samples = 2000
    with pytest.raises(ArgumentError, match=r"'short' has 1600 samples, but the network hears at least 2000 \(1 of 3"):
        clips_for(network, made)
    network.hearing.least_samples, network.hearing.fixed_samples = 400, 15584
    with pytest.raises(AudioError, match="longest=15585"):
        clips_for(network, made)
    assert clips_for(network, made, too_long="trim").lengths().max() == 15584
    with pytest.raises(ArgumentError, match=r"'long' has 15585 samples, but the network hears at most 15584"):
        clips_for(network, Clips(made, samples=None, silence_s=0.0))
