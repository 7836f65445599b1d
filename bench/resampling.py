"""Permutation refits: 1,067 tokens of 16 samples, the published model, and the same with speakers. One thread."""

from __future__ import annotations

import resource
import time

import numpy as np
import pandas as pd

from layerstats.stats.gamm import FitTask
from layerstats.stats.resampling import permutation_test

TOKEN, SPEAKER, CELL = (f's(time, {column}, bs="fs", m=1)' for column in ("token", "speaker", "cell"))
MODELS = {
    "token smooths": ("label", "s(time)", "s(time, by=label_ordered)", TOKEN),
    "token, speaker and speaker-label smooths": ("label", "s(time)", "s(time, by=label_ordered)", TOKEN, SPEAKER, CELL),
}
SPEAKERS, TOKENS, SAMPLES = 97, 11, 16
REPLICATES = {"token smooths": 10_000, "token, speaker and speaker-label smooths": 1_000}


def tokens() -> pd.DataFrame:
    """Return 1,067 tokens by 97 speakers, with two labels."""
    generator = np.random.default_rng(0)
    place = np.linspace(0, 1, SAMPLES)
    rows = []
    for speaker in range(SPEAKERS):
        own = generator.normal(size=3)
        for number in range(TOKENS):
            label = "ab"[number % 2]
            level, slope, wave = generator.normal(size=3) + 0.5 * own
            curve = level + slope * place + wave * np.sin(6 * place) + 0.3 * generator.normal(size=SAMPLES)
            name = f"s{speaker:02d}"
            rows.append(
                pd.DataFrame(
                    {
                        "token": f"{name}/{number}", "speaker": name, "cell": f"{name}/{label}", "label": label,
                        "time": place, "value": curve,
                    }
                )
            )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def main() -> None:
    """Print how long refits take."""
    data = tokens()
    for name, terms in MODELS.items():
        task = FitTask(
            f"value ~ {' + '.join(terms)}", data, rho=0.3, series="token", order="time",
            factors={"label": ["a", "b"]}, ordered={"label_ordered": ("label", "a")},
        )  # fmt: skip
        for smoothing in ("refit", "held"):
            begin, cpu = time.perf_counter(), time.process_time()
            result = permutation_test(
                {"conv5": task}, "label", tests=["level", "shape", "joint"], replicates=REPLICATES[name],
                smoothing=smoothing,
            )  # fmt: skip
            wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
            refits = len(result.statistics)
            print(
                f"{name}, {smoothing}: {refits} refits of {len(data)} rows in {wall:.1f} s ({cpu:.1f} CPU-s, "
                f"{cpu / refits * 1e3:.2f} ms each), peak memory "
                f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
            )


if __name__ == "__main__":
    main()
