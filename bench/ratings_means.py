"""Means of all ratings of the Voice Conversion Challenge 2018, and their bootstrap, against plain loops of pandas.

Needs LAYERSTATS_DATA; each case runs in a process of its own.
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

TABLE = Path("ratings", "vcc2018", "vcc2018_training_data.csv")
COLUMNS = {"rater": "JUDGE", "clip": "WAV_PATH", "rating": "MOS"}
# Of the plain bootstrap a few draws are timed.
DRAWS, PLAIN_DRAWS = 2000, 20
CASES = ("read and average", "plain read and average", "bootstrap", "plain bootstrap")


def with_systems(table: pd.DataFrame) -> pd.DataFrame:
    """Add the system that a clip is of, the last part of its name and the first."""
    parts = table["clip"].str.removesuffix(".wav").str.split("_")
    return table.assign(system=parts.str[-1] + "_" + parts.str[0])


def plain_table(path: Path) -> pd.DataFrame:
    """Read the table by pandas."""
    return with_systems(pd.read_csv(path).rename(columns={name: own for own, name in COLUMNS.items()}))


def read_and_average(path: Path) -> None:
    """Read, check every answer, and average by clip and system with t intervals."""
    from layerstats.listening import read_answers
    from layerstats.stats import rating_means

    table = with_systems(read_answers(path, "table", mapping=COLUMNS, scale=(1, 5), task="opinion").table)
    for by in ("clip", "system"):
        rating_means(table, by, interval="t", scale=(1, 5))


def plain_read_and_average(path: Path) -> None:
    """Read, and average what has one name after the other."""
    table = plain_table(path)
    for by in ("clip", "system"):
        for name in table[by].unique():
            own = table.loc[table[by] == name, "rating"]
            own.mean(), own.sem()


def bootstrap(path: Path) -> None:
    """Draw raters and clips of all systems again, crossed."""
    from layerstats.stats import rating_means

    rating_means(plain_table(path), "system", scale=(1, 5), draws=DRAWS)


def plain_bootstrap(path: Path) -> None:
    """Draw raters, and clips of every system, and look up what was drawn."""
    table = plain_table(path)
    generator = np.random.default_rng(0)
    clips = {name: own["clip"].unique() for name, own in table.groupby("system")}
    for _ in range(PLAIN_DRAWS):
        drawn = pd.Series(generator.choice(table["rater"].unique(), table["rater"].nunique())).value_counts()
        chosen = np.concatenate([generator.choice(own, len(own)) for own in clips.values()])
        weight = table["rater"].map(drawn).fillna(0) * table["clip"].map(pd.Series(chosen).value_counts()).fillna(0)
        ((table["rating"] * weight).groupby(table["system"]).sum() / weight.groupby(table["system"]).sum()).to_numpy()


def measure(case: str, path: str) -> dict[str, float]:
    """Run a case and say how long it took, and how much memory the process needed."""
    run = {
        "read and average": read_and_average,
        "plain read and average": plain_read_and_average,
        "bootstrap": bootstrap,
        "plain bootstrap": plain_bootstrap,
    }[case]

    begin, cpu = time.perf_counter(), time.process_time()
    run(Path(path))
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return {"wall": wall, "cpu": cpu, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    """Print every case."""
    path = Path(os.environ.get("LAYERSTATS_DATA", "")) / TABLE
    if not path.is_file():
        print(f"{TABLE} is absent; point LAYERSTATS_DATA at a folder that holds it")
        return
    for case in CASES:
        run = subprocess.run([sys.executable, __file__, case, str(path)], check=True, capture_output=True, text=True)
        found = json.loads(run.stdout)
        draws = {"bootstrap": f", {DRAWS} draws", "plain bootstrap": f", {PLAIN_DRAWS} draws"}.get(case, "")
        print(
            f"{case}{draws}: {found['wall']:.2f} s ({found['cpu']:.2f} CPU-s), peak memory {found['memory']:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(*sys.argv[1:])))
    else:
        main()
