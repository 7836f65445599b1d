"""Networks that are written in unusual ways have the relevance of the usual ones."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from layerstats.errors import ArgumentError, DataError, NetworkError
from layerstats.models import seeded
from layerstats.probes.relevance import attribute, relevance_by_rules

RULES = ["lrp_0", "epsilon(0.1)", "epsilon_relative", "gamma(0.3)", "alpha_beta", "z_plus", "flat", "adapted"]


class Written(nn.Module):
    """A network that is a function of (its modules, values)."""

    def __init__(self, function, **modules):
        super().__init__()
        self.function = function
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, values):
        return self.function(self, values)


@pytest.fixture
def inputs():
    with seeded(1):
        return torch.randn(2, 3, 8, dtype=torch.float64)


@pytest.fixture
def modules():
    """Modules in float64, with what a BatchNorm has learned."""
    with seeded(2):
        found = {
            "linear": nn.Linear(3, 4, bias=False),
            "conv": nn.Conv1d(3, 4, 3, padding=1),
            "norm": nn.BatchNorm1d(3),
            "norm_of_conv": nn.BatchNorm1d(4),
            "point": nn.Conv1d(4, 4, 1),
            "end": nn.Linear(4, 2),
        }
        for norm in (found["norm"], found["norm_of_conv"]):
            for values in (norm.running_mean, norm.weight.data, norm.bias.data):
                values.normal_()
            norm.running_var.uniform_(0.5, 2)
    return {name: module.double() for name, module in found.items()}


def found(network, values, rule, **options):
    return relevance_by_rules(network, values, lambda output: output.flatten(1)[:, 0], rule, **options).values["input"]


@pytest.mark.parametrize("rule", RULES)
def test_a_product_with_constants_is_linear_however_it_is_written(rule, inputs, modules):
    def projected(project):
        def run(network, values):
            return network.end(torch.relu(project(values, network.linear.weight)).mean(1))

        return found(Written(run, **modules), inputs, rule)

    usual = projected(lambda values, weight: F.linear(values.transpose(1, 2), weight))
    for project in (
        lambda values, weight: torch.einsum("bct,dc->btd", values, weight),
        lambda values, weight: torch.einsum("dc,bct->btd", [weight, values]),
        lambda values, weight: values.transpose(1, 2) @ weight.T,
        lambda values, weight: torch.matmul(weight, other=values).transpose(1, 2),
    ):
        torch.testing.assert_close(projected(project), usual, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("rule", RULES)
def test_what_is_changed_in_place_later_had_its_values(rule, inputs):
    with seeded(3):
        weight = torch.randn(8, 8, dtype=torch.float64)

    def in_place(_, values):
        now, bias = weight.to(values, copy=True), torch.ones(8, dtype=values.dtype)
        for _ in range(3):
            added = torch.ones_like(bias)
            added = added.expand(values.shape).clone()
            added += torch.relu(F.linear(values, now, bias))
            values = added
            now.mul_(0.5).add_(torch.eye(8, dtype=values.dtype))
            bias.sub_(1.5)
        return values.sum(2)

    def usual(_, values):
        now, bias = weight.to(values, copy=True), torch.ones(8, dtype=values.dtype)
        for _ in range(3):
            values = 1 + torch.relu(F.linear(values, now, bias))
            now, bias = now * 0.5 + torch.eye(8, dtype=values.dtype), bias - 1.5
        return values.sum(2)

    for rules in (None, {"add": "gamma"}, {"add": "z_plus(bias=True)"}):
        torch.testing.assert_close(
            found(Written(in_place), inputs, rule, rules=rules), found(Written(usual), inputs, rule, rules=rules)
        )


@pytest.mark.parametrize("rule", RULES)
def test_convolutions_of_single_tokens_are_those_of_a_batch(rule, inputs, modules):
    def batch(network, values):
        return network.end(torch.relu(network.conv(values)).mean(2))

    def one_by_one(network, values):
        return network.end(torch.stack([torch.relu(network.conv(token)) for token in values]).mean(2))

    torch.testing.assert_close(
        found(Written(one_by_one, **modules), inputs, rule), found(Written(batch, **modules), inputs, rule)
    )


@pytest.mark.parametrize("rule", RULES)
def test_a_normalisation_beside_another_use_does_not_depend_on_the_order(rule, inputs, modules):
    def before(network, values):
        hidden = network.conv(values)
        other = 1.0 * hidden
        return network.point(network.norm_of_conv(hidden)) + other

    def after(network, values):
        hidden = network.conv(values)
        return network.point(network.norm_of_conv(hidden)) + 1.0 * hidden

    torch.testing.assert_close(
        found(Written(before, **modules), inputs, rule), found(Written(after, **modules), inputs, rule)
    )


@pytest.mark.parametrize("rule", ["gamma", "z_plus", "adapted"])
def test_a_normalisation_belongs_to_its_convolution_whatever_targets_others_have(rule, inputs, modules):
    def run(network, values):
        hidden = network.norm_of_conv(network.conv(values))
        return network.end(torch.relu(hidden).mean(2))

    network, targets = Written(run, **modules), ["end:1", "conv:2", "end:0"]
    inputs = torch.cat([inputs, inputs[:1] + 1])
    together = attribute(network, inputs, targets, rule)
    alone = [attribute(network, inputs[[row]], target, rule) for row, target in enumerate(targets)]
    torch.testing.assert_close(together.values, torch.cat([one.values for one in alone]))
    torch.testing.assert_close(together.start, torch.cat([one.start for one in alone]))
    assert together.attrs["target"] == targets
    for name, error in together.conservation_error.items():
        none = torch.zeros(1, dtype=torch.float64)
        torch.testing.assert_close(error, torch.cat([one.conservation_error.get(name, none) for one in alone]))


def test_targets_in_several_layers_go_back_to_layers_with_tokens_first(inputs, modules):
    def run(network, values):
        hidden = network.turned(network.conv(values)).permute(1, 2, 0)
        return network.end(torch.relu(network.point(hidden)).mean(2))

    network = Written(run, turned=Turned(), **modules)
    with pytest.raises(ArgumentError, match="one target layer after the other"):
        attribute(network, inputs, ["end:1", "point:0"], "lrp_0", to="turned")


class Turned(nn.Module):
    def forward(self, values):
        return values.permute(2, 0, 1)


MOVES = {
    "padded, then pooled": lambda values: F.max_pool1d(F.pad(values, (1, 1)), 2),
    "padded with a number": lambda values: F.pad(values, (1, 1), value=3.0),
    "pooled over channels": lambda values: F.pad(F.max_pool1d(values.transpose(1, 2), 3).transpose(1, 2), [0, 0, 0, 2]),
    "pooled in two ways": lambda values: torch.max_pool1d(F.max_pool2d(values[:, None], (1, 2))[:, 0], 2),
    "copied and turned": lambda values: values.clone().flip(2).roll(1, 2),
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("rule", ["lrp_0", "gamma(0.25)", "alpha_beta", "z_plus"])
def test_a_normalisation_is_part_of_the_convolution_after_moves(rule, move, inputs, modules, brute_force):
    network = Written(lambda net, x: net.conv(MOVES[move](net.norm(torch.tanh(x)))), **modules).eval()
    result = relevance_by_rules(network, inputs, lambda output: output[:, 1, 0], rule, start_value="one")
    norm, conv = modules["norm"], modules["conv"]
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = (norm.bias - norm.running_mean * scale)[:, None].expand(3, 8)
    name, numbers = rule.partition("(")[0], {"gamma": 0.25, "alpha": 2.0, "beta": 1.0}
    for token, relevance in zip(inputs, result.values["input"], strict=True):
        heard = torch.tanh(token)
        normalised = (heard * scale[:, None] + shift)[None].detach()
        moved = MOVES[move](normalised)
        routed = torch.autograd.functional.jacobian(MOVES[move], normalised).reshape(moved.numel(), -1)
        added = moved.flatten() - routed @ normalised.flatten()
        matrix, bias = brute_force.matrix_of(conv, moved)
        whole = conv(moved).flatten()
        start = torch.zeros_like(whole)
        start[whole.numel() // 4] = 1
        contributions = matrix @ routed * (heard * scale[:, None]).flatten()
        bias = bias + matrix @ (routed @ shift.flatten() + added)
        expected = brute_force.share(
            name, contributions.detach(), bias.detach(), whole.detach(), start, None, **numbers
        )
        torch.testing.assert_close(relevance.flatten(), expected)


def test_values_that_drop_out_at_random_are_refused(inputs, modules):
    for dropped in (
        lambda values: F.dropout(values, 0.5),
        lambda values: torch.dropout(values, 0.5, True),
        lambda values: F.dropout1d(values, p=0.1),
    ):
        network = Written(lambda net, x, dropped=dropped: net.conv(dropped(1.0 * x)), **modules)
        with pytest.raises(NetworkError, match=r"the Written calls drops values at random.*training=self\.training"):
            found(network, inputs, "lrp_0")
    for kept in (
        lambda values: F.dropout(values, 0.5, training=False),
        lambda values: torch.dropout(values, 0.5, False),
        lambda values: F.dropout(values, 0.0),
    ):
        network = Written(lambda net, x, kept=kept: net.conv(kept(1.0 * x)), **modules)
        usual = Written(lambda net, x: net.conv(x), **modules)
        torch.testing.assert_close(found(network, inputs, "lrp_0"), found(usual, inputs, "lrp_0"))


@pytest.mark.parametrize(
    "function",
    [
        lambda values: F.linear(torch.ones(3, 8, dtype=values.dtype), values[0])[None],
        lambda values: F.linear(values, torch.ones(3, 8, dtype=values.dtype), values[0, :, 0]),
        lambda values: F.conv1d(values, values[:1, :, :3]),
    ],
)
def test_weights_that_depend_on_the_input_are_refused(function, inputs):
    with pytest.raises(NetworkError, match=r"weights or the bias of the '\w+' in Written depend on the input"):
        found(Written(lambda _, values: function(values)), inputs[:1], "lrp_0")


def test_weights_that_are_no_parameters_have_the_type_of_the_network(inputs, modules):
    plain, projection = torch.randn(4, 3, 3), torch.randn(4, 4)

    def run(network, values):
        return network.end((F.conv1d(values, plain).transpose(1, 2) @ projection).mean(1))

    end = modules["end"].float()
    kept = Written(lambda net, x: net.end(net.projection(net.first(x).transpose(1, 2)).mean(1)), end=end)
    kept.first, kept.projection = nn.Conv1d(3, 4, 3, bias=False), nn.Linear(4, 4, bias=False)
    kept.first.weight.data, kept.projection.weight.data = plain, projection.T
    ours, theirs = found(Written(run, end=end), inputs.float(), "adapted"), found(kept, inputs.float(), "adapted")
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)  # of single precision


METHODS = ["gradient", "integrated_gradients", "lrp_0", "adapted"]


@pytest.mark.parametrize("method", METHODS)
def test_relevance_begins_where_whole_numbers_or_what_is_detached_end(method, modules):
    class Heard(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.conv, self.end = nn.Embedding(9, 3), modules["conv"].float(), modules["end"].float()

        def forward(self, values):
            heard = self.embedding(values) if not values.is_floating_point() else values.detach()
            return self.end(torch.relu(self.conv(heard.transpose(1, 2))).mean(2))

    network, numbers = Heard(), torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
    own = attribute(network.conv, network.embedding(numbers).transpose(1, 2).detach(), _first, method)
    both = attribute(network, numbers, "conv:0", method, to="embedding").values.transpose(1, 2)
    torch.testing.assert_close(both, own.values)
    assert attribute(network, numbers.float()[:, :, None].repeat(1, 1, 3), 0, method, to="conv").values.abs().max() > 0
    with pytest.raises(ArgumentError, match="Name a layer with to="):
        attribute(network, numbers, 0, method)


def _first(output, _tokens):
    return output[:, 0].mean(1)


@pytest.mark.parametrize("method", METHODS)
def test_neither_inference_mode_nor_autocast_changes_relevance(method, inputs, modules):
    network = nn.Sequential(modules["conv"], nn.ReLU(), nn.Flatten(), nn.Linear(32, 2)).float()
    expected = attribute(network, inputs.float(), 0, method).values
    with torch.inference_mode():
        given = inputs.float()
        torch.testing.assert_close(attribute(network, given, 0, method).values, expected)
        made = nn.Sequential(nn.Flatten(), nn.Linear(24, 2))
    torch.testing.assert_close(attribute(network, given, 0, method).values, expected)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(attribute(network, inputs.float(), 0, method).values, expected)
    with pytest.raises(NetworkError, match=r"made in torch\.inference_mode"):
        attribute(made, inputs.float(), 0, method)
    assert all(weight.requires_grad for weight in made.parameters())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("given", [torch.zeros(0, 3, 8), torch.tensor(1.0), torch.zeros(2, 3, 8).to_sparse(), None])
def test_what_is_no_batch_of_tokens_is_refused(method, given, modules):
    with pytest.raises(ArgumentError, match=r"The input must be a (dense batch|tensor or a mapping)"):
        attribute(modules["conv"], given, 0, method)


def test_what_is_computed_twice_is_refused(inputs, modules):
    network = Written(lambda net, x: checkpoint(net.conv, x, use_reentrant=False), **modules)
    with pytest.raises(NetworkError, match=r"torch\.utils\.checkpoint"):
        found(network, inputs, "lrp_0")


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("epsilon", {"epsilon": -1.0}, "'epsilon' of the rule epsilon must be at least 0, but got -1.0"),
        ("epsilon_relative", {"epsilon": "a"}, "'epsilon' of the rule epsilon_relative"),
        ("gamma", {"gamma": float("nan")}, "'gamma' of the rule gamma"),
        ("adapted", {"epsilon": True}, "'epsilon' of the rule adapted"),
        ("lrp_0", {"rules": "flat"}, "'rules' parameter must map"),
        ("lrp_0", {"rules": {"conv": "epsilon(-1)"}}, "cannot be read"),
    ],
)
def test_numbers_of_rules_are_checked(method, options, message, inputs, modules):
    with pytest.raises(ArgumentError, match=message):
        attribute(Written(lambda net, x: net.conv(x), **modules), inputs, _first, method, **options)


@pytest.mark.parametrize("stop", [2.7, float("nan"), "b"])
def test_edges_of_stretches_are_whole_numbers(stop, inputs, modules):
    stretches = pd.DataFrame({"row": [0, 1], "start": [0, 1], "stop": [3, stop]})
    with pytest.raises(DataError, match="stretch 1 has"):
        attribute(modules["conv"], inputs, _first, "occlusion", stretches=stretches)
