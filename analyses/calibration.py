"""How often do tests of difference smooths err, and how often do intervals cover? Simulated, with known truth.

python analyses/calibration.py --out DIR

Blocks of data sets are added to DIR/blocks.csv as they are done; started again, the script goes on where it stopped.
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.report import Output
from layerstats.stats import calibrate

CAPTION = (
    "Shares of data sets in which tests reject at .05, or that 95 % intervals cover (pointwise: of time points), with "
    "standard errors. Tests and intervals are those of the recipe; the world and its true difference are known."
)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    work: LongWork,
    datasets: Annotated[int, typer.Option(help="Data sets for each world, truth and model.")] = 1000,
    resampled: Annotated[int, typer.Option(help="For resampling that holds the smoothing parameters.")] = 1000,
    refitted: Annotated[int, typer.Option(help="For resampling that estimates them anew.")] = 500,
    replicates: Annotated[int, typer.Option(help="Permutations or bootstrap samples of a data set.")] = 99,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds, separated by commas.")] = "0,1,2,3,4,5",
    truths: Annotated[str, typer.Option(help="Differences, separated by commas.")] = "none,level,shape",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Write calibration.csv: rejection rates and coverage by world, truth and recipe."""
    output = Output(out, title="Calibration", provenance={"seed": seed, "replicates": replicates})

    def write(shares: pd.DataFrame) -> None:
        output.table(shares.assign(seed=seed), "calibration", "How often tests err and intervals cover", CAPTION)

    chosen, simulated = listed(worlds) or [], listed(truths) or []
    study = partial(
        calibrate, chosen, datasets=datasets, refitted=refitted, replicates=replicates, seed=seed,
        blocks=out / "blocks.csv", progress=write, run=work.options("simulated data sets"),
    )  # fmt: skip
    study(truths=simulated, resampled=0)
    # That holding smoothing parameters errs is seen without a difference.
    null = [truth for truth in simulated if truth == "none"]
    write(study(truths=null, resampled=resampled))
    return output


if __name__ == "__main__":
    run_script(main)
