"""Every measurement that the README quotes, as ratios in one run. Run it with `make bench`."""

from __future__ import annotations

import runpy
from pathlib import Path

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    for script in (
        "startup.py", "recording.py", "networks.py", "machines.py", "bridge.py", "gamm.py", "crossed.py", "channels.py",
        "resampling.py", "gan.py", "maximization.py", "relevance.py", "relevance_transformer.py", "averages.py",
        "ratings.py", "ratings_means.py",
    ):  # fmt: skip
        print(f"\n== {script}", flush=True)
        runpy.run_path(str(HERE / script), run_name="__main__")
