"""The input of a network as a layer: what is recorded of it is what went in, and its gradient that of a plain loop."""

import numpy as np
import pytest
import torch
from torch import nn

from layerstats.corpora import clips_for, demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models import CommandClassifier, MelFrontEnd, running, seeded
from layerstats.probes import (
    Activation,
    Gradient,
    Relevance,
    record,
    record_activations,
    record_relevance,
    record_untrained,
)
from layerstats.stats.contrasts.untrained import untrained_twins
from layerstats.store import open_store


@pytest.fixture
def network(small):
    return nn.Sequential(small.small_network(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 2)).eval()


def test_the_input_is_what_the_network_is_called_with(small, network, tmp_path):
    clips = small.small_clips()
    found = record(network, clips, tmp_path / "s.zarr", Activation(), layers=["0.1", "input"])
    assert found.layers == ("input", "0.1")
    assert np.array_equal(found.layer("input")["mean"], clips.waveforms(slice(None)))
    assert np.allclose(found.layer("input")["time_s"], np.arange(clips.samples) / clips.rate_hz)
    plain = record_activations(network, clips, tmp_path / "p.zarr", layers="0.1")
    assert np.array_equal(found.layer("0.1")["mean"], plain.layer("0.1")["mean"])
    assert found.recording_attrs["model_hash"] == plain.recording_attrs["model_hash"]


@pytest.mark.parametrize("method", ["gradient", "input_x_gradient"])
def test_relevance_of_the_input_is_that_of_a_plain_loop(small, network, method, tmp_path):
    clips = small.small_clips()
    options = {"labels": ["ask", "wash"], "layers": ["input", "0.3"]}
    found = record_relevance(network, clips, tmp_path / "s.zarr", method=method, **options)
    assert set(found.recordings["recording"]) == {method, "input"}
    about = found.recording_attrs
    assert (about["quantity"], about["method"]) == (method, method)
    waveforms = torch.from_numpy(clips.waveforms(slice(None)))
    for row, word in enumerate(clips.tokens["word"]):
        heard = waveforms[row : row + 1].clone().requires_grad_()
        with running(network, torch.device("cpu"), differentiate=True):
            network(heard)[0, ["ask", "wash"].index(word)].backward()
        expected = heard.grad[0] * (heard[0].detach() if method == "input_x_gradient" else 1)
        there = found.layer("input")["mean"].to_numpy()[row]
        assert np.allclose(there, expected, atol=1e-5 * float(expected.abs().max()))
    heard = open_store(tmp_path / "s.zarr", recording="input")
    assert heard.recording_attrs["quantity"] == "input"
    assert np.array_equal(heard.layer("input")["mean"], waveforms)


def test_untrained_twins_are_recorded_by_method(small, network, tmp_path):
    clips = small.small_clips()
    for method in ("gradient", "input_x_gradient"):
        quantity = Relevance("own_word", ["ask", "wash"], method=method)
        record_untrained(network, clips, tmp_path / "s.zarr", range(1), quantity=quantity, layers=["input"])
    names = open_store(tmp_path / "s.zarr").recordings["recording"].tolist()
    assert names == ["gradient_untrained_00", "input_x_gradient_untrained_00"]
    record_relevance(network, clips, tmp_path / "s.zarr", method="input_x_gradient", labels=["ask", "wash"])
    # Those of another method are no twins: a null of sensitivity says nothing of relevance.
    assert untrained_twins(open_store(tmp_path / "s.zarr", recording="input_x_gradient")) == names[1:]


def test_the_input_of_a_mel_network_is_its_features(tmp_path):
    with seeded(0):
        network = CommandClassifier()
    clips = clips_for(network, demo_corpus(words=["ask"], voices=2))
    found = record(network, clips, tmp_path / "s.zarr", Gradient(0, maps=True), layers=["input", "conv1"])
    features = network.front_end(torch.from_numpy(clips.waveforms(slice(None))))
    heard = features.detach().requires_grad_()
    with running(network, torch.device("cpu"), differentiate=True):
        network(heard)[:, 0].sum().backward()
    there = found.layer("input")["maps"].to_numpy()
    assert there.shape == (2, features.shape[2], features.shape[1])
    assert np.allclose(there, heard.grad.transpose(1, 2), atol=1e-6)
    hop_s = network.front_end.hop / network.front_end.rate_hz
    assert isinstance(network.front_end, MelFrontEnd)
    assert np.allclose(found.layer("input")["time_s"], hop_s * np.arange(features.shape[1]))


def test_a_module_called_input_is_itself(small, tmp_path):
    network = nn.Sequential()
    network.add_module("input", small.small_network()[:2])
    network.add_module("rest", nn.ReLU())
    found = record(network, small.small_clips(), tmp_path / "s.zarr", Activation(), layers="input")
    assert found.layer("input")["mean"].shape == (10, 512)


def test_keyword_arguments_are_heard_too(small, network, tmp_path):
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network

        def forward(self, *, other, speech):
            return self.inner(speech * 2)

    options = {"prepare_input": lambda waveforms: {"other": 3, "speech": waveforms / 2}}
    clips = small.small_clips()
    found = record(Named(), clips, tmp_path / "s.zarr", Gradient(1), layers="input", **options)
    plain = record(network, clips, tmp_path / "p.zarr", Gradient(1), layers="input")
    assert np.allclose(found.layer("input")["mean"], 2 * plain.layer("input")["mean"], atol=1e-7)


def test_no_such_layer_is_told_of_the_network_itself(small, network, tmp_path):
    with pytest.raises(ArgumentError, match="No layer of Sequential fits 'convolution'"):
        record(network, small.small_clips(), tmp_path / "s.zarr", Activation(), layers=["input", "convolution"])
