"""Shells complete commands, options and values: of a store that is typed already, of corpora, judges and formats."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.cli.completion import listed_values, stored_text
from layerstats.store import store_arrays, store_table

PROGRAM = Path(sys.executable).with_name("layerstats")
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="layerstats is not installed beside this Python")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    rng = np.random.default_rng(0)
    tokens = pd.DataFrame({"token": list("abcd"), "word": ["ask", "wash", "ask", "größe"], "speaker": list("1212")})
    tokens["split"], tokens["onset_s"], tokens["duration_s"] = "test", 0.0, 0.3
    arrays = {name: rng.normal(size=(4, 12)) for name in ("conv1", "conv2")}
    path = tmp_path_factory.mktemp("shell")
    store_arrays(path / "a.zarr", tokens, arrays, time_s={name: np.arange(12) * 0.03 for name in arrays})
    ratings = pd.DataFrame({"token": ["a", "b"], "rater": "r", "rating": [1, 5]})
    store_table(path / "a.zarr", "ratings", "mos", ratings)
    shutil.copytree(path / "a.zarr", path / "my störe.zarr")
    return path


def completed(folder, line, shell="bash"):
    """Return what `layerstats` offers a shell at the end of a line."""
    words = line.split(" ")
    told = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_ARGS": line}
    told |= {"_LAYERSTATS_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    result = subprocess.run([PROGRAM], cwd=folder, env=os.environ | told, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return result.stdout.split("\n")[:-1] if result.stdout.strip() else []


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("layerstats pho", ["phone-layers", "phones"]),
        ("layerstats phones a.zarr --layers ", ["conv1", "conv2"]),
        ("layerstats phones a.zarr --layers conv1,", ["conv1,conv2"]),
        ("layerstats phones --layers ", []),
        ("layerstats ratings a.zarr --stored ", ["mos"]),
        ("layerstats phones nowhere.zarr --layers ", []),
        ("layerstats phones a.zarr --recording a", ["activations"]),
        ("layerstats words a.zarr --words ", ["ask", "größe", "wash"]),
        ("layerstats phones a.zarr --lay", ["--layers"]),
        ("layerstats record n.safetensors b.zarr --corpus tim", ["timit:"]),
        ("layerstats judge a.zarr --judges pocket", ["pocketsphinx"]),
        ("layerstats export a.zarr --to ", ["csv", "parquet", "netcdf"]),
        ("layerstats gamm a.csv --engine s", ["structured"]),
        ("layerstats listen des", ["design"]),
    ],
)
def test_values(folder, line, offered):
    assert completed(folder, line) == offered


@pytest.mark.parametrize("store", ["a.zarr", r"'my\ störe.zarr'", "'\"my störe.zarr\"'"])
def test_a_real_bash(folder, store):
    """The script that is installed, in a bash that asks it as at a Tab; words are as they were typed."""
    script = f"""
    export PATH={PROGRAM.parent}:$PATH; eval "$(_LAYERSTATS_COMPLETE=source_bash layerstats)"
    complete -p layerstats
    COMP_WORDS=(layerstats phones {store} --layers ''); COMP_CWORD=4
    function_name=$(complete -p layerstats | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    $function_name layerstats; echo "${{COMPREPLY[@]}}"
    """
    result = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "conv1 conv2", result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_of_every_shell(folder, shell, tmp_path):
    told = os.environ | {"_LAYERSTATS_COMPLETE": f"source_{shell}"}
    script = subprocess.run([PROGRAM], env=told, capture_output=True, text=True, check=True).stdout
    assert "_LAYERSTATS_COMPLETE" in script
    if shutil.which(shell):
        file = tmp_path / "script"
        file.write_text(script, encoding="utf-8")
        subprocess.run([shell, "-n", file], check=True)


def test_lines_of_zsh_and_fish(folder):
    assert "conv2" in "".join(completed(folder, "layerstats phones a.zarr --layers ", "zsh"))
    lines = completed(folder, "layerstats pho", "fish")
    assert [line.partition("\t")[0] for line in lines] == ["phone-layers", "phones"]


def test_it_is_quick(folder):
    """CPU time: a busy machine makes everybody wait."""
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        completed(folder, "layerstats words a.zarr --words ")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.5, times


def test_values_in_help():
    assert listed_values("auto, structured or mgcv.") == ["auto", "structured", "mgcv"]
    assert listed_values("Of p-values: holm, fdr_bh, bonferroni or none.") == ["holm", "fdr_bh", "bonferroni", "none"]
    assert listed_values("Layers, separated by commas; all by default.") == []


def test_text_is_read_as_the_store_has_it(folder):
    from layerstats.store import open_store

    assert stored_text(folder / "a.zarr" / "tokens" / "word") == set(open_store(folder / "a.zarr").tokens["word"])
