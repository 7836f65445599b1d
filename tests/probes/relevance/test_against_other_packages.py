"""The same relevance as Captum 0.9 and Zennit 0.5.1 give, where these are right: modules in a row, each used once."""

from __future__ import annotations

import contextlib
import importlib

import pytest
import torch
from torch import nn

from layerstats.probes.relevance import relevance_by_rules


def of_images():
    torch.manual_seed(3)
    layers = [
        nn.Conv2d(2, 4, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 2, groups=2),
        nn.ReLU(),
    ]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 3)).double()


def of_sound():
    torch.manual_seed(4)
    layers = [
        nn.Conv1d(2, 4, 5, dilation=2),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.ConvTranspose1d(4, 3, 4, stride=2),
        nn.ReLU(),
    ]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(78, 3)).double()


@pytest.fixture
def of_zennit_package(pretrained_folder, monkeypatch):
    """Return a function that imports one of Zennit's modules from where `make pretrained` put it, or skips the test."""
    monkeypatch.syspath_prepend(pretrained_folder)

    def find(name):
        # Only its part for images needs torchvision; what was imported before that fails is there.
        with contextlib.suppress(ImportError):
            importlib.import_module("zennit")
        return pytest.importorskip(f"zennit.{name}", reason="zennit is absent; `make pretrained` fetches it")

    return find


def first(output):
    return output[:, 0]


@pytest.mark.parametrize(
    ("rule", "of_captum"),
    [
        ("epsilon(0.01)", lambda rules: rules.EpsilonRule(epsilon=0.01)),
        ("z_plus", lambda rules: rules.Alpha1_Beta0_Rule(set_bias_to_zero=True)),
    ],
)
def test_rules_are_those_of_captum(rule, of_captum):
    lrp = pytest.importorskip("captum.attr._core.lrp", reason="captum is absent; pip install captum==0.9.0")
    rules = pytest.importorskip("captum.attr._utils.lrp_rules")
    # Captum has no rule for Flatten: the last layer is a convolution over all that is left.
    network = nn.Sequential(*list(of_images())[:5], nn.Conv2d(4, 3, 2).double())
    images = torch.rand(3, 2, 12, 12, dtype=torch.float64)
    found = relevance_by_rules(network, images, lambda output: output[:, 1, 0, 0], rule).values["input"]
    for module in network:
        if isinstance(module, nn.Conv2d):
            module.rule = of_captum(rules)
    expected = lrp.LRP(network).attribute(images.requires_grad_(), target=(1, 0, 0))
    torch.testing.assert_close(found, expected.detach(), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("made", [of_images, of_sound])
@pytest.mark.parametrize(
    ("rule", "of_zennit"),
    [
        ("epsilon(0.01)", lambda rules: rules.Epsilon(epsilon=0.01)),
        ("lrp_0", lambda rules: rules.Epsilon(epsilon=1e-15)),
        ("gamma(0.4)", lambda rules: rules.Gamma(gamma=0.4, stabilizer=1e-15)),
        ("alpha_beta(2, 1)", lambda rules: rules.AlphaBeta(alpha=2.0, beta=1.0, stabilizer=1e-15)),
        ("alpha_beta(2, 1, bias=False)", lambda rules: rules.AlphaBeta(2.0, 1.0, stabilizer=1e-15, zero_params="bias")),
        ("z_plus", lambda rules: rules.ZPlus(stabilizer=1e-15, zero_params="bias")),
        ("flat", lambda rules: rules.Flat(stabilizer=1e-15)),
    ],
)
def test_rules_are_those_of_zennit(rule, of_zennit, made, of_zennit_package):
    rules, composites = of_zennit_package("rules"), of_zennit_package("composites")
    network = made()
    inputs = torch.randn((3, 2, 12, 12) if made is of_images else (3, 2, 32), dtype=torch.float64)
    found = relevance_by_rules(network, inputs, first, rule, start_value="one").values["input"]
    linear = nn.Conv2d | nn.Conv1d | nn.ConvTranspose1d | nn.Linear
    composite = composites.LayerMapComposite([(linear, of_zennit(rules)), (nn.ReLU, rules.Pass())])
    with composite.context(network) as changed:
        output = changed(inputs.requires_grad_())
        one = torch.zeros_like(output)
        one[:, 0] = 1
        (expected,) = torch.autograd.grad(output, inputs, one)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)
