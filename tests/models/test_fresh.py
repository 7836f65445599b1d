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


def old_weight_norm(module):
    with pytest.warns(FutureWarning, match="weight_norm"):
        return nn.utils.weight_norm(module)


def old_spectral_norm(module):
    return nn.utils.spectral_norm(module)


NORMS = {
    "weight": nn.utils.parametrizations.weight_norm,
    "spectral": nn.utils.parametrizations.spectral_norm,
    "orthogonal": nn.utils.parametrizations.orthogonal,
    "old-weight": old_weight_norm,
    "old-spectral": old_spectral_norm,
}


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS.keys())
def test_normed_weights_are_drawn_as_the_plain_ones_are(norm):
    """A reset of the derived weight alone would be lost in silence."""

    def build():
        return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))

    model = build()
    for index in (0, 2):
        norm(model[index])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    fresh = untrained(model, 3).eval()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    torch.manual_seed(3)
    expected = build()
    inputs = torch.randn(5, 3)
    if norm is not NORMS["orthogonal"]:  # this one draws numbers of its own
        for index in (0, 2):
            torch.testing.assert_close(fresh[index].bias, expected[index].bias)
            norm(expected[index])
        for _ in range(30):  # the largest singular value is found by iteration
            expected(inputs)
        torch.testing.assert_close(fresh(inputs), expected.eval()(inputs), rtol=0.02, atol=0.02)
    learned = [name for name, tensor in fresh.named_parameters() if torch.equal(tensor, state[name])]
    assert learned == []


class _Doubled(nn.Module):
    def forward(self, weight):
        return 2 * weight


def test_parametrizations_that_cannot_be_turned_round_are_named():
    model = nn.Sequential(nn.Linear(3, 3))
    nn.utils.parametrize.register_parametrization(model[0], "weight", _Doubled())
    with pytest.raises(ArgumentError, match=r"parametrized weight of a Linear.*remove_parametrizations"):
        untrained(model, 0)
