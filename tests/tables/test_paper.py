"""What a page has room for."""

import pandas as pd

from layerstats.tables.format import print_table
from layerstats.tables.paper import TEXT_WIDTH, page_layout, paper_table, text_width


def contrast(rows=3):
    return pd.DataFrame(
        {
            "layer": [f"conv{row}" for row in range(rows)],
            "level_1": "s",
            "level_2": "sh",
            "joint_statistic": 6.2,
            "joint_p_value": 0.02,
            "effect_size": 0.91,
            "effect_conf_low": 0.45,
            "effect_conf_high": 1.21,
            "conf_level": 0.95,
            "joint_p_adjusted": 0.04,
            "adjust_method": "holm",
            "family": "s - sh over layers",
            "note": "the receptive field is longer than the phone",
        }
    )


def test_what_holds_for_all_rows_stands_below():
    table = paper_table(contrast())
    assert "Adjustment" not in table.headings
    assert "Adjustment: holm." in table.note
    assert "Family of tests: s - sh over layers." in table.note
    assert "Confidence level: 0.95." in table.note


def test_families_that_differ_are_left_to_the_file():
    table = paper_table(contrast(2).assign(family=["a", "b"]))
    assert "Family" not in " ".join((*table.headings, table.note))


def test_both_ends_of_an_interval_share_a_column():
    table = paper_table(contrast(1)[["layer", "effect_size", "effect_conf_low", "effect_conf_high"]])
    assert table.headings == ("Layer", "Effect size", "Effect interval")
    assert table.rows == (("conv0", "0.9100", "[0.4500,\N{NO-BREAK SPACE}1.2100]"),)


def test_least_needed_columns_go_first_and_are_counted():
    wide = contrast().assign(
        seed_sd=1.5, log_lik=-15000.25, deviance=0.1, scale=0.5, aic=-30123.5, bic=-29123.5, rho=0.1
    )
    table = paper_table(wide)
    assert page_layout(table) is not None
    assert {"Layer", "Effect size", "Joint adjusted p"} <= set(table.headings)
    assert "Log-likelihood" not in table.headings
    assert "more." in table.note


def test_chosen_columns_stay_whatever_their_width():
    chosen = ["note", "layer", "adjust_method", "family", "level_1", "level_2"]
    assert paper_table(contrast(), columns=chosen).headings == tuple(print_table(contrast(), columns=chosen).headings)


def test_long_texts_break_within_the_width_of_the_page():
    frame = pd.DataFrame(
        {"layer": ["conv1"], "note": ["a rather long note " * 8], "family": ["words over layers " * 9]}
    )
    layout = page_layout(print_table(frame))
    assert set(layout.wrapped) == {1, 2}
    assert sum(layout.wrapped.values()) < TEXT_WIDTH
    assert layout.height > 3 * 8


def test_widths_are_not_underestimated():
    # Of Computer Modern at 10 pt, measured by TeX.
    for text, points in {"0.0123": 27.8, "discriminator": 57.9, "Residual df": 49.4, "WWW": 30.9}.items():
        assert text_width(text) >= points
