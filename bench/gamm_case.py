"""One fit in a process of its own, for its time and peak of memory: options as JSON in, measurements as JSON out."""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from pathlib import Path

from word_series import RHO, SPEAKER_FORMULA, formula, speaker_series, word_series

from layerstats.errors import ArgumentError
from layerstats.stats.gamm import GammResult, fit


def measure(
    engine: str,
    tokens: int = 0,
    samples: int = 16,
    *,
    speakers: int = 0,
    basis: int | None = None,
    missing: float = 0.0,
    rho: float | str = RHO,
    discrete: bool = False,
    runs: int = 5,
) -> dict[str, object]:
    """Return seconds (median of `runs` after a warm-up), the peak of memory in MB and a few numbers of the result.

    With `speakers` the tokens are nested in them, ten each, and `tokens` is not used. `seconds` is the fit with all its
    tables, `call_seconds` all of `fit()` from the user's table on, and
    `processor_seconds` the same without what other work on the machine takes.
    """
    series = speaker_series if speakers else word_series
    data = series(speakers or tokens, samples, missing=missing)

    def once(table=data) -> GammResult:
        return fit(
            SPEAKER_FORMULA if speakers else formula(basis),
            table,
            engine=engine,
            ordered={"word_ordered": ("word", "ask")},
            rho=rho,
            series="token",
            order="sample",
            discrete=discrete,
        )

    try:
        # Modules and R are loaded by a small model.
        once(series(24, max(16, 2 * (basis or 0))))
    except ArgumentError as error:
        return {"refused": str(error).split("\n")[0]}
    loaded = peak_megabytes()
    seconds, whole, processor = [], [], []
    for _ in range(runs):
        begin, spent = time.perf_counter(), processor_seconds(engine)
        result = once()
        processor.append(processor_seconds(engine) - spent)
        whole.append(time.perf_counter() - begin)
        seconds.append(result.seconds)
    glance = result.glance.iloc[0]
    return {
        "seconds": statistics.median(seconds),
        "call_seconds": statistics.median(whole),
        "processor_seconds": statistics.median(processor),
        "megabytes": peak_megabytes(engine),
        "loaded_megabytes": loaded,
        "score": float(glance["score"]),
        "edf": float(result.smooths["edf"].sum()),
        "rho": float(glance["rho"]),
    }


def processor_seconds(engine: str) -> float:
    """Return the processor time of this process, and of its R process."""
    spent = time.process_time()
    if engine == "mgcv":
        from layerstats.rbridge import default_pool

        worker = default_pool().call("proc.time").value
        spent += worker["user.self"] + worker["sys.self"]
    return spent


def peak_megabytes(engine: str = "structured") -> float:
    """Return the peak of memory of this process so far, or of its R process."""
    status = Path("/proc/self/status")
    if engine == "mgcv":
        from layerstats.rbridge import default_pool

        lines = list(default_pool().call("readLines", con=str(status)).value)
    else:
        lines = status.read_text().split("\n")
    return next(int(found[1]) / 1024 for line in lines if (found := re.match(r"VmHWM:\s+(\d+) kB", str(line))))


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
