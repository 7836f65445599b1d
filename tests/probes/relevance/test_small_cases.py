"""Networks so small that their relevance can be worked out by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from layerstats.errors import DataError, NetworkError
from layerstats.probes.relevance import relevance_by_rules, watch_operations
from layerstats.probes.relevance.rules import RULES


def first(output):
    return output[:, 0]


def relevance_of(network, values, rule="lrp_0", **options):
    return relevance_by_rules(network, torch.tensor(values), first, rule, **options)


class Written(nn.Module):
    """A network that is a function."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, values):
        return self.function(self, values)


def in_place(network, values):
    output = F.linear(values, torch.eye(2))
    output += values
    return output


class Summed(nn.Module):
    def forward(self, first, second):
        return torch.add(first, second)


@pytest.mark.parametrize(
    "function",
    [
        lambda network, values: F.linear(values, torch.eye(2)) + values,
        lambda network, values: torch.add(values, F.linear(values, torch.eye(2))),
        lambda network, values: F.linear(values, torch.eye(2)).add(values),
        lambda network, values: torch.stack([F.linear(values, torch.eye(2)), values]).sum(0),
        lambda network, values: network.sum(F.linear(values, torch.eye(2)), values),
        in_place,
    ],
)
def test_a_sum_shares_relevance_wherever_it_is_written(function):
    found = relevance_of(Written(function, sum=Summed()), [[1.0, 2.0]])
    assert found.values["input"].tolist() == [[2.0, 0.0]]
    assert found.start.tolist() == [2.0]
    assert float(found.conservation_error["total"]) == 0


def three_layers(relu):
    torch.manual_seed(1)
    layers = [nn.Linear(6, 6) for _ in range(3)]
    return Written(lambda network, values: layers[2](relu(layers[1](relu(layers[0](values)).mul(1.0)))), relu=nn.ReLU())


@pytest.mark.parametrize("rule", RULES)
def test_one_relu_module_for_all_layers_is_as_three_or_a_function(rule):
    values = torch.randn(4, 6, generator=torch.Generator().manual_seed(2))
    torch.manual_seed(1)
    layers = [nn.Linear(6, 6) for _ in range(3)]
    again, in_place = nn.ReLU(), nn.ReLU(inplace=True)

    def functions(network, values):
        return layers[2](F.relu(layers[1](torch.relu(layers[0](values)))))

    def discarded(network, values):
        hidden = layers[0](values)
        F.relu(hidden, inplace=True)
        hidden = layers[1](hidden)
        hidden.relu_()
        return layers[2](hidden)

    networks = [
        nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2]),
        nn.Sequential(layers[0], again, layers[1], again, layers[2]),
        nn.Sequential(layers[0], in_place, layers[1], in_place, layers[2]),
        Written(functions, layers=nn.ModuleList(layers)),
        Written(discarded, layers=nn.ModuleList(layers)),
    ]
    maps = [relevance_by_rules(network, values, first, rule).values["input"] for network in networks]
    assert maps[0].abs().max() > 0
    for other in maps[1:]:
        torch.testing.assert_close(other, maps[0], rtol=0, atol=0)


def test_batch_norm_merges_in_the_order_of_execution_not_of_registration():
    norm, convolution = nn.BatchNorm1d(1, eps=0.0), nn.Conv1d(1, 1, 1, bias=False)
    norm.weight.data.fill_(3.0)
    norm.bias.data.fill_(0.5)
    convolution.weight.data.fill_(2.0)
    network = Written(
        lambda self, values: self.norm(self.convolution(values))[:, 0], norm=norm, convolution=convolution
    )
    found = relevance_of(network, [[[5.0]]], "alpha_beta(1, 0)")
    # 30 of 30.5 are the input's; the shift is a bias, which keeps its share.
    assert found.values["input"].flatten().tolist() == pytest.approx([30.0])
    assert float(found.conservation_error["convolution"]) == pytest.approx(0.5 / 30.5)
    norm.bias.data.zero_()
    assert relevance_of(network, [[[5.0]]]).values["input"].flatten().tolist() == pytest.approx([30.0])


@pytest.mark.parametrize(("rule", "shares", "error"), [
    ("alpha_beta(alpha=1, beta=0)", [0.25, 0.5], 0.25),
    ("alpha_beta(alpha=1, beta=0, bias=False)", [1 / 3, 2 / 3], 0.0),
    ("z_plus", [1 / 3, 2 / 3], 0.0),
])  # fmt: skip
def test_a_bias_keeps_its_share_unless_it_is_left_out(rule, shares, error):
    network = nn.Linear(2, 1)
    network.weight.data = torch.tensor([[1.0, 2.0]])
    network.bias.data = torch.tensor([1.0])
    found = relevance_of(network, [[1.0, 1.0]], rule, start_value="one")
    assert found.values["input"].flatten().tolist() == pytest.approx(shares)
    assert float(found.conservation_error["linear"]) == pytest.approx(error, abs=1e-6)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_compiled_and_scripted_networks_are_refused():
    inner = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    for network, how in [
        (torch.jit.trace(inner, torch.zeros(1, 2)), "script"),
        (nn.Sequential(torch.jit.trace(inner, torch.zeros(1, 2))), "script"),
        (torch.compile(inner, backend="eager"), "compiled"),
    ]:
        with pytest.raises(NetworkError, match=f"{how}.*with the same weights"):
            relevance_of(network, [[1.0, 2.0]])


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_function_that_is_a_script_is_refused():
    script = torch.jit.trace(lambda values: values * 2 + values, torch.zeros(1, 2))
    network = nn.Sequential(nn.Linear(2, 2), Written(lambda self, values: script(values)))
    with pytest.raises(NetworkError, match=r"function that this Sequential calls is a script of torch\.jit"):
        relevance_of(network, [[1.0, 2.0]])


def test_an_operation_without_a_rule_is_named_with_its_module():
    network = nn.Sequential(nn.Linear(2, 2), Written(lambda self, values: torch.sinc(values)))
    with pytest.raises(NetworkError, match=r"operation 'sinc'.*module '1' \(Written\).*register_rule\('sinc'\)"):
        relevance_of(network, [[1.0, 2.0]])


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values):
        return values * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


def test_operations_that_torch_does_not_show_are_refused():
    for parts in ([nn.Linear(2, 2)], [nn.Linear(2, 2), nn.ReLU()], []):
        network = nn.Sequential(Written(lambda self, values: Doubled.apply(values)), *parts)
        with pytest.raises(NetworkError, match=r"cannot be watched \(DoubledBackward\)"):
            relevance_of(network, [[1.0, 2.0]])


def test_damaged_values_are_refused():
    network = nn.Linear(2, 2)
    with pytest.raises(DataError, match=r"NaN or infinite values, the first at \[0, 1\]"):
        relevance_of(network, [[1.0, float("nan")]])
    network.weight.data[0, 0] = float("nan")
    with pytest.raises(NetworkError, match="score is NaN"):
        relevance_of(network, [[1.0, 2.0]])


def test_values_that_are_known_are_not_computed_again():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.ReLU(inplace=True), nn.Conv1d(3, 2, 4))
    network.eval()
    utterance = torch.randn(1, 2, 16)
    starts = [0, 3, 7]
    windows = torch.cat([utterance[:, :, start : start + 6] for start in starts])
    watched = watch_operations(network, utterance)
    assert [found.name for found in watched] == ["conv1d", "batch_norm", "relu", "conv1d"]
    known = {found.number: found.output for found in watched}
    asked = []

    def values(number, name, layer):
        asked.append((number, name, layer))
        length = 1 if number == 3 else 4
        return torch.cat([known[number][:, :, start : start + length] for start in starts])

    def score(output):
        return output[:, 1, 0]

    for rule in ("adapted", "epsilon", "alpha_beta"):
        alone = relevance_by_rules(network, windows, score, rule, dtype=torch.float64)
        known = {found.number: found.output for found in watch_operations(network, utterance, torch.float64)}
        shared = relevance_by_rules(network, windows, score, rule, dtype=torch.float64, values=values)
        torch.testing.assert_close(shared.values["input"], alone.values["input"])
    assert asked[:4] == [(0, "conv1d", "0"), (1, "batch_norm", "1"), (2, "relu", "2"), (3, "conv1d", "3")]
    known = {number: output + 1 for number, output in known.items()}
    changed = relevance_by_rules(network, windows, score, "adapted", values=values)
    assert (changed.values["input"] - alone.values["input"]).abs().max() > 1e-3
