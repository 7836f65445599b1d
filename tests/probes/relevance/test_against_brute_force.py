"""Rules against their definitions, written out with a matrix of all contributions, on random networks in float64."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from layerstats.probes.relevance import relevance_by_rules

RULES = {
    "lrp_0": {},
    "epsilon": {"epsilon": 0.05},
    "epsilon_relative": {"epsilon": 0.1},
    "gamma": {"gamma": 0.3},
    "alpha_beta": {"alpha": 2.0, "beta": 1.0, "bias": True},
    "z_plus": {"bias": False},
    "adapted": {"epsilon": 1e-21},
}


def random_network(seed, norms_after_activations):
    """Steps of a network of convolutions with strides, groups, dilation and padding, and tokens for it."""
    generator = torch.Generator().manual_seed(seed)

    def pick(*choices):
        return choices[int(torch.randint(len(choices), (), generator=generator))]

    torch.manual_seed(seed)
    channels = 4
    steps = []
    for _ in range(2):
        made = pick(2, 4, 6)
        convolution = nn.Conv1d(
            channels, made, pick(2, 3, 4), stride=pick(1, 2), padding=pick(0, 1, 2), dilation=pick(1, 2),
            groups=pick(1, 2), bias=pick(True, False),
        )  # fmt: skip
        if pick(0, 1, 2) == 0:
            convolution = nn.ConvTranspose1d(channels, made, 3, stride=pick(1, 2), padding=1, groups=pick(1, 2))
        if convolution.stride[0] == 1 and isinstance(convolution, nn.Conv1d) and pick(0, 1):
            convolution.padding = "same"
        norm = nn.BatchNorm1d(made)
        activation = pick(nn.ReLU(), nn.LeakyReLU(0.2), nn.ReLU(inplace=True), nn.Tanh())
        after = [activation, norm] if norms_after_activations else [norm, activation]
        between = [pick(nn.Identity(), nn.MaxPool1d(2), nn.ConstantPad1d((1, 2), 0.0), nn.Dropout())]
        between += [] if norms_after_activations else [pick(nn.Identity(), nn.AvgPool1d(2))]
        steps += [convolution, *after, *between]
        channels = made
    network = nn.Sequential(*steps, nn.Flatten()).double().eval()
    with torch.no_grad():
        for step in steps:
            if isinstance(step, nn.BatchNorm1d):
                for values in (step.running_mean, step.weight, step.bias):
                    values.normal_()
                step.running_var.uniform_(0.5, 2.0)
    tokens = torch.randn(2, 4, 31, dtype=torch.float64, generator=generator)
    last = nn.Linear(network(tokens).shape[1], 3).double()
    return [*network, last], tokens


@pytest.mark.parametrize("norms_after_activations", [False, True])
@pytest.mark.parametrize("rule", RULES)
def test_rules_are_as_their_definitions(rule, norms_after_activations, brute_force):
    for seed in range(4):
        steps, tokens = random_network(seed, norms_after_activations)
        text = f"{rule}({', '.join(f'{name}={value}' for name, value in RULES[rule].items())})"
        found = relevance_by_rules(nn.Sequential(*steps), tokens, lambda output: output[:, 1], text, start_value="one")
        for token, relevance in zip(tokens, found.values["input"], strict=True):
            expected = brute_force.relevance(steps, token[None], 1, rule, sign=rule == "adapted", **RULES[rule])
            if rule == "adapted":  # float32 on the way back, and the scale of the largest value
                expected = expected / expected.abs().max()
                torch.testing.assert_close(relevance, expected[0], rtol=1e-4, atol=1e-5)
            else:
                torch.testing.assert_close(relevance, expected[0], rtol=1e-6, atol=1e-8 * float(expected.abs().max()))
