"""A model of a table loads what it needs: no store, no tests of other rooms, half a second and forty megabytes less."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import layerstats.stats

FIT = """
import sys
import numpy as np, pandas as pd
from layerstats import fit
time = np.tile(np.linspace(0, 1, 12), 6)
frame = pd.DataFrame({"time": time, "token": np.repeat([f"t{i}" for i in range(6)], 12)})
frame["y"] = np.sin(5 * time) + np.random.default_rng(0).normal(size=len(time))
fit("y ~ s(time)", frame, rho="auto", series="token", order="time")
print([name for name in ("scipy.stats", "statsmodels", "xarray", "zarr", "pygam", "torch") if name in sys.modules])
"""


def test_a_fit_loads_no_more_than_it_needs():
    seen = subprocess.run([sys.executable, "-c", FIT], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


@pytest.mark.parametrize("name", layerstats.stats.__all__)
def test_public_names_are_there_in_any_order(name):
    assert callable(getattr(layerstats.stats, name))
    assert name in dir(layerstats.stats)


def test_an_unknown_name_is_said():
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        layerstats.stats.no_such_name  # noqa: B018


def test_no_room_without_torch_asks_for_it():
    # What is imported in any other way than by name is seen by no import contract.
    package = Path(layerstats.__file__).parent
    rooms = ("stats", "tables", "plots", "report", "rbridge", "corpora")
    files = [file for room in rooms for file in (package / room).rglob("*.py")]
    assert files
    assert [str(file) for file in files if re.search(r"""["']torch["']""", file.read_text(encoding="utf-8"))] == []
