"""Wav2Letter has the published shape, sees what it is said to see, and hears every utterance alone."""

import pytest
import torch

from layerstats.corpora import clips_for, demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models import (
    UTTERANCES,
    CommandClassifier,
    MelAutoencoder,
    MelFrontEnd,
    ModelCard,
    Wav2Letter,
    load_checkpoint,
    save_checkpoint,
    untrained,
)
from layerstats.models.vocoders import GriffinLim


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network():
    """A narrow network in float64, whose normalisations have seen something."""
    network = untrained(Wav2Letter(width=6, top=10), seed=1)
    with torch.no_grad():
        for seed in range(5):
            network.train()(draw(4, 420, 128, seed=seed))
    return network.eval().double()


def test_it_has_the_published_shape():
    network = Wav2Letter().eval()
    kernels = [(128, 256, 48)] + 8 * [(256, 256, 7)] + [(256, 2048, 32), (2048, 2048, 1)]
    normalised = sum(channels_in * out * kernel + 2 * out for channels_in, out, kernel in kernels)
    assert count(network) == normalised + 2048 * 29 + 29 == 26_286_621
    seen = {}
    handles = [
        layer.register_forward_hook(lambda _, __, out, number=number: seen.update({number: tuple(out.shape[1:])}))
        for number, layer in enumerate(network.layers(), start=1)
    ]
    network.padding = "valid"
    assert network(torch.zeros(1, 206, 128)).shape == (1, 1, 29)
    for handle in handles:
        handle.remove()
    # 206 frames are the 80 x 256 after the first layer that the paper names.
    assert seen[1] == (256, 80)
    assert [seen[number][1] for number in range(2, 13)] == [74, 68, 62, 56, 50, 44, 38, 32, 1, 1, 1]


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_logit_depends_on_206_frames_and_on_those_it_names(network, padding):
    features = draw(1, 700, 128).double().requires_grad_()
    frame = 120
    network.padding = padding
    (gradient,) = torch.autograd.grad(network(features)[0, frame].sum(), features)
    start = network.window_start(frame)
    network.padding = "same"
    touched = gradient.abs().sum(dim=2)[0].nonzero().flatten()
    assert (int(touched[0]), int(touched[-1])) == (start, start + 205)
    assert network.receptive_field == 206


def test_a_window_without_padding_gives_the_logit_of_the_utterance(network):
    features = draw(1, 401, 128).double()
    whole = network(features)
    frame = 77
    start = network.window_start(frame)
    network.padding = "valid"
    try:
        alone = network(features[:, start : start + 206])
        shared = network(features)
    finally:
        network.padding = "same"
    assert whole.shape == (1, 200, 29)
    assert shared.shape == (1, (401 - 206) // 2 + 1, 29)
    torch.testing.assert_close(alone[0, 0], whole[0, frame])
    torch.testing.assert_close(shared[0, start // 2 + start % 2], network(features[:, start % 2 :])[0, frame])


@pytest.mark.parametrize("heard", ["waveforms", "features"])
def test_padding_an_utterance_changes_nothing(network, heard):
    lengths = torch.tensor([40001, 30000, 26500])
    waveforms = draw(3, 40001).double()
    alone = [network(waveform[None, :length])[0] for waveform, length in zip(waveforms, lengths, strict=True)]
    if heard == "features":
        waveforms = network.features(waveforms, lengths)
        lengths = network.front_end.frames_of(lengths)
        waveforms[1, lengths[1] :] = 7.0  # whatever stands there
    together = network(waveforms, lengths)
    for row, expected in enumerate(alone):
        torch.testing.assert_close(together[row, : len(expected)], expected)


def test_features_are_decibels_normalised_by_utterance():
    front_end = MelFrontEnd(**UTTERANCES).double()
    waveforms = draw(2, 30000).double() * torch.linspace(0.1, 1, 30000)
    features = front_end(waveforms)
    assert features.shape == (2, 1 + 30000 // 128, 128)
    torch.testing.assert_close(features.mean(dim=(1, 2)), torch.zeros(2).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(features.std(dim=(1, 2), correction=0), torch.ones(2).double())
    # Decibels, but for their unit and origin: their differences have the ratio that those of the logarithms have.
    spectrum = torch.stft(
        waveforms[0], 512, 128, window=torch.hann_window(512).double(), center=True, return_complex=True
    )
    decibels = 20 * (front_end.filterbank @ spectrum.abs()).log10().T
    slope = (features[0, 40] - features[0, 9]) / (decibels[40] - decibels[9])
    torch.testing.assert_close(slope, slope.mean().expand(128), rtol=1e-6, atol=0)
    assert bool((front_end(torch.zeros(1, 4000).double()) == 0).all())


def test_checkpoints_keep_the_network(network, tmp_path):
    path = save_checkpoint(tmp_path / "letters.safetensors", network, ModelCard("letters", "An example."))
    loaded, card = load_checkpoint(path)
    features = draw(1, 300, 128)
    torch.testing.assert_close(loaded(features), network.float()(features))
    network.double()
    assert card.architecture["arguments"]["front_end"] == network.front_end.configuration


def test_untrained_networks_are_drawn_by_seed(network):
    features = draw(1, 300, 128).double()
    first, again, other = (untrained(network, seed).double().eval()(features) for seed in (3, 3, 4))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.allclose(first, other)


def test_clips_of_one_length_are_made_only_where_they_are_asked_for(network):
    speech = demo_corpus(words=["wash"], voices=4)
    with pytest.raises(ArgumentError, match="as long as it is"):
        clips_for(network, speech)
    assert clips_for(network, speech, samples=16000).samples == 16000


def test_what_needs_clips_of_one_length_refuses_the_front_end():
    for make in (MelAutoencoder, CommandClassifier, lambda front_end: GriffinLim(front_end)):
        with pytest.raises(ArgumentError, match="frames"):
            make(front_end=MelFrontEnd(**UTTERANCES))


def test_bad_input_is_refused(network):
    for features in (torch.zeros(1, 300, 80), torch.zeros(300, 128, 1, 1), torch.zeros(0)):
        with pytest.raises(ArgumentError, match=r"takes features \(token, time, 128\)|takes waveforms"):
            network(features.double())
    network.padding = "valid"
    with pytest.raises(ArgumentError, match=r"at least 206 frames \(1\.648 s\), but got one of 205"):
        network(torch.zeros(1, 205, 128).double())
    network.padding = "same"
    for lengths in ([300, 0], [300, 301], [300], [1.5, 2.5]):
        with pytest.raises(ArgumentError, match="one whole number of frames a token, from 1 to 300"):
            network(torch.zeros(2, 300, 128).double(), torch.tensor(lengths))
    with pytest.raises(ArgumentError, match="'alphabet'"):
        Wav2Letter(alphabet="morse")
    with pytest.raises(ArgumentError, match="'padding'"):
        network.padding = "reflect"
