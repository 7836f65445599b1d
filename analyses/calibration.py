"""How often do tests of difference smooths err, and how often do intervals cover? Simulated, with known truth.

python analyses/calibration.py --out DIR

Blocks of data sets are added to DIR/blocks.csv as they are done; started again, the script goes on where it stopped.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import run_script
from layerstats.stats.resampling.calibration import (
    RECIPES,
    TRUTHS,
    WORLDS,
    Recipe,
    World,
    blocks_of,
    calibrate_block,
    shares_of,
)
from layerstats.tables import check_frame

# What a block is known by.
KEY = ["seed", "replicates", "world", "truth", "recipe", "first", "datasets"]


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    datasets: Annotated[int, typer.Option(help="Data sets for each world, truth and model.")] = 1000,
    resampled: Annotated[int, typer.Option(help="For resampling that holds the smoothing parameters.")] = 1000,
    refitted: Annotated[int, typer.Option(help="For resampling that estimates them anew.")] = 500,
    replicates: Annotated[int, typer.Option(help="Permutations or bootstrap samples of a data set.")] = 99,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds, separated by commas; all by default.")] = "",
    truths: Annotated[str, typer.Option(help="none, level, shape, separated by commas; all by default.")] = "",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> None:
    """Write calibration.csv: rejection rates and coverage by world, truth and recipe."""
    chosen = [WORLDS[int(number)] for number in worlds.split(",")] if worlds else list(WORLDS)
    out.mkdir(parents=True, exist_ok=True)
    blocks = out / "blocks.csv"
    done = set(map(tuple, pd.read_csv(blocks)[KEY].to_numpy())) if blocks.exists() else set()
    known = truths.split(",") if truths else TRUTHS
    for world, truth, recipe, number in _cells(chosen, known, datasets, resampled, refitted):
        for numbers in blocks_of(number):
            if (seed, replicates, world.name, truth, recipe.name, numbers[0], len(numbers)) not in done:
                block = calibrate_block(world, recipe, truth, numbers, replicates, seed)
                block = block.assign(seed=seed, replicates=replicates)
                block.to_csv(blocks, mode="a", index=False, header=not blocks.exists())
        own = pd.read_csv(blocks).query("seed == @seed and replicates == @replicates")
        table = check_frame(shares_of(_longest(own)).assign(seed=seed))
        table.to_csv(out / "calibration.csv", index=False, float_format="%.4g")


def _longest(blocks: pd.DataFrame) -> pd.DataFrame:
    """Return one block for each first data set: a shorter one, where an earlier run ended, is part of the longer."""
    same = blocks.groupby(["world", "truth", "recipe", "first"], sort=False)["datasets"]
    return blocks.loc[blocks["datasets"] == same.transform("max")]


def _cells(
    worlds: Sequence[World], truths: Sequence[str], datasets: int, resampled: int, refitted: int
) -> Iterator[tuple[World, str, Recipe, int]]:
    """Yield what is simulated and how often, what decides most first."""
    models = [recipe for recipe in RECIPES if recipe.resampling is None]
    refit = [recipe for recipe in RECIPES if recipe.refit]
    held = [recipe for recipe in RECIPES if recipe.resampling and not recipe.refit]
    null, others = [one for one in truths if one == "none"], [one for one in truths if one != "none"]
    # That holding smoothing parameters errs is seen without a difference.
    plan = ((models, datasets, truths), (refit, refitted, null), (held, resampled, null), (refit, refitted, others))
    for recipes, number, simulated in plan:
        for truth in simulated:
            for world in worlds:
                for recipe in recipes:
                    if number and recipe.possible_in(world):
                        yield world, truth, recipe, number


if __name__ == "__main__":
    run_script(main)
