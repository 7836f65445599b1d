"""The same numbers on every processor: a fit under two kernels of BLAS, in digits that nobody prints."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

# Even grids: curves are even and odd, and rounding errors would choose signs. Two words, four speakers, with AR(1).
PROGRAM = """
import json, sys
import numpy as np, pandas as pd
from threadpoolctl import threadpool_info
from layerstats.stats.gamm import derivatives, difference, fit

rng = np.random.default_rng(3)
time, rows = np.linspace(0, 1, 16), []
for token in range(24):
    own = (token // 2 % 4 - 1.5) * time + 0.3 * rng.normal()
    curve = np.sin(3 * time) + (token % 2) * (0.4 + 0.3 * time**2) + own + 0.2 * rng.normal(size=16)
    rows.append(pd.DataFrame({"y": curve, "time": time, "word": "ab"[token % 2], "token": f"t{token:02}"}))
data = pd.concat(rows).assign(speaker=lambda table: "s" + (table["token"].str[1:].astype(int) // 2 % 4).astype(str))
model = fit(
    'y ~ word + s(time, k=8) + s(time, by=word_o, k=8) + s(time, speaker, bs="fs", m=1, k=5)'
    ' + s(time, token, bs="fs", m=1, k=5)',
    data, ordered={"word_o": ("word", "a")}, series="token", order="time", rho="auto", engine="structured",
)
found = difference(model, "word", "b", "a", seed=1)
tables = {
    "parametric": model.parametric, "smooths": model.smooths, "glance": model.glance, "curve": found.curve,
    "regions": found.regions,
}
print(json.dumps({
    "kernels": sorted({library["architecture"] for library in threadpool_info() if "architecture" in library}),
    "numbers": {name: table.select_dtypes("number").to_numpy(dtype=float).tolist() for name, table in tables.items()},
}))
"""


def _under(kernel):
    environment = {**os.environ, "OPENBLAS_CORETYPE": kernel, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_numbers_do_not_depend_on_the_kernel():
    first, second = _under("Nehalem"), _under("Haswell")
    if first["kernels"] == second["kernels"]:
        pytest.skip(f"BLAS has one kernel here: {first['kernels']}")
    for name, numbers in first["numbers"].items():
        one, other = np.array(numbers), np.array(second["numbers"][name])
        # Next to nothing there are no digits: 1e-6 of the largest of a column.
        near = 1e-6 * np.maximum(np.abs(one), np.abs(one).max(initial=0, axis=0))
        assert ((np.abs(one - other) <= near) | (np.isnan(one) & np.isnan(other))).all(), f"{name}: {one} {other}"
