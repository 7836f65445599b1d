"""Rules through the front door: starts, targets, layers and what is said of them."""

import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError, NetworkError
from layerstats.models import seeded
from layerstats.probes.relevance import METHODS, attribute, relevance_by_rules
from layerstats.probes.relevance.rules import RULES

LABELS = ("a", "b", "c")


class Small(nn.Module):
    """ReLUs without a bias, as functions, and an end that has no rule: (token, time, mel) -> (token, class)."""

    def __init__(self, end=None):
        super().__init__()
        with seeded(3):
            self.conv, self.deep = nn.Conv1d(4, 5, 3, bias=False), nn.Conv1d(5, 6, 3, bias=False)
            self.logits = nn.Linear(6 * 5, 3, bias=False)
        self.end = end or nn.Identity()

    def forward(self, features):
        hidden = torch.relu(self.deep(torch.relu(self.conv(features.transpose(1, 2)))))
        return self.end(self.logits(hidden.flatten(1)))


class Unknown(nn.Module):
    """An operation without a rule."""

    def forward(self, values):
        return torch.digamma(values)


@pytest.fixture
def heard():
    with seeded(6):
        return torch.randn(3, 9, 4, dtype=torch.float64)


@pytest.fixture
def network():
    return Small().double()


@pytest.mark.parametrize("method", RULES)
def test_each_rule_is_a_method(network, heard, method):
    found = attribute(network, heard, "b", method, to=["input", "deep"], labels=LABELS)
    by_rules = relevance_by_rules(network, heard, lambda output: output[:, 1], method, to=["input", "deep"])
    for name, values in found.values.items():
        torch.testing.assert_close(values, by_rules.values[name])
    assert found.attrs["rules"] == by_rules.rules
    assert found.attrs["dtype"] == "float64"
    starts = torch.ones(3).double() if method == "adapted" else network(heard)[:, 1].detach()
    torch.testing.assert_close(found.start, starts)
    assert found.conservation_error["total"].shape == (3,)


def test_of_a_relu_network_without_bias_it_is_input_times_gradient(network, heard):
    for target in ("c", "deep:2:1", ["c", "a", "b"]):
        expected = attribute(network, heard, target, "input_x_gradient", labels=LABELS)
        found = attribute(network, heard, target, "lrp_0", labels=LABELS)
        torch.testing.assert_close(found.values, expected.values)
        torch.testing.assert_close(found.values.sum((1, 2)), found.start)


def test_relevance_begins_with_the_logit_the_probability_or_one(network, heard):
    one = attribute(network, heard, "b", "epsilon", start="one", labels=LABELS, epsilon=0.1)
    assert one.start.tolist() == [1, 1, 1]
    assert one.attrs["epsilon"] == 0.1
    for start, values in (("logit", network(heard)), ("probability", network(heard).softmax(1))):
        found = attribute(network, heard, "b", "epsilon", start=start, labels=LABELS, epsilon=0.1)
        torch.testing.assert_close(found.start, values[:, 1].detach())
        torch.testing.assert_close(found.values, one.values * found.start[:, None, None])
        torch.testing.assert_close(found.conservation_error["total"], one.conservation_error["total"])
    adapted = [
        attribute(network, heard, "b", "adapted", start=start, labels=LABELS) for start in ("one", "probability")
    ]
    torch.testing.assert_close(adapted[0].values, adapted[1].values)
    probability = network(heard).softmax(1)[:, 1].detach()
    torch.testing.assert_close(adapted[1].scale["input"], adapted[0].scale["input"] * probability)
    with pytest.raises(ArgumentError, match="'start' parameter"):
        attribute(network, heard, "b", "epsilon", start="log_probability", labels=LABELS)


def test_units_of_several_layers_in_one_batch(network, heard):
    targets = ["deep:1", "conv:2:3", "deep:0:4"]
    found = attribute(network, heard, targets, "epsilon")
    alone = [attribute(network, heard[[row]], target, "epsilon") for row, target in enumerate(targets)]
    torch.testing.assert_close(found.values, torch.cat([one.values for one in alone]))


def test_what_comes_after_the_unit_needs_no_rule(heard):
    network = Small(Unknown()).double()
    assert attribute(network, heard, "logits:1", "epsilon").values.abs().max() > 0
    with pytest.raises(NetworkError, match=r"no rule for the operation 'digamma'.*'end'"):
        attribute(network, heard, 1, "epsilon")


@pytest.mark.parametrize("end", [nn.Sigmoid(), nn.LogSigmoid()])
def test_a_start_behind_a_sigmoid_warns(heard, end):
    network = Small(end).double()
    with pytest.warns(UserWarning, match="behind a (log_)?sigmoid"):
        found = attribute(network, heard, 1, "epsilon")
    assert len(found.notes) == 1
    assert attribute(network, heard, "logits:1", "epsilon").notes == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": 1.0}, "no option 'gamma'. Its options are: epsilon, rules, dtype"),
        ({"dtype": "int8"}, "'dtype' parameter"),
        ({"dtype": "double precision"}, "'dtype' parameter"),
        ({"rules": {"conv9": "flat"}}, "'conv9'"),
    ],
)
def test_options_of_other_rules_are_refused(network, heard, options, message):
    with pytest.raises(ArgumentError, match=message):
        attribute(network, heard, 1, "epsilon", **options)


def test_parts_have_rules_of_their_own(network, heard):
    found = attribute(network, heard, 1, "epsilon", rules={"conv": "flat"}, dtype="float32")
    assert found.attrs["rules"] == "epsilon(epsilon=1e-06); conv: flat"
    assert found.attrs["dtype"] == "float32"
    whole = relevance_by_rules(network, heard, lambda output: output[:, 1], "epsilon", rules={"conv": "flat"})
    torch.testing.assert_close(found.values.double(), whole.values["input"], rtol=1e-3, atol=1e-4)


def test_methods_have_their_names():
    names = (
        "gradient input_x_gradient integrated_gradients occlusion lrp_0 epsilon gamma alpha_beta z_plus flat adapted"
    )
    assert set(names.split()) <= set(METHODS)
