"""The rule of Krug & Stober (2018), Eqs. 3 and 4, as the paper has it: all local pre-activations, layer after layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError
from layerstats.models import Wav2Letter
from layerstats.probes.relevance import relevance_by_rules


def by_masking(layers, window, unit, rescale):
    """Relevance (input) of one window by masking all inputs of a layer but one; scaled in each step, or in the end."""
    with torch.no_grad():
        activations = [window]
        for convolution, norm in layers:
            z = convolution(activations[-1])
            activations.append(torch.relu(norm(z)) if norm is not None else z)
        relevance = torch.zeros_like(activations[-1]).reshape(-1)
        relevance[unit] = 1.0
        for (convolution, norm), below in zip(reversed(layers), reversed(activations[:-1]), strict=True):
            nothing = convolution(torch.zeros_like(below)).reshape(-1)
            z = convolution(below)
            sign = (norm(z) if norm is not None else z).sign().reshape(-1)
            flat = below.reshape(-1)
            handed = torch.zeros_like(flat)
            for i in range(len(flat)):
                masked = torch.zeros_like(flat)
                masked[i] = flat[i]
                local = convolution(masked.reshape(below.shape)).reshape(-1) - nothing
                handed[i] = (local / (z.reshape(-1).abs() + 1e-21) * sign * relevance).sum()
            relevance = handed / handed.abs().max() if rescale else handed
    return relevance.reshape(window.shape)


def small_network(seed):
    torch.manual_seed(seed)
    first, second = nn.Conv1d(4, 6, 5, stride=2), nn.Conv1d(6, 5, 3)
    norms = [nn.BatchNorm1d(6), nn.BatchNorm1d(5)]
    for norm in norms:
        for values in (norm.running_mean, norm.weight.data, norm.bias.data):
            values.normal_()
        norm.running_var.uniform_(0.5, 2.0)
    last = nn.Conv1d(5, 3, 4)
    network = nn.Sequential(first, norms[0], nn.ReLU(), second, norms[1], nn.ReLU(), last).double().eval()
    return network, [(first, norms[0]), (second, norms[1]), (last, None)]


def test_two_convolutions_a_layer_are_all_local_activations():
    for seed in range(5):
        network, layers = small_network(seed)
        windows = torch.randn(2, 4, 15, dtype=torch.float64)
        assert network(windows).shape == (2, 3, 1)
        found = relevance_by_rules(network, windows, lambda output: output[:, 1, 0], "adapted(back='float64')")
        fast = relevance_by_rules(network, windows, lambda output: output[:, 1, 0], "adapted")
        for window, relevance in zip(windows, found.values["input"], strict=True):
            in_each_step = by_masking(layers, window[None], 1, rescale=True)[0]
            in_the_end = by_masking(layers, window[None], 1, rescale=False)[0]
            torch.testing.assert_close(in_the_end / in_the_end.abs().max(), in_each_step, rtol=1e-12, atol=1e-14)
            torch.testing.assert_close(relevance, in_each_step, rtol=1e-10, atol=1e-13)
        torch.testing.assert_close(fast.values["input"], found.values["input"], rtol=1e-3, atol=1e-5)
        assert found.start.tolist() == [1.0, 1.0]
        assert (fast.dtype, fast.rules) == ("float64", "adapted(epsilon=1e-21, back='float32')")


def test_windows_of_wav2letter_are_scaled_by_their_largest_value():
    torch.manual_seed(0)
    network = Wav2Letter(width=8, top=12).eval()
    network.padding = "valid"
    windows = torch.randn(2, network.receptive_field, 128)
    found = relevance_by_rules(network, windows, lambda output: output[:, 0, 3], "adapted")
    largest = found.values["input"].abs().flatten(1).amax(1)
    assert found.values["input"].shape == windows.shape
    torch.testing.assert_close(largest, torch.ones(2, dtype=torch.float64))
    # The start goes in as a factor, so that what the relevance starts from matters to the scale only.
    other = relevance_by_rules(network, windows, lambda output: output[:, 0, 3], "adapted", start_value="score")
    torch.testing.assert_close(other.values["input"], found.values["input"] * other.start.sign()[:, None, None])


def test_the_way_back_has_one_of_two_types():
    with pytest.raises(ArgumentError, match="float16"):
        relevance_by_rules(nn.Linear(1, 1), torch.ones(1, 1), lambda output: output[:, 0], "adapted(back='float16')")
