"""The structured GAMM engine: against mgcv in the same run, at full size, and how its cost grows.

Aims, on one thread: full size 0.1 s and 200 MB, 256 samples 0.5 s, unbalanced 0.3 s, rho by REML 0.3 s. Each fit runs
in a process of its own. mgcv at 400 tokens takes most of the time: some ten minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import plotnine as p9

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results" / "bench"
SIZES = (100, 400)
FULL = {"tokens": 1067, "samples": 16}
# name, options, seconds aimed at
FULL_SIZE = (
    ("full size", FULL, 0.1),
    ("256 samples", {"tokens": 1067, "samples": 256}, 0.5),
    ("unbalanced", {"tokens": 1067, "samples": 18, "missing": 0.1}, 0.3),
    ("rho by REML", {**FULL, "rho": "reml"}, 0.3),
    ("630 speakers", {"speakers": 630, "samples": 16}, 5.0),
)
GROWTH = {
    "tokens": [{"tokens": tokens, "samples": 16} for tokens in (100, 300, 1000, 3000, 10_000)],
    "samples": [{"tokens": 400, "samples": samples} for samples in (16, 32, 64, 128, 256)],
    "speakers": [{"speakers": speakers, "samples": 16} for speakers in (40, 160, 630, 2520)],
    "basis": [{"tokens": 400, "samples": 64, "basis": basis} for basis in (5, 10, 20, 40)],
}


def measure(engine: str, **options: object) -> dict:
    """Return the measurements of one fit, see `gamm_case.measure`."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "gamm_case.py"), json.dumps({"engine": engine, **options})]
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout.strip().split("\n")[-1])


def against_mgcv() -> None:
    """Print both engines side by side."""
    for tokens in SIZES:
        for discrete in (True, False):
            options = {"tokens": tokens, "samples": 16}
            ours = measure("structured", **options)
            theirs = measure("mgcv", **options, discrete=discrete, runs=1)
            name = f"bam(discrete={'TRUE' if discrete else 'FALSE'})"
            print(
                f"{tokens} tokens x 16: {_shown(ours)}; {name} {_shown(theirs)}; ratio of processor time "
                f"{theirs['processor_seconds'] / ours['processor_seconds']:.0f}; score {ours['score']:.6f} and "
                f"{theirs['score']:.6f}",
                flush=True,
            )


def full_size() -> None:
    """Print the sizes that there are aims for."""
    for name, options, aim in FULL_SIZE:
        found = measure("structured", **options)
        shown = found["refused"] if "refused" in found else f"{_shown(found)}; edf {found['edf']:.1f}"
        print(f"{name} {json.dumps(options)}, aim {aim} s: {shown}", flush=True)


def growth() -> pd.DataFrame:
    """Return processor seconds against tokens, samples and basis size; print the exponents."""
    rows = []
    for along, cases in GROWTH.items():
        for options in cases:
            for balanced in (True, False):
                found = measure("structured", **options, missing=0.0 if balanced else 0.1, runs=3)
                series = "balanced" if balanced else "unbalanced"
                rows.append(
                    {"along": along, "size": options[along], "series": series, "seconds": found["processor_seconds"]}
                )
    frame = pd.DataFrame(rows)
    for (along, series), part in frame.groupby(["along", "series"], sort=False):
        sizes, seconds = (np.log(part[column].to_numpy(dtype=float)) for column in ("size", "seconds"))
        shown = ", ".join(f"{row.size}: {row.seconds:.2f} s" for row in part.itertuples(index=False))
        print(f"{along}, {series}: {shown}; exponent {np.polyfit(sizes, seconds, 1)[0]:.2f}", flush=True)
    return frame


def draw_growth(frame: pd.DataFrame) -> Path:
    """Write the figure of the growth, on logarithmic axes."""
    from layerstats.plots import paper_theme, save_figure

    figure = (
        p9.ggplot(frame, p9.aes("size", "seconds", linetype="series", shape="series"))
        + p9.geom_line()
        + p9.geom_point(size=2)
        + p9.facet_wrap("along", scales="free_x", nrow=1)
        + p9.scale_x_log10()
        + p9.scale_y_log10()
        + p9.labs(x="size", y="processor time of fit() (s)", linetype="", shape="")
        + paper_theme()
        + p9.theme(figure_size=(2 + 2 * frame["along"].nunique(), 3))
    )
    return save_figure(figure, RESULTS / "gamm_growth").png


def _shown(found: dict) -> str:
    return (
        f"{found['seconds']:.2f} s in the engine, {found['call_seconds']:.2f} s in fit(), "
        f"{found['processor_seconds']:.2f} s of processor, {found['megabytes']:.0f} MB "
        f"({found['megabytes'] - found['loaded_megabytes']:.0f} MB above the start)"
    )


if __name__ == "__main__":
    print(f"load of the machine: {', '.join(f'{load:.1f}' for load in os.getloadavg())}; {os.cpu_count()} cores")
    full_size()
    print(draw_growth(growth()))
    against_mgcv()
