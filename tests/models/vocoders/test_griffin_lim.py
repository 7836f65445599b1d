"""Sound from mel features, against an algorithm written from the papers and against natural speech."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import ShortTimeFFT, get_window

from layerstats.corpora import Clips, demo_corpus
from layerstats.errors import ArgumentError, DataError
from layerstats.models.mel import MelFrontEnd
from layerstats.models.vocoders import GriffinLim, Vocoder, check_settings, estimate_phases, linear_magnitudes
from layerstats.models.vocoders.magnitudes import mel_magnitudes

SAMPLES = 22050


@pytest.fixture(scope="module")
def front_end():
    return MelFrontEnd()


@pytest.fixture(scope="module")
def natural(front_end):
    """Features (token, time, mel) of a few natural clips."""
    speech = demo_corpus(words=["wash", "greasy"], voices=["en-us+m3", "en-us+f2"])
    clips = Clips(speech, rate_hz=SAMPLES, samples=SAMPLES, silence_s=0.0)
    return front_end(torch.from_numpy(clips.waveforms(slice(None))))


def plain_griffin_lim(magnitudes, hop, samples, iterations, momentum, angles):
    """Algorithm 2 of Perraudin et al. (2013), one clip (frequency, time), with the transform of scipy."""
    n_fft = 2 * (len(magnitudes) - 1)
    transform = ShortTimeFFT(get_window("hann", n_fft), hop, fs=1.0)
    frames = magnitudes.shape[1]

    def inverse(spectrum):
        # The frames of torch: centred, the first at sample 0, the others at multiples of the hop.
        summed, weight = np.zeros(samples + n_fft), np.zeros(samples + n_fft)
        pieces = np.fft.irfft(spectrum, axis=0)
        for frame in range(frames):
            place = slice(frame * hop, frame * hop + n_fft)
            room = len(summed[place])
            summed[place] += (pieces[:, frame] * transform.win)[:room]
            weight[place] += (transform.win**2)[:room]
        half = n_fft // 2
        return (summed / np.where(weight > 1e-11, weight, 1.0))[half : half + samples]

    def forward(waveform):
        padded = np.pad(waveform, n_fft // 2, mode="reflect")
        pieces = np.stack([padded[f * hop : f * hop + n_fft] for f in range(frames)], axis=1)
        return np.fft.rfft(pieces * transform.win[:, None], axis=0)

    estimate, before = magnitudes * np.exp(1j * angles), np.zeros(magnitudes.shape, complex)
    for _ in range(iterations):
        found = forward(inverse(estimate))
        moved = found + momentum * (found - before)
        estimate, before = magnitudes * np.exp(1j * np.angle(moved)), found
    return inverse(estimate)


@pytest.mark.parametrize("momentum", [0.0, 0.99])
def test_it_is_the_algorithm_of_the_papers(momentum):
    samples, hop, n_fft = 1500, 64, 256
    sound = torch.from_numpy(np.random.default_rng(3).normal(size=(1, samples)))
    window = torch.hann_window(n_fft, dtype=torch.float64)
    magnitudes = torch.stft(sound, n_fft, hop, window=window, return_complex=True).abs()
    options = {"iterations": 5, "momentum": momentum}
    found = estimate_phases(magnitudes, hop, samples=samples, seed=4, **options)[0].numpy()
    drawn = torch.rand(1, *magnitudes.shape[1:], generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    angles = 2 * np.pi * drawn[0].numpy()
    expected = plain_griffin_lim(magnitudes[0].numpy(), hop, samples, angles=angles, **options)
    assert np.abs(found - expected).max() < 1e-9


def test_scipys_window_is_the_one_of_the_front_end(front_end):
    assert np.abs(front_end.window.numpy() - get_window("hann", 1024)).max() < 1e-6


def test_momentum_comes_closer_in_as_many_steps(front_end, natural):
    magnitudes = linear_magnitudes(mel_magnitudes(natural[:, :87], front_end.configuration), front_end.filterbank)
    magnitudes = magnitudes.transpose(1, 2)

    def distance(momentum):
        sound = estimate_phases(magnitudes, 256, samples=SAMPLES, iterations=32, momentum=momentum)
        again = torch.stft(sound, 1024, 256, window=front_end.window, return_complex=True).abs()
        return float((again - magnitudes).norm() / magnitudes.norm())

    plain, fast = distance(0.0), distance(0.99)
    assert fast < 0.9 * plain < 0.3


def test_natural_speech_is_heard_again(front_end, natural):
    sound = GriffinLim(front_end).synthesise(natural)
    again = front_end(sound)
    # In decibels.
    error = 100 * (again - natural).abs()
    assert float(error.mean()) < 1.5
    assert np.corrcoef(again.flatten(), natural.flatten())[0, 1] > 0.99


def test_a_token_sounds_the_same_alone(front_end, natural):
    vocoder = GriffinLim(front_end, iterations=8)
    together, alone = vocoder.synthesise(natural), vocoder.synthesise(natural[2:3])
    assert float((together[2] - alone[0]).abs().max()) < 1e-4
    assert torch.equal(together, vocoder.synthesise(natural))
    assert not torch.equal(together, GriffinLim(front_end, iterations=8, seed=1).synthesise(natural))


def test_features_that_no_sound_has_are_taken_for_the_nearest(front_end):
    features = torch.full((1, 90, 80), 1.7)
    features[:, :, 40:] = -0.3
    vocoder = GriffinLim(front_end, iterations=2)
    assert torch.equal(vocoder.synthesise(features), vocoder.synthesise(features.clamp(0, 1)))


def test_silence_stays_silence(front_end):
    assert float(GriffinLim(front_end, iterations=2).synthesise(torch.zeros(1, 90, 80)).abs().max()) == 0


@pytest.mark.parametrize(("frames", "samples"), [(40, 22050), (90, 22050), (90, 8192)])
def test_every_length_of_a_front_end_gives_its_samples(frames, samples):
    front_end = MelFrontEnd(frames=frames, samples=samples)
    assert GriffinLim(front_end, iterations=1).synthesise(torch.rand(2, frames, 80)).shape == (2, samples)


def test_what_cannot_be_heard_is_refused(front_end, natural):
    vocoder = GriffinLim(front_end)
    with pytest.raises(ArgumentError, match=r"\(token, 90, 80\).*\(4, 90, 40\)"):
        vocoder.synthesise(natural[:, :, :40])
    broken = natural.clone()
    broken[0, 0, :3] = torch.nan
    with pytest.raises(DataError, match="3 of the features are NaN"):
        vocoder.synthesise(broken)
    with pytest.raises(ArgumentError, match=r"'momentum'.*1\.0"):
        GriffinLim(front_end, momentum=1.0)
    with pytest.raises(ArgumentError, match=r"'iterations'.*0"):
        GriffinLim(front_end, iterations=0)
    with pytest.raises(ArgumentError, match="87 frames, but there are 90"):
        estimate_phases(torch.ones(1, 513, 90), 256, samples=SAMPLES)


class RobotVocoder:
    """A vocoder that learned other features."""

    attrs: dict[str, object] = {"vocoder": "robot"}  # noqa: RUF012 - as a user writes it

    def __init__(self, **settings):
        self.settings = settings

    def synthesise(self, features):
        return torch.zeros(len(features), SAMPLES)


def test_vocoders_of_other_mel_parameters_are_refused_by_name_and_value(front_end):
    good = RobotVocoder(**{**front_end.configuration, "frames": 12})
    assert isinstance(good, Vocoder)
    assert isinstance(GriffinLim(front_end), Vocoder)
    check_settings(good, front_end.configuration)
    check_settings(GriffinLim(front_end), front_end.configuration)
    other = RobotVocoder(**{**front_end.configuration, "mels": 100, "hop": 300})
    with pytest.raises(ArgumentError, match="hop is 300 there and 256 here; mels is 100 there and 80 here"):
        check_settings(other, front_end.configuration)
    silent = {name: value for name, value in front_end.configuration.items() if name != "peak"}
    with pytest.raises(ArgumentError, match=r"peak is 0\.999 here and not named there"):
        check_settings(RobotVocoder(**silent), front_end.configuration)
    with pytest.raises(ArgumentError, match=r"preemphasis is 0\.97 there and no parameter here"):
        check_settings(RobotVocoder(**front_end.configuration, preemphasis=0.97), front_end.configuration)
