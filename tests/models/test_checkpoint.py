"""Checkpoints keep weights, architecture and card; damaged ones say so."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from layerstats.errors import ArgumentError, DataError
from layerstats.models import ConvolutionalEncoder, ModelCard, load_checkpoint, save_checkpoint

CARD = ModelCard(
    "words",
    "Tells two words apart.",
    outputs=("ask", "wash"),
    training={"corpus": "none", "steps": 3},
    evaluation={"accuracy": 0.5},
    limits=("Not for [tʃ].",),
)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_round_trip(tmp_path, dtype):
    model = ConvolutionalEncoder(2, width=2, slope=0.1, phase_shuffle=1)
    state = torch.get_rng_state()
    loaded, card = load_checkpoint(save_checkpoint(tmp_path / "a" / "words.safetensors", model, CARD, dtype=dtype))
    assert torch.equal(torch.get_rng_state(), state)
    assert loaded.configuration == model.configuration
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        expected = tensor.to(getattr(torch, dtype)).float()
        assert torch.equal(loaded.state_dict()[name], expected)
    assert (card.outputs, card.training, card.limits) == (CARD.outputs, CARD.training, CARD.limits)
    assert card.architecture["arguments"]["slope"] == 0.1


def test_card_is_readable_beside_it(tmp_path):
    save_checkpoint(tmp_path / "words.safetensors", ConvolutionalEncoder(2, width=1), CARD)
    page = (tmp_path / "words.md").read_text(encoding="utf-8")
    for fact in ("# words", "ask, wash", "corpus: none", "accuracy: 0.5", "- Not for [tʃ].", "width 1"):
        assert fact in page


def test_other_networks_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="Linear"):
        save_checkpoint(tmp_path / "x.safetensors", nn.Linear(2, 2), CARD)


def test_weights_too_large_for_float16_are_refused(tmp_path):
    model = ConvolutionalEncoder(2, width=1)
    with torch.no_grad():
        model.logits.bias[0] = 1e6
    with pytest.raises(ArgumentError, match=r"logits\.bias"):
        save_checkpoint(tmp_path / "x.safetensors", model, CARD, dtype="float16")
    assert not (tmp_path / "x.safetensors").exists()


def test_damaged_and_foreign_files_are_named(tmp_path):
    path = save_checkpoint(tmp_path / "words.safetensors", ConvolutionalEncoder(2, width=1), CARD)
    truncated = tmp_path / "truncated.safetensors"
    truncated.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="truncated"):
        load_checkpoint(truncated)
    foreign = tmp_path / "foreign.safetensors"
    save_file(load_file(path), foreign)
    with pytest.raises(DataError, match="no model card"):
        load_checkpoint(foreign)
    with pytest.raises(FileNotFoundError, match="absent"):
        load_checkpoint(tmp_path / "absent.safetensors")
