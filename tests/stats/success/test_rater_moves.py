"""Intervals of what people hear are for other people too, as soon as there are three of them."""

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.proportions import effective_wilson
from layerstats.stats.success import attempts_from_frame, compare_set_ups, success_matrix, success_rates


def heard_by(
    raters, starts=30, per_start=4, rater_sd=0.8, start_sd=0.5, seed=0, set_up="smooth", ease=0.4, crossed=False
):
    """One network, two classes; each start is heard by some of the raters, who are kind or not."""
    generator = np.random.default_rng(seed)
    kind = np.random.default_rng(seed + 1).normal(0, rater_sd, raters)
    rows = []
    for target in ("no", "yes"):
        for number in range(starts):
            start = f"{target}_{number:03}"
            rows.append((set_up, "net", target, start, "net", target, ""))
            difficulty = generator.normal(0, start_sd)
            asked = range(raters) if crossed else generator.permutation(raters)[:per_start]
            for rater in asked:
                right = generator.normal() < ease + kind[rater] + difficulty
                rows.append((set_up, "net", target, start, "people", target if right else "?", f"r{rater}"))
    columns = ["set_up", "network", "target", "start", "judge", "response", "rater"]
    return pd.DataFrame(rows, columns=columns)


def people(frame):
    summary = success_rates(attempts_from_frame(frame)).summary
    return summary.set_index(["measure", "judge"]).loc[("marginal", "people")]


def test_the_variance_is_that_of_two_way_clusters():
    frame = heard_by(6, starts=12, per_start=3)
    row = people(frame)
    assert row["drawn"] == "starts, raters"
    own = frame[frame["judge"] == "people"].assign(
        right=lambda table: (table["response"] == table["target"]).astype(float)
    )
    # The mean over classes, starts and raters as one weighted sum, and its clusters by the definition.
    share = own.groupby(["target", "start"])["right"].mean()
    means = share.groupby("target").mean()
    move = (own["right"] - own["target"].map(means)) / (2 * 12 * 3)
    of_start = ((share - share.index.get_level_values(0).map(means).to_numpy()) / (2 * 12) * np.sqrt(12 / 11)) ** 2
    by_rater = (move.groupby(own["rater"]).sum() ** 2).sum() * 6 / 5
    added = by_rater - (move**2).sum()
    variance = of_start.sum() + added
    half = row["conf_high"] - row["conf_low"]
    freedom = variance**2 / (added**2 / 5)
    low, high = effective_wilson(row["rate"], variance, freedom, int(row["starts"]))
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((low, high))
    assert half > 0


@pytest.mark.parametrize("crossed", [False, True])
def test_a_class_is_as_sure_as_its_own_starts_and_raters(crossed):
    frame = heard_by(5, starts=10, crossed=crossed)
    by_class = success_rates(attempts_from_frame(frame)).classes
    alone = success_rates(attempts_from_frame(frame[frame["target"] == "no"])).summary
    columns = ["rate", "conf_low", "conf_high", "drawn"]
    one = by_class[(by_class["judge"] == "people") & (by_class["measure"] == "marginal") & (by_class["target"] == "no")]
    two = alone[(alone["judge"] == "people") & (alone["measure"] == "marginal")]
    assert one[columns].values.tolist() == two[columns].values.tolist()


def test_joint_success_of_people_is_their_success_where_the_network_hears_the_target():
    frame = heard_by(5, starts=10)
    wrong = (frame["judge"] == "net") & (frame["start"] < "no_005")
    frame.loc[wrong, "response"] = "?"
    summary = success_rates(attempts_from_frame(frame)).summary.set_index(["measure", "judge"])
    joint, marginal = summary.loc[("joint", "people")], summary.loc[("marginal", "people")]
    assert joint["rate"] < marginal["rate"]
    assert "raters" in joint["drawn"]


def test_two_people_are_these_people():
    assert people(heard_by(2, per_start=2))["drawn"] == "starts"


def test_raters_who_hear_both_set_ups_move_their_difference_less():
    first, second = heard_by(8, seed=3, crossed=True), heard_by(8, seed=3, set_up="none", ease=0.1, crossed=True)
    strangers = second.assign(rater=second["rater"].where(second["rater"] == "", "other " + second["rater"]))
    widths = []
    for other in (second, strangers):
        table = compare_set_ups(attempts_from_frame(pd.concat([first, other])), "smooth", "none")
        row = table.set_index(["measure", "judge"]).loc[("marginal", "people")]
        widths.append(row["conf_high"] - row["conf_low"])
    assert widths[0] < 0.7 * widths[1]
    flipped = compare_set_ups(attempts_from_frame(pd.concat([first, second])), "none", "smooth")
    forth = compare_set_ups(attempts_from_frame(pd.concat([first, second])), "smooth", "none")
    assert flipped["difference"].to_numpy() == pytest.approx(-forth["difference"].to_numpy(), abs=0)


def test_cells_of_what_people_heard_are_for_other_people():
    frame = heard_by(6, starts=20, rater_sd=1.5)
    heard = success_matrix(attempts_from_frame(frame)).heard.set_index(["judge", "target", "response"])
    cell = heard.loc[("people", "no", "no")]
    alone = people(frame[frame["target"] == "no"])
    assert cell["rate"] == pytest.approx(alone["rate"])
    assert (cell["conf_low"], cell["conf_high"]) == pytest.approx((alone["conf_low"], alone["conf_high"]))
    # Right and wrong are each other's complement here, and so are their intervals.
    other = heard.loc[("people", "no", "?")]
    assert (1 - other["conf_high"], 1 - other["conf_low"]) == pytest.approx((cell["conf_low"], cell["conf_high"]))


@pytest.mark.slow
def test_intervals_cover_what_other_people_hear():
    from scipy.stats import norm

    truth = norm.cdf(0.4 / np.sqrt(1 + 1.5**2 + 0.5**2))
    inside = {"raters": [], "starts": []}
    for seed in range(100):
        frame = heard_by(12, starts=20, rater_sd=1.5, seed=1000 * seed)
        row = people(frame)
        inside["raters"].append(row["conf_low"] <= truth <= row["conf_high"])
        own = frame[frame["judge"] == "people"]
        share = (own["response"] == own["target"]).groupby([own["target"], own["start"]]).mean()
        variance = share.groupby("target").var().mean() / 20 / 2
        low, high = effective_wilson(row["rate"], variance, np.inf, 40)
        inside["starts"].append(low <= truth <= high)
    assert np.mean(inside["raters"]) > 0.88
    assert np.mean(inside["starts"]) < 0.75
