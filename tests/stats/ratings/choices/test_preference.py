"""Preferences in worlds with known shares, raters, clips, order and ties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.ratings.choices import preference_shares

RATER_SD, CLIP_SD, ORDER = 0.8, 0.5, 0.6


def answers(shifts=(0.9, 0.0), ties=0.5, raters=40, clips=15, seed=0):
    """Return answers about pairs of conditions, a played first or second at random; the first is preferred a little."""
    rng = np.random.default_rng(seed)
    rater_effect = rng.normal(0, RATER_SD, raters)
    parts = []
    for number, shift in enumerate(shifts):
        rater, clip = np.repeat(np.arange(raters), clips), np.tile(np.arange(clips), raters)
        swapped = rng.random(len(rater)) < 0.5
        latent = (
            shift + rater_effect[rater] + rng.normal(0, CLIP_SD, clips)[clip] + ORDER * np.where(swapped, -1, 1) / 2
        )
        latent = latent + rng.logistic(size=len(rater))
        response = np.where(latent > ties, "a", np.where(latent < -ties, "b", "same"))
        frame = pd.DataFrame({"rater": rater, "clip": clip, "response": response, "swapped": swapped})
        frame["clip"] = [f"{number}/{one}" for one in clip]
        parts.append(frame.assign(condition_a=f"system {number}", condition_b="baseline"))
    return pd.concat(parts, ignore_index=True)


def true_share(shift, ties):
    """Return the share that prefers a, ties counting half, by a normal quadrature of its own."""
    nodes = np.linspace(-8, 8, 4001)
    weights = stats.norm.pdf(nodes)
    effect = np.hypot(RATER_SD, CLIP_SD) * nodes[:, None] + shift + ORDER * np.array([-0.5, 0.5])
    shares = (special.expit(effect - ties) + special.expit(effect + ties)) / 2
    return float((weights @ shares).mean() / weights.sum())


@pytest.fixture(scope="module")
def heard():
    return answers()


@pytest.fixture(scope="module")
def shares(heard):
    return preference_shares(heard)


def test_the_share_is_that_of_new_raters_and_clips(shares):
    table = shares.table
    assert table["contrast"].tolist() == ["system 0 - baseline", "system 1 - baseline"]
    for row, shift in zip(table.itertuples(), (0.9, 0.0), strict=True):
        assert abs(row.estimate - true_share(shift, 0.5)) < 3 * row.std_error
        # Raters and clips make the interval wider than answers that are taken for independent.
        assert row.conf_high - row.conf_low > 1.3 * (row.naive_high - row.naive_low)
    assert table["p_adjusted"].iloc[0] < 0.001
    assert table["p_value"].iloc[1] > 0.05
    assert (table["preferred_1"] + table["same"] + table["preferred_2"] == table["answers"]).all()


def test_what_is_played_first_is_preferred(shares):
    order = shares.order.iloc[0]
    assert order["conf_low"] > 0.5
    assert order["p_value"] < 0.01


def test_pairs_that_are_written_the_other_way_round_are_the_same_pairs(heard, shares):
    turned = heard.copy()
    rows = turned.index % 3 == 0
    turned.loc[rows, ["condition_a", "condition_b"]] = heard.loc[rows, ["condition_b", "condition_a"]].to_numpy()
    turned.loc[rows, "response"] = heard.loc[rows, "response"].map({"a": "b", "b": "a", "same": "same"})
    turned.loc[rows, "swapped"] = ~heard.loc[rows, "swapped"]
    found = preference_shares(turned).table
    assert found["contrast"].tolist() == ["baseline - system 0", "baseline - system 1"]
    np.testing.assert_allclose(1 - found["estimate"], shares.table["estimate"], atol=1e-6)
    np.testing.assert_allclose(found["p_value"], shares.table["p_value"], rtol=1e-3)
    np.testing.assert_array_equal(found["preferred_2"], shares.table["preferred_1"])


def test_without_ties_it_is_the_mixed_logistic_model():
    result = preference_shares(answers(ties=0.0, seed=3))
    assert result.model.categories == ("b", "a")
    assert abs(result.table["estimate"].iloc[0] - true_share(0.9, 0.0)) < 3 * result.table["std_error"].iloc[0]


def test_a_pair_of_which_all_prefer_the_same_keeps_its_plain_interval(heard):
    alike = heard[heard["condition_a"] == "system 1"].assign(response="a")
    result = preference_shares(pd.concat([heard[heard["condition_a"] == "system 0"], alike]))
    row = result.table.set_index("level_1").loc["system 1"]
    assert np.isnan(row["estimate"])
    assert (row["naive_rate"], row["naive_high"]) == (1.0, 1.0)
    assert result.table["tests"].tolist() == [1, 1]
    assert "Every answer about system 1 - baseline was the same" in result.notes[0]
    only = preference_shares(alike)
    assert only.model is None
    assert only.order.empty
    undecided = preference_shares(alike.assign(response="same"))
    assert undecided.table["naive_rate"].tolist() == [0.5]
    assert undecided.model is None


def test_an_order_that_decides_everything_leaves_plain_shares(heard):
    decided = heard.assign(response=np.where(heard["swapped"], "b", "a"))
    result = preference_shares(decided)
    assert result.model is None
    assert result.table["estimate"].isna().all()
    assert result.table["naive_rate"].between(0.4, 0.6).all()
    assert any("could not be fitted" in note and "separated" in note for note in result.notes)


def test_an_unknown_order_is_said(heard):
    result = preference_shares(heard.drop(columns="swapped"))
    assert result.order.empty
    assert "order of playing is not known" in result.notes[0]


def test_other_roles_and_tasks_do_not_count(heard):
    extra = pd.concat([heard.assign(role="test"), heard.assign(role="catch", response="a")])
    assert preference_shares(extra).table["answers"].tolist() == [600, 600]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="condition_a"), "'condition_a' is not in the answers"),
        (lambda frame: frame.assign(response="left"), "none of a, b and same, the first 'left'"),
        (lambda frame: frame.assign(condition_a="baseline"), "compares the condition 'baseline' with itself"),
        (lambda frame: frame.assign(role="catch"), "no answers of preference"),
    ],
)
def test_what_is_no_preference_is_refused(heard, change, words):
    with pytest.raises(DataError, match=words):
        preference_shares(change(heard))


def test_intervals_that_count_raters_and_clips_are_those_of_t(heard, shares):
    """15 clips of each pair and 40 raters: 14 degrees of freedom, on the logit, where the interval is taken."""
    counted = preference_shares(heard, distribution="t").table
    estimates = [special.logit(table["estimate"].to_numpy()) for table in (counted, shares.table)]
    np.testing.assert_allclose(*estimates)
    widths = [special.logit(table["conf_high"].to_numpy()) - estimates[0] for table in (counted, shares.table)]
    np.testing.assert_allclose(widths[0] / widths[1], stats.t.isf(0.025, 14) / stats.norm.isf(0.025))
    np.testing.assert_allclose(counted["p_value"], 2 * stats.t.sf(np.abs(counted["statistic"]), 14))
    with pytest.raises(ArgumentError, match="distribution"):
        preference_shares(heard, distribution="chi2")
