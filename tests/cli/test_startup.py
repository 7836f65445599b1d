"""The package and its help must stay light: neither torch nor R nor pandas."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "rpy2", "pandas", "xarray", "plotnine", "scipy")


@pytest.mark.parametrize("arguments", [["-c", "import layerstats"], ["-m", "layerstats.cli", "--help"]])
def test_light_at_start(arguments):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True
    )
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in result.stderr.splitlines()}
    assert "layerstats" in imported
    assert imported.isdisjoint(HEAVY)


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
