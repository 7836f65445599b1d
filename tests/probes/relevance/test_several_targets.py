"""Relevance for several targets from one run of the network: what each has when it is asked for alone."""

import pytest
import torch
from torch import nn

from layerstats.models import ConvolutionalEncoder, Wav2Letter, seeded
from layerstats.probes.relevance import attribute
from layerstats.probes.relevance.attribute import attribute_each

METHODS = ["gradient", "input_x_gradient", "integrated_gradients", "adapted", "epsilon", "gamma", "alpha_beta"]


@pytest.fixture(scope="module")
def network():
    with seeded(0):
        return ConvolutionalEncoder(outputs=3, width=2).eval()


@pytest.fixture(scope="module")
def heard():
    with seeded(1):
        return torch.randn(4, 16384)


def each(*given, **options):
    """Relevance for each target, all of it."""
    found = []
    attribute_each(*given[:3], found.append, *given[3:], **options)
    return found


def runs_of(network, count):
    """Count how often a network runs."""
    return network.register_forward_pre_hook(lambda *_: count.append(1))


@pytest.mark.parametrize("method", METHODS)
def test_each_has_what_it_has_alone(network, heard, method):
    targets = ["a", ["b", "c", "a", "b"], "c"]
    options = {"labels": ["a", "b", "c"], "to": ["input", "conv2"]}
    options |= {"steps": 3} if method == "integrated_gradients" else {}
    several = each(network, heard, targets, method, **options)
    assert len(several) == 3
    for target, found in zip(targets, several, strict=True):
        alone = attribute(network, heard, target, method, **options)
        for layer in ("input", "conv2"):
            torch.testing.assert_close(found.values[layer], alone.values[layer], rtol=0, atol=0)
        torch.testing.assert_close(found.start, alone.start)
        assert found.attrs == alone.attrs
        assert found.conservation_error.keys() == alone.conservation_error.keys()
        for name, error in found.conservation_error.items():
            torch.testing.assert_close(error, alone.conservation_error[name])


@pytest.mark.parametrize(("method", "start"), [("gradient", "log_probability"), ("epsilon", "probability")])
@pytest.mark.filterwarnings("ignore:The score is taken behind a log_softmax")
def test_each_begins_with_its_own_start(network, heard, method, start):
    options = {"labels": ["a", "b", "c"], "start": start}
    for target, found in zip("ab", each(network, heard, ["a", "b"], method, **options), strict=True):
        alone = attribute(network, heard, target, method, **options)
        torch.testing.assert_close(found.values, alone.values)
        torch.testing.assert_close(found.start, alone.start)


@pytest.mark.parametrize(
    "targets", [["conv1:0", "conv4:1"], ["conv3:1", "0"], [["conv1:0", "conv4:1", "conv1:1", "conv4:0"]]]
)
def test_targets_in_several_layers(network, heard, targets):
    for method in ("gradient", "epsilon"):
        for target, found in zip(targets, each(network, heard, targets, method), strict=True):
            torch.testing.assert_close(found.values, attribute(network, heard, target, method).values)


def test_the_network_runs_once_for_all(network, heard):
    for method in ("gradient", "adapted"):
        count: list[int] = []
        hook = runs_of(network, count)
        each(network, heard, [0, 1, 2], method)
        together = len(count)
        attribute(network, heard, 0, method)
        hook.remove()
        assert together == len(count) - together, method


def test_a_network_that_works_in_place_is_handed_back_through_more_than_once():
    with seeded(2):
        layers = [
            nn.Linear(6, 5),
            nn.BatchNorm1d(5),
            nn.ReLU(inplace=True),
            nn.Linear(5, 4),
            nn.LeakyReLU(inplace=True),
        ]
        network, values = nn.Sequential(*layers, nn.Linear(4, 3)).eval(), torch.randn(7, 6)
    for method in METHODS:
        for target, found in enumerate(each(network, values, [0, 1, 2], method)):
            torch.testing.assert_close(found.values, attribute(network, values, target, method).values, rtol=0, atol=0)


def test_letters_of_windows():
    with seeded(3):
        network, windows = Wav2Letter(width=4, top=8).eval(), torch.randn(2, 206, 128)
    network.padding = "valid"
    labels = network.alphabet.letters
    for letter, found in zip("az", each(network, windows, ["a", "z"], "adapted", labels=labels), strict=True):
        alone = attribute(network, windows, letter, "adapted", labels=labels)
        torch.testing.assert_close(found.values, alone.values, rtol=0, atol=0)
