"""Hooks hand out tensors as they are, and are gone afterwards."""

import contextlib

import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError
from layerstats.probes.layers.capture import capturing, hooked


@pytest.fixture
def network():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))


def hooks_of(model):
    return [len(module._forward_hooks) for module in model.modules()]


def test_outputs_are_the_tensors_of_the_graph(network):
    inputs = torch.ones(2, 3)
    with capturing(network, ["1", "2"]) as outputs:
        result = network(inputs)
    assert outputs["2"] is result
    (gradient,) = torch.autograd.grad(result.sum(), outputs["1"])
    torch.testing.assert_close(gradient, network[2].weight.sum(0).expand(2, 4))
    assert hooks_of(network) == [0, 0, 0, 0]


def test_what_is_kept_is_made_before_the_next_module_works_in_place(network):
    with torch.no_grad(), capturing(network, ["0"], lambda layer, output: {layer: output.clone()}) as kept:
        network(torch.ones(2, 3))
    torch.testing.assert_close(kept["0"], {"0": network[0](torch.ones(2, 3)).detach()})


def run(network, times):
    with capturing(network, ["0", "1"]):
        for _ in range(times):
            network(torch.ones(2, 3))


@pytest.mark.parametrize("times", [0, 2])
def test_layers_run_once(network, times):
    with pytest.raises(ArgumentError, match=f"'0' runs {times} times"):
        run(network, times)


@pytest.mark.parametrize("context", [capturing, lambda model, layers: hooked(model, {"0": lambda *_: None})])
def test_hooks_are_gone_where_the_block_fails(network, context):
    seen = []
    with contextlib.suppress(ZeroDivisionError), context(network, ["0"]):
        seen = hooks_of(network)
        raise ZeroDivisionError
    assert (seen, hooks_of(network)) == ([0, 1, 0, 0], [0, 0, 0, 0])
