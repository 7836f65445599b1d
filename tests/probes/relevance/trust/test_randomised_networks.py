"""Networks with random weights in some layers: which, in which order, and that nothing else changes."""

import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError
from layerstats.models import Wav2Letter, seeded, untrained
from layerstats.probes.relevance import attribute, randomised_networks


class Backwards(nn.Module):
    """Layers that are registered in another order than they run, and one that never does."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 2)
        self.first = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
        self.idle = nn.Linear(2, 2)

    def forward(self, values):
        return self.last(self.first(values).relu())


@pytest.fixture
def network():
    with seeded(0):
        made = Backwards()
    made.first[1].running_mean.fill_(2.0)
    return made.eval()


def same(one, two, prefix):
    states = [
        {name: value for name, value in each.state_dict().items() if name.startswith(prefix)} for each in (one, two)
    ]
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_layers_become_random_from_the_last_that_runs_to_the_first(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = list(randomised_networks(network, torch.ones(1, 4), ["first", "last"], seed=3))
    assert [(one.mode, one.layer, one.layers) for one in found] == [
        ("cascading", "last", ("last",)),
        ("cascading", "first", ("last", "first")),
        ("alone", "last", ("last",)),
        ("alone", "first", ("first",)),
    ]
    fresh = untrained(network, 3)
    for one in found:
        for layer in ("first", "last", "idle"):
            assert same(one.network, fresh if layer in one.layers else network, f"{layer}.")
    assert found[1].network.first[1].running_mean.eq(0).all()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module.training for module in found[0].network.modules())


def test_with_all_layers_at_random_it_is_the_untrained_network():
    with seeded(0):
        network = Wav2Letter(width=4, top=8).eval()
    for layer in network.layers()[:-1]:
        layer.norm.running_var.fill_(3.0)
    features = torch.randn(1, 220, 128, generator=torch.Generator().manual_seed(0))
    found = list(randomised_networks(network, features, modes=["cascading"], seed=1))
    assert [one.layer for one in found] == [f"conv{number}" for number in range(12, 0, -1)]
    with torch.no_grad():
        expected = untrained(network, 1).eval()(features)
        assert torch.equal(found[-1].network(features), expected)
        assert not torch.allclose(found[0].network(features), expected)


def test_relevance_goes_through_them(network):
    values = torch.tensor([[1.0, -2.0, 3.0, 0.5]])
    maps = [attribute(one.network, values, 0).values for one in randomised_networks(network, values, ["first", "last"])]
    assert all(torch.isfinite(one).all() for one in maps)


def test_bad_input(network):
    values = torch.ones(1, 4)
    with pytest.raises(ArgumentError, match="do not run"):
        randomised_networks(network, values)
    with pytest.raises(ArgumentError, match="lies in 'first'"):
        randomised_networks(network, values, ["first", "first.0"])
    with pytest.raises(ArgumentError, match="'modes' parameter"):
        randomised_networks(network, values, ["first"], modes=["backwards"])
    with pytest.raises(ArgumentError, match="no weights"):
        randomised_networks(nn.Sequential(nn.Linear(4, 2), nn.ReLU()), values, ["1"])
