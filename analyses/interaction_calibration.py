"""How often do the tests of contrasts of contrasts err, and how often do their bands cover? Simulated, truth known.

python analyses/interaction_calibration.py --out DIR
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.report import Output
from layerstats.stats import calibrate_interactions

CAPTION = (
    "Shares of data sets in which tests of a double difference reject at .05, or that 95 % bands cover (pointwise: of "
    "time points), with standard errors. Units taken as known: without what estimating the units adds."
)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    work: LongWork,
    datasets: Annotated[int, typer.Option(help="Data sets for each world and truth.")] = 1000,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds, separated by commas.")] = "0,1,2,3,4,5,6,7,8",
    truths: Annotated[str, typer.Option(help="Double differences, separated by commas.")] = "none,level,shape",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Write interaction_calibration.csv: rejection rates and coverage by world and truth."""
    output = Output(out, title="Calibration of contrasts of contrasts", provenance={"seed": seed})

    def write(shares: pd.DataFrame) -> None:
        title = "How often tests of double differences err and bands cover"
        output.table(shares.assign(seed=seed), "interaction_calibration", title, CAPTION)

    run = work.options("simulated data sets")
    write(calibrate_interactions(listed(worlds) or [], listed(truths) or [], datasets, seed, write, run))
    return output


if __name__ == "__main__":
    run_script(main)
