"""`layerstats listen read` and `layerstats listen export`, as a user types them."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora.wav_files import write_wav
from layerstats.errors import ArgumentError
from layerstats.listening import make_design, read_answers

TEXT = 'JUDGE,WAV,MOS,comment\nann,a.wav,4,"=HYPERLINK(""x"")"\nann,b.wav,9,<b>hi</b>\n-bob,a.wav,3,\n'
COLUMNS = ["--column", "rater=JUDGE", "--column", "clip=WAV", "--column", "rating=MOS"]


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def ratings(tmp_path):
    (tmp_path / "ratings.csv").write_text(TEXT)
    return tmp_path / "ratings.csv"


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    folder = tmp_path_factory.mktemp("design")
    for name in ("a", "b"):
        write_wav(folder / f"{name}.wav", np.sin(np.arange(1600) / 5).astype("float32"), 16000)
    table = pd.DataFrame({"clip": ["a", "b"], "file": [str(folder / "a.wav"), str(folder / "b.wav")]})
    table["condition"] = ["clean", "noisy"]
    made = make_design(table, task="opinion", raters_per_clip=2, trials_per_session=2, catch=0, rules=())
    made.write(folder / "design")
    return folder / "design"


def test_answers_and_problems_are_written_without_formulas_and_read_again(tmp_path, ratings):
    printed = run("listen", "read", ratings, "--out", tmp_path / "read", *COLUMNS, "--scale", "1-5").stdout
    assert "answers: 2, raters: 2, clips: 1, problems: 1" in " ".join(printed.split())
    text = (tmp_path / "read" / "answers.csv").read_text()
    assert "'=HYPERLINK" in text
    assert "'-bob" in text
    problems = pd.read_csv(tmp_path / "read" / "problems.csv")
    assert problems[["source_row", "rater", "problem", "value"]].to_numpy().tolist() == [
        [3, "ann", "outside the scale", 9]
    ]
    again = read_answers(tmp_path / "read" / "answers.csv", scale=(1, 5)).table
    assert again["rater"].tolist() == ["ann", "-bob"]
    assert again["comment"].tolist()[0] == '=HYPERLINK("x")'


def test_a_mapping_may_be_a_file(tmp_path, ratings):
    mapping = {"rater": "JUDGE", "clip": "WAV", "rating": "MOS", "clip_pattern": "^(?P<word>[a-z])"}
    (tmp_path / "mapping.json").write_text(json.dumps(mapping))
    run("listen", "read", ratings, "--out", tmp_path / "read", "--mapping", tmp_path / "mapping.json", "--scale", "1-5")
    assert pd.read_csv(tmp_path / "read" / "answers.csv")["word"].tolist() == ["a", "a"]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--scale", "five"], "--scale takes the lowest and the highest rating"),
        (["--column", "rater"], "--column takes what a column holds"),
        ([*COLUMNS, "--mapping", "m.toml"], "not by both"),
        (["--format", "excel"], "'format'"),
    ],
)
def test_options_are_checked(tmp_path, ratings, arguments, match):
    with pytest.raises(ArgumentError, match=match):
        run("listen", "read", ratings, "--out", tmp_path / "read", *arguments)


def test_a_design_travels_to_mechanical_turk_and_back(tmp_path, design):
    printed = run(
        "listen", "export", design, "--to", "mturk", "--url", "https://x.org/t", "--out", tmp_path / "turk"
    ).stdout
    assert "2 sessions of 2 trials" in " ".join(printed.split())
    rows = pd.read_csv(tmp_path / "turk" / "batch.csv", dtype=str)
    results = rows.add_prefix("Input.").assign(AssignmentId=["a1", "a2"], WorkerId=["w1", "w2"], HITId=["h1", "h2"])
    results.assign(**{"Answer.rating1": "2", "Answer.rating2": "5"}).to_csv(tmp_path / "results.csv", index=False)
    run("listen", "read", tmp_path / "results.csv", "--out", tmp_path / "read", "--design", design)
    answers = pd.read_csv(tmp_path / "read" / "answers.csv")
    assert set(answers["condition"]) == {"clean", "noisy"}
    assert sorted(answers["rating"]) == [2, 2, 5, 5]
    assert set(answers["role"]) == {"test"}


def test_experiments_of_praat_are_written(tmp_path, design):
    printed = run("listen", "export", design, "--to", "praat", "--out", tmp_path / "praat").stdout
    assert "2 experiments of Praat" in " ".join(printed.split())
    assert len(list((tmp_path / "praat").glob("*.ExperimentMFC"))) == 2


def test_mechanical_turk_needs_an_address(tmp_path, design):
    with pytest.raises(ArgumentError, match="say --url"):
        run("listen", "export", design, "--to", "mturk", "--out", tmp_path)
    with pytest.raises(ArgumentError, match=r"'to'.*'praat'"):
        run("listen", "export", design, "--to", "paper", "--out", tmp_path)
