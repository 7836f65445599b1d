"""`layerstats ratings`: any table of answers in, one page out; bad input is one line and exit code 2."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from layerstats.cli.main import main
from layerstats.listening import RaterWorld, make_design, simulate_answers
from layerstats.store import store_arrays, store_table

PATTERN = r"^(?P<team>\w\d)_(?P<track>[A-Z]+)"


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs the command and gives its exit status, output and errors."""

    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["layerstats", "ratings", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.strip()

    return call


@pytest.fixture
def table(tmp_path):
    rows = [
        (f"j{judge}", f"{team}_{track}_{clip}.wav", (judge * 3 + clip * 2 + (team == "N1")) % 5 + 1)
        for judge in range(5)
        for team in ("N1", "N2")
        for track in ("HUB", "SPO")
        for clip in range(3)
    ]
    path = tmp_path / "given.csv"
    pd.DataFrame(rows, columns=["JUDGE", "WAV", "MOS"]).to_csv(path, index=False)
    return path


COLUMNS = ("--rater", "JUDGE", "--clip", "WAV", "--rating", "MOS", "--scale", "1-5", "--clip-pattern", PATTERN)
QUICK = ("--draws", 100, "--no-model")


def test_a_table_with_columns_of_its_own(run, table, tmp_path):
    out = tmp_path / "out"
    options = ("--condition", "track,team", "--reference", "SPO_N1", "--margin", 0.5, *QUICK)
    code, said, _ = run(table, "--out", out, *COLUMNS, *options)
    assert (code, said) == (0, str(out / "index.html"))
    given = pd.read_csv(table)
    names = given["WAV"].str.extract(r"^(\w\d)_([A-Z]+)")
    means = pd.read_csv(out / "means.csv").set_index("track_team")["estimate"]
    expected = given.groupby(names[1] + "_" + names[0])["MOS"].mean()
    pd.testing.assert_series_equal(means, expected, check_names=False, check_dtype=False)
    differences = pd.read_csv(out / "differences.csv")
    assert set(differences["level_2"]) == {"SPO_N1"}
    assert "simulated" not in (out / "index.html").read_text(encoding="utf-8").lower()


def test_answers_to_a_design(run, tmp_path):
    rows = [(f"{c}{k}", f"{c}{k}.wav", c) for c in ("new", "old") for k in range(4)]
    clips = pd.DataFrame(rows, columns=["clip", "file", "condition"])
    design = make_design(
        clips, raters_per_clip=3, trials_per_session=4, contrasts=["new - old"], equivalence_margin=0.4
    )
    answers = simulate_answers(design, RaterWorld({"new": 2.0}, careless=0.3), seed=1)
    answers.table.to_csv(tmp_path / "answers.csv", index=False)
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps([{"rule": "catch_missed"}]), encoding="utf-8")
    out = tmp_path / "out"
    code, _, errors = run(tmp_path / "answers.csv", "--out", out, "--rules", rules, "--scale", "1-5", *QUICK)
    assert code == 0, errors
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "(simulated raters)" in page
    assert pd.read_csv(out / "cleaning.csv")["rule"].tolist() == ["catch_missed"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--rater", "NOBODY"), "'NOBODY'", id="a column that is not there"),
        pytest.param(("--scale", "1:5"), "1-5", id="no scale"),
        pytest.param(("--scale", "1-4"), "scale", id="outside of the scale"),
        pytest.param(("--condition", "system"), "system", id="no conditions"),
        pytest.param(("--condition", "team", "--reference", "N9"), "'N9'", id="an unknown reference"),
        pytest.param(("--condition", "team", "--contrast", "N1"), "'a - b'", id="no contrast"),
        pytest.param(("--rules", "nowhere.json"), "nowhere.json", id="no rules"),
        pytest.param(("--design", "nowhere"), "nowhere", id="no design"),
    ],
)
def test_what_is_wrong_is_one_line(run, table, tmp_path, arguments, said):
    code, _, errors = run(table, "--out", tmp_path / "out", *COLUMNS, *QUICK, *arguments)
    if arguments == ("--scale", "1-4"):
        # Those outside are reported by row, and left out.
        assert code == 2 or "outside the scale" in (tmp_path / "out" / "problems.csv").read_text(encoding="utf-8")
        return
    assert code == 2, errors
    assert len(errors.splitlines()) == 1
    assert said in errors


@pytest.mark.parametrize(("text", "said"), [("", "empty.csv"), ("JUDGE,WAV,MOS\n", "empty.csv")])
def test_an_empty_file_is_said(run, tmp_path, text, said):
    path = tmp_path / "empty.csv"
    path.write_text(text, encoding="utf-8")
    code, _, errors = run(path, "--out", tmp_path / "out", *COLUMNS)
    assert code == 2
    assert said in errors


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    words = ["ask", "dark", "wash"] * 4
    tokens = pd.DataFrame({"token": [f"t{place}" for place in range(12)], "word": words, "speaker": "s1"})
    path = tmp_path_factory.mktemp("a store") / "rated words.zarr"
    store_arrays(path, tokens.assign(split="test"), {"conv1": np.eye(12)}, time_s={"conv1": np.arange(12.0)})
    rows = [
        (token, f"r{rater}", float((rater + place) % 3 + 1 + 2 * (words[place] == "ask")))
        for rater in range(6)
        for place, token in enumerate(tokens["token"])
    ]
    store_table(path, "ratings", "naturalness", pd.DataFrame(rows, columns=["token", "rater", "rating"]))
    return path


def test_ratings_of_a_store_by_what_it_says_of_its_tokens(run, store, tmp_path):
    out = tmp_path / "out"
    code, said, errors = run(store, "--out", out, "--condition", "word", *QUICK)
    assert (code, said) == (0, str(out / "index.html")), errors
    means = pd.read_csv(out / "means.csv").set_index("word")["estimate"]
    # By the construction above: places of a word differ by threes, so that each rater says one number of it.
    assert means.to_dict() == pytest.approx({"ask": 4.0, "dark": 2.0, "wash": 2.0})
    assert "rated words" in json.loads((out / "manifest.json").read_text(encoding="utf-8"))["title"]


def test_which_ratings_of_a_store(run, store, tmp_path):
    two = tmp_path / "two.zarr"
    shutil.copytree(store, two)
    more = pd.DataFrame({"token": ["t0", "t1"], "rater": "r1", "rating": [1.0, 2.0]})
    store_table(two, "ratings", "clarity", more)
    code, _, errors = run(two, "--out", tmp_path / "out", "--condition", "word", *QUICK)
    assert code == 2
    assert "--stored clarity|naturalness" in errors
    code, _, errors = run(two, "--out", tmp_path / "out", "--condition", "word", "--stored", "clear", *QUICK)
    assert (code, "has no table 'clear' of ratings" in errors) == (2, True)
    assert run(two, "--out", tmp_path / "out", "--condition", "word", "--stored", "naturalness", *QUICK)[0] == 0


def test_a_store_without_ratings(run, store, table, tmp_path):
    bare = tmp_path / "bare.zarr"
    shutil.copytree(store, bare)
    shutil.rmtree(bare / "ratings")
    code, _, errors = run(bare, "--out", tmp_path / "out")
    assert (code, errors.count("\n")) == (2, 0)
    code, _, errors = run(table, "--out", tmp_path / "out", "--stored", "x", *COLUMNS)
    assert (code, "is none" in errors) == (2, True)
    assert not (tmp_path / "out").exists()
