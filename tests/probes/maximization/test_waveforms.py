import numpy as np
import pytest
import scipy.signal
import soxr
import torch

from layerstats.errors import ArgumentError
from layerstats.models import CommandClassifier
from layerstats.probes.maximization.hearing import Hearing, hearing_of
from layerstats.probes.maximization.waveforms import WaveformHearing, fit_length, resample_waveforms


@pytest.mark.parametrize(
    ("samples", "from_hz", "to_hz"),
    [(320, 16000, 22050), (16384, 16000, 22050), (441, 22050, 16000), (640, 16000, 8000), (641, 8000, 16000)],
)
def test_resampling_is_scipys(samples, from_hz, to_hz):
    waveforms = np.random.default_rng(1).normal(size=(2, samples))
    found = resample_waveforms(torch.from_numpy(waveforms), from_hz, to_hz).numpy()
    assert found.shape[1] == -(-samples * to_hz // from_hz)
    divisor = np.gcd(from_hz, to_hz)
    before = -(-samples // (from_hz // divisor)) * (from_hz // divisor)
    filled = np.pad(waveforms, ((0, 0), (0, before - samples)))
    expected = scipy.signal.resample(filled, before * to_hz // from_hz, axis=1)
    assert np.allclose(found, expected[:, : found.shape[1]], atol=1e-12)


def test_resampling_is_soxrs_where_both_rates_hear():
    """A tone that begins and ends in silence: soxr's filter and the transform agree."""
    time = np.arange(16384) / 16000
    tone = np.sin(2 * np.pi * 1234.5 * time) * np.hanning(len(time))
    found = resample_waveforms(torch.from_numpy(tone[None]), 16000, 22050)[0].numpy()
    expected = soxr.resample(tone, 16000, 22050, quality="VHQ")
    shared = min(len(found), len(expected))
    assert np.abs(found[:shared] - expected[:shared]).max() < 1e-3


def test_resampling_has_a_gradient():
    waveforms = torch.randn(2, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda given: fit_length(resample_waveforms(given, 16000, 22050), 100), waveforms)


def test_lengths_are_cut_and_filled():
    waveforms = torch.tensor([[1.0, 2.0, 3.0]])
    assert fit_length(waveforms, 2).tolist() == [[1.0, 2.0]]
    assert fit_length(waveforms, 5).tolist() == [[1.0, 2.0, 3.0, 0.0, 0.0]]


def test_a_network_hears_through_its_own_front_end():
    network = CommandClassifier(outputs=2).eval()
    ear = WaveformHearing(hearing_of(network))
    waveforms = torch.randn(2, 22050, generator=torch.Generator().manual_seed(0))
    assert ear.rate_hz == 22050
    assert torch.equal(ear(waveforms), network.features(waveforms))


def test_features_of_nowhere_are_no_waveforms():
    with pytest.raises(ArgumentError, match="makes waveforms, but the network hears \\(time, mel\\)"):
        WaveformHearing(Hearing(("time", "mel"), (90, 80)))
