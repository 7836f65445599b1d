import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.success import attempts_from_frame, compare_set_ups


@pytest.fixture
def both(make_frame):
    return pd.concat([make_frame(), make_frame(set_up="none", other=0.2, seed=1)])


def test_reversing_turns_signs_exactly(both):
    table = attempts_from_frame(both)
    for options in ({}, {"classes": "drawn"}, {"networks": "fixed"}, {"denominator": "not the target already"}):
        one = compare_set_ups(table, "smooth", "none", **options)
        two = compare_set_ups(table, "none", "smooth", **options)
        for name in ("difference", "statistic"):
            assert (one[name] == -two[name]).all()
        assert (one["conf_low"] == -two["conf_high"]).all()
        assert (one["p_value"] == two["p_value"]).all()
        assert (one["p_adjusted"] == two["p_adjusted"]).all()
        assert one["only_1"].equals(two["only_2"].rename("only_1"))
        assert one["mcnemar_p_value"].equals(two["mcnemar_p_value"])
        assert (one["rate_1"] == two["rate_2"]).all()


def test_what_differs_is_found(both):
    table = compare_set_ups(attempts_from_frame(both), "smooth", "none").set_index(["measure", "judge"])
    row = table.loc[("marginal", "other networks")]
    assert row["conf_low"] < 0.4 < row["conf_high"]
    assert row["p_adjusted"] < 0.01
    own = table.loc[("marginal", "target network")]
    assert own["conf_low"] < 0 < own["conf_high"]
    assert (table["tests"] == len(table)).all()


def test_a_paired_t_test_of_networks(make_frame):
    """Of the target network itself, with other starts each: the paired t test of the networks' mean rates."""
    one, two = make_frame(starts=5), make_frame(set_up="none", seed=1, starts=5, own=0.5)
    for frame, weak in ((one, "net0"), (two, "net2")):
        frame["start"] = frame["set_up"] + frame["network"] + frame["start"]
        frame.loc[(frame["network"] == weak) & (frame["number"] < 4), "response"] = "noise"
    means = []
    for frame in (one, two):
        own = frame[frame["network"] == frame["judge"]]
        means.append((own["response"] == own["target"]).groupby(own["network"]).mean())
    expected = stats.ttest_rel(*means)
    row = compare_set_ups(attempts_from_frame(pd.concat([one, two])), "smooth", "none").iloc[0]
    assert row["statistic"] == pytest.approx(expected.statistic)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert row["pairs"] == 0
    assert np.isnan(row["mcnemar_p_value"])


def test_pairs_are_starts_of_one_beginning(both):
    def discordant(frame, judge="pocketsphinx"):
        right = frame.assign(right=frame["response"] == frame["target"])
        rows = right[(right["judge"] == judge)].set_index(["network", "target", "start"])
        one, two = (rows[rows["set_up"] == name]["right"] for name in ("smooth", "none"))
        shared = one.index.intersection(two.index)
        one, two = one[shared], two[shared]
        return len(shared), int((one & ~two).sum()), int((two & ~one).sum())

    for frame in (both, both.sample(frac=0.97, random_state=2)):
        row = compare_set_ups(attempts_from_frame(frame), "smooth", "none").set_index(["measure", "judge"])
        row = row.loc[("marginal", "pocketsphinx")]
        pairs, only_1, only_2 = discordant(frame)
        assert (row["pairs"], row["only_1"], row["only_2"]) == (pairs, only_1, only_2)
        expected = stats.binomtest(only_1, only_1 + only_2).pvalue
        assert row["mcnemar_p_value"] == pytest.approx(expected)
    other = both.assign(seed=both["seed"] + 1000 * (both["set_up"] == "none"))
    assert compare_set_ups(attempts_from_frame(other), "smooth", "none").iloc[0]["pairs"] == 0
    natural = other.assign(token=other["start"])
    assert compare_set_ups(attempts_from_frame(natural), "smooth", "none").iloc[0]["pairs"] == 320


def test_bad_comparisons_are_refused(both, make_frame):
    table = attempts_from_frame(both)
    with pytest.raises(ArgumentError, match="both are 'smooth'"):
        compare_set_ups(table, "smooth", "smooth")
    with pytest.raises(DataError, match="There is no set-up 'rough': there are 'none', 'smooth'"):
        compare_set_ups(table, "smooth", "rough")
    strangers = make_frame(set_up="none").replace({"network": {f"net{n}": f"other{n}" for n in range(4)}})
    with pytest.raises(DataError, match="no target network in common"):
        compare_set_ups(attempts_from_frame(pd.concat([make_frame(), strangers])), "smooth", "none")
    words = {f"word{n}": f"verb{n}" for n in range(4)}
    verbs = make_frame(set_up="none").replace({"target": words})
    with pytest.raises(DataError, match="no judge or no class in common"):
        compare_set_ups(attempts_from_frame(pd.concat([make_frame(), verbs])), "smooth", "none")
