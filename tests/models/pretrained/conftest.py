"""Small networks of every architecture, with random weights."""

import pytest
import torch
import transformers

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
BY_FRAME = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}


def whisper_config():
    return transformers.WhisperConfig(
        d_model=16, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=24, decoder_ffn_dim=24, max_source_positions=60, vocab_size=40, num_mel_bins=80,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, max_target_positions=20,
    )  # fmt: skip


def made(kind):
    """A network of transformers with random weights, by the kind of its adapter; "wav2vec2 by frame" has LayerNorm."""
    name, _, by_frame = kind.partition(" ")
    family = {"wav2vec2": "Wav2Vec2", "hubert": "Hubert", "wavlm": "WavLM"}
    torch.manual_seed(3)
    if name == "whisper":
        return transformers.WhisperForConditionalGeneration(whisper_config()).eval()
    config = getattr(transformers, f"{family[name]}Config")(**SIZES, **(BY_FRAME if by_frame else {}))
    return getattr(transformers, f"{family[name]}Model")(config).eval()


KINDS = ("whisper", "wav2vec2", "wav2vec2 by frame", "hubert", "hubert by frame", "wavlm", "wavlm by frame")


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves a small network and says how it is opened."""

    def save(kind):
        folder = tmp_path / kind.replace(" ", "_")
        made(kind).save_pretrained(folder)
        return f"{kind.split()[0]}:{folder}"

    return save
