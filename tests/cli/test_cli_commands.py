"""The commands that record, look into and export stores, and `doctor`, as a user types them."""

from __future__ import annotations

import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli import doctor
from layerstats.cli.main import app
from layerstats.cli.network_file import load_network
from layerstats.cli.script import run_app
from layerstats.errors import ArgumentError


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def network_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "tiny.py"
    path.write_text(
        "import torch\n"
        "from layerstats.models import ConvolutionalEncoder\n\n\n"
        "def build():\n"
        "    with torch.random.fork_rng():\n"
        "        torch.manual_seed(0)\n"
        "        return ConvolutionalEncoder(8, width=2)\n\n\n"
        "def wrong():\n"
        "    return 3\n"
    )
    return path


@pytest.fixture(scope="module")
def store(network_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "store.zarr"
    arguments = ["--words", "ask,wash", "--split", "test", "--layers", "conv4,conv5", "--untrained", "1"]
    assert run("record", f"{network_file}:build", path, *arguments).exit_code == 0
    return path


def test_recorded_store_is_described(store):
    text = run("info", store).stdout
    for expected in ("conv4", "conv5", "ask", "wash", "untrained_00"):
        assert expected in text


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_export_of_a_selection(store, tmp_path, to):
    def exported(folder, *options):
        arguments = ["--to", to, "--out", tmp_path / folder, "--word", "ask", "--layer", "conv5", *options]
        files = [line for line in run("export", store, *arguments).stdout.split() if "activations" in line]
        return (pd.read_csv if to == "csv" else pd.read_parquet)(files[0])

    speech, whole = exported("speech"), exported("whole", "--padding")
    for frame in (speech, whole):
        assert set(frame["word"]) == {"ask"}
        assert set(frame["layer"]) == {"conv5"}
    assert len(whole) == 16 * whole["token"].nunique()
    assert 0 < len(speech) < len(whole)
    assert speech["token"].nunique() == whole["token"].nunique()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nothing.py:build", "give a checkpoint FILE.safetensors, or FILE.py:FUNCTION"),
        ("{file}:absent", "has no function 'absent'"),
        ("{file}:wrong", "returned int, not a torch.nn.Module"),
    ],
)
def test_wrong_networks_are_named(network_file, spec, message):
    with pytest.raises(ArgumentError, match=message):
        load_network(spec.format(file=network_file))


def test_doctor_names_what_mends_a_missing_r(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("R_HOME", raising=False)
    findings = {finding.what: finding for finding in doctor.examine()}
    assert not findings["R"].works
    assert "apt-get install" in findings["R"].mend
    assert findings["speech synthesis"].works
    assert findings["forced aligner"].works


@pytest.mark.r
def test_doctor_finds_r():
    findings = {finding.what: finding for finding in doctor.examine()}
    assert findings["R"].works
    assert findings["mgcv"].works


def test_train_words_writes_a_checkpoint_with_its_card(tmp_path):
    out = tmp_path / "words.safetensors"
    result = run("train", "words", "--words", "ask,oily", "--epochs", "1", "--width", "2", "--out", out)
    assert "accuracy on held-out speakers" in result.stdout
    assert out.exists()
    assert "speakers" in out.with_suffix(".md").read_text()


def test_expected_errors_are_one_line_on_stderr(tmp_path, capsys, monkeypatch):
    from layerstats.cli.main import main

    monkeypatch.setattr("sys.argv", ["layerstats", "info", str(tmp_path / "absent.zarr")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "absent.zarr" in capsys.readouterr().err


def test_a_package_that_is_not_there_is_named_with_its_extra(capsys):
    def command():
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    with pytest.raises(SystemExit, match="2"):
        run_app(command, "layerstats")
    assert capsys.readouterr().err == (
        "layerstats: No module named 'torch'. Install it with: pip install 'layerstats[networks]'\n"
    )


def test_a_module_that_no_extra_brings_is_a_fault():
    def command():
        raise ModuleNotFoundError("No module named 'nonsense'", name="nonsense")

    with pytest.raises(ModuleNotFoundError):
        run_app(command, "layerstats")
