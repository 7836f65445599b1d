import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.tables import write_regression_table
from layerstats.tables.regression import regression_table


def parametric():
    # Begus & Zhou (2022), Table 1, first rows.
    return pd.DataFrame(
        {
            "term": ["(Intercept)", "Worddark"],
            "estimate": [0.6832, -0.0409],
            "std_error": [0.0215, 0.0300],
            "statistic": [31.7138, -1.3626],
            "p_value": [1e-200, 0.1730],
        }
    )


def smooths():
    return pd.DataFrame(
        {
            "term": ["s(Sample)", "s(Sample):WordOrddark", "s(Sample,UniqueWord)"],
            "edf": [8.97, 8.9684, 5327.325],
            "ref_df": [8.9934, 8.9936, 9595.0],
            "statistic": [235.5282, 159.7072, 4.8275],
            "p_value": [0.0, 0.0, 0.0],
        }
    )


def test_both_parts_stand_over_each_other_as_in_the_paper():
    small, minus = "<\N{NO-BREAK SPACE}0.0001", "\N{MINUS SIGN}"
    table = regression_table(parametric(), smooths())
    assert [table.headings, *table.rows] == [
        ("A. parametric coefficients", "Estimate", "Std. Error", "t-value", "p-value"),
        ("(Intercept)", "0.6832", "0.0215", "31.7138", small),
        ("Worddark", f"{minus}0.0409", "0.0300", f"{minus}1.3626", "0.1730"),
        ("B. smooth terms", "edf", "Ref.df", "F-value", "p-value"),
        ("s(Sample)", "8.9700", "8.9934", "235.5282", small),
        ("s(Sample):WordOrddark", "8.9684", "8.9936", "159.7072", small),
        ("s(Sample,UniqueWord)", "5327.3250", "9595.0000", "4.8275", small),
    ]
    assert table.inner_headings == {2}


def test_files(tmp_path):
    files = write_regression_table(parametric(), smooths(), tmp_path / "table", title="T")
    stacked = pd.read_csv(files.csv)
    assert list(stacked["term"]) == [*parametric()["term"], *smooths()["term"]]  # as the engine names them
    assert stacked["estimate"].notna().tolist() == [True, True, False, False, False]
    latex = files.latex.read_text()
    assert latex.count(r"\midrule") == 3
    assert "B. smooth terms & edf & Ref.df & F-value & p-value" in latex
    assert "font-weight: bold" in files.html.read_text().split("B. smooth terms")[0].rsplit("<td", 1)[1]


def test_a_frame_of_the_other_part_is_refused(tmp_path):
    with pytest.raises(DataError, match="not in the parametric table"):
        write_regression_table(smooths(), parametric(), tmp_path / "t", title="T")
