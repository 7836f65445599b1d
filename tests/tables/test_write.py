import csv
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.tables import write_table
from layerstats.tables.html import fragment_of
from layerstats.tables.write import MOST_ROWS


class Cells(HTMLParser):
    """The texts of a table's cells."""

    def __init__(self):
        super().__init__()
        self.cells = []
        self.inside = False

    def handle_starttag(self, tag, attrs):
        if tag in ("td", "th"):
            self.inside = True
            self.cells.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


def cells(path):
    parser = Cells()
    parser.feed(path.read_text(encoding="utf-8"))
    return [cell.strip() for cell in parser.cells]


def frame():
    return pd.DataFrame(
        {
            "term": ["(Intercept)", "s(x, <b>&amp;)"],
            "estimate": [1 / 3, -2 / 3],
            "p_value": [1.2345678901234567e-200, 0.1 + 0.2],
        }
    )


def test_csv_keeps_every_digit_and_p_values_are_numbers(tmp_path):
    files = write_table(frame(), tmp_path / "words" / "parametric", title="Title")
    with files.csv.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["term"] for row in rows] == list(frame()["term"])
    for name in ("estimate", "p_value"):
        assert [float(row[name]) for row in rows] == list(frame()[name])


def test_html_is_formatted_and_escaped(tmp_path):
    files = write_table(frame(), tmp_path / "t", title="A <title>")
    shown = cells(files.html)
    assert shown == [
        "Term", "Estimate", "p-value",
        "(Intercept)", "0.3333", "<\N{NO-BREAK SPACE}0.0001",
        "s(x, <b>&amp;)", "\N{MINUS SIGN}0.6667", "0.3000",
    ]  # fmt: skip
    text = files.html.read_text(encoding="utf-8")
    assert "<title>A &lt;title&gt;</title>" in text.splitlines()[0]
    assert "<title>" not in fragment_of(text)


def test_files_are_the_same_each_time(tmp_path):
    first = write_table(frame(), tmp_path / "a" / "x", title="T")
    second = write_table(frame(), tmp_path / "b" / "a" / "x", title="T")
    for name in ("csv", "latex", "html"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes()


def test_print_shows_chosen_columns_while_the_csv_has_all(tmp_path):
    files = write_table(frame(), tmp_path / "t", title="T", columns=["p_value"], labels={"p_value": "p"})
    assert cells(files.html)[0] == "p"
    assert list(pd.read_csv(files.csv).columns) == ["term", "estimate", "p_value"]


def test_long_tables_are_cut_in_print_only(tmp_path):
    long = pd.DataFrame({"estimate": np.arange(MOST_ROWS + 50.0)})
    files = write_table(long, tmp_path / "t", title="T")
    assert len(pd.read_csv(files.csv)) == MOST_ROWS + 50
    note = f"The first {MOST_ROWS} of {MOST_ROWS + 50} rows; all are in the CSV file."
    assert cells(files.html)[-1] == note
    assert note in files.latex.read_text()


def test_a_name_with_dots_keeps_them(tmp_path):
    files = write_table(frame(), tmp_path / "encoder.layers.0", title="T")
    assert files.csv.name == "encoder.layers.0.csv"
    assert r"\label{tab:" in files.latex.read_text()


def test_nothing_is_written_of_a_frame_that_the_glossary_refuses(tmp_path):
    with pytest.raises(DataError, match="'P' is not in the glossary"):
        write_table(frame().rename(columns={"p_value": "P"}), tmp_path / "new" / "t", title="T")
    assert not (tmp_path / "new").exists()
    with pytest.raises(DataError, match="'edf', 'ref_df', 'statistic' is not in the smooths table"):
        write_table(frame(), tmp_path / "t", title="T", kind="smooths")


def test_a_table_without_rows_is_written(tmp_path):
    files = write_table(frame().head(0), tmp_path / "t", title="No region")
    assert cells(files.html) == ["Term", "Estimate", "p-value", "There is none."]
    assert len(pd.read_csv(files.csv)) == 0
