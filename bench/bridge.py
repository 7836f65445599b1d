"""A GAMM through the bridge against the same call in Rscript, alternating in one run; aim: under 10 % more.

Wall-clock time, and processor time, which other work on the machine disturbs less.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.rbridge import default_pool
from layerstats.stats.gamm import fit

FORMULA = 'value ~ word + s(sample) + s(sample, by = wordOrd) + s(sample, token, bs = "fs", m = 1)'
RHO = 0.5
PAIRS = 4

# Timed inside R: its start-up and the reading of the table are not counted, the summary is.
IN_R = f"""
suppressPackageStartupMessages(library(mgcv))
data <- read.csv(commandArgs(TRUE)[1], stringsAsFactors = TRUE)
data$wordOrd <- as.ordered(data$word)
contrasts(data$wordOrd) <- "contr.treatment"
data$start <- data$sample == 0
warm <- summary(bam(value ~ s(sample), data = data))  # the bridge's R has made a small fit before, too
spent <- system.time({{
  model <- bam({FORMULA}, data = data, rho = {RHO}, AR.start = data$start)
  result <- summary(model)
}})
cat(spent[["elapsed"]], spent[["user.self"]] + spent[["sys.self"]], format(sum(result$p.table[, 1]), digits = 15))
"""


def simulate(tokens: int = 90, samples: int = 24, seed: int = 0) -> pd.DataFrame:
    """Series of two words with a random curve for each token."""
    generator = np.random.default_rng(seed)
    time_ = np.linspace(0, 1, samples)
    frame = pd.DataFrame(
        {
            "token": np.repeat([f"t{number:04d}" for number in range(tokens)], samples),
            "word": np.repeat(np.array(["ask", "wash"])[np.arange(tokens) % 2], samples),
            "sample": np.tile(np.arange(samples), tokens),
        }
    )
    curves = generator.normal(size=(tokens, 4)) @ np.cos(np.pi * np.outer(np.arange(4), time_))
    effect = np.where(frame["word"] == "wash", np.tile(time_, tokens), 0.0)
    frame["value"] = curves.ravel() + effect + generator.normal(0, 0.5, len(frame))
    return frame


def in_rscript(table: Path, script: Path) -> tuple[float, float, float]:
    """Wall-clock and processor seconds of the fit inside R, and the sum of its coefficients."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    answer = subprocess.run(
        ["Rscript", str(script), str(table)], env=environment, check=True, capture_output=True, text=True
    )
    wall, processor, total = map(float, answer.stdout.split())
    return wall, processor, total


def processor_seconds() -> float:
    """Processor time of this process and of its R worker."""
    worker = default_pool().call("proc.time").value
    return time.process_time() + worker["user.self"] + worker["sys.self"]


def through_bridge(data: pd.DataFrame) -> tuple[float, float, float]:
    """Wall-clock and processor seconds of `fit()` from the user's table to the result, and the sum of coefficients."""
    processor, begin = processor_seconds(), time.perf_counter()
    result = fit(
        FORMULA, data, engine="mgcv", ordered={"wordOrd": ("word", "ask")}, rho=RHO, series="token", order="sample"
    )
    wall = time.perf_counter() - begin
    return wall, processor_seconds() - processor, float(result.parametric["estimate"].sum())


def main() -> None:
    """Print seconds and ratios."""
    data = simulate()
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder) / "data.csv", Path(folder) / "fit.R"
        data.to_csv(table, index=False, float_format="%.17g")
        script.write_text(IN_R)
        begin = time.perf_counter()
        fit("value ~ s(sample)", data, engine="mgcv")
        print(f"first fit, with the start of R:  {time.perf_counter() - begin:6.2f} s (a small model; once a process)")
        wall_ratios, processor_ratios = [], []
        for _ in range(PAIRS):
            direct_wall, direct_processor, expected = in_rscript(table, script)
            wall, processor, total = through_bridge(data)
            if abs(total - expected) > 1e-8:
                raise SystemExit(f"The two fits differ: {expected} in Rscript, {total} through the bridge.")
            wall_ratios.append(wall / direct_wall)
            processor_ratios.append(processor / direct_processor)
            print(
                f"wall: Rscript {direct_wall:6.2f} s, bridge {wall:6.2f} s, ratio {wall_ratios[-1]:.3f}   "
                f"processor: {direct_processor:6.2f} s, {processor:6.2f} s, ratio {processor_ratios[-1]:.3f}",
                flush=True,
            )
    wall_ratio, processor_ratio = statistics.median(wall_ratios), statistics.median(processor_ratios)
    print(
        f"{len(data)} rows, median ratio of wall-clock time {wall_ratio:.3f}, of processor time {processor_ratio:.3f}"
    )


if __name__ == "__main__":
    main()
