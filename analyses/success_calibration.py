"""How often do intervals of success cover, and how often do its tests err? Simulated, with known truth.

python analyses/success_calibration.py --out DIR
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.report import Output
from layerstats.stats import calibrate_success

CAPTION = (
    "Shares of data sets in which 95 % intervals cover or tests reject at .05, with standard errors, and mean widths "
    "of intervals. The recipe says what an interval or test draws anew."
)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    work: LongWork,
    datasets: Annotated[int, typer.Option(help="Data sets for each world and truth.")] = 1000,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds, separated by commas.")] = "0,1,2,3,4,5,6,7",
    truths: Annotated[str, typer.Option(help="Differences, separated by commas.")] = "none,level",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Write success_calibration.csv: coverage and rejection rates by world, truth and recipe."""
    output = Output(out, title="Calibration of success", provenance={"seed": seed})

    def write(shares: pd.DataFrame) -> None:
        title = "How often intervals of success cover and tests err"
        output.table(shares.assign(seed=seed), "success_calibration", title, CAPTION)

    run = work.options("simulated data sets")
    write(calibrate_success(listed(worlds) or [], listed(truths) or [], datasets, seed, write, run))
    return output


if __name__ == "__main__":
    run_script(main)
