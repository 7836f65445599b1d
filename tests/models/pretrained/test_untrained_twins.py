"""Untrained twins are what the architecture's own initialisation makes, seed by seed."""

import pytest
import torch

from layerstats.errors import ArgumentError
from layerstats.models import untrained
from layerstats.models.pretrained import SpeechNetwork, open_network


def weights(network):
    return dict(network.named_parameters())


def test_the_same_seed_gives_the_same_twin(saved, kind):
    network = open_network(saved(kind))
    before = {name: value.clone() for name, value in weights(network).items()}
    one, again, other = (untrained(network, seed) for seed in (4, 4, 5))
    assert isinstance(one, SpeechNetwork)
    assert one.hearing == network.hearing
    assert not one.training
    assert not one.network.training
    drawn = {name for name, value in weights(one).items() if not torch.equal(value, weights(other)[name])}
    assert any("layers.0" in name for name in drawn)
    assert all(torch.equal(value, weights(again)[name]) for name, value in weights(one).items())
    assert all(torch.equal(value, before[name]) for name, value in weights(network).items())


def test_weights_are_spread_as_the_architecture_says(saved, kind):
    """Linear layers from a normal distribution by the configuration's range; biases 0 and norms 1."""
    network = open_network(saved(kind))
    twin = untrained(network, 0)
    config = twin.network.config
    expected = config.init_std if kind == "whisper" else config.initializer_range
    ends = ("q_proj", "out_proj", "fc1", "output_dense")
    linear = [module for name, module in twin.named_modules() if name.endswith(ends)]
    drawn = torch.cat([module.weight.flatten() for module in linear])
    assert len(drawn) > 1000
    assert drawn.std().item() == pytest.approx(expected, rel=0.1)
    assert abs(drawn.mean().item()) < 0.1 * expected
    for module in twin.modules():
        if isinstance(module, torch.nn.LayerNorm):
            assert (module.weight == 1).all()
            assert not module.bias.any()
    assert not any(module.bias.any() for module in linear if module.bias is not None)


def test_positions_of_whisper_are_not_drawn(saved):
    network = open_network(saved("whisper"))
    twin = untrained(network, 0)
    assert torch.equal(twin.get_submodule("embed_positions").weight, network.get_submodule("embed_positions").weight)


def test_the_sound_alone_has_no_twin():
    with pytest.raises(ArgumentError, match="mel 40 has no weights"):
        untrained(open_network("mel:40"), 0)
