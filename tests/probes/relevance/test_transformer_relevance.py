"""Relevance of whole transformers: what is conserved, and that nothing depends on how they are written."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2Model

from layerstats.errors import NetworkError
from layerstats.probes.relevance import relevance_by_rules
from layerstats.probes.relevance.rules import RULES


def unit(output):
    """A unit in the middle."""
    return getattr(output, "last_hidden_state", output)[:, 3, 5]


def speech_transformer(attention="eager", norm="layer"):
    """wav2vec2 as it comes, small, with weights that are not trained; biases and shifts are not 0."""
    config = Wav2Vec2Config(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40, conv_dim=(12, 12, 12),
        conv_kernel=(10, 3, 3), conv_stride=(5, 2, 2), num_feat_extract_layers=3, num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2, feat_extract_norm=norm, do_stable_layer_norm=norm == "layer",
    )  # fmt: skip
    config._attn_implementation = attention
    torch.manual_seed(0)
    network = Wav2Vec2Model(config).eval().double()
    for parameter in network.parameters():
        if parameter.ndim == 1:
            parameter.data += 0.1 * torch.randn_like(parameter)
    return network


def waveforms(tokens=2, samples=400):
    return torch.randn(tokens, samples, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def surrogate(monkeypatch):
    """Functions of torch whose gradient, times the input, is the rule of AttnLRP with an epsilon of 0.

    The "efficient" form of its authors: what divides and what an activation makes of its input are constants, factors
    of products get half of the gradient each. Nothing of it is used by the package.
    """

    def halved(first, second):
        half = [0.5 * factor + 0.5 * factor.detach() for factor in (first, second)]
        product = torch.Tensor.__matmul__(first, second)
        return product.detach() + (torch.Tensor.__matmul__(*half) - torch.Tensor.__matmul__(*half).detach())

    def gelu(values, approximate="none"):
        return values * (true_gelu(values, approximate=approximate) / values).detach()

    def layer_norm(values, shape, weight=None, bias=None, eps=1e-5):
        root = (values.var(-1, correction=0, keepdim=True) + eps).sqrt().detach()
        return (values - values.mean(-1, keepdim=True)) / root * weight + bias

    def group_norm(values, groups, weight=None, bias=None, eps=1e-5):
        grouped = values.reshape(len(values), groups, -1)
        root = (grouped.var(-1, correction=0, keepdim=True) + eps).sqrt().detach()
        normalised = ((grouped - grouped.mean(-1, keepdim=True)) / root).reshape(values.shape)
        return normalised * weight[:, None] + bias[:, None]

    true_gelu = F.gelu
    monkeypatch.setattr(torch, "matmul", halved)
    monkeypatch.setattr(F, "gelu", gelu)
    monkeypatch.setattr(F, "layer_norm", layer_norm)
    monkeypatch.setattr(F, "group_norm", group_norm)


@pytest.mark.parametrize("norm", ["layer", "group"])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_speech_transformer_has_the_relevance_of_the_surrogate_of_its_rules(request, norm, attention):
    network, heard = speech_transformer(attention, norm), waveforms()
    found = relevance_by_rules(network, heard, unit, "lrp_0")
    request.getfixturevalue("surrogate")
    network = speech_transformer("eager", norm)
    at = heard.clone().requires_grad_()
    score = unit(network(at))
    torch.testing.assert_close(found.start, score.detach())
    expected = at * torch.autograd.grad(score.sum(), at)[0]
    torch.testing.assert_close(found.values["input"], expected.detach(), rtol=1e-6, atol=1e-9)


def test_only_biases_shifts_and_softmax_keep_relevance():
    network, heard = speech_transformer(), waveforms()
    found = relevance_by_rules(network, heard, unit, "epsilon(1e-12)")
    lost = {name.removesuffix(".conv1d"): values.abs().max() for name, values in found.conservation_error.items()}
    keep = {name for name, largest in lost.items() if largest > 1e-6}
    biased = {name for name, module in network.named_modules() if getattr(module, "bias", None) is not None}
    assert {name for name in keep if name not in biased} == {
        "encoder.layers.0.attention.softmax", "encoder.layers.1.attention.softmax", "total",
    }  # fmt: skip
    assert len(keep) > 15


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_without_them_all_is_conserved(attention):
    network, heard = speech_transformer(attention), waveforms()
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            parameter.data.zero_()
    found = relevance_by_rules(network, heard, unit, "lrp_0", rules={"softmax": "constant"})
    assert found.conservation_error["total"].abs().max() < 1e-8


class Classes(nn.Module):
    """An encoder of torch, of which each token has a unit; `norm_first` and activation as asked for."""

    def __init__(self, **options):
        super().__init__()
        torch.manual_seed(0)
        layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, **options)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=not options.get("norm_first", False))

    def forward(self, values, silent=None):
        return self.encoder(values, src_key_padding_mask=silent)


@pytest.mark.parametrize("options", [{}, {"activation": "gelu"}, {"norm_first": True}])
def test_an_encoder_of_torch_loses_nothing_but_at_biases_and_softmax(options):
    network = Classes(**options).double().eval()
    values = torch.randn(3, 6, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = relevance_by_rules(network, values, unit, "epsilon(1e-12)")
    with torch.no_grad():  # without gradients torch takes its fast path, which calls one operation a layer
        torch.testing.assert_close(found.start, unit(network(values)))
    keep = ("total", "softmax", "linear", "norm")
    others = [lost for name, lost in found.conservation_error.items() if not any(part in name for part in keep)]
    assert len(others) >= 10
    assert torch.stack(others).abs().max() < 1e-6


def test_what_is_masked_gets_none_and_changes_nothing():
    network = Classes().double().eval()
    values = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    silent = torch.zeros(2, 6, dtype=torch.bool)
    silent[:, 4:] = True
    padded = relevance_by_rules(network, {"values": values, "silent": silent}, unit, "epsilon(1e-9)").values["input"]
    alone = relevance_by_rules(network, values[:, :4], unit, "epsilon(1e-9)").values["input"]
    assert not padded[:, 4:].any()
    torch.testing.assert_close(padded[:, :4], alone)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_goes_through_attention_normalisation_and_cells(rule):
    """Where a rule is no way of sharing in proportion, as flat is, LRP-0 takes its place in products and cells."""
    network = nn.Sequential(Classes(), Cells()).eval()
    values = torch.randn(3, 6, 8, generator=torch.Generator().manual_seed(2))
    found = relevance_by_rules(network, values, lambda output: output[:, 3, 1], rule)
    assert torch.isfinite(found.values["input"]).all()
    assert (found.values["input"] != 0).any()


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.cells = nn.GRU(8, 4, batch_first=True)

    def forward(self, values):
        return self.cells(values)[0]


NEIGHBOURS = torch.ones(5, 5, dtype=torch.bool).triu(2)
DISTANCES = -0.2 * (torch.arange(5)[:, None] - torch.arange(5)).abs().double()
ATTENTIONS = {
    "as it comes": ({}, {}),
    "time first": ({"batch_first": False}, {}),
    "without biases": ({"bias": False}, {"need_weights": False}),
    "boolean mask": ({}, {"attn_mask": NEIGHBOURS}),
    "added mask": ({}, {"attn_mask": DISTANCES, "average_attn_weights": False}),
    "a mask a head": ({}, {"attn_mask": DISTANCES * torch.arange(6).reshape(6, 1, 1)}),
    "causal": ({}, {"attn_mask": torch.ones(5, 5, dtype=torch.bool).triu(1), "is_causal": True, "need_weights": False}),
    "silence": ({}, {"key_padding_mask": torch.arange(5).expand(3, 5) > torch.tensor([[2], [3], [4]])}),
    "keys of another width": ({"kdim": 4, "vdim": 4}, {}),
}
WEIGHTS = []


class Attending(nn.Module):
    def __init__(self, options, given):
        super().__init__()
        torch.manual_seed(0)
        self.attention = nn.MultiheadAttention(8, 2, **{"batch_first": True, **options})
        self.given, self.other = given, 4 if "kdim" in options else 8
        self.time_first = not self.attention.batch_first

    def forward(self, values):
        keys = values[..., : self.other]
        if self.time_first:
            values, keys = values.transpose(0, 1), keys.transpose(0, 1)
        output, weights = self.attention(values, keys, keys, **self.given)
        WEIGHTS.append(weights)
        return output.transpose(0, 1) if self.time_first else output


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_attention_of_torch_gives_what_it_gives_and_loses_nothing_but_at_biases(kind):
    network = Attending(*ATTENTIONS[kind]).double().eval()
    values = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    rules = {"softmax": "constant"}
    found = relevance_by_rules(network, values, unit, "epsilon_relative(1e-12)", rules=rules)
    with torch.no_grad():
        torch.testing.assert_close(found.start, unit(network(values)))
    if WEIGHTS[-1] is not None:
        torch.testing.assert_close(WEIGHTS[-2], WEIGHTS[-1])
    lost = {name: values.abs().max() for name, values in found.conservation_error.items() if "linear" not in name}
    lost.pop("total")
    assert max(lost.values()) < 1e-6


@pytest.mark.parametrize("kind", ["as it comes", "time first", "keys of another width"])
def test_an_epsilon_of_each_token_is_that_of_the_token_alone(kind):
    network = Attending(*ATTENTIONS[kind]).double().eval()
    values = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    together = relevance_by_rules(network, values, unit, "epsilon_relative(0.1)")
    alone = relevance_by_rules(network, values[:1], unit, "epsilon_relative(0.1)")
    torch.testing.assert_close(together.values["input"][:1], alone.values["input"])


@pytest.mark.parametrize("options", [{"add_bias_kv": True}, {"add_zero_attn": True}])
def test_attention_with_keys_of_its_own_has_no_rule(options):
    network = Attending(options, {}).double().eval()
    with pytest.raises(NetworkError, match="add_bias_kv"):
        relevance_by_rules(network, torch.randn(3, 5, 8, dtype=torch.float64), unit)


def test_tokens_of_a_batch_do_not_matter_to_each_other():
    """Attention of torch puts time first, so that tokens are not the first axis of its operations."""
    network = Classes().double().eval()
    values = torch.randn(3, 6, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    together = relevance_by_rules(network, values, unit, "epsilon")
    for token in range(3):
        alone = relevance_by_rules(network, values[token : token + 1], unit, "epsilon")
        torch.testing.assert_close(together.values["input"][token], alone.values["input"][0])
        for name, lost in alone.conservation_error.items():
            torch.testing.assert_close(together.conservation_error[name][token], lost[0], msg=name)


def test_powers_are_seen_however_they_are_written():
    values = torch.randn(2, 4, dtype=torch.float64)
    written = [lambda x: x**2, lambda x: x.pow(2), lambda x: torch.pow(x, 2), torch.square]
    found = []
    for function in written:
        network = nn.Sequential(nn.Linear(4, 3).double())
        torch.manual_seed(0)
        network[0].reset_parameters()
        found.append(relevance_by_rules(network, values, lambda output, f=function: f(output).sum(1)).values["input"])
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])
