"""Fresh weights: seeded, of the same architecture, with nothing else touched."""

import pytest
import torch
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2Model

from layerstats.errors import ArgumentError
from layerstats.models import ConvolutionalEncoder, ModelCard, untrained
from layerstats.models.card import describe


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def small_wav2vec2():
    return Wav2Vec2Model(
        Wav2Vec2Config(
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            conv_dim=(8, 8),
            conv_kernel=(10, 3),
            conv_stride=(5, 2),
            num_feat_extract_layers=2,
            num_conv_pos_embeddings=4,
            num_conv_pos_embedding_groups=2,
        )
    )


NETWORKS = {
    "ours": lambda: ConvolutionalEncoder(2, width=2),
    "recurrent": lambda: nn.LSTM(4, 5, bidirectional=True),
    "normalised": lambda: nn.Sequential(nn.Conv1d(1, 3, 5), nn.BatchNorm1d(3), nn.PReLU(), nn.GroupNorm(1, 3)),
    "attention": lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
    "wav2vec2": small_wav2vec2,
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
def test_same_seed_same_weights_and_nothing_else_moves(network):
    model = network().train()
    before, state = weights(model), torch.get_rng_state()
    one, again, other = untrained(model, 1), untrained(model, 1), untrained(model, 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(weights(model), before)
    assert torch.equal(weights(one), weights(again))
    assert not torch.equal(weights(one), weights(other))
    assert not torch.equal(weights(one), before)
    assert repr(one) == repr(model)
    assert one.training


def test_every_weight_matrix_is_drawn_anew():
    model = small_wav2vec2()
    fresh = dict(untrained(model, 5).named_parameters())
    same = [name for name, old in model.named_parameters() if old.ndim > 1 and torch.equal(old, fresh[name])]
    assert same == []


def test_fresh_weights_are_distributed_as_at_construction():
    torch.manual_seed(0)
    constructed = weights(ConvolutionalEncoder(8, width=4))
    torch.manual_seed(11)
    expected = weights(ConvolutionalEncoder(8, width=4))
    assert torch.equal(weights(untrained(ConvolutionalEncoder(8, width=4), 11)), expected)
    assert not torch.equal(constructed, expected)


def test_running_statistics_start_afresh():
    model = nn.Sequential(nn.Conv1d(1, 3, 5), nn.BatchNorm1d(3))
    model(torch.randn(4, 1, 50) + 3)
    fresh = untrained(model, 0)
    assert torch.equal(fresh[1].running_mean, torch.zeros(3))
    assert not torch.equal(model[1].running_mean, torch.zeros(3))


def test_a_card_is_enough():
    model = ConvolutionalEncoder(2, width=2)
    card = ModelCard("small", "A test.", architecture=describe(model))
    assert torch.equal(weights(untrained(card, 4)), weights(untrained(model, 4)))


class _Gain(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3))


def test_a_module_that_cannot_draw_is_named():
    with pytest.raises(ArgumentError, match=r"1 \(_Gain\).*reset_parameters"):
        untrained(nn.Sequential(nn.Linear(3, 3), _Gain()), 0)


def test_weight_normed_modules_are_not_left_as_they_were():
    """A reset of the derived weight would be lost in silence, so it is refused."""
    with pytest.raises(ArgumentError, match="reset_parameters"):
        untrained(nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))), 0)
