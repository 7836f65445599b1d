"""What is said of maximizations: by whom they are heard, under which nulls, and with which set-up."""

import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import attempts_from_frame, claims_of, compare_set_ups, success_rates, variance_shares

NUMBERS = ("conf_low", "conf_high", "conf_level", "p_adjusted")


def rows_of(set_up, null, right, networks=tuple("abcdef"), judges=tuple("abcdef"), starts=10):
    """Return attempts in which judges other than the network hear the target in so many of the starts."""
    return [
        (set_up, null, network, target, f"{target}_{number}", number, judge,
         target if number < (starts if judge == network else right + number % 2) else "noise")
        for network in networks for target in ("no", "yes") for number in range(starts) for judge in judges
    ]  # fmt: skip


def attempts_of(*rows):
    names = ["set_up", "null", "network", "target", "start", "seed", "judge", "response"]
    return attempts_from_frame(pd.DataFrame([one for some in rows for one in some], columns=names))


@pytest.fixture(scope="module")
def heard():
    parts = [rows_of("smooth", "", 8), rows_of("smooth", "zero_steps", 0), rows_of("smooth", "random_direction", 1)]
    parts += [rows_of("smooth", "natural", 9), rows_of("none", "", 2), rows_of("none", "zero_steps", 0)]
    return attempts_of(*parts)


@pytest.fixture(scope="module")
def success(heard):
    return success_rates(heard)


def test_the_null_that_is_exceeded_least_is_what_stands_in_the_row(success):
    claims = claims_of(success)
    row = claims.table.iloc[0]
    assert row["claim"] == (
        "Words maximized with the set-up “smooth” are heard as their target by other networks more often than under "
        "each of its nulls"
    )
    own = success.nulls.query("set_up == 'smooth' and judge == 'other networks' and measure == 'marginal'")
    least = own.query("null != 'natural'").sort_values("p_value").iloc[-1]
    assert row["estimate"] == least["difference"]
    assert [row[name] for name in NUMBERS] == [least[name] for name in NUMBERS]
    assert row["verdict"] == "holds"
    assert "natural" not in row["null"]


def test_other_judges_and_joint_success_are_other_choices(success):
    rows = claims_of(success).sensitivity.query("claim_key == 'smooth:nulls' and choice == 'measure'")
    assert rows["option"].tolist() == ["marginal", "joint"]
    assert rows["reported"].tolist() == [True, False]
    joint = success.nulls.query("measure == 'joint' and judge == 'other networks' and set_up == 'smooth'")
    assert rows["estimate"].iloc[1] in joint["difference"].tolist()


def test_set_ups_differ_as_their_table_says(heard):
    table = compare_set_ups(heard, "smooth", "none")
    row = claims_of(table, kind="set_ups").table.iloc[0]
    other = table.query("judge == 'other networks' and measure == 'marginal'").iloc[0]
    assert row["estimate"] == other["difference"]
    assert [row[name] for name in NUMBERS] == [other[name] for name in NUMBERS]
    turned = claims_of(compare_set_ups(heard, "none", "smooth"), kind="set_ups").table.iloc[0]
    assert "by other networks more often than those maximized without a prior" in row["claim"]
    assert "by other networks less often than those maximized with the set-up “smooth”" in turned["claim"]


def test_one_network_fails_a_check():
    alone = {"networks": ("a",), "judges": ("a", "pocketsphinx")}
    parts = [rows_of("smooth", "", 8, **alone), rows_of("smooth", "zero_steps", 0, **alone)]
    row = claims_of(success_rates(attempts_of(*parts))).table.iloc[0]
    assert "by the judge pocketsphinx" in row["claim"]
    assert row["verdict"] == "fails a check"
    assert "only 1 target network: the interval is about other starts of this one" in row["failed_checks"]


def test_where_nobody_hears_anything_nothing_is_shown():
    parts = [rows_of("smooth", null, -2) for null in ("", "zero_steps")]
    table = claims_of(success_rates(attempts_of(*parts))).table
    first = table.loc[table["claim_key"] == "smooth:nulls"].iloc[0]
    assert first["verdict"] == "not shown"
    assert "were not shown to be heard as their target" in first["claim"]


def test_without_nulls_nothing_is_claimed():
    claims = claims_of(success_rates(attempts_of(rows_of("smooth", "", 8, ("a",), ("a", "sphinx")))))
    assert claims.table.empty
    assert claims.sensitivity.empty


def test_the_largest_share_of_variance_of_every_set_up_comes_first(heard):
    result = variance_shares(heard.query("null == ''"), components=["network", "judge", "target"], engine="laplace")
    claims = claims_of(result)
    shares = result.shares.query("component != 'residual'")
    for row in claims.table.to_dict("records"):
        set_up, component = row["claim_key"].split(":", 1)
        own = shares.loc[shares["set_up"] == set_up]
        assert row["estimate"] == own["share"].max()
        assert own.loc[own["share"].idxmax(), "component"] == component
    assert "Claimed: 2 of" in claims.notes[0]


def test_a_table_must_say_what_it_is(heard):
    with pytest.raises(ArgumentError, match="No claims are read from a DataFrame"):
        claims_of(compare_set_ups(heard, "smooth", "none"))
