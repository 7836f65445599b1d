"""Identification and ABX in worlds with known shares."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.ratings.choices import identification_rates
from layerstats.stats.ratings.choices.discrimination import abx_sensitivity, abx_share

SHIFTS = {"natural": 1.6, "optimal": 0.4, "noise": -1.2}


def answers(seed=0, raters=30, clips=12, task="identification"):
    rng = np.random.default_rng(seed)
    rater_effect = rng.normal(0, 0.7, raters)
    parts = []
    for condition, shift in SHIFTS.items():
        rater, clip = np.repeat(np.arange(raters), clips), np.tile(np.arange(clips), raters)
        latent = shift + rater_effect[rater] + rng.normal(0, 0.9, clips)[clip] + rng.logistic(size=len(rater))
        target = np.array(["a", "b"])[clip % 2]
        other = np.array(["b", "a"])[clip % 2]
        names = [f"{condition}/{number}" for number in clip]
        parts.append(
            pd.DataFrame(
                {"rater": rater, "clip": names, "response": np.where(latent > 0, target, other), "expected": target}
            ).assign(condition=condition, task=task, role="test")
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def heard():
    return answers()


@pytest.fixture(scope="module")
def rates(heard):
    return identification_rates(heard, "condition", alternatives=4, reference="noise")


def test_the_rate_is_that_of_new_raters_and_clips(rates):
    nodes = np.linspace(-8, 8, 4001)
    weights = stats.norm.pdf(nodes)
    for row in rates.table.itertuples():
        truth = weights @ special.expit(SHIFTS[row.condition] + np.hypot(0.7, 0.9) * nodes) / weights.sum()
        assert abs(row.estimate - truth) < 3 * row.std_error
        assert 0 < row.conf_low < row.estimate < row.conf_high < 1
        assert row.conf_high - row.conf_low > row.naive_high - row.naive_low
    assert set(rates.table["chance"]) == {0.25}


def test_differences_have_names_direction_and_a_family(rates):
    means = rates.table.set_index("condition")["estimate"]
    assert set(rates.contrasts["contrast"]) == {"natural - noise", "optimal - noise"}
    for row in rates.contrasts.itertuples():
        assert row.estimate == pytest.approx(means[row.level_1] - means[row.level_2])
    assert set(rates.contrasts["family"]) == {"right answers, condition less noise"}
    assert (rates.contrasts["p_adjusted"] >= rates.contrasts["p_value"]).all()


def test_abx_is_tested_against_one_half_and_has_a_sensitivity():
    table = identification_rates(answers(task="abx"), "condition").table.set_index("condition")
    assert set(table["chance"]) == {0.5}
    assert table.loc["natural", "d_prime"] > table.loc["optimal", "d_prime"] > 0
    assert table.loc["noise", "d_prime"] == pytest.approx(0, abs=1e-9)
    inside = table.loc["natural"]
    assert abx_share(inside["d_prime_low"]) == pytest.approx(inside["conf_low"])


def test_sensitivity_is_that_of_simulated_listeners():
    rng = np.random.default_rng(2)
    for sensitivity in (0.5, 1.5, 3.0):
        a, b = rng.normal(0, 1, 400_000), rng.normal(sensitivity, 1, 400_000)
        is_b = rng.random(400_000) < 0.5
        x = rng.normal(sensitivity * is_b, 1)
        said_b = (x > sensitivity / 2) == (b > a)
        share = np.mean(said_b == is_b)
        assert abx_sensitivity(share) == pytest.approx(sensitivity, abs=0.03)


def test_typed_answers_have_no_chance_and_capitals_do_not_count(heard):
    typed = heard.assign(response=" " + heard["response"].str.upper())
    table = identification_rates(typed, "condition").table
    np.testing.assert_array_equal(
        table["right_answers"], identification_rates(heard, "condition").table["right_answers"]
    )
    assert table["chance"].isna().all()
    assert table["p_value"].isna().all()


def test_conditions_that_are_always_right_keep_their_plain_interval(heard):
    certain = heard.assign(response=heard["response"].where(heard["condition"] != "natural", heard["expected"]))
    result = identification_rates(certain, "condition")
    table = result.table.set_index("condition")
    assert np.isnan(table.loc["natural", "estimate"])
    assert table.loc["natural", "naive_rate"] == 1
    assert result.contrasts["contrast"].tolist() == ["noise - optimal"]
    assert "All answers were right, or all wrong, of natural" in result.notes[0]
    everything = identification_rates(heard.assign(response=heard["expected"]), "condition")
    assert everything.model is None
    assert everything.contrasts.empty


def test_raters_that_are_always_right_or_wrong_leave_plain_rates(heard):
    two = heard[heard["rater"] < 2]
    decided = two.assign(response=np.where(two["rater"] == 0, two["expected"], "wrong"))
    result = identification_rates(decided, "condition")
    assert result.model is None
    assert result.table["naive_rate"].tolist() == [0.5, 0.5, 0.5]
    assert any("could not be fitted" in note for note in result.notes)


def test_one_rater_is_said(heard):
    result = identification_rates(heard[heard["rater"] == 3], "condition")
    assert any("one rater only" in note for note in result.notes)


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        (lambda frame: frame.drop(columns="expected"), {}, DataError, "'expected' is not in the answers"),
        (lambda frame: frame.assign(response=None), {}, DataError, "'response'"),
        (lambda frame: frame, {"alternatives": 1}, ArgumentError, "two alternatives"),
        (lambda frame: frame, {"by": "system"}, DataError, "'system'"),
        (lambda frame: frame, {"reference": "silence"}, ArgumentError, "'silence'"),
    ],
)
def test_what_cannot_be_analysed_is_said(heard, change, options, error, words):
    with pytest.raises(error, match=words):
        identification_rates(change(heard), **{"by": "condition", **options})


def test_intervals_that_count_raters_and_clips_are_those_of_t(heard, rates):
    """12 clips of each of three conditions: 11 degrees of freedom of a share, 33 of a difference."""
    counted = identification_rates(heard, "condition", alternatives=4, reference="noise", distribution="t")
    np.testing.assert_allclose(counted.table["p_value"], 2 * stats.t.sf(np.abs(counted.table["statistic"]), 11))
    widths = [found.contrasts["conf_high"] - found.contrasts["estimate"] for found in (counted, rates)]
    np.testing.assert_allclose(widths[0] / widths[1], stats.t.isf(0.025, 33) / stats.norm.isf(0.025))
    whole = identification_rates(heard, alternatives=4, distribution="t").table.iloc[0]
    assert whole["p_value"] == pytest.approx(2 * stats.t.sf(abs(whole["statistic"]), 29))
