"""The package and its help must stay light: neither torch nor R nor pandas, and hardly more than typer itself."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

HEAVY = ("torch", "rpy2", "pandas", "xarray", "plotnine", "scipy", "numpy", "rich", "jinja2")
HELP = ["-m", "layerstats.cli", "--help"]


def imported(*arguments):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True
    )
    return [line.rsplit("|", 1)[-1].strip() for line in result.stderr.splitlines()]


@pytest.mark.parametrize("arguments", [["-c", "import layerstats"], HELP, ["-c", "import layerstats.cli.main"]])
def test_light_at_start(arguments):
    found = {name.split(".")[0] for name in imported(*arguments)}
    assert "layerstats" in found
    assert found.isdisjoint(HEAVY)


def test_help_imports_no_command():
    own = [name for name in imported(*HELP) if name.startswith("layerstats")]
    assert len(own) <= 20, own
    assert len(imported(*HELP)) <= len(imported("-c", "import typer")) + 60


@pytest.mark.parametrize("command", ["phones", "words", "relevance", "gamm"])
def test_help_of_a_command_imports_nothing_that_computes(command):
    """Of a script, whatever it imports; typer reads types of options with pydantic."""
    found = {name.split(".")[0] for name in imported("-m", "layerstats.cli", command, "--help")}
    assert found.isdisjoint(HEAVY)


def cpu_s(arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_takes_less_than_twice_what_typer_takes():
    """CPU time, of both in turn: a busy machine slows both. The least of several is what the work itself takes."""
    pairs = [(cpu_s(["-c", "import typer"]), cpu_s(HELP)) for _ in range(7)]
    typer, own = (min(times) for times in zip(*pairs, strict=True))
    assert own < 2 * typer, pairs


@pytest.mark.parametrize("room", ["layerstats.corpora", "layerstats.judges", "layerstats.stats"])
def test_rooms_that_need_no_torch_to_be_imported(room):
    code = f"import sys, {room}; print([name for name in ('torch', 'rpy2', 'pocketsphinx') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_public_names_exist():
    import layerstats

    for name in layerstats.__all__:
        assert callable(getattr(layerstats, name))


def test_unknown_name():
    import layerstats

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = layerstats.nonsense
