"""What is put in place of speech: its spectrum, its level, and the normalisation that stays."""

import numpy as np
import pytest
import torch

from layerstats.errors import ArgumentError, DataError
from layerstats.models import UTTERANCES, MelFrontEnd
from layerstats.probes.relevance import speech_replacements


def utterances(seconds=(1.0, 1.5, 1.2), seed=0):
    """Noise with a spectrum and an envelope of its own."""
    rng = np.random.default_rng(seed)
    found = []
    for number, length in enumerate(seconds):
        samples = int(16000 * length)
        spectrum = np.fft.rfft(rng.standard_normal(samples))
        spectrum /= 1 + (np.linspace(0, 8000, len(spectrum)) / (800 + 400 * number)) ** 2
        envelope = 0.05 + np.sin(np.arange(samples) / 16000 * 6 + number) ** 2
        found.append((np.fft.irfft(spectrum, n=samples) * envelope).astype("float32"))
    return found


FRONT_END = MelFrontEnd(**UTTERANCES)


@pytest.fixture(scope="module")
def made():
    sounds = utterances()
    speakers = ["s1", "s1", "s2"]
    return sounds, [FRONT_END(torch.from_numpy(sound)[None])[0] for sound in sounds], speech_replacements(
        FRONT_END, sounds, speakers, seed=1
    )  # fmt: skip


def unit(sound):
    return FRONT_END.unit_features(torch.from_numpy(sound)[None])[0]


def test_replacements_are_as_long_as_the_utterance_and_keep_its_normalisation(made):
    sounds, heard, found = made
    for own, features, sound in zip(found, heard, sounds, strict=True):
        assert all(values.shape == features.shape for values in own.values())
        # What stood there in decibels, by the mean and deviation of the utterance that is replaced.
        mean, spread = unit(sound).mean(), unit(sound).std(correction=0)
        assert torch.allclose((unit(sound) - mean) / spread, features, atol=1e-4)
    both = torch.cat([unit(sounds[0]), unit(sounds[1])]).mean(dim=0)
    expected = (both - unit(sounds[0]).mean()) / unit(sounds[0]).std(correction=0)
    assert torch.allclose(found[0]["mean spectrum"], expected.expand_as(heard[0]), atol=1e-4)


def test_another_utterance_is_of_the_same_speaker_where_there_is_one(made):
    sounds, _, found = made
    for row, other in ((0, 1), (1, 0), (2, 0)):
        mean, spread = unit(sounds[row]).mean(), unit(sounds[row]).std(correction=0)
        frames = (unit(sounds[other]) - mean) / spread
        first = found[row]["another utterance"][0]
        start = int((frames - first).abs().sum(dim=1).argmin())
        wrapped = frames[(torch.arange(len(found[row]["another utterance"])) + start) % len(frames)]
        assert torch.allclose(found[row]["another utterance"], wrapped, atol=1e-4)


def test_noise_has_the_speakers_spectrum_and_the_level_of_the_utterance_and_does_not_follow_it(made):
    sounds, heard, found = made
    noise = found[2]["noise with the speaker's spectrum"]
    # The power in each band, in decibels of the utterance: in noise it fluctuates about that of speech.
    scale = FRONT_END.range_db * unit(sounds[2]).std(correction=0)
    power = [10 * torch.log10((10 ** (values * scale / 10)).mean(dim=0)) for values in (noise, heard[2])]
    difference = (power[0] - power[1])[5:100]
    assert float(difference.abs().mean()) < 1.5
    assert abs(float(difference.mean())) < 1.0
    assert float(noise.mean(dim=1).std()) < 0.5 * float(heard[2].mean(dim=1).std())


def test_the_seed_alone_decides(made):
    sounds, _, found = made
    again = speech_replacements(FRONT_END, sounds, ["s1", "s1", "s2"], seed=1)
    other = speech_replacements(FRONT_END, sounds, ["s1", "s1", "s2"], seed=2)
    name = "noise with the speaker's spectrum"
    assert torch.equal(again[0][name], found[0][name])
    assert not torch.equal(other[0][name], found[0][name])


def test_features_between_0_and_1_stay_there():
    front_end = MelFrontEnd(frames=0)
    found = speech_replacements(front_end, utterances(), ["a", "b", "b"])
    assert all(float(values.min()) >= 0 and float(values.max()) <= 1 for own in found for values in own.values())


def test_bad_input():
    sounds = utterances()
    with pytest.raises(ArgumentError, match="3 utterances and 2 speakers"):
        speech_replacements(FRONT_END, sounds, ["a", "b"])
    with pytest.raises(DataError, match="no other"):
        speech_replacements(FRONT_END, sounds[:1], ["a"])
    with pytest.raises(DataError, match="silent"):
        speech_replacements(FRONT_END, [sounds[0], np.zeros(16000, dtype="float32")], ["a", "a"])
