"""Deletion and insertion where the score is a known sum, so that every curve is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError, DataError
from layerstats.probes.relevance import perturbation_curves
from layerstats.stats import perturbation_areas

TOKENS = pd.DataFrame({"token": ["a", "b"], "speaker": ["s1", "s2"], "phone": ["aa", "s"]})


class Sum(nn.Module):
    """One output: the weighted sum of the input (token, time, mel)."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, values):
        return (values * self.weights).flatten(1).sum(1, keepdim=True)


def curve(found, token, direction, order, replacement="zero"):
    keep = (found[["token", "direction", "order", "replacement"]] == [token, direction, order, replacement]).all(axis=1)
    return found.loc[keep].sort_values("fraction")["score"].to_numpy()


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(6, 4, generator=generator)
    speech = torch.randn(2, 6, 4, generator=generator)
    return Sum(weights), speech, speech * weights.detach()


def test_curves_of_a_sum_are_sums_of_what_is_left(case):
    network, speech, maps = case
    replacements = {"zero": torch.zeros_like(speech), "ones": torch.ones_like(speech)}
    options = {"patch": (2, 2), "steps": 6, "start": "logit", "random_orders": 2}
    found = perturbation_curves(network, speech, 0, maps, replacements, TOKENS, **options)
    patches = maps.reshape(2, 3, 2, 2, 2).sum(dim=(2, 4)).reshape(2, 6).numpy()
    for row, token in enumerate(TOKENS["token"]):
        order = np.argsort(-patches[row], kind="stable")
        removed = np.concatenate([[0], np.cumsum(patches[row][order])])
        total = patches[row].sum()
        assert curve(found, token, "deletion", "relevance") == pytest.approx(total - removed, abs=1e-5)
        assert curve(found, token, "insertion", "relevance") == pytest.approx(removed, abs=1e-5)
        by_energy = np.argsort(-speech[row].reshape(3, 2, 2, 2).sum(dim=(1, 3)).flatten().numpy(), kind="stable")
        removed = np.concatenate([[0], np.cumsum(patches[row][by_energy])])
        assert curve(found, token, "deletion", "energy") == pytest.approx(total - removed, abs=1e-5)
        ends = curve(found, token, "deletion", "random order", "ones")[[0, -1]]
        assert ends == pytest.approx([total, network.weights.sum().item()], abs=1e-5)
    assert found["phone"].tolist()[0] == "aa"
    # Of a sum nothing beats the order of the terms.
    areas = perturbation_areas(found)
    right = areas[areas["condition"] == "zero"]
    deletion = right["measure"] == "deletion"
    assert (right["value"] <= right["baseline_value"])[deletion].all()
    assert (right["value"] >= right["baseline_value"])[~deletion].all()


def test_a_token_has_the_curves_that_it_has_alone(case):
    network, speech, maps = case
    options = {"patch": 2, "steps": 3, "start": "logit", "seed": 4}
    both = perturbation_curves(network, speech, 0, maps, {"zero": 0 * speech}, TOKENS, **options)
    rows = slice(1, 2)
    alone = perturbation_curves(
        network, speech[rows], 0, maps[rows], {"zero": 0 * speech[rows]}, TOKENS.iloc[rows], batch_size=5, **options
    )
    own = both[both["token"] == "b"].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, alone.reset_index(drop=True), check_exact=False, atol=1e-5)
    other = perturbation_curves(network, speech, 0, maps, {"zero": 0 * speech}, TOKENS, **{**options, "seed": 5})
    assert not np.allclose(curve(other, "a", "deletion", "random order"), curve(both, "a", "deletion", "random order"))


def test_waveforms_go_by_the_square_and_targets_by_token():
    network = nn.Linear(6, 2, bias=False)
    speech = torch.tensor([[1.0, -3.0, 0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0, -5.0]])
    found = perturbation_curves(
        network, speech, [0, 1], torch.ones_like(speech), {"zero": 0 * speech}, TOKENS, patch=2, steps=3, start="logit"
    )
    weights = network.weight.detach()
    kept = (speech * weights).reshape(2, 3, 2).sum(dim=2).detach().numpy()
    deletion = curve(found, "a", "deletion", "energy")
    assert deletion == pytest.approx([kept[0].sum(), kept[0, 1:].sum(), kept[0, 1], 0], abs=1e-5)
    deletion = curve(found, "b", "deletion", "energy")
    assert deletion == pytest.approx([kept[1].sum(), kept[1, :2].sum(), kept[1, 0], 0], abs=1e-5)


def test_bad_input(case):
    network, speech, maps = case
    with pytest.raises(ArgumentError, match="at least one replacement"):
        perturbation_curves(network, speech, 0, maps, {}, TOKENS)
    with pytest.raises(ArgumentError, match="maps must have"):
        perturbation_curves(network, speech, 0, maps[:, :3], {"zero": 0 * speech}, TOKENS)
    with pytest.raises(DataError, match="not finite"):
        perturbation_curves(network, speech, 0, maps * np.nan, {"zero": 0 * speech}, TOKENS)
    with pytest.raises(ArgumentError, match="1 rows"):
        perturbation_curves(network, speech, 0, maps, {"zero": 0 * speech}, TOKENS.iloc[:1])
    with pytest.raises(ArgumentError, match="'steps' parameter"):
        perturbation_curves(network, speech, 0, maps, {"zero": 0 * speech}, TOKENS, steps=0)
