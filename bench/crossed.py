"""Crossed speakers and words, in the shape of a published tutorial's last model: time and memory, beside mgcv's.

Aims, on one thread: 20 s of processor time and 500 MB. Each fit runs in a process of its own, once. mgcv takes two
minutes, half of them for its tests.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from crossed_series import FORMULA, INTERCEPTS_FORMULA, RHO, SMALL_FORMULA, crossed_series

# Formula, table, rho, and whether mgcv is measured too.
CASES: dict[str, tuple[str, dict[str, int], float | None, bool]] = {
    "the whole model": (FORMULA, {}, None, True),
    "the same with rho": (FORMULA, {}, RHO, False),
    "two factor smooths": (SMALL_FORMULA, {}, None, False),
    "intercepts, 126,177 rows": (INTERCEPTS_FORMULA, {"rows": 126_177, "speakers": 300, "words": 200}, None, False),
}


def measure(name: str, engine: str) -> dict[str, float]:
    """Return processor seconds, the peak of memory in MB, and the score of one fit in this process."""
    from layerstats.stats.gamm import fit

    formula, table, rho, _ = CASES[name]
    data = crossed_series(**table)
    series = {} if rho is None else {"rho": rho, "series": "token", "order": "point"}
    if engine == "mgcv":
        from gamm_case import peak_megabytes, processor_seconds

        begin = processor_seconds(engine)
        result = fit(formula, data, engine=engine, discrete=True, **series)
        spent, peak = processor_seconds(engine) - begin, peak_megabytes(engine)
    else:
        begin = time.process_time()
        result = fit(formula, data, engine=engine, **series)
        spent = time.process_time() - begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": spent, "megabytes": peak, "score": float(result.glance["score"].iloc[0])}


def in_a_process(name: str, engine: str) -> dict[str, float]:
    """Return the measurements of one fit in a fresh process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).resolve()), name, engine]
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout.strip().split("\n")[-1])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(*sys.argv[1:])))
        sys.exit()
    for case, (*_, beside) in CASES.items():
        ours = in_a_process(case, "structured")
        line = f"{case}: {ours['seconds']:.1f} s of processor, {ours['megabytes']:.0f} MB"
        if beside:
            theirs = in_a_process(case, "mgcv")
            line += (
                f"; bam(discrete=TRUE) {theirs['seconds']:.1f} s, {theirs['megabytes']:.0f} MB; ratio of times "
                f"{theirs['seconds'] / ours['seconds']:.1f}"
            )
        print(line, flush=True)
