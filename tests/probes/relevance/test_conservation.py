"""What is reported as lost is what is lost, and a rule that breaks its promise is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from layerstats.errors import ArgumentError, NetworkError
from layerstats.probes.relevance import Rule, relevance_by_rules
from layerstats.probes.relevance.rules import RULES


def network_of(seed=0):
    torch.manual_seed(seed)
    layers = [
        nn.Conv1d(2, 4, 3, padding=1),
        nn.BatchNorm1d(4),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(4, 6, 3),
        nn.ReLU(),
    ]
    network = nn.Sequential(*layers, nn.AvgPool1d(2), nn.Flatten(), nn.Linear(18, 3))
    network[1].running_mean.normal_()
    network[1].running_var.uniform_(0.5, 2)
    return network.double()


def first(output):
    return output[:, 0]


@pytest.mark.parametrize("rule", RULES)
def test_what_operations_lose_adds_up_to_what_is_missing_at_the_input(rule):
    inputs = torch.randn(3, 2, 16, dtype=torch.float64)
    found = relevance_by_rules(network_of(), inputs, first, rule)
    total = found.values["input"].flatten(1).sum(1) * found.scale["input"]
    missing = (found.start - total) / found.start
    torch.testing.assert_close(found.conservation_error["total"], missing)
    lost = [error for name, error in found.conservation_error.items() if name != "total"]
    torch.testing.assert_close(torch.stack(lost).sum(0), missing, rtol=1e-4, atol=1e-6)
    assert list(found.conservation_error) == ["8", "6", "5", "4", "2", "1", "0", "total"]
    assert [float(found.conservation_error[name].abs().max()) for name in ("5", "2", "1")] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("rule", ["lrp_0", "gamma", "z_plus", "flat"])
def test_without_biases_all_is_conserved(rule):
    network = network_of()
    for layer in network:
        if getattr(layer, "bias", None) is not None:
            layer.bias.data.zero_()
    network[1].running_mean.zero_()
    found = relevance_by_rules(network, torch.randn(5, 2, 16, dtype=torch.float64), first, rule)
    assert float(found.conservation_error["total"].abs().max()) < 1e-9
    assert float(found.values["input"].abs().max()) > 0


def test_tokens_have_the_relevance_that_they_have_alone():
    network, inputs = network_of(), torch.randn(3, 2, 16, dtype=torch.float64)
    for rule in RULES:
        together = relevance_by_rules(network, inputs, first, rule)
        alone = [relevance_by_rules(network, token[None], first, rule) for token in inputs]
        torch.testing.assert_close(together.values["input"], torch.cat([one.values["input"] for one in alone]))
        errors = torch.cat([one.conservation_error["total"] for one in alone])
        torch.testing.assert_close(together.conservation_error["total"], errors)


@dataclass(frozen=True)
class Doubling(Rule):
    """Hands on twice what it was given, and says otherwise."""

    name: ClassVar[str] = "doubling"
    conserves: ClassVar[bool] = True

    def share(self, operation, relevance):
        return 2 * operation.input * operation.back(relevance / operation.output)


def test_a_broken_promise_raises():
    network = nn.Sequential(nn.Linear(4, 3, bias=False), nn.ReLU(), nn.Linear(3, 2, bias=False))
    with pytest.raises(NetworkError, match=r"doubling promises that 'linear' in module '0' \(Linear\) conserves"):
        relevance_by_rules(network, torch.randn(2, 4), first, "lrp_0", rules={"0": Doubling()})
    # With a bias nothing is promised, and the error is told.
    biased = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2, bias=False))
    found = relevance_by_rules(biased, torch.randn(2, 4), first, "lrp_0", rules={"0": Doubling()})
    assert float(found.conservation_error["0"].min()) < 0


def test_relevance_that_overflows_raises():
    # Outputs are the small differences of large contributions, layer after layer.
    layers = [nn.Linear(2, 2, bias=False) for _ in range(8)]
    for layer in layers:
        layer.weight.data = torch.tensor([[2.0**22, 1 - 2.0**22], [0.0, 1.0]])
    with pytest.raises(NetworkError, match=r"NaN or infinite after 'linear' in module '\d' \(Linear\).*larger epsilon"):
        relevance_by_rules(nn.Sequential(*layers), torch.ones(1, 2), first, "epsilon(1e-30)")


class Functional(nn.Module):
    """A network of functions, with convolutions, a reused layer, a skip and a sum in place."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.first, self.again = nn.Conv1d(2, 4, 3, padding=1), nn.Conv1d(4, 4, 3, padding=1)
        self.last = nn.Linear(4, 2)

    def forward(self, values):
        hidden = F.relu(self.first(values), inplace=True)
        hidden = F.relu(self.again(hidden)) + hidden
        hidden += torch.relu_(self.again(hidden))
        return self.last(hidden.mean(-1))


def test_layers_that_are_used_twice_are_told_apart_and_patterns_mean_both():
    inputs = torch.randn(2, 2, 9)
    found = relevance_by_rules(Functional(), inputs, first, "epsilon", rules={"again": "z_plus"})
    assert {"again", "again#2", "relu", "relu#2", "relu#3", "add", "add#2", "mean", "first", "last"} < set(
        found.conservation_error
    )
    both = relevance_by_rules(Functional(), inputs, first, "epsilon", rules={"ag*": "z_plus"})
    torch.testing.assert_close(both.values["input"], found.values["input"])
    other = relevance_by_rules(Functional(), inputs, first, "epsilon")
    assert (other.values["input"] - found.values["input"]).abs().max() > 1e-3


def test_rules_go_by_layer_then_type_then_operation_then_kind():
    network, inputs = network_of(), torch.randn(2, 2, 16, dtype=torch.float64)

    def maps(rules):
        return relevance_by_rules(network, inputs, first, "epsilon", rules=rules).values["input"]

    by_hand = maps({"0": "flat", "4": "z_plus", "8": "gamma"})
    for rules in (
        {"0": "flat", nn.Conv1d: "z_plus", "linear": "gamma"},
        {"0": "flat", "Conv1d": "z_plus", "linear": "gamma"},
        {"0": "flat", "conv1d": "z_plus", nn.Linear: "gamma"},
        {"[0]": "flat", "4": "z_plus", "8": "gamma"},
    ):
        torch.testing.assert_close(maps(rules), by_hand)
    torch.testing.assert_close(maps({"linear": "epsilon", "batch_norm": "merge"}), maps(None))
    assert (maps({"batch_norm": "pass"}) - maps(None)).abs().max() > 1e-3
    assert (maps({"batch_norm": "epsilon"}) - maps({"batch_norm": "pass"})).abs().max() > 1e-3


def test_rules_that_are_not_there_are_named():
    for rules, said in (
        ({"conv7": "flat"}, r"'conv7', which is no layer of this Sequential.*Its layers are: 0, 1, 2"),
        ({nn.LSTM: "flat"}, "no type of its modules"),
        ({"0": "flatt"}, r"no rule 'flatt'. Rules are: lrp_0, epsilon"),
        ({"0": "epsilon(0.1, 2)"}, r"epsilon takes the numbers epsilon=1e-06"),
        ({"0": "epsilon(0.1"}, "cannot be read"),
        ({"0": 3}, "must be a name, a Rule or a function, but got 3"),
    ):
        with pytest.raises(ArgumentError, match=said):
            relevance_by_rules(network_of(), torch.zeros(1, 2, 16), first, rules=rules)
    with pytest.raises(ArgumentError, match="rule of the network must be one of"):
        relevance_by_rules(network_of(), torch.zeros(1, 2, 16), first, "pass")
    with pytest.raises(ArgumentError, match="start_value"):
        relevance_by_rules(network_of(), torch.zeros(1, 2, 16), first, start_value="two")


def test_batch_norm_in_training_is_refused():
    network = nn.Sequential(nn.Conv1d(2, 2, 1), nn.BatchNorm1d(2, track_running_stats=False), nn.Flatten())
    with pytest.raises(NetworkError, match=r"batch_norm of module '1' .* takes its statistics from the batch"):
        relevance_by_rules(network, torch.randn(2, 2, 3), first)


def test_the_network_is_left_as_it_was():
    network, inputs = network_of().float().train(), torch.randn(2, 2, 16)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    weights = list(network.parameters())
    given = inputs.clone()
    relevance_by_rules(network, inputs, first, "adapted")
    with pytest.raises(NetworkError):
        relevance_by_rules(nn.Sequential(network, nn.Sequential(), Failing()), inputs, first, "adapted")
    assert network.training
    assert torch.equal(inputs, given)
    assert all(one is other for one, other in zip(weights, network.parameters(), strict=True))
    assert all(weight.requires_grad and weight.grad is None and not vars(weight) for weight in weights)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


class Failing(nn.Module):
    def forward(self, values):
        raise ValueError("no")


class Shared(nn.Module):
    """A convolution whose output goes into a normalisation and, on another way, into a sum."""

    def __init__(self, shared):
        super().__init__()
        torch.manual_seed(2)
        self.shared = shared
        self.convolution, self.norm = nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3)
        self.norm.running_mean.normal_()
        self.norm.bias.data.normal_()

    def forward(self, values):
        output = self.convolution(values)
        normalised = self.norm(output)
        return torch.relu(normalised + output if self.shared else normalised).flatten(1)


@pytest.mark.parametrize("shared", [False, True])
def test_a_normalisation_is_merged_only_where_nothing_else_uses_what_it_got(shared):
    network, inputs = Shared(shared).double(), torch.randn(2, 2, 8, dtype=torch.float64)
    found = relevance_by_rules(network, inputs, lambda output: output.sum(1), "lrp_0").values["input"]
    # Of a network of ReLUs LRP-0 is input times gradient, so long as nothing is merged that is used twice.
    given = inputs.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network.eval()(given).sum(), given)
    torch.testing.assert_close(found, inputs * gradient)
    first_lost = relevance_by_rules(network, inputs, lambda output: output.sum(1), "z_plus").conservation_error["norm"]
    assert bool((first_lost == 0).all()) is not shared
