"""Layers of networks that hear mel spectrograms are recorded with times that their modules give."""

import numpy as np
import pytest
import torch

from layerstats.corpora import clips_for, demo_corpus
from layerstats.models import CommandClassifier, ModelCard, seeded
from layerstats.probes import network_attributes, record_activations

HOP_S = 256 / 22050


def test_layers_of_the_classifier_have_the_times_of_their_modules(tmp_path):
    with seeded(0):
        network = CommandClassifier(2, (2, 2, 2), (4, 4, 4)).eval()
    clips = clips_for(network, demo_corpus(words=["yes", "no"], voices=4))
    experiment = record_activations(
        network,
        clips,
        tmp_path / "store",
        layers="conv*",
        prepare_input=network.front_end,
        input_axes=("token", "sample", "frequency"),
        input_hop_s=HOP_S,
        axes=("token", "channel", "sample", "frequency"),
    )
    attrs = [experiment.layer(name).attrs for name in ("conv1", "conv2", "conv3")]
    # A kernel of 2, then pooling by 2: 2, 2 + 1 + 2, 5 + 2 + 4 frames.
    assert [layer["hop_s"] / HOP_S for layer in attrs] == pytest.approx([1, 2, 4])
    assert [layer["receptive_field_s"] / HOP_S for layer in attrs] == pytest.approx([2, 5, 11])
    assert {layer["geometry"] for layer in attrs} == {"layers"}
    with torch.no_grad():
        maps = network.conv1(network.front_end(torch.from_numpy(clips.waveforms(slice(None)))).unsqueeze(1))
    np.testing.assert_allclose(experiment.layer("conv1")["mean"], maps.mean(dim=(1, 3)), rtol=1e-4, atol=1e-6)


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
