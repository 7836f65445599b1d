"""Checkpoints keep weights, architecture and card; damaged ones say so."""

import dataclasses
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from layerstats.errors import ArgumentError, DataError, MissingFileError
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
    with pytest.raises(MissingFileError, match="absent"):
        load_checkpoint(tmp_path / "absent.safetensors")


def with_card(path, tmp_path, change):
    """The checkpoint at `path` with `change` made to its card."""
    with safe_open(path, framework="pt") as file:
        card = json.loads(file.metadata()["card"])
    changed = change(card)
    other = tmp_path / "other.safetensors"
    text = changed if isinstance(changed, str) else json.dumps(changed)
    save_file(load_file(path), other, metadata={"format": "pt", "card": text})
    return other


def test_fields_of_a_later_version_are_passed_over(tmp_path):
    path = save_checkpoint(tmp_path / "words.safetensors", ConvolutionalEncoder(2, width=1), CARD)
    other = with_card(path, tmp_path, lambda card: {**card, "licence": "CC0", "limits": None})
    assert load_checkpoint(other)[1] == dataclasses.replace(load_checkpoint(path)[1], limits=())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: "{", "not JSON"),
        (lambda card: [], "no 'name'"),
        (lambda card: {**card, "training": "long"}, r"Invalid value 'long' for the card \(training\)"),
        (lambda card: {**card, "outputs": ["ask", 7]}, r"Invalid value 7 for the card \(outputs\.1\)"),
        (lambda card: {**card, "architecture": {}}, "Unknown architecture None"),
        (
            lambda card: {**card, "architecture": {"class": "ConvolutionalEncoder", "arguments": {"depth": 3}}},
            "do not fit the architecture ConvolutionalEncoder.*'depth'",
        ),
        (lambda card: {**card, "architecture": {"class": "ConvolutionalEncoder"}}, "'outputs'"),
    ],
    ids=["text", "list", "kind", "part", "no-architecture", "argument", "no-arguments"],
)
def test_damaged_cards_are_named(tmp_path, change, message):
    path = save_checkpoint(tmp_path / "words.safetensors", ConvolutionalEncoder(2, width=1), CARD)
    with pytest.raises(DataError, match=rf"other\.safetensors cannot be used.*{message}"):
        load_checkpoint(with_card(path, tmp_path, change))
