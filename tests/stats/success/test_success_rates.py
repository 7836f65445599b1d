import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.proportions import effective_wilson
from layerstats.stats.success import attempts_from_frame, compare_set_ups, success_rates


def rates(frame, **options):
    """Compute marginal and joint success by their definitions: every class and pair of networks counts the same."""
    networks = sorted(set(frame["network"]))
    right = frame.assign(right=frame["response"] == frame["target"])
    wide = right.pivot_table(index=["network", "target", "start"], columns="judge", values="right", aggfunc="first")
    wide = wide.reset_index()

    def mean(network, joint, judge):
        rows = wide[wide["network"] == network]
        heard = rows[judge].astype(bool) & (rows[network].astype(bool) | (not joint))
        return heard.groupby(rows["target"]).mean().mean()

    found = {("marginal", "target network"): np.mean([mean(one, False, one) for one in networks])}
    others = [(one, two) for one, two in itertools.product(networks, networks) if one != two]
    for joint, name in ((False, "marginal"), (True, "joint")):
        found[name, "other networks"] = np.mean([mean(one, joint, two) for one, two in others])
        found[name, "pocketsphinx"] = np.mean([mean(one, joint, "pocketsphinx") for one in networks])
    everyone = wide.assign(all=wide[[*networks, "pocketsphinx"]].astype(bool).all(axis=1))
    found["joint", "all judges"] = everyone.groupby(["network", "target"])["all"].mean().mean()
    return found


def test_rates_are_what_they_are_called(make_frame):
    frame = make_frame()
    summary = success_rates(attempts_from_frame(frame)).summary.set_index(["measure", "judge"])["rate"].to_dict()
    expected = rates(frame)
    assert summary.keys() == expected.keys()
    for place, rate in expected.items():
        assert summary[place] == pytest.approx(rate, abs=1e-12)


@st.composite
def small_frames(draw):
    words, networks = ["no", "yes"], [f"n{number}" for number in range(draw(st.integers(1, 4)))]
    rows = [
        (network, target, f"{target}{number}", judge, draw(st.sampled_from(words)))
        for network in networks
        for target in words
        for number in range(draw(st.integers(1, 3)))
        for judge in [*networks, "pocketsphinx"]
    ]
    return pd.DataFrame(rows, columns=["network", "target", "start", "judge", "response"])


@settings(max_examples=15, deadline=None)
@given(small_frames())
def test_whatever_is_heard(frame):
    result = success_rates(attempts_from_frame(frame))
    rows = result.summary.set_index(["measure", "judge"])
    for judge in {"other networks", "pocketsphinx"} & set(result.summary["judge"]):
        joint, marginal = rows.loc[("joint", judge), "rate"], rows.loc[("marginal", judge), "rate"]
        assert joint <= marginal + 1e-12
        assert rows.loc[("joint", "all judges"), "rate"] <= joint + 1e-12
    for table in (result.summary, result.classes):
        assert (table["conf_low"] <= table["rate"]).all()
        assert (table["rate"] <= table["conf_high"]).all()
    assert result.summary["drawn"].eq("starts, networks").any() == (frame["network"].nunique() > 2)
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(success_rates(attempts_from_frame(shuffled)).summary, result.summary)


def test_intervals_over_networks_are_those_of_their_means(make_frame):
    """Of the target network itself: one rate a network, so that the jackknife is the usual standard error of a mean."""
    frame = make_frame(starts=5)
    weak = (frame["network"] == "net0") & (frame["number"] < 3)
    frame = frame.assign(response=np.where(weak, "noise", frame["response"]))
    own = frame[frame["network"] == frame["judge"]]
    means = (own["response"] == own["target"]).groupby([own["network"], own["target"]]).mean().groupby("network").mean()
    row = success_rates(attempts_from_frame(frame)).summary.iloc[0]
    ends = effective_wilson(means.mean(), means.var() / 4, 3, row["starts"])
    assert row["drawn"] == "starts, networks"
    # Starts of one name are the same in all networks here, which may add to it.
    assert row["conf_low"] <= ends[0] + 1e-12
    assert row["conf_high"] >= ends[1] - 1e-12
    renamed = frame.assign(start=frame["network"] + frame["start"])
    row = success_rates(attempts_from_frame(renamed)).summary.iloc[0]
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(ends)


def test_intervals_of_these_networks_are_stratified(make_frame):
    frame = make_frame(starts=8)
    frame = frame.assign(start=frame["network"] + frame["start"])
    row = success_rates(attempts_from_frame(frame), networks="fixed").summary.iloc[2]
    assert row["judge"] == "pocketsphinx"
    own = frame[frame["judge"] == "pocketsphinx"]
    cells = (own["response"] == own["target"]).groupby([own["network"], own["target"]]).mean()
    assert ((cells > 0) & (cells < 1)).all()
    variance = (cells * (1 - cells) / 7).sum() / 16**2
    ends = effective_wilson(cells.mean(), variance, np.inf, len(own))
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(ends)
    assert row["drawn"] == "starts"


def test_drawn_classes_make_intervals_wider(make_frame):
    frame = make_frame()
    easy = frame["target"] == "word0"
    frame = frame.assign(response=np.where(easy, frame["target"], frame["response"]))
    one, two = (success_rates(attempts_from_frame(frame), classes=classes).summary for classes in ("fixed", "drawn"))
    assert (two["conf_high"] - two["conf_low"] > one["conf_high"] - one["conf_low"]).all()
    assert set(two["drawn"]) == {"starts, networks, classes"}
    pd.testing.assert_series_equal(one["rate"], two["rate"])


def test_a_null_is_beside_every_number(make_frame):
    frame = pd.concat(
        [
            make_frame(),
            make_frame(null="zero_steps", own=0.25, other=0.25, seed=1),
            make_frame(null="untrained", own=0.9, other=0.2, seed=2, prefix="untrained"),
        ]
    )
    result = success_rates(attempts_from_frame(frame))
    real = result.summary[result.summary["null"] == ""]
    for null in ("zero_steps", "untrained"):
        own = result.summary[result.summary["null"] == null].set_index(["measure", "judge"])["rate"]
        beside = real.set_index(["measure", "judge"])[f"null_{null}"]
        assert beside.notna().all()
        assert beside.to_dict() == own.to_dict()
        tests = result.nulls[result.nulls["null"] == null]
        assert np.allclose(tests["difference"], tests["rate"] - tests["null_rate"])
        found = tests.set_index(["measure", "judge"]).loc[("marginal", "other networks")]
        assert found["conf_low"] > 0.2
        assert found["p_adjusted"] < 0.05
    assert set(result.nulls["family"]) == {"nulls, smooth"}
    assert (result.nulls["tests"] == len(result.nulls)).all()
    assert result.classes.loc[result.classes["null"] == "", "null_untrained"].notna().all()


def test_what_is_idiosyncratic_is_found(make_frame):
    row = success_rates(attempts_from_frame(make_frame(networks=5))).idiosyncrasy.iloc[0]
    assert row["conf_low"] < 0.3 < row["conf_high"]
    assert row["difference"] == row["rate_1"] - row["rate_2"]
    assert row["p_value"] < 0.01
    assert row["permutation_p_value"] == pytest.approx(1 / 120)
    assert row["null_low"] < 0 < row["null_high"] < row["difference"]
    drawn = success_rates(attempts_from_frame(make_frame(networks=8, starts=3)), draws=199).idiosyncrasy.iloc[0]
    assert drawn["permutation_p_value"] == pytest.approx(1 / 200)
    assert success_rates(attempts_from_frame(make_frame(networks=1))).idiosyncrasy.empty


def test_the_denominator_is_named(make_frame):
    frame = make_frame(starts=40)
    table = attempts_from_frame(frame)
    result = success_rates(table, denominator="not the target already")
    assert set(result.summary["denominator"]) == {"not the target already"}
    kept = frame[frame["response_before"] != frame["target"]]
    expected = rates(kept)
    for row in result.summary.itertuples():
        assert row.rate == pytest.approx(expected[row.measure, row.judge], abs=1e-12)
    easy = frame.assign(response_before=np.where(frame["target"] == "word2", "word2", frame["response_before"]))
    without = success_rates(attempts_from_frame(easy), denominator="not the target already")
    assert set(without.summary["classes"]) == {3}
    with pytest.raises(DataError, match="nobody attempted anything"):
        success_rates(
            attempts_from_frame(frame.assign(response_before=frame["target"])), denominator="not the target already"
        )
    with pytest.raises(DataError, match="is not known of every start"):
        success_rates(attempts_from_frame(frame.drop(columns="response_before")), denominator="not the target already")
    with pytest.raises(ArgumentError, match="denominator"):
        success_rates(table, denominator="most")


def test_a_class_without_starts_in_a_network_is_left_out_and_said_so(make_frame):
    frame = make_frame()
    frame = frame[~((frame["target"] == "word3") & (frame["network"] == "net2"))]
    result = success_rates(attempts_from_frame(frame))
    assert set(result.summary["classes"]) == {3}
    assert "word3" in result.notes[0]
    assert "has 2 target networks" in success_rates(attempts_from_frame(make_frame(networks=2))).notes[0]


def test_people_count_by_clip(make_frame):
    """Two people say different things of every clip: a rate of a half, as sure as if each clip were half right."""
    frame = make_frame(networks=1, own=1.0).assign(rater="")
    people = frame[frame["judge"] == "pocketsphinx"].assign(judge="people")
    right, wrong = people.assign(response=people["target"], rater="a"), people.assign(response="noise", rater="b")
    summary = success_rates(attempts_from_frame(pd.concat([frame, right, wrong]))).summary.set_index(
        ["measure", "judge"]
    )
    row = summary.loc[("marginal", "people")]
    assert row["rate"] == 0.5
    assert row["starts"] == 80
    assert stats.binom.interval(0.95, 80, 0.5)[0] / 80 - row["conf_low"] < 0.02


def test_all_judges_are_joint_only_where_all_were_asked(make_frame):
    frame = make_frame(networks=2, starts=10)
    asked = (frame["judge"] != "pocketsphinx") | (frame["network"] == "net0")
    right = frame.assign(right=frame["response"] == frame["target"]).query("network == 'net0'")
    expected = right.groupby(["target", "start"])["right"].all().groupby("target").mean().mean()
    summary = success_rates(attempts_from_frame(frame[asked])).summary
    found = summary.query("measure == 'joint' and judge == 'all judges'")
    assert found[["starts", "rate"]].to_numpy().tolist() == [[40, pytest.approx(expected, abs=1e-12)]]


def test_all_judges_are_the_same_beside_a_null_and_in_another_set_up(make_frame):
    real, null = make_frame(networks=3), make_frame(networks=3, null="zero_steps", other=0.1, seed=1)
    other = make_frame(networks=3, set_up="none", seed=2)
    heard = pd.concat([real, null[null["judge"] != "pocketsphinx"], other[other["judge"] != "pocketsphinx"]])
    result = success_rates(attempts_from_frame(heard))
    networks_only = success_rates(attempts_from_frame(heard[heard["judge"] != "pocketsphinx"]))
    both = [one.summary.query("measure == 'joint' and judge == 'all judges'") for one in (result, networks_only)]
    assert both[0]["rate"].tolist() == both[1]["rate"].tolist()
    assert "'smooth': all judges are those that were asked about its nulls too, without pocketsphinx." in result.notes
    compared = [
        compare_set_ups(attempts_from_frame(one), "smooth", "none").set_index(["measure", "judge"])
        for one in (heard, heard[heard["judge"] != "pocketsphinx"])
    ]
    place = ("joint", "all judges")
    assert compared[0].loc[place, "difference"] == compared[1].loc[place, "difference"]
    assert not compared[0].index.isin([("marginal", "pocketsphinx")]).any()
