"""Speech transformers as a library has them: recorded, and with relevance that only known places keep."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from transformers.models.moonshine.modeling_moonshine import MoonshineEncoder
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from layerstats.corpora import Clips, read_timit
from layerstats.models import seeded
from layerstats.probes import record_relevance
from layerstats.probes.relevance import relevance_by_rules
from layerstats.store import open_store

SIZE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
HEARING = {
    "conv_dim": (8, 8), "conv_kernel": (10, 3), "conv_stride": (5, 2), "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
RELATIVE, ROTARY = ({"position_embeddings_type": kind} for kind in ("relative", "rotary"))
NETWORKS = {
    # Positions that depend on the input, by a gate; attention of torch with weights of its own.
    "WavLM": lambda: transformers.WavLMModel(transformers.WavLMConfig(**SIZE, **HEARING)),
    "HuBERT": lambda: transformers.HubertModel(transformers.HubertConfig(**SIZE, **HEARING)),
    # Gated linear units, depthwise convolutions, BatchNorm, SiLU; positions in the keys, or by rotation.
    "conformer": lambda: transformers.Wav2Vec2ConformerModel(
        transformers.Wav2Vec2ConformerConfig(**SIZE, **HEARING, **RELATIVE)
    ),
    "rotary conformer": lambda: transformers.Wav2Vec2ConformerModel(
        transformers.Wav2Vec2ConformerConfig(**SIZE, **HEARING, **ROTARY)
    ),
    "Moonshine": lambda: MoonshineEncoder(
        transformers.MoonshineConfig(
            hidden_size=16,
            intermediate_size=24,
            encoder_num_hidden_layers=2,
            decoder_num_hidden_layers=1,
            encoder_num_attention_heads=2,
            decoder_num_attention_heads=2,
        )
    ),
    "Whisper": lambda: WhisperEncoder(
        transformers.WhisperConfig(
            d_model=16,
            encoder_layers=2,
            encoder_attention_heads=2,
            encoder_ffn_dim=24,
            num_mel_bins=8,
            max_source_positions=50,
        )
    ),
}
INPUTS = {"Whisper": (2, 8, 100), "Moonshine": (2, 4000)}
# Where first orders are taken, or something is added that does not depend on the input.
KEEP = ("softmax", "add", "total")


def state(output):
    return output.last_hidden_state[:, 3, 5]


@pytest.mark.parametrize("name", NETWORKS)
def test_only_softmax_and_what_has_a_bias_keep_relevance(name):
    with seeded(0):
        network = NETWORKS[name]().eval().double()
        values = torch.randn(INPUTS.get(name, (2, 800)), dtype=torch.float64)
    found = relevance_by_rules(network, values, state, "epsilon(1e-12)")
    with torch.no_grad():
        torch.testing.assert_close(found.start, state(network(values)))
    modules = dict(network.named_modules())
    for place, lost in found.conservation_error.items():
        layer = place.split("#")[0]
        layer = layer if layer in modules else layer.rpartition(".")[0]
        biased = any(name.endswith("bias") for name, _ in modules[layer].named_parameters())
        if not biased and not any(part in place for part in KEEP):
            assert lost.abs().max() < 1e-6, place
    assert len(found.conservation_error) > 20


@pytest.mark.realdata
def test_relevance_of_a_speech_transformer_is_recorded_on_real_speech(tmp_path, real_data):
    """Layers and axes are those of a recording of activations, and what was heard stands beside it."""
    corpus = read_timit(real_data("timit"), words=["ask", "wash"])
    clips = Clips(corpus.subset(tokens=corpus.tokens["token"].tolist()[:4]), samples=8000, too_long="trim")
    with seeded(0):
        network = transformers.HubertModel(transformers.HubertConfig(**SIZE, **HEARING)).eval()
    layers = ["input", "encoder.layers.0", "encoder.layers.1"]
    found = record_relevance(network, clips, tmp_path / "s.zarr", lambda output, _: state(output), layers=layers)
    assert found.layers == tuple(layers)
    attrs = found.layer("encoder.layers.1").attrs
    assert attrs["output_axes"] == ["token", "sample", "channel"]
    relevance = found.layer("encoder.layers.1")["mean"].to_numpy()
    # What is asked about is the fourth state of the last layer, and relevance there is nowhere else.
    assert (relevance[:, 3] != 0).all()
    assert not np.delete(relevance, 3, axis=1).any()
    below = found.layer("encoder.layers.0")["mean"].to_numpy()
    assert (below != 0).mean() > 0.9
    heard = open_store(tmp_path / "s.zarr", recording="input").layer("input")["mean"].to_numpy()
    assert np.array_equal(heard, clips.waveforms(slice(None)))
