"""The figure of trust has a panel a measure and a line a class or condition."""

import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.plots import map_trust


def table():
    rows = [
        ("share inside the phone", "R", "absolute", baseline, by, unit, value)
        for baseline, value in (("shifted phones", 0.1), ("phones of other windows", 0.2))
        for by, unit in (("all", "all"), ("phone_class", "vowel"), ("phone_class", "plosive"), ("speaker", "s1"))
    ]
    rows += [
        ("correlation", name, rule, "maps of other tokens", "all", "all", 0.3) for name in ("R", "R/x") for rule in "ab"
    ]
    columns = ["measure", "map", "condition", "baseline", "by", "unit", "baseline_estimate"]
    return pd.DataFrame(rows, columns=columns).assign(estimate=0.5, conf_low=0.4, conf_high=0.6)


def test_a_panel_a_measure_and_a_line_a_class_or_condition(built, panels):
    figure = map_trust(table())
    assert len(panels(figure)) == 2
    data = figure.data
    assert set(data["line"]) == {"all", "vowel", "plosive", "a", "b"}
    # Of the share, three lines of one map and two baselines; of the correlation two of two maps and one baseline.
    assert len(data) == 3 * 3 + 2 * 3
    shown = data[(data["line"] == "vowel")].set_index("series")["estimate"]
    assert shown.to_dict() == {"R": 0.5, "shifted phones": 0.1, "phones of other windows": 0.2}
    assert data.loc[data["series"] == "shifted phones", "conf_low"].isna().all()
    assert set(map_trust(table(), by="speaker").data["line"]) == {"all", "s1", "a", "b"}


def test_several_parts_of_a_map_have_lines_of_their_own():
    both = pd.concat([table(), table().assign(condition="positive")])
    assert "vowel, positive" in set(map_trust(both[both["measure"] == "share inside the phone"]).data["line"])


def test_nothing_to_draw():
    with pytest.raises(DataError, match="nothing to draw"):
        map_trust(table().query("by == 'speaker'"), by="phone")
    with pytest.raises(DataError, match="'baseline_estimate'"):
        map_trust(table().drop(columns="baseline_estimate"))
