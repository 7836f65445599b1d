"""Layers of networks that hear mel spectrograms are recorded with times that their modules give."""

import numpy as np
import pytest
import torch

from layerstats.corpora import Clips, clips_for, demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models import CommandClassifier, MelAutoencoder, ModelCard, seeded
from layerstats.probes import network_attributes, record_activations

HOP_S = 256 / 22050


def test_layers_of_the_classifier_have_the_times_of_their_modules(tmp_path):
    with seeded(0):
        network = CommandClassifier(2, (2, 2, 2), (4, 4, 4)).eval()
    clips = clips_for(network, demo_corpus(words=["yes", "no"], voices=4))
    experiment = record_activations(network, clips.corpus, tmp_path / "store")
    attrs = [experiment.layer(name).attrs for name in ("conv1", "conv2", "conv3")]
    # A kernel of 2, then pooling by 2: 2, 2 + 1 + 2, 5 + 2 + 4 frames.
    assert [layer["hop_s"] / HOP_S for layer in attrs] == pytest.approx([1, 2, 4])
    assert [layer["receptive_field_s"] / HOP_S for layer in attrs] == pytest.approx([2, 5, 11])
    assert {layer["geometry"] for layer in attrs} == {"layers"}
    with torch.no_grad():
        maps = network.conv1(network.front_end(torch.from_numpy(clips.waveforms(slice(None)))).unsqueeze(1))
    np.testing.assert_allclose(experiment.layer("conv1")["mean"], maps.mean(dim=(1, 3)), rtol=1e-4, atol=1e-6)


def test_layers_of_the_autoencoder_are_recorded(tmp_path):
    network = MelAutoencoder(4, (2, 2, 2, 2)).eval()
    speech = demo_corpus(words=["yes", "no"], voices=4)
    experiment = record_activations(network, speech, tmp_path / "store", layers="encoder.conv*")
    hops = [experiment.layer(f"encoder.conv{number}").attrs["hop_s"] / HOP_S for number in (1, 2, 3, 4)]
    assert hops == pytest.approx([1, 3, 9, 18])


def test_clips_at_another_rate_and_layers_without_time_are_refused(tmp_path):
    network, speech = CommandClassifier(2, (1, 1, 1), (2, 2, 2)).eval(), demo_corpus(words=["yes", "no"], voices=4)
    with pytest.raises(ArgumentError, match="at 16000 Hz, but the network's mel front end hears 22050 Hz"):
        record_activations(network, Clips(speech), tmp_path / "store")
    with pytest.raises(ArgumentError, match="Choose a layer before its time is pooled"):
        record_activations(network, speech, tmp_path / "store", layers="dense1")


@pytest.mark.parametrize(
    ("architecture", "training", "kind"),
    [
        ("CommandClassifier", {"seed": 2, "labels": "true"}, "commands"),
        ("CommandClassifier", {"seed": 2, "labels": "shuffled"}, "commands, shuffled labels"),
        ("MelAutoencoder", {"seed": 2}, "autoencoder"),
    ],
)
def test_kinds_are_told_apart(architecture, training, kind):
    card = ModelCard("network", "", training=training, architecture={"class": architecture})
    assert network_attributes(card) == {"network_kind": kind, "network_seed": 2}
