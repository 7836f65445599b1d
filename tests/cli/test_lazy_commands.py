"""Commands that are imported when they are run, and the scripts of `analyses/` among them."""

import importlib
import inspect
import json
import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli import analyses, main
from layerstats.cli.analyses import declared_main, scripts, studies
from layerstats.cli.lazy_group import InModule
from layerstats.resources import bundled
from layerstats.store import store_arrays

COMMANDS = [*main._START, *main._TABLES, *main._NETWORKS, *main._STORES, *main._LISTENERS]
MODULES = {**main._START, **main._TABLES, **main._NETWORKS, **main._STORES, **main._LISTENERS}


def run(*arguments):
    return CliRunner().invoke(main.app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", COMMANDS)
def test_first_lines_are_those_of_the_functions(name):
    source = MODULES[name]
    module = importlib.import_module(f"layerstats.cli.{source.module}")
    own = getattr(module, source.attribute)
    if source.attribute == "app":
        assert source.summary().lower() in module.__doc__.lower()
    else:
        assert source.summary() == inspect.getdoc(own).splitlines()[0]
    assert source.load(name).name == name


def test_every_script_is_a_command_once():
    said = run("--help").output
    names = [path.stem.replace("_", "-") for path in bundled("analyses").glob("*.py")]
    assert sorted(scripts()) == sorted(name for name in names if not name.endswith("calibration"))
    for name in scripts():
        assert f"\n  {name} " in said
    assert len(studies()) == sum(name.endswith("calibration") for name in names)
    for name in studies():
        assert f"\n  {name} " in run("study", "--help").output


@pytest.mark.parametrize("script", sorted(scripts()))
def test_help_of_every_script_has_its_options_and_what_it_writes(script):
    said = run(script, "--help") if script != "networks" else run("networks", "x.zarr", "--help")
    assert said.exit_code == 0, said.output
    assert "--out" in said.output
    assert "CSV, LaTeX, HTML" in said.output or "PNG, SVG" in said.output
    assert analyses.__name__  # and nothing that the script computes with was imported by itself
    assert f"layerstats_analyses_{script}" not in sys.modules


@pytest.mark.parametrize("path", sorted(bundled("analyses").glob("*.py")), ids=lambda path: path.stem)
def test_declared_parameters_are_those_of_the_script(path):
    spec = importlib.util.spec_from_file_location(f"tried_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    own, declared = (inspect.signature(one, eval_str=True) for one in (module.main, declared_main(path)))
    assert list(own.parameters) == list(declared.parameters)
    for one, other in zip(own.parameters.values(), declared.parameters.values(), strict=True):
        assert one.default == other.default
        assert str(getattr(one.annotation, "__origin__", one.annotation)) == str(
            getattr(other.annotation, "__origin__", other.annotation)
        )


@pytest.fixture
def store(tmp_path):
    """Four speakers say two words; one layer of noise."""
    rng = np.random.default_rng(0)
    tokens = pd.DataFrame({"word": ["ask", "wash"] * 8, "speaker": np.repeat(list("abcd"), 4)})
    tokens["token"] = [f"{row}" for row in range(16)]
    tokens["split"], tokens["onset_s"], tokens["duration_s"] = "test", 0.0, 0.3
    path = tmp_path / "store.zarr"
    store_arrays(path, tokens, {"conv1": rng.normal(size=(16, 12))}, time_s={"conv1": np.arange(12) * 0.03})
    return path


def test_a_script_by_name(store, tmp_path):
    said = run("words", store, "--out", tmp_path / "out", "--samples", "12", "--engine", "structured")
    assert said.exit_code == 0, said.output
    assert said.output.splitlines()[-1].startswith(f"{tmp_path / 'out'}: ")
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["entries"]


def test_what_is_wrong_is_one_line(store, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["layerstats", "words", str(store), "--out", str(tmp_path), "--layers", "conv9"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.endswith(" ...")]
    assert len(lines) == 1
    assert "'conv9'" in lines[0]


def test_names_are_written_with_either_line():
    assert (
        run("letter_patterns", "--help").output.splitlines()[2:]
        == run("letter-patterns", "--help").output.splitlines()[2:]
    )


def test_two_forms(store, tmp_path):
    assert "whisper:DIR" in run("networks").output
    wrong = run("networks", store)
    assert wrong.exit_code == 2
    assert "--out" in wrong.output
    assert "`layerstats networks` lists" in wrong.output
    for arguments in (["relevance", "network.safetensors"], ["relevance", store]):
        wrong = run(*arguments)
        assert wrong.exit_code == 2
        assert "`layerstats relevance NETWORK STORE` records" in wrong.output
        assert "`layerstats relevance STORE ... --out DIR` says" in wrong.output
    assert "NETWORK" in run("relevance", "network.safetensors").output.splitlines()[0]
    assert "STORES" in run("relevance", store).output.splitlines()[0]
    both = run("ratings", "--help").output
    assert "--published" in both
    assert "--margin" in both


def test_near_names_are_named():
    wrong = run("fones")
    assert wrong.exit_code == 2
    assert "Did you mean 'phones'" in wrong.output


def test_options_of_many_stand_under_headings():
    said = run("phones", "--help").output
    for heading in ("Which part of the data:", "Model:", "How it runs:"):
        assert heading in said
    assert InModule("gamm", "gamm").load("gamm").name == "gamm"


@pytest.mark.parametrize("name", ["networks", "relevance", "ratings"])
def test_help_of_two_forms_has_a_line_for_each(name):
    said = CliRunner().invoke(main.app, [name, "--help"]).output
    assert max(map(len, said.splitlines())) <= 100
