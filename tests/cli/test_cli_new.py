"""`layerstats new` writes a script that passes the checks of code, runs on the built-in data, and replaces nothing."""

import ast
import json
import runpy
import shlex
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app, main


def run(*arguments):
    return CliRunner().invoke(app, ["new", *map(str, arguments)])


@pytest.fixture
def as_script(monkeypatch, capsys):
    def start(path, *arguments):
        monkeypatch.setattr("sys.argv", [str(path), *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(path), run_name="__main__")
        assert ended.value.code == 0, capsys.readouterr().err

    return start


@pytest.mark.parametrize("options", [[], ["--store", "a.zarr"], ["--table", "words.csv"]])
def test_it_passes_the_checks_of_code(tmp_path, options):
    path = tmp_path / "analysis.py"
    assert run(path, *options).exit_code == 0
    for check in (
        ["check", "--select", "E,F,UP,B", "--line-length", "120"],
        ["format", "--check", "--line-length", "120"],
    ):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["my table ü.csv", "a\\N{x}.csv", 'end""".csv', "it's.csv"])
def test_names_of_any_letters(tmp_path, name):
    path = tmp_path / "my script.py"
    said = run(path, "--table", name)
    assert shlex.split(said.output.partition(": ")[2])[1:3] == [str(path), name]
    shown = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[-1]
    assert shlex.split(shown)[1:3] == ["my script.py", name]


def test_a_script_of_a_table_runs(tmp_path, as_script):
    assert CliRunner().invoke(app, ["example", str(tmp_path / "words.csv")]).exit_code == 0
    said = run(tmp_path / "analysis.py", "--table", tmp_path / "words.csv")
    assert said.output.strip().endswith(
        f"python {tmp_path / 'analysis.py'} {tmp_path / 'words.csv'} --out results/analysis"
    )
    as_script(tmp_path / "analysis.py", tmp_path / "words.csv", "--out", tmp_path / "out")
    names = {entry["name"] for entry in json.loads((tmp_path / "out" / "manifest.json").read_text())["entries"]}
    assert names == {"parametric", "smooths", "difference", "regions", "residual_checks", "difference_curve", "model"}
    assert (tmp_path / "out" / "index.html").exists()


@pytest.mark.slow
def test_a_script_of_a_store_runs_on_the_built_in_data(tmp_path, as_script):
    from layerstats import Clips, record_activations
    from layerstats.corpora import demo_corpus
    from layerstats.models import load_checkpoint
    from layerstats.resources import bundled

    network, _ = load_checkpoint(bundled("data", "checkpoints", "words.safetensors"))
    corpus = demo_corpus(words=["ask", "wash"], voices=8)
    record_activations(network, Clips(corpus), tmp_path / "a.zarr", layers="conv2")
    assert run(tmp_path / "analysis.py", "--store", tmp_path / "a.zarr").exit_code == 0
    as_script(tmp_path / "analysis.py", tmp_path / "a.zarr", "--out", tmp_path / "out", "--layers", "conv2")
    names = {entry["name"] for entry in json.loads((tmp_path / "out" / "manifest.json").read_text())["entries"]}
    assert {"contrast", "effect_sizes", "counts"} <= names


def test_what_is_there_is_not_replaced(tmp_path, monkeypatch, capsys):
    path = tmp_path / "analysis.py"
    path.write_text("# mine")
    for arguments, told in (
        ([path], "exists already"),
        ([tmp_path / "analysis.R"], "'analysis.R'"),
        ([tmp_path / "nowhere" / "analysis.py"], "no folder"),
        ([tmp_path / "b.py", "--store", "a", "--table", "b"], "not both"),
    ):
        monkeypatch.setattr("sys.argv", ["layerstats", "new", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert told in capsys.readouterr().err
    assert path.read_text() == "# mine"
