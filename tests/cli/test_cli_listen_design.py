"""`layerstats listen design`: from a table of clips, or a store of outcomes, to the folder of a listening test."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora.decoding import decoded
from layerstats.corpora.wav_files import write_wav
from layerstats.errors import ArgumentError, DataError, MissingFileError
from layerstats.listening import read_design
from layerstats.models import CommandClassifier, seeded
from layerstats.probes.maximization import maximize_activations

WORDS = ("greasy", "wash", "year")
RATE_HZ = 16000


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with outcomes of two networks, one of them with a null."""
    path = tmp_path_factory.mktemp("listen") / "s.zarr"
    with seeded(0):
        network = CommandClassifier(outputs=3, channels=(2, 2, 2), hidden=(4, 4, 4))
    options = {"labels": WORDS, "starts": 3, "steps": 2}
    for name in ("small", "other"):
        maximize_activations(network, ["greasy", "wash"], path, network_name=name, **options)
    zero = {**options, "steps": 0, "null": "zero_steps", "set_up": "none"}
    maximize_activations(network, ["greasy", "wash"], path, network_name="small", name="none.small.zero", **zero)
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of clips of two conditions, and their sounds."""
    folder = tmp_path_factory.mktemp("clips")
    rows = []
    for number in range(8):
        write_wav(folder / f"{number}.wav", np.sin(np.arange(1600) / (3 + number)) * 0.2, RATE_HZ)
        condition = "natural" if number % 2 else "maximized"
        rows.append({"clip": f"c{number}", "file": f"{number}.wav", "condition": condition, "target": "yes"})
    pd.DataFrame(rows).to_csv(folder / "clips.csv", index=False)
    return folder / "clips.csv"


def run(*arguments):
    return CliRunner().invoke(app, ["listen", "design", *map(str, arguments)], catch_exceptions=False)


def test_a_table_of_clips_becomes_a_design(table, tmp_path):
    (tmp_path / "rules.toml").write_text('[[rules]]\nrule = "catch_missed"\nmost_share = 0.5\n')
    (tmp_path / "texts.json").write_text(json.dumps({"thanks": "Merci."}))
    done = run(table, "--out", tmp_path / "design", "--trials", 4, "--raters-per-clip", 3, "--contrast",
               "maximized - natural", "--margin", 0.5, "--rules", tmp_path / "rules.toml", "--texts",
               tmp_path / "texts.json", "--show", "target", "--title", "Words", "--seed", 4)  # fmt: skip
    design = read_design(tmp_path / "design")
    assert f"8 clips, 6 sessions of up to 6 trials, a rater each\nhash {design.hash}" in done.output
    assert design.contrasts == ("maximized - natural",)
    assert design.rules == ({"rule": "catch_missed", "most_share": 0.5},)
    assert design.texts["thanks"] == "Merci."
    assert design.texts["consent"]
    assert design.title == "Words"
    assert design.equivalence_margin == 0.5
    assert set(design.clips.query("role == 'test'")["prompt"]) == {"yes"}
    assert (tmp_path / "design" / design.clips["file"].iloc[0]).is_file()


def test_a_design_is_replaced_only_when_that_is_said(table, tmp_path):
    first = ("--out", tmp_path / "design", "--trials", 4, "--catch", 0)
    run(table, *first)
    with pytest.raises(ArgumentError, match="holds a design already"):
        run(table, *first, "--rules", "too_fast")
    run(table, *first, "--rules", "too_fast", "--overwrite")
    assert read_design(tmp_path / "design").changes()["part"].tolist() == ["rules"]


def test_outcomes_of_a_store_are_heard_whatever_became_of_them(store, tmp_path):
    run(store, "--out", tmp_path / "design", "--draws", 2, "--trials", 4, "--nulls", "zero_steps", "--catch", 0,
        "--networks", "small", "--natural", "demo")  # fmt: skip
    design = read_design(tmp_path / "design")
    tested = design.clips.query("role == 'test'")
    assert pd.crosstab(tested["condition"], tested["target"]).to_dict("index") == {
        condition: {"greasy": 2, "wash": 2} for condition in ("natural", "none", "none zero_steps")
    }
    made = tested.query("condition == 'none'")
    assert made["number"].tolist() == [0, 1, 0, 1]
    assert made["network"].unique().tolist() == ["small"]
    assert made["start"].is_unique
    levels = []
    for file in tested["file"]:
        samples = decoded(tmp_path / "design" / file)[:, 0].astype(float)
        frames = np.square(samples[: len(samples) // 441 * 441].reshape(-1, 441)).mean(axis=1)
        levels.append(np.sqrt(frames[frames >= frames.max() / 1000].mean()))
    assert max(levels) / min(levels) < 1.01


def test_several_networks_are_conditions_and_natural_tokens_may_be_references(store, tmp_path):
    run(store, "--out", tmp_path / "design", "--draws", 1, "--trials", 2, "--networks", "all",
        "--natural", "demo", "--natural-role", "reference", "--task", "identification", "--alternatives", "targets",
        "--catch", 1)  # fmt: skip
    design = read_design(tmp_path / "design")
    assert set(design.clips.query("role == 'test'")["condition"]) == {"none small", "none other"}
    references = design.clips.query("role == 'reference'")
    assert references["expected"].tolist() == ["greasy", "wash"]


def test_pairs_of_a_store_are_of_one_word(store, tmp_path):
    run(store, "--out", tmp_path / "design", "--draws", 2, "--trials", 4, "--nulls", "zero_steps",
        "--networks", "small", "--task", "abx", "--contrast", "none - none zero_steps")  # fmt: skip
    pairs = read_design(tmp_path / "design").clips.query("role == 'test'")
    assert pairs["target"].tolist() == ["greasy", "greasy", "wash", "wash"]
    assert pairs["expected"].value_counts().to_dict() == {"a": 2, "b": 2}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("--trials", "9"), ArgumentError, "trials_per_session=1 to 8"),
        (("--rules", "catch_mised"), ArgumentError, "There is no rule 'catch_mised'"),
        (("--rules", "absent.toml"), MissingFileError, "absent.toml with rules"),
        (("--contrast", "maximized-natural"), ArgumentError, "is written 'a - b'"),
        (("--balance", "speaker"), DataError, "'speaker'"),
    ],
)
def test_what_is_wrong_is_said(table, tmp_path, arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        run(table, "--out", tmp_path / "design", "--trials", 4, *arguments)
    assert not (tmp_path / "design" / "design.json").exists()


def test_no_source_no_design(store, tmp_path):
    with pytest.raises(ArgumentError, match=r"There is no .*nothing"):
        run(tmp_path / "nothing.csv", "--out", tmp_path / "design")
    with pytest.raises(ArgumentError, match="'natural_role'"):
        run(store, "--out", tmp_path / "design", "--natural", "demo", "--natural-role", "catch")
    with pytest.raises(ArgumentError, match="holds no natural tokens"):
        run(store, "--out", tmp_path / "design", "--natural", "stored")
