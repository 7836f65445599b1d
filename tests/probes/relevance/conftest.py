"""What tests of relevance share: the definitions, and relevance of one operation."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.overrides import handle_torch_function, has_torch_function

from layerstats.probes.relevance import register_rule, relevance_by_rules


@pytest.fixture(scope="session")
def definitions():
    """What by_definition.py defines."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("by_definition.py"))))


@pytest.fixture(scope="session")
def brute_force():
    """What brute_force.py defines: whole networks by their matrices."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("brute_force.py"))))


class Operation(nn.Module):
    """A network that is one function of several inputs, tokens first."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, packed):
        return self.function(*(packed[:, columns].reshape(len(packed), *shape) for columns, shape in self.parts))

    def pack(self, inputs):
        """All inputs of each token in one row."""
        sizes = [array[0].numel() for array in inputs]
        ends = np.cumsum(sizes).tolist()
        self.parts = [(slice(end - size, end), x.shape[1:]) for end, size, x in zip(ends, sizes, inputs, strict=True)]
        return torch.cat([array.flatten(1) for array in inputs], 1)


@pytest.fixture(scope="session")
def relevance_of():
    """Relevance of each input of a function, given that of its output: (function, inputs, relevance) -> arrays."""

    def find(function, inputs, relevance, rule="epsilon(1e-3)", **options):
        network = Operation(function)
        packed = network.pack([torch.as_tensor(given) for given in inputs])
        given = torch.as_tensor(relevance)

        found = relevance_by_rules(
            network,
            packed,
            lambda output: handed_back(output, given),
            rule,
            start_value="one",
            dtype=torch.float64,
            **options,
        )
        rows = found.values["input"]
        return [rows[:, columns].reshape(len(rows), *shape).numpy() for columns, shape in network.parts]

    return find


def handed_back(output, relevance):
    """A score whose rule hands `relevance` back to the output."""
    if has_torch_function((output,)):
        return handle_torch_function(handed_back, (output,), output, relevance)
    return output.flatten(1).sum(1)


@register_rule("handed_back")
def _all_that_was_given(call, _amount):
    return call.argument(1, "relevance")
