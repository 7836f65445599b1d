"""A GPU has the next batch before what the last one gave is looked at; values are those of one batch at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from layerstats.probes import Activation, Gradient, record
from layerstats.probes.recording.reduced import BegunMeasurement
from layerstats.probes.relevance import attribute

LAYERS = ["1", "5"]
# Of sums in float32, in the size of a layer's channels.
ROUNDING = 1e-4


@pytest.fixture
def speech(small):
    return small.small_network(), small.small_clips(tokens=21)


@pytest.mark.parametrize(
    "quantity", [Activation(("mean", "root_mean_square"), maps=True, phones=True), Gradient(0, maps=True)]
)
def test_recordings_are_those_of_the_cpu(speech, tmp_path, device, quantity):
    network, clips = speech
    if isinstance(quantity, Gradient):
        network = nn.Sequential(*network, nn.AdaptiveAvgPool1d(1), nn.Flatten())
    here = record(network, clips, tmp_path / "cpu.zarr", quantity, LAYERS, batch_size=21, device="cpu")
    there = record(network, clips, tmp_path / "device.zarr", quantity, LAYERS, batch_size=4, device=device)
    assert there.attrs["device"] == device
    for layer in LAYERS:
        for name in here.variables:
            ours, theirs = there.array(layer, name)[...], here.array(layer, name)[...]
            size = np.abs(theirs).max()
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=ROUNDING * size)


def test_the_next_batch_has_begun_before_one_is_looked_at(speech, tmp_path, device, monkeypatch):
    network, clips = speech
    said, arrays = [], BegunMeasurement.arrays

    def looked(measured):
        said.append("look")
        return arrays(measured)

    record(network, clips, tmp_path / "one.zarr", Activation(), LAYERS, batch_size=7, device=device)
    monkeypatch.setattr(BegunMeasurement, "arrays", looked)
    network.register_forward_pre_hook(lambda *_: said.append("run"))
    done = []
    record(
        network, clips, tmp_path / "s.zarr", Activation(), LAYERS, batch_size=7, device=device,
        progress=lambda now, total: done.append((now, total, said.count("look"))),
    )  # fmt: skip
    assert said[-6:] == ["run", "run", "look", "run", "look", "look"]
    # What is called done has been looked at.
    assert done == [(7, 21, 1), (14, 21, 2), (21, 21, 3)]


def test_relevance_is_that_of_the_cpu(speech, device):
    network, clips = speech
    network = nn.Sequential(*network, nn.AdaptiveAvgPool1d(1), nn.Flatten()).eval()
    waveforms = torch.from_numpy(clips.waveforms([0, 1]))
    theirs = attribute(network, waveforms, 0).values
    ours = attribute(network.to(device), waveforms.to(device), 0).values
    assert ours.device.type == device
    np.testing.assert_allclose(ours.cpu(), theirs, rtol=0, atol=ROUNDING * float(theirs.abs().max()))
