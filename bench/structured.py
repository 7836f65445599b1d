"""The structured engine against mgcv on the model of the field, and how its time grows. Times are CPU seconds."""

from __future__ import annotations

import resource
import shutil
import time
from dataclasses import replace

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engines.base import FitRequest
from layerstats.stats.gamm.engines.structured import StructuredEngine
from layerstats.stats.gamm.formula_parser import parse_formula
from layerstats.stats.gamm.structured.autoregression import estimate_rho

FORMULA = "y ~ word + s(x) + s(x, by = word_o) + s(x, token, bs = 'fs', m = 1)"
WORDS = list("abcdefgh")


def simulate(tokens: int, samples: int, balanced: bool = True) -> FitRequest:
    """Simulate tokens of eight words with curves of their own."""
    generator = np.random.default_rng(1)
    number = np.repeat(np.arange(tokens), samples)
    x = np.tile(np.arange(1.0, samples + 1), tokens)
    level, slope = generator.normal(0, 0.4, (2, tokens))
    y = np.sin(3 * x / samples + 0.2 * (number % 8)) + level[number] + slope[number] * np.cos(3 * x / samples)
    y = y + generator.normal(0, 0.3, len(x))
    frame = pd.DataFrame({"word": np.array(WORDS)[number % 8], "token": [f"t{i:05d}" for i in number], "x": x, "y": y})
    if not balanced:
        frame = frame[generator.uniform(size=len(frame)) > 0.3].reset_index(drop=True)
    start = ~frame["token"].duplicated().to_numpy()
    frame["token"] = pd.Categorical(frame["token"])
    frame["word_o"] = pd.Categorical(frame["word"], ordered=True)
    frame["word"] = pd.Categorical(frame["word"])
    return FitRequest(parse_formula(FORMULA), frame, "y", frame["y"].to_numpy(), rho=0.3, series_start=start)


def best_of(repetitions: int, function, *arguments) -> float:
    """Return the least CPU time of a call."""
    times = []
    for _ in range(repetitions):
        begin = time.process_time()
        function(*arguments)
        times.append(time.process_time() - begin)
    return min(times)


def fit(request: FitRequest) -> None:
    """Fit with an engine that has no memory of the request."""
    StructuredEngine().fit(request)


def main() -> None:
    """Print a line for each measurement."""
    for tokens, samples in ((100, 16), (400, 16), (1067, 16), (1067, 64), (1067, 256)):
        seconds = best_of(3, fit, simulate(tokens, samples))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{tokens} tokens x {samples} samples: {seconds:.3f} s with all tests (peak so far {peak:.0f} MB)")
    print(f"1067 x 16, unbalanced: {best_of(2, fit, simulate(1067, 16, balanced=False)):.3f} s")
    print(f"1067 x 16, rho by REML: {best_of(2, estimate_rho, simulate(1067, 16)):.3f} s")
    if shutil.which("R") is None:
        return
    from layerstats.stats.gamm.engines.mgcv import MgcvEngine

    small = simulate(100, 16)
    reference = MgcvEngine()
    reference.fit(replace(small, formula=parse_formula("y ~ s(x)")))  # starts the worker
    begin = time.perf_counter()
    reference.fit(small)
    mgcv = time.perf_counter() - begin
    begin = time.perf_counter()
    fit(small)
    print(f"100 x 16: mgcv's bam takes {mgcv / (time.perf_counter() - begin):.0f} times as long")


if __name__ == "__main__":
    main()
