import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.tables.format import format_value, print_table


@pytest.mark.parametrize(
    ("value", "style", "shown"),
    [
        (0.68321, "estimate", "0.6832"),
        (-0.04089, "estimate", "\N{MINUS SIGN}0.0409"),
        (0.0, "estimate", "0.0000"),
        (-0.00002, "estimate", "\N{MINUS SIGN}2.0e-05"),
        (5327.325, "estimate", "5327.3250"),
        (0.0001, "p", "0.0001"),
        (0.00009999, "p", "<\N{NO-BREAK SPACE}0.0001"),
        (0.0, "p", "<\N{NO-BREAK SPACE}0.0001"),
        (1.0, "p", "1.0000"),
        (86484.494, "score", "86484.49"),
        (np.int64(550), "integer", "550"),
        (550.0, "integer", "550"),
        (np.inf, "estimate", "inf"),
        (0.123456789, "general", "0.123457"),
        (True, "text", "yes"),
        (np.False_, "text", "no"),
        ("s(Sample)", "text", "s(Sample)"),
        (np.nan, "estimate", "\N{EN DASH}"),
        (None, "text", "\N{EN DASH}"),
        (pd.NA, "integer", "\N{EN DASH}"),
    ],
)
def test_values_as_print_shows_them(value, style, shown):
    assert format_value(value, style) == shown


def test_print_table_has_the_headings_of_the_glossary_and_the_names_of_the_user():
    frame = pd.DataFrame({"term": ["a"], "p_value": [1e-9], "My covariate": [0.5]})
    table = print_table(frame)
    assert table.headings == ("Term", "p-value", "My covariate")
    assert table.rows == (("a", "<\N{NO-BREAK SPACE}0.0001", "0.5"),)
    assert table.right_aligned == (False, True, True)


def test_columns_and_labels_choose_what_is_shown():
    frame = pd.DataFrame({"term": ["a"], "statistic": [2.0], "p_value": [0.5]})
    table = print_table(frame, columns=["statistic", "term"], labels={"statistic": "t-value"})
    assert table.headings == ("t-value", "Term")
    with pytest.raises(ArgumentError, match="Cannot print column 'edf': the table has only 'term'"):
        print_table(frame, columns=["edf"])


def test_degrees_of_freedom_without_end_are_counts_too():
    assert print_table(pd.DataFrame({"df": [np.inf, 3.0]})).rows == (("inf",), ("3",))


def test_a_long_table_says_how_many_rows_are_left_out():
    frame = pd.DataFrame({"estimate": np.arange(10.0)})
    table = print_table(frame, most_rows=4)
    assert len(table.rows) == 4
    assert table.note == "The first 4 of 10 rows; all are in the CSV file."
    assert print_table(frame, most_rows=10).note == ""


def test_what_rounding_left_of_zero_is_zero_and_what_is_small_is_not():
    assert format_value(-3.5e-18, "estimate") == "0.0000"
    assert format_value(3e-9, "estimate") == "3.0e-09"


@pytest.mark.parametrize(
    ("column", "value", "read"),
    [
        ("null", "random_direction", "random direction"),
        ("adjust_method", "max_t", "max-T"),
        ("term", "s(time):phone_set_orderedsh", "s(time):phone set sh"),
        ("term", "s(time,phone_token)", "s(time,phone token)"),
        ("options", '{"most_share": 0.25}', "most share 0.25"),
        # What somebody named is found again under its name.
        ("term", "speech_rate", "speech_rate"),
        ("token", "aunty_ask", "aunty_ask"),
        ("my_column", "my_value", "my_value"),
    ],
)
def test_identifiers_are_printed_as_words(column, value, read):
    assert print_table(pd.DataFrame({column: [value]})).rows == ((read,),)
