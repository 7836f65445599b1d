"""The example of the README, from the table that ships."""

import re
import runpy

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.resources import bundled

COLUMNS = ["speaker", "word", "repetition", "trajectory", "time", "f2"]


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_the_example_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("example").output == "words.csv\n"
    readme = (bundled("data").parent / "README.md").read_text()
    formula = re.search(r"--formula '(.*?)'", readme, re.DOTALL)[1]
    assert formula.startswith("f2 ~ word + s(time")
    options = ["--ordered", "word_ordered=word:A", "--rho", "auto", "--series", "trajectory", "--order", "time"]
    result = run("gamm", "words.csv", "--formula", formula, *options, "--difference", "word:B,A", "--out", "results/f2")
    assert result.exit_code == 0, result.output
    regions = pd.read_csv("results/f2/regions.csv")
    assert regions["sign"].tolist() == ["positive"]
    assert regions.loc[0, "start"] < 0.3
    assert regions.loc[0, "end"] > 0.7


def test_a_file_that_is_there_is_not_replaced(tmp_path):
    (tmp_path / "mine.csv").write_text("mine")
    assert "--overwrite" in str(run("example", tmp_path / "mine.csv").exception)
    assert (tmp_path / "mine.csv").read_text() == "mine"
    assert run("example", tmp_path / "mine.csv", "--overwrite").exit_code == 0
    assert pd.read_csv(tmp_path / "mine.csv").columns.tolist() == COLUMNS


def test_the_table_is_what_its_script_makes():
    made = runpy.run_path(str(bundled("data", "tables", "make_words.py")))["words_table"]()
    shipped = pd.read_csv(bundled("data", "tables", "words.csv"))
    pd.testing.assert_frame_equal(made.drop(columns="f2"), shipped.drop(columns="f2"), check_dtype=False)
    # A value between two whole numbers may be rounded either way, by the machine's mathematics.
    np.testing.assert_allclose(made["f2"], shipped["f2"], atol=1)
