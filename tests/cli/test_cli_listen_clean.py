"""`layerstats listen clean`, as a user types it."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.errors import ArgumentError
from layerstats.listening import RaterWorld, make_design, simulate_answers

ROWS = [
    ("ann", "A1", "x", "test", 4, None),
    ("ann", "A1", "four", "catch", 4, 4),
    ("=bob", "A2", "x", "test", 5, None),
    ("=bob", "A2", "four", "catch", 2, 4),
]


def run(*arguments):
    result = CliRunner().invoke(app, ["listen", "clean", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return " ".join(result.stdout.split())


@pytest.fixture
def answers(tmp_path):
    table = pd.DataFrame(ROWS, columns=["rater", "session", "clip", "role", "rating", "expected"])
    table.assign(task="opinion", condition="new").to_csv(tmp_path / "given.csv", index=False)
    return tmp_path / "given.csv"


def test_answers_lists_and_what_rules_do_are_written(tmp_path, answers):
    out = tmp_path / "out"
    printed = run(answers, "--out", out, "--rules", "catch_missed", "--bonus", "1.5", "--raters-per-clip", "2")
    assert "2 answers are kept, 2 removed" in printed
    assert "is not known: no design says which were" in printed
    tables = {file.stem: pd.read_csv(file) for file in out.glob("*.csv")}
    assert tables.keys() == {
        "answers", "removed", "cleaning", "cleaning_raters", "cleaning_without", "review", "bonus", "extend"
    }  # fmt: skip
    assert tables["answers"]["rater"].unique().tolist() == ["ann"]
    assert tables["removed"]["removed_by"].unique().tolist() == ["catch_missed"]
    # A worker's name must not become a formula where the file is opened.
    assert tables["review"].fillna("").values.tolist() == [
        ["A1", "ann", "x", ""],
        ["A2", "'=bob", "", "Trials that asked for a certain answer did not get it."],
    ]
    assert tables["bonus"]["BonusAmount"].tolist() == [1.5]
    assert tables["extend"].values.tolist() == [["x", 1, 1]]
    changes = tables["cleaning_without"].set_index("rules")["change"]
    assert changes.to_dict() == {"every rule": 0.0, "no rule": 0.5, "all but catch_missed": 0.5}


def test_without_rules_nothing_is_guessed(tmp_path, answers):
    with pytest.raises(ArgumentError, match="Say by which rules"):
        run(answers, "--out", tmp_path / "out")
    with pytest.raises(ArgumentError, match="'reject'"):
        run(answers, "--out", tmp_path / "out", "--rules", "session_cap", "--reject", "too_fast")
    assert "0 removed" in run(answers, "--out", tmp_path / "out", "--rules", "session_cap")


def test_rules_that_a_design_completes_are_those_that_it_fixed(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.sin(np.arange(4000) / 5), 8000)
    clips = pd.DataFrame({"clip": ["x", "y"], "condition": ["old", "new"], "file": str(tmp_path / "x.wav")})
    design = make_design(clips, raters_per_clip=2, trials_per_session=2, catch=0, rules=["session_incomplete"])
    design.write(tmp_path / "design")
    simulate_answers(design, RaterWorld({})).table.to_csv(tmp_path / "given.csv", index=False)
    printed = run(tmp_path / "given.csv", "--out", tmp_path / "out", "--design", tmp_path / "design")
    assert "The rules are those of the design, fixed before looking" in printed
