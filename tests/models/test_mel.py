"""The mel front end against other people's filters, against its definition written as loops, and by its gradient."""

import math

import numpy as np
import pytest
import torch
from transformers.audio_utils import mel_filter_bank

from layerstats.errors import ArgumentError, DataError
from layerstats.models import (
    CommandClassifier,
    MelFrontEnd,
    ModelCard,
    load_checkpoint,
    mel_filterbank,
    save_checkpoint,
)


@pytest.mark.parametrize(
    ("rate_hz", "n_fft", "mels", "low_hz", "high_hz"),
    [(22050, 1024, 80, 125.0, 7600.0), (16000, 512, 40, 0.0, 8000.0), (8000, 256, 20, 1200.0, 4000.0)],
)
def test_the_filters_are_those_of_another_library(rate_hz, n_fft, mels, low_hz, high_hz):
    reference = mel_filter_bank(
        n_fft // 2 + 1, mels, low_hz, high_hz, sampling_rate=rate_hz, norm="slaney", mel_scale="slaney"
    )
    own = mel_filterbank(rate_hz, n_fft, mels, low_hz, high_hz)
    np.testing.assert_allclose(own, reference.T, rtol=1e-9, atol=1e-15)


def plainly(waveform, filters):
    """The published features of one clip, a frame at a time, with numpy's own transform."""
    scaled = 0.999 * waveform / np.abs(waveform).max()
    padded = np.concatenate([scaled[512:0:-1], scaled, scaled[-2:-514:-1]])
    window = [0.5 - 0.5 * math.cos(2 * math.pi * sample / 1024) for sample in range(1024)]
    features = np.zeros((90, 80))
    for frame in range(min(90, 1 + len(waveform) // 256)):
        magnitudes = np.abs(np.fft.rfft(padded[256 * frame : 256 * frame + 1024] * window))
        for band in range(80):
            decibels = 20 * math.log10(max(1e-5, float(filters[band] @ magnitudes))) - 20
            features[frame, band] = min(1.0, max(0.0, (decibels + 100) / 100))
    return features


@pytest.mark.parametrize("samples", [22050, 9000, 40000])
def test_features_are_those_of_the_definition(samples):
    random = np.random.default_rng(0)
    # From loud to next to nothing, so that some values are cut off at 0.
    waveform = random.standard_normal(samples) * np.geomspace(1, 1e-7, samples)
    front_end = MelFrontEnd().double()
    features = front_end(torch.from_numpy(waveform)[None])[0].numpy()
    expected = plainly(waveform, front_end.filterbank.numpy())
    assert features.shape == (90, 80)
    # The window is kept as float32.
    np.testing.assert_allclose(features, expected, atol=1e-6)
    assert (features == 0).any()
    assert features.max() > 0.3


def test_a_second_is_87_frames_and_3_of_zeros():
    features = MelFrontEnd()(torch.randn(1, 22050, generator=torch.Generator().manual_seed(0)))[0]
    assert bool((features[:87] > 0).all())
    assert bool((features[87:] == 0).all())


def test_level_does_not_matter_and_silence_is_zeros():
    front_end = MelFrontEnd()
    waveform = torch.randn(1, 22050, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(front_end(waveform), front_end(0.01 * waveform), rtol=0, atol=1e-4)
    assert bool((front_end(torch.zeros(2, 22050)) == 0).all())


def test_the_gradient_is_that_of_finite_differences():
    settings = {"rate_hz": 8000, "n_fft": 64, "hop": 16, "mels": 6, "frames": 12, "low_hz": 200, "high_hz": 3800}
    front_end = MelFrontEnd(**settings, samples=160).double()
    waveforms = torch.randn(2, 160, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(front_end, waveforms.requires_grad_(), eps=1e-6, atol=1e-6)


def test_silence_has_a_gradient_without_nan():
    waveforms = torch.zeros(1, 22050, requires_grad=True)
    MelFrontEnd()(waveforms).sum().backward()
    assert bool(torch.isfinite(waveforms.grad).all())


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_settings_and_filters_travel_in_the_checkpoint(tmp_path, dtype):
    network = CommandClassifier(2, (1, 1, 1), (2, 2, 2), front_end={"mels": 40, "high_hz": 5000})
    path = save_checkpoint(tmp_path / "network.safetensors", network, ModelCard("small", "Small."), dtype=dtype)
    loaded, card = load_checkpoint(path)
    assert card.architecture["arguments"]["front_end"] == network.front_end.configuration
    assert loaded.front_end.configuration == network.front_end.configuration
    assert bool((loaded.front_end.filterbank == network.front_end.filterbank).all())


def test_filters_that_are_not_those_of_the_settings_are_refused(tmp_path):
    network = CommandClassifier(2, (1, 1, 1), (2, 2, 2))
    network.front_end.filterbank.mul_(2)
    path = save_checkpoint(tmp_path / "network.safetensors", network, ModelCard("small", "Small."))
    with pytest.raises(DataError, match="mel filters are not those"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"high_hz": 12000}, "high_hz=12000"),
        ({"low_hz": 7600}, "low_hz=7600"),
        ({"hop": 0}, "'hop'"),
        ({"mels": 400}, "hold no frequency"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        MelFrontEnd(**settings)


@pytest.mark.parametrize("shape", [(22050,), (1, 1, 22050), (2, 512)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ArgumentError, match="waveforms"):
        MelFrontEnd()(torch.zeros(shape))
