"""A model of a table loads what it needs: no store, no tests of other rooms, half a second and forty megabytes less."""

import subprocess
import sys

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
