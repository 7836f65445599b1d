"""Gradients and integrated gradients by Captum, by hand and token by token, at the input and at layers."""

import pandas as pd
import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients, LayerIntegratedGradients, Saliency
from torch import nn
from torch.nn import functional

from layerstats.errors import ArgumentError, DataError, NetworkError
from layerstats.models import seeded
from layerstats.probes.relevance import attribute
from layerstats.probes.units import Unit

LABELS = ("a", "b", "c")


class Small(nn.Module):
    """Modules, functions and work in place; (token, time, mel) -> (token, class)."""

    def __init__(self):
        super().__init__()
        with seeded(1):
            self.conv = nn.Conv1d(4, 5, 3)
            self.act = nn.ReLU(inplace=True)
            self.deep = nn.Conv1d(5, 6, 3)
            self.norm = nn.BatchNorm1d(6)
            self.end = nn.Linear(6, 3)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, features):
        self.calls += 1
        hidden = self.act(self.conv(features.transpose(1, 2)))
        hidden = functional.softplus(self.norm(self.deep(hidden)))
        return self.end(hidden.mul_(2).mean(2))


class Plain(Small):
    """The same without work in place, which Captum's path does not bear."""

    def forward(self, features):
        hidden = torch.relu(self.conv(features.transpose(1, 2)))
        return self.end((2 * functional.softplus(self.norm(self.deep(hidden)))).mean(2))


@pytest.fixture
def network():
    return Small().double().eval()


@pytest.fixture
def plain():
    return Plain().double().eval()


@pytest.fixture
def heard():
    with seeded(2):
        return torch.randn(3, 9, 4, dtype=torch.float64)


TARGETS = torch.tensor([2, 0, 1])
NAMED = ["c", "a", "b"]


def test_gradients_are_captums(network, plain, heard):
    expected = Saliency(plain).attribute(heard.clone().requires_grad_(), target=TARGETS, abs=False)
    found = attribute(network, heard, NAMED, "gradient", labels=LABELS)
    torch.testing.assert_close(found.values, expected)
    torch.testing.assert_close(found.start, plain(heard)[[0, 1, 2], TARGETS])
    expected = InputXGradient(plain).attribute(heard.clone().requires_grad_(), target=TARGETS)
    torch.testing.assert_close(attribute(network, heard, NAMED, "input_x_gradient", labels=LABELS).values, expected)


def test_integrated_gradients_are_captums(network, plain, heard):
    other = heard.roll(1, 0)
    expected, delta = IntegratedGradients(plain).attribute(
        heard, other, target=TARGETS, n_steps=20, return_convergence_delta=True
    )
    found = attribute(network, heard, NAMED, "integrated_gradients", labels=LABELS, steps=20, replacement=other)
    torch.testing.assert_close(found.values, expected)
    gained = (plain(heard) - plain(other))[[0, 1, 2], TARGETS]
    torch.testing.assert_close(found.completeness_error, (delta / gained).abs())


def test_integrated_gradients_of_layers_are_captums(network, plain, heard):
    expected = LayerIntegratedGradients(plain, plain.deep).attribute(heard, target=TARGETS, n_steps=30)
    zeros = plain.deep(torch.relu(plain.conv(torch.zeros_like(heard).transpose(1, 2))))
    found = attribute(
        network, heard, NAMED, "integrated_gradients", to="deep", labels=LABELS, steps=30, replacement=zeros
    )
    torch.testing.assert_close(found.values, expected)


def test_more_steps_complete_the_integral(network, heard):
    network.act = nn.Tanh()
    errors = [
        attribute(network, heard, "b", "integrated_gradients", labels=LABELS, steps=steps).completeness_error.max()
        for steps in (2, 200)
    ]
    assert errors[1] < 1e-9 < errors[0]


def test_a_linear_network_is_complete_at_once():
    network = nn.Linear(5, 2).double()
    found = attribute(network, torch.randn(3, 5, dtype=torch.float64), 1, "integrated_gradients", steps=1)
    torch.testing.assert_close(found.completeness_error, torch.zeros(3, dtype=torch.float64), atol=1e-9, rtol=0)


def test_gradients_at_several_places_come_from_one_pass(network, heard):
    found = attribute(network, heard, "a", "gradient", to=["input", "conv", "deep"], labels=LABELS)
    assert list(found.values) == ["input", "conv", "deep"]
    assert network.calls == 0, "the network's buffers are as they were"
    for name, values in found.values.items():
        torch.testing.assert_close(values, attribute(network, heard, "a", "gradient", to=name, labels=LABELS).values)
    layer = network.conv(heard.transpose(1, 2)).detach().requires_grad_()
    hidden = functional.softplus(network.norm(network.deep(torch.relu(layer))))
    (expected,) = torch.autograd.grad(network.end(2 * hidden.mean(2))[:, 0].sum(), layer)
    torch.testing.assert_close(found.values["conv"], expected)


@pytest.mark.parametrize("method", ["gradient", "input_x_gradient", "integrated_gradients", "occlusion"])
@pytest.mark.parametrize("target", ["b", "deep:3", "deep:3:2", "norm:0:1"])
def test_each_token_has_the_relevance_that_it_has_alone(network, heard, method, target):
    options = {"patch": (3, 2)} if method == "occlusion" else {}
    together = attribute(network, heard, target, method, labels=LABELS, **options).values
    alone = [attribute(network, heard[[row]], target, method, labels=LABELS, **options).values for row in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))
    assert together.abs().max() > 0


def test_units_of_layers_and_functions_are_targets(network, heard):
    deep = network.deep(torch.relu(network.conv(heard.transpose(1, 2))))
    torch.testing.assert_close(attribute(network, heard, "deep:3:2", "gradient").start, deep[:, 3, 2])
    torch.testing.assert_close(attribute(network, heard, "deep:3", "gradient").start, deep[:, 3].mean(1))
    own = attribute(
        network, heard, "own_word", "gradient", labels=LABELS, tokens=pd.DataFrame({"word": ["c", "a", "b"]})
    )
    named = attribute(network, heard, NAMED, "gradient", labels=LABELS)
    torch.testing.assert_close(own.values, named.values)
    assert own.attrs["target"] == "own_word"
    function = attribute(network, heard, lambda output, tokens: output[[0, 1, 2], TARGETS], "gradient")
    torch.testing.assert_close(function.values, named.values)
    units = [Unit(name, "", LABELS.index(name)) for name in NAMED]
    torch.testing.assert_close(attribute(network, heard, units, "gradient").values, named.values)
    numbered = attribute(network, heard, TARGETS.tolist(), "gradient")
    torch.testing.assert_close(numbered.values, named.values)


def test_starts_are_the_logit_or_its_softmax(network, heard):
    for start in ("logit", "probability", "log_probability"):
        given = heard.clone().requires_grad_()
        expected = torch.autograd.grad(_scored(network(given), start)[:, 1].sum(), given)[0]
        options = {"start": start, "labels": LABELS}
        if start == "logit":
            found = attribute(network, heard, "b", "gradient", **options)
        else:
            with pytest.warns(UserWarning, match="behind a (log_)?softmax"):
                found = attribute(network, heard, "b", "gradient", **options)
        torch.testing.assert_close(found.values, expected)
        torch.testing.assert_close(found.start, _scored(network(heard), start)[:, 1].detach())
        assert found.attrs == {"method": "gradient", "target": "b", "start": start}


def _scored(logits, start):
    return {"logit": logits, "probability": logits.softmax(1), "log_probability": logits.log_softmax(1)}[start]


@pytest.mark.parametrize("end", [nn.Sigmoid(), nn.Softmax(dim=-1)])
@pytest.mark.parametrize("method", ["gradient", "integrated_gradients", "occlusion"])
def test_a_network_that_ends_in_a_sigmoid_or_softmax_warns(end, method):
    options = {"patch": 2} if method == "occlusion" else {}
    network = nn.Sequential(nn.Linear(4, 3), end)
    with pytest.warns(UserWarning, match="behind a s"):
        found = attribute(network, torch.randn(2, 4), 1, method, **options)
    assert len(found.notes) == 1
    # What goes into it does not.
    assert attribute(network, torch.randn(2, 4), "0:1", method, **options).notes == ()


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"target": "d"}, ArgumentError, "classes are a, b, c"),
        ({"target": 3}, ArgumentError, "3 classes, from 0"),
        ({"target": -1}, ArgumentError, "'target' parameter"),
        ({"target": True}, ArgumentError, "'target' parameter"),
        ({"target": ["a", "b"]}, ArgumentError, "2 targets were given for 3 tokens"),
        ({"target": "deep:6"}, ArgumentError, "6 channels"),
        ({"target": "deep:1", "start": "probability"}, ArgumentError, "activation"),
        ({"target": "a", "labels": ["a", "b"]}, ArgumentError, "2 labels were given for 3 outputs"),
        ({"target": "own_word"}, ArgumentError, "own_word"),
        ({"target": lambda output, tokens: output}, ArgumentError, "one score a token"),
        ({"method": "magic"}, ArgumentError, "'method' parameter"),
        ({"to": "conv9"}, ArgumentError, "Its layers are"),
        ({"to": []}, ArgumentError, "empty list"),
        ({"steps": 3}, ArgumentError, "has no option 'steps'"),
        ({"start": "certainty"}, ArgumentError, "'start' parameter"),
        ({"target": "conv:1", "to": "deep"}, NetworkError, "'deep' gives"),
        ({"method": "integrated_gradients", "steps": 0}, ArgumentError, "'steps'"),
        ({"method": "integrated_gradients", "replacement": torch.zeros(2)}, ArgumentError, "cannot be broadcast"),
        ({"method": "integrated_gradients", "replacement": "silence"}, ArgumentError, "'replacement' parameter"),
        ({"input_axes": ("token", "mel")}, ArgumentError, "names of the input's axes"),
    ],
)
def test_what_does_not_fit_is_refused(network, heard, changed, error, message):
    given = {"target": "a", "method": "gradient", "labels": LABELS, **changed}
    with pytest.raises(error, match=message):
        attribute(network, heard, given.pop("target"), given.pop("method"), **given)


def test_nan_is_refused(network, heard):
    heard[1, 2, 3] = torch.nan
    with pytest.raises(DataError, match="1 of 3 tokens, first in row 1"):
        attribute(network, heard, 0, "gradient")
    heard[1, 2, 3] = 0
    network.end.weight.data[0, 0] = torch.inf
    with pytest.raises(DataError, match="relevance at 'input' is NaN or infinite in 3"):
        attribute(network, heard, 0, "gradient")


def test_networks_without_a_gradient_say_so(heard):
    class Detached(nn.Module):
        def forward(self, features):
            return features.detach().mean(2)

    with pytest.raises(NetworkError, match="detaches"):
        attribute(Detached(), heard, 0, "gradient")
    with pytest.raises(ArgumentError, match="whole numbers"):
        attribute(nn.Embedding(5, 3), torch.tensor([1, 2]), "0", "gradient")


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_scripted_networks_are_differentiated_at_their_input_only(heard):
    scripted = torch.jit.script(nn.Sequential(nn.Linear(4, 3), nn.Tanh()).double())
    assert attribute(scripted, heard, lambda output, _: output.sum((1, 2)), "gradient").values.abs().min() > 0
    with pytest.raises(NetworkError, match=r"torch\.jit compiled"):
        attribute(scripted, heard, lambda output, _: output.sum((1, 2)), "gradient", to="0")


def test_keyword_arguments_and_other_tensors_beside_the_speech():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.end = nn.Linear(4, 2)

        def forward(self, speech, mask, scale=1.0):
            return self.end((speech * mask[:, :, None]).sum(1)) * scale

    network, speech = Masked(), torch.randn(3, 5, 4)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0.0]])
    given = {"speech": speech, "mask": mask, "scale": 3.0}
    expected = 3 * mask[:, :, None] * network.end.weight[1] * speech
    for method, options in (("input_x_gradient", {}), ("integrated_gradients", {}), ("occlusion", {"patch": 1})):
        torch.testing.assert_close(attribute(network, given, 1, method, **options).values, expected.detach())
