"""How often do tests of difference smooths err, and how often do intervals cover? Simulated, with known truth.

python analyses/calibration.py --out DIR
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.stats.resampling.calibration import RECIPES, TRUTHS, WORLDS, calibrate
from layerstats.tables import check_frame


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    datasets: Annotated[int, typer.Option(help="Data sets for each world, truth and model.")] = 1000,
    resampled: Annotated[int, typer.Option(help="For resampling that holds the smoothing parameters.")] = 400,
    refitted: Annotated[int, typer.Option(help="For resampling that estimates them anew, without difference.")] = 250,
    replicates: Annotated[int, typer.Option(help="Permutations or bootstrap samples of a data set.")] = 99,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds, separated by commas; all by default.")] = "",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> None:
    """Write calibration.csv: rejection rates and coverage by world, truth and recipe."""
    chosen = [WORLDS[int(number)] for number in worlds.split(",")] if worlds else list(WORLDS)
    kinds = [
        ([one for one in RECIPES if one.resampling is None], datasets, TRUTHS),
        ([one for one in RECIPES if one.refit], refitted, TRUTHS[:1]),
        ([one for one in RECIPES if one.resampling and not one.refit], resampled, TRUTHS),
    ]
    tables = []
    out.mkdir(parents=True, exist_ok=True)
    for recipes, number, truths in kinds:
        for world in chosen if number else []:
            for truth in truths:
                tables.append(calibrate([world], recipes, [truth], datasets=number, replicates=replicates, seed=seed))
                table = pd.concat(tables, ignore_index=True).assign(seed=seed)
                check_frame(table).to_csv(out / "calibration.csv", index=False, float_format="%.6g")


if __name__ == "__main__":
    typer.run(main)
