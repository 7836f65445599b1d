"""Networks of transformers through their adapters: recorded values are those of a direct call."""

import numpy as np
import pytest
import torch

from layerstats.corpora import Clips, demo_corpus
from layerstats.models.pretrained import SpeechNetwork, open_network
from layerstats.probes import Activation, record


@pytest.fixture(scope="module")
def clips():
    corpus = demo_corpus(words=["ask", "wash"], voices=4)
    return Clips(corpus.subset(tokens=corpus.tokens["token"].tolist()[:5]), samples=16000, silence_s=0.0)


def test_recorded_values_are_those_of_a_direct_call(saved, kind, clips, tmp_path):
    network = open_network(saved(kind))
    assert isinstance(network, SpeechNetwork)
    assert network.hearing.kind == kind.split()[0]
    found = record(network, clips, tmp_path / "speech.zarr", Activation(maps=True))
    waveforms = torch.from_numpy(clips.waveforms(slice(None)))
    with torch.no_grad():
        direct = network.network(**network.hearing.prepare(waveforms), output_hidden_states=True)
    layers, ends = ("layers.", "layer_norm") if kind == "whisper" else ("encoder.layers.", "encoder.layer_norm")
    expected = {f"{layers}{number}": state for number, state in enumerate(direct.hidden_states[1:-1])}
    last = ends if kind == "whisper" or "frame" in kind else f"{layers}{len(expected)}"
    expected[last] = direct.last_hidden_state
    assert len(expected) >= 2
    for name, state in expected.items():
        recorded = found.layer(name)["maps"].transpose("token", "sample", "channel").to_numpy()
        # Of half a minute that Whisper hears, the samples inside the clip.
        np.testing.assert_allclose(recorded, state.numpy()[:, : recorded.shape[1]], atol=2e-5)
        assert recorded.shape[1] >= 49
    # The last of the hidden states need not be what the network ends with.
    assert set(expected) < set(found.layers)
