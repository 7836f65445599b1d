"""How often do intervals of ABX error rates cover, and how often do its tests err? Simulated, with known truth.

python analyses/abx_calibration.py --out DIR
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.report import Output
from layerstats.stats import calibrate_abx

CAPTION = (
    "Shares of data sets in which 95 % intervals cover or tests reject at .05, with standard errors. The recipe says "
    "what is taken to be drawn anew: speakers, or triplets as if each were a coin of its own."
)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    work: LongWork,
    datasets: Annotated[int, typer.Option(help="Data sets for each world and truth.")] = 1000,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds, separated by commas.")] = "0,1,2,3,4,5,6",
    truths: Annotated[str, typer.Option(help="Differences, separated by commas.")] = "none,level",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Write abx_calibration.csv: coverage and rejection rates by world, truth and recipe."""
    output = Output(out, title="Calibration of ABX error rates", provenance={"seed": seed})

    def write(shares: pd.DataFrame) -> None:
        title = "How often intervals of ABX error rates cover and tests err"
        output.table(shares.assign(seed=seed), "abx_calibration", title, CAPTION)

    run = work.options("simulated data sets")
    write(calibrate_abx(listed(worlds) or [], listed(truths) or [], datasets, seed, write, run))
    return output


if __name__ == "__main__":
    run_script(main)
