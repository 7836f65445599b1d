"""Differences between conditions: paired t, reversed pairs, errors under effects of raters and clips, real halves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rating_worlds import crossed_ratings, mean_squares, vcc_2018
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import compare_conditions

FAST = {"permutations": 0, "interval": "t"}


def test_variance_of_a_difference_is_that_of_the_analysis_of_variance():
    """Raters differ in what they think of a condition; clips are of one condition each."""
    table = crossed_ratings(9, 6, clip=1.5, seed=1)
    preferred = dict(zip(table["rater"].unique(), np.random.default_rng(2).normal(0, 1, 9), strict=True))
    table["rating"] += table["rater"].map(preferred) * (table["condition"] == "k1")
    wide = [own.pivot_table(index="rater", columns="clip", values="rating") for _, own in table.groupby("condition")]
    paired = np.var(wide[0].mean(axis=1) - wide[1].mean(axis=1), ddof=1) / 9
    clips = sum((mean_squares(own.to_numpy())[1] - mean_squares(own.to_numpy())[2]) / 54 for own in wide)
    compared = compare_conditions(table, **FAST).table.iloc[0]
    assert compared["std_error"] ** 2 == pytest.approx(paired + clips)
    assert compared["estimate"] == pytest.approx(float(wide[0].mean(axis=None) - wide[1].mean(axis=None)))
    assert compared["p_value"] == pytest.approx(2 * stats.t.sf(abs(compared["statistic"]), compared["df"]))


def test_one_clip_a_condition_is_compared_as_raters_are_paired():
    table = crossed_ratings(10, 1, seed=3)
    one, two = (own.sort_values("rater")["rating"].to_numpy() for _, own in table.groupby("condition"))
    known = stats.ttest_rel(one, two)
    compared = compare_conditions(table, **FAST).table.iloc[0]
    assert (compared["statistic"], compared["p_value"]) == pytest.approx((known.statistic, known.pvalue))


def test_reversed_pairs_turn_signs_and_nothing_else():
    table = crossed_ratings(8, 6, effect=0.4, seed=4, heard=4)
    options = {"margin": 0.5, "permutations": 99, "draws": 200}
    there, back = (
        compare_conditions(table, pairs=[pair], **options).table.iloc[0] for pair in (("k1", "k0"), ("k0", "k1"))
    )
    assert there["estimate"] == -back["estimate"]
    for name in ("std_error", "df", "p_value", "p_permutation", "p_equivalence"):
        assert there[name] == back[name]
    assert (there["conf_low"], there["conf_high"]) == pytest.approx((-back["conf_high"], -back["conf_low"]))


def test_pairs_references_and_families():
    table = crossed_ratings(8, 4, conditions=4, seed=5)
    every = compare_conditions(table, **FAST).table
    assert list(zip(every["level_1"], every["level_2"], strict=True))[:3] == [("k0", "k1"), ("k0", "k2"), ("k0", "k3")]
    assert (every["tests"] == 6).all()
    assert set(every["family"]) == {"all pairs of condition"}
    named = compare_conditions(table, reference="k2", family="planned", **FAST).table
    assert named["level_1"].tolist() == ["k0", "k1", "k3"]
    assert set(named["level_2"]) == {"k2"}
    assert set(named["family"]) == {"planned"}
    with pytest.raises(ArgumentError, match=r"'k0'.*'k9'"):
        compare_conditions(table, reference="k9", **FAST)
    with pytest.raises(ArgumentError, match="two different levels"):
        compare_conditions(table, pairs=[("k0", "k0")], **FAST)
    with pytest.raises(DataError, match="one condition only, 'k0'"):
        compare_conditions(table[table["condition"] == "k0"], **FAST)


def test_equivalence_is_two_one_sided_tests():
    table = crossed_ratings(30, 30, rater=0.2, clip=0.1, seed=6)
    compared = compare_conditions(table, margin=0.3, conf_level=0.9, **FAST).table.iloc[0]
    inside = compared["conf_low"] > -0.3 and compared["conf_high"] < 0.3
    assert inside == (compared["p_equivalence"] < 0.05)
    assert inside
    narrow = compare_conditions(table, margin=0.01, **FAST).table.iloc[0]
    assert narrow["p_equivalence"] > 0.3


def test_seeds_and_workers():
    table = crossed_ratings(8, 6, conditions=3, seed=7)
    options = {"permutations": 49, "draws": 100}
    first, again, other = (
        compare_conditions(table, seed=seed, workers=workers, **options).table
        for seed, workers in ((1, 1), (1, 2), (2, 1))
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["conf_low"].equals(other["conf_low"])


def test_raters_who_heard_one_condition_each_keep_the_difference_under_the_null():
    table = crossed_ratings(16, 8, effect=1.5, seed=8)
    table = table[(table["rater"].str[-1].astype(int) % 2 == 0) == (table["condition"] == "k0")]
    compared = compare_conditions(table, permutations=199, interval="t")
    assert compared.table["p_value"][0] < 0.01
    assert compared.table["p_permutation"][0] < 0.02
    assert any("16 of 16 raters did not hear every condition" in note for note in compared.notes)


def test_few_clips_can_be_exchanged_in_few_ways_which_is_said():
    few = compare_conditions(crossed_ratings(10, 2, seed=9), permutations=19)
    assert any("exchanged in 6 ways" in note for note in few.notes)


def test_clips_that_both_conditions_have_are_paired():
    """A large difference between clips that both conditions share is no part of the standard error."""
    random = np.random.default_rng(10)
    table = crossed_ratings(10, 8, rater=0.3, clip=0.0, seed=10)
    table["clip"] = table["clip"].str[-3:]
    shared = dict(zip(sorted(table["clip"].unique()), random.normal(0, 5, 8), strict=True))
    moved = table.assign(rating=table["rating"] + table["clip"].map(shared))
    options = {"permutations": 99, "interval": "t"}
    without, with_clips = (compare_conditions(one, **options).table.iloc[0] for one in (table, moved))
    for name in ("estimate", "p_permutation"):
        assert with_clips[name] == pytest.approx(without[name], abs=0.03)
    wide = [own.pivot_table(index="rater", columns="clip", values="rating") for _, own in table.groupby("condition")]
    raters, clips, noise = mean_squares((wide[0] - wide[1]).to_numpy())
    expected = max(raters + clips - noise, raters, clips) / 80
    for one in (without, with_clips):
        assert one["std_error"] ** 2 == pytest.approx(expected)


@pytest.mark.slow
def test_errors_of_the_first_kind_under_effects_of_raters_and_clips():
    """400 data sets without a difference; raters heard some of the clips, and differ in what they think of k1."""
    found = {"p_value": 0, "p_permutation": 0}
    for seed in range(400):
        table = crossed_ratings(12, 12, seed=seed, heard=5)
        preferred = dict(zip(table["rater"].unique(), np.random.default_rng(seed).normal(0, 0.4, 12), strict=True))
        table["rating"] += table["rater"].map(preferred) * (table["condition"] == "k1")
        compared = compare_conditions(table, interval="t", permutations=199, seed=seed).table.iloc[0]
        for name in found:
            found[name] += compared[name] <= 0.05
    assert all(0.02 * 400 < number < 0.083 * 400 for number in found.values()), found


@pytest.mark.slow
@pytest.mark.realdata
def test_intervals_cover_when_real_raters_are_split_in_halves(real_data):
    """Halves of the raters rate the same systems: their difference is nothing but other raters, clips and noise."""
    table = vcc_2018(real_data)
    raters = table["rater"].unique()
    inside, naive, count = 0, 0, 0
    for seed in range(20):
        half = dict(zip(raters, np.random.default_rng(seed).permutation(len(raters)) % 2, strict=True))
        halves = table.assign(half=[f"h{half[rater]}" for rater in table["rater"]])
        names = sorted(table["system"].unique())
        pairs = [(f"{name}, h0", f"{name}, h1") for name in names]
        compared = compare_conditions(halves, ["system", "half"], pairs=pairs, **FAST).table
        inside += int(((compared["conf_low"] <= 0) & (compared["conf_high"] >= 0)).sum())
        spread = halves.groupby(["system", "half"])["rating"].sem().unstack()
        naive += int(
            (compared["estimate"].abs().to_numpy() <= 1.96 * np.hypot(spread["h0"], spread["h1"]).to_numpy()).sum()
        )
        count += len(compared)
    assert 0.92 < inside / count < 0.98, inside / count
    assert naive / count < 0.75


@pytest.mark.parametrize("interval", ["t", "bootstrap"])
def test_raters_who_always_say_the_same_say_nothing_of_how_a_difference_varies(interval):
    # Each rater has one rating for everything: what is left of the variance of the difference is rounding.
    rows = [(f"r{r}", f"{c}{k}", c, r % 5 + 1) for r in range(8) for c in "ab" for k in range(6)]
    given = pd.DataFrame(rows, columns=["rater", "clip", "condition", "rating"])
    compared = compare_conditions(given, interval=interval, margin=0.5, draws=100, permutations=19)
    assert compared.table["estimate"].tolist() == pytest.approx([0])
    assert compared.table[["std_error", "conf_low", "conf_high", "p_value", "p_equivalence"]].isna().all(axis=None)
    assert any("have no interval" in note for note in compared.notes)
