"""Figures of listening tests show every condition, rater and difference where its numbers say."""

from __future__ import annotations

import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.plots import judge_agreement, listener_means, rater_means, rating_contrasts, rating_shares


def means():
    rows = [("yes", "new", 4.0), ("no", "new", 2.0), ("go", "old", 3.0), ("no", "old", 1.5)]
    table = pd.DataFrame(rows, columns=["target", "set_up", "estimate"])
    return table.assign(conf_low=table["estimate"] - 0.5, conf_high=table["estimate"] + 0.5)


def test_classes_stand_in_the_order_of_the_first_set_up(built):
    figure = listener_means(means(), "target", "set_up")
    assert list(figure.data["_target"].cat.categories) == ["go", "no", "yes"]
    lines, points = built(figure)
    assert sorted(points["y"]) == [1.5, 2, 3, 4]
    assert sorted(lines["ymax"] - lines["ymin"]) == [1] * 4


def test_chance_is_a_line_and_shares_have_quarters(built):
    shares = means().assign(estimate=0.5, conf_low=0.4, conf_high=0.6)
    line, _, _ = built(listener_means(shares, "target", panel="set_up", limits=(0, 1), chance=0.25))
    assert set(line["yintercept"]) == {0.25}


def test_bars_add_up_and_stand_by_their_mean(built):
    rows = [("a", 1, 0.9), ("a", 5, 0.1), ("b", 1, 0.2), ("b", 5, 0.8)]
    figure = rating_shares(pd.DataFrame(rows, columns=["system", "rating", "share"]), "system")
    assert list(figure.data["_bar"].cat.categories) == ["a", "b"]
    bars, labels = built(figure)
    assert bars.groupby("x")["ymax"].max().round(9).tolist() == [1, 1]
    # The lowest rating begins at 0, and every number stands inside its own part.
    assert sorted(bars.loc[bars["ymin"] == 0, "ymax"].round(9)) == [0.2, 0.9]
    assert {label: round(place, 9) for label, place in zip(labels["label"], labels["y"], strict=True)} == {
        "90": 0.45,
        "10": 0.95,
        "20": 0.1,
        "80": 0.6,
    }


def test_raters_stand_from_strict_to_kind(built):
    table = pd.DataFrame({"rater": ["a", "b", "c"], "estimate": [3.0, 1.5, 4.5], "conf_low": 1.0, "conf_high": 5.0})
    figure = rater_means(table)
    assert figure.data["rater"].tolist() == ["b", "a", "c"]
    assert built(figure)[0]["yintercept"].tolist() == [3.0]


def test_differences_have_their_margin_and_p(built):
    rows = [("new", "old", 0.3, 0.1, 0.5, 0.0123), ("new", "none", 1.0, 0.8, 1.2, 1e-9)]
    columns = ["level_1", "level_2", "estimate", "conf_low", "conf_high", "p_adjusted"]
    figure = rating_contrasts(pd.DataFrame(rows, columns=columns), margin=0.2)
    band, _, _, _, labels = built(figure)
    assert (band["ymin"].iloc[0], band["ymax"].iloc[0]) == (-0.2, 0.2)
    assert labels["label"].tolist() == ["p = 0.0123", "p <\N{NO-BREAK SPACE}0.0001"]
    assert "less than 0.2" in figure.labels.caption
    assert list(figure.data["_pair"].cat.categories) == ["new \N{MINUS SIGN} none", "new \N{MINUS SIGN} old"]


def test_judges_have_their_null_where_there_is_one(built):
    table = pd.DataFrame({"judge": ["m", "n"], "measure": "kappa", "estimate": [0.5, 0.1]})
    table = table.assign(conf_low=table["estimate"] - 0.1, conf_high=table["estimate"] + 0.1)
    assert len(built(judge_agreement(table))) == 3
    whole = table.assign(null_low=-0.2, null_high=0.2, p_adjusted=0.04)
    figure = judge_agreement(whole)
    assert len(built(figure)) == 5
    assert "permuted" in figure.labels.caption


def test_nothing_to_draw_is_said():
    with pytest.raises(DataError, match="no rows"):
        listener_means(means().iloc[:0], "target")
    with pytest.raises(DataError, match="share"):
        rating_shares(pd.DataFrame({"system": ["a"], "rating": [1]}), "system")


def test_a_mean_without_an_interval_is_a_point(built):
    table = means()
    table.loc[0, ["conf_low", "conf_high"]] = float("nan")
    lines, points = built(listener_means(table, "target", "set_up"))
    assert len(points) == 4
    assert len(lines.dropna(subset=["ymin"])) == 3
