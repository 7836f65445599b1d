"""What a screen shows of a table: what is needed most first, and nothing that is the same in every row."""

import pandas as pd
import pytest

from layerstats.tables import glossary
from layerstats.tables.screen import screen_table

MADE = (
    "Confidence level: 0.95. Adjustment: holm. Family of tests: over <b>layers</b>; each test by itself. Empty: Note."
)


def wide():
    rows = 2
    return pd.DataFrame(
        {
            "layer": ["conv1", "conv2"],
            "level_1": ["a", "b"],
            "level_2": "c",
            **{name: [0.1, 0.2] for name in ("level_difference", "level_std_error", "level_df", "level_statistic")},
            **{name: [0.1, 0.2] for name in ("joint_statistic", "shape_edf", "shape_ref_df", "shape_statistic")},
            **{name: [0.1, 0.2] for name in ("level_p_value", "shape_p_value", "joint_p_value")},
            **{name: [1000.1, 2000.2] for name in ("receptive_field_s", "phone_duration_s", "token_sd")},
            "effect_size": [1.0, 2.0],
            "effect_conf_low": [0.5, 1.5],
            "effect_conf_high": [1.5, 2.5],
            "conf_level": 0.95,
            "joint_p_adjusted": [0.01, 0.02],
            "adjust_method": "holm",
            "family": "over <b>layers</b>; each test by itself",
            "note": [None] * rows,
        }
    )


def test_adjusted_p_stands_before_what_is_needed_least_and_no_column_is_lost():
    table = screen_table(wide())
    behind = table.headings[table.headings.index("Joint adjusted p") + 1 :]
    papers = {column.label: column.paper for column in glossary().columns.values()}
    assert behind
    assert {papers[label] for label in behind} <= {"last", "if room"}
    assert table.headings[:3] == ("Layer", "Level 1", "Level 2")
    assert "Effect interval" in table.headings
    assert table.rows[0][table.headings.index("Effect interval")] == "[0.5000,\u00a01.5000]"
    # Both ends share a column, four settings are told below, of which one is empty.
    assert len(table.headings) == len(wide().columns) - 1 - 4
    assert table.note == MADE


def test_a_narrow_table_keeps_its_order():
    frame = pd.DataFrame({"term": ["a", "b"], "estimate": [1.0, 2.0], "std_error": [0.1, 0.2], "p_value": [0.5, 0.6]})
    assert screen_table(frame).headings == ("Term", "Estimate", "Std. Error", "p-value")


def test_what_was_asked_for_is_shown_as_it_is():
    table = screen_table(wide(), columns=["note", "family"], labels={"note": "Remark"})
    assert table.headings == ("Remark", "Family of tests")
    assert table.note == ""


def test_of_no_row_everything_is_a_column():
    assert len(screen_table(wide().head(0)).headings) == len(wide().columns) - 1


def test_of_one_row_how_it_was_made_is_said_below():
    table = screen_table(wide().head(1))
    assert table.note == MADE
    assert len(table.headings) == len(wide().columns) - 1 - 4


@pytest.mark.parametrize("rows", [1, 2])
def test_every_adjusted_p_stands_before_what_a_window_has_no_room_for(rows):
    names = [name for name in glossary().columns if name.endswith("p_adjusted")]
    frame = wide().head(rows).assign(**{name: [0.01, 0.02][:rows] for name in names})
    headings = screen_table(frame).headings
    adjusted = [headings.index(glossary().columns[name].label) for name in names]
    assert len(adjusted) > 5
    assert max(adjusted) < headings.index("Level t")
    widths = [max(len(word) for text in (heading, "0.0000") for word in text.split()) for heading in headings]
    assert sum(widths[: max(adjusted) + 1]) < 120


def test_a_table_in_which_all_is_the_same_is_still_a_table():
    frame = pd.DataFrame({"note": ["all of them", "all of them"]})
    assert screen_table(frame).rows == (("all of them",), ("all of them",))
