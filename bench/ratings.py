"""A crossed model of all ratings of VCC 2018: time and memory.

54,040 ratings of 270 listeners and 13,580 clips, 38 systems fixed. Aims, on one thread: 10 s of processor time and
500 MB, reading included. The fit runs in a process of its own; with ``LAYERSTATS_DATA`` unset, or without its folder of
ratings, the table is a simulated one of the same size. ordinal's clmm did not finish the ratings of 27 of these
listeners within 8 minutes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

FORMULA = "rating ~ system + (1 | rater) + (1 | clip)"
LISTENERS, CLIPS, SYSTEMS, RATINGS = 270, 13_580, 38, 54_040


def ratings_table() -> tuple[pd.DataFrame, str]:
    """Return ``rating, rater, clip, system``, and where they come from."""
    source = Path(os.environ.get("LAYERSTATS_DATA", "")) / "ratings" / "vcc2018" / "vcc2018_training_data.csv"
    if "LAYERSTATS_DATA" in os.environ and source.exists():
        table = pd.read_csv(source)
        parts = table["WAV_PATH"].str.removesuffix(".wav").str.split("_")
        columns = {"rating": table["MOS"], "rater": table["JUDGE"], "clip": table["WAV_PATH"]}
        return pd.DataFrame({**columns, "system": parts.str[0] + "_" + parts.str[-1]}), "VCC 2018"
    draws = np.random.default_rng(2018)
    clip = np.resize(np.arange(CLIPS), RATINGS)
    rater = draws.integers(LISTENERS, size=RATINGS)
    system = (np.arange(CLIPS) % SYSTEMS)[clip]
    latent = draws.normal(size=SYSTEMS)[system] * 1.5 + draws.normal(size=LISTENERS)[rater] * 1.7
    latent += draws.normal(size=CLIPS)[clip] + draws.logistic(size=RATINGS)
    rating = 1 + (latent[:, None] > np.array([-3.0, -1.0, 1.0, 3.0])).sum(axis=1)
    texts = {"rater": rater, "clip": clip, "system": system}
    return pd.DataFrame({"rating": rating, **{name: pd.Series(codes).astype(str) for name, codes in texts.items()}}), (
        "simulated ratings"
    )


def measure() -> dict[str, float | str]:
    """Return processor seconds, the peak of memory in MB, and the log likelihood of one fit in this process."""
    from layerstats.stats import clmm

    begin = time.process_time()
    table, source = ratings_table()
    result = clmm(FORMULA, table)
    return {
        "seconds": time.process_time() - begin,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "log_lik": float(result.glance["log_lik"].iloc[0]),
        "source": source,
    }


def in_a_process() -> dict[str, float | str]:
    """Return the measurements in a fresh process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).resolve()), "here"]
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout.strip().split("\n")[-1])


if __name__ == "__main__":
    if sys.argv[1:] == ["here"]:
        print(json.dumps(measure()))
        sys.exit()
    found = in_a_process()
    print(
        f"{found['source']}: {found['seconds']:.1f} s of processor, {found['megabytes']:.0f} MB, log likelihood "
        f"{found['log_lik']:.3f}"
    )
