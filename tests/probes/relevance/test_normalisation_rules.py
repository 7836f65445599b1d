"""Rules of normalisation are the definition of Achtibat et al. (2024), Prop. 3.4, message by message."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from layerstats.errors import NetworkError
from layerstats.probes.relevance import relevance_by_rules

EPSILON = 1e-3


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def test_layer_norm_shares_among_what_it_compared(definitions, relevance_of):
    values, given, gain, shift = normal(2, 3, 5), normal(2, 3, 5, seed=1), normal(5), normal(5, seed=1)
    found = relevance_of(
        lambda x: F.layer_norm(x, (5,), torch.from_numpy(gain), torch.from_numpy(shift)), [values], given,
        f"epsilon({EPSILON})",
    )[0]  # fmt: skip
    for place in np.ndindex(2, 3):
        expected = definitions.normalisation_relevance(values[place], gain, shift, given[place], EPSILON)
        np.testing.assert_allclose(found[place], expected, rtol=1e-9)


def test_layer_norm_of_several_axes_without_gain(definitions, relevance_of):
    values, given = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    found = relevance_of(lambda x: F.layer_norm(x, (3, 4)), [values], given, f"epsilon({EPSILON})")[0]
    for token in range(2):
        flat = values[token].ravel(), np.ones(12), np.zeros(12), given[token].ravel()
        expected = definitions.normalisation_relevance(*flat, EPSILON)
        np.testing.assert_allclose(found[token].ravel(), expected, rtol=1e-9)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_group_norm_shares_among_its_group(definitions, relevance_of, groups):
    values, given, gain, shift = normal(2, 4, 5), normal(2, 4, 5, seed=1), normal(4), normal(4, seed=1)
    weights = torch.from_numpy(gain), torch.from_numpy(shift)
    rule = f"epsilon({EPSILON})"
    found = relevance_of(lambda x: F.group_norm(x, groups, *weights), [values], given, rule)[0]
    size = 4 // groups
    for token, group in np.ndindex(2, groups):
        rows = slice(group * size, (group + 1) * size)
        each = np.repeat(gain[rows], 5), np.repeat(shift[rows], 5)
        expected = definitions.normalisation_relevance(
            values[token, rows].ravel(), *each, given[token, rows].ravel(), EPSILON
        )
        np.testing.assert_allclose(found[token, rows].ravel(), expected, rtol=1e-8)
    if groups == 4:
        instance = relevance_of(lambda x: F.instance_norm(x, None, None, *weights), [values], given, rule)[0]
        np.testing.assert_allclose(instance, found)


def test_norm_by_the_root_of_the_mean_square_hands_each_its_own(definitions, relevance_of):
    values, given, gain = normal(2, 5), normal(2, 5, seed=1), torch.from_numpy(normal(5))
    found = relevance_of(lambda x: F.rms_norm(x, (5,), gain, 1e-5), [values], given, f"epsilon({EPSILON})")[0]
    for token in range(2):
        expected = definitions.normalisation_relevance(
            values[token], gain.numpy(), np.zeros(5), given[token], EPSILON, centred=False
        )
        np.testing.assert_allclose(found[token], expected, rtol=1e-9)
    np.testing.assert_allclose(relevance_of(lambda x: F.rms_norm(x, (5,), gain), [values], given, "lrp_0")[0], given)


def test_written_out_it_is_the_same_where_what_divides_is_a_constant(relevance_of):
    values, given = normal(2, 5), normal(2, 5, seed=1)

    def written(x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)

    np.testing.assert_allclose(relevance_of(written, [values], given, rules={"rsqrt": "constant"})[0], given)


def test_relevance_may_pass_through_a_normalisation(relevance_of):
    values, given = normal(2, 5), normal(2, 5, seed=1)
    passed = relevance_of(lambda x: F.layer_norm(x, (5,)), [values], given, rules={"normalisation": "pass"})[0]
    np.testing.assert_array_equal(passed, given)


def test_without_shift_all_is_conserved_and_with_shift_it_keeps_its_share():
    torch.manual_seed(0)
    network = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 3, bias=False)).double()
    values = torch.randn(4, 8, dtype=torch.float64)
    found = relevance_by_rules(network, values, lambda output: output[:, 1], "lrp_0")
    assert found.conservation_error["total"].abs().max() < 1e-9
    network[0].bias.data.normal_()
    found = relevance_by_rules(network, values, lambda output: output[:, 1], "lrp_0")
    normalised = network[0](values)
    kept = (network[1].weight[1] * network[0].bias).sum() / (network[1].weight[1] * normalised).sum(1)
    torch.testing.assert_close(found.conservation_error["0"], kept.detach())


def test_running_statistics_of_an_instance_norm_have_no_rule():
    network = nn.Sequential(nn.InstanceNorm1d(3, track_running_stats=True), nn.Flatten()).eval()
    with pytest.raises(NetworkError, match="Make it a BatchNorm"):
        relevance_by_rules(network, torch.randn(2, 3, 5), lambda output: output[:, 0])
