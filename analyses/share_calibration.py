"""How often do intervals of shares of a score cover, and how often do their tests err? Simulated, with known truth.

python analyses/share_calibration.py --out DIR
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.report import Output
from layerstats.stats import calibrate_shares

CAPTION = (
    "Shares of data sets in which 95 % intervals cover or tests reject at .05, with standard errors. The recipe says "
    "what is taken to be drawn anew: speakers, tokens as if each were a speaker, or networks."
)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    work: LongWork,
    datasets: Annotated[int, typer.Option(help="Data sets for each world and truth.")] = 1000,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds, separated by commas.")] = "0,1,2,3,4,5",
    truths: Annotated[str, typer.Option(help="Differences, separated by commas.")] = "none,level",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Write share_calibration.csv: coverage and rejection rates by world, truth and recipe."""
    output = Output(out, title="Calibration of shares of a score", provenance={"seed": seed})

    def write(shares: pd.DataFrame) -> None:
        title = "How often intervals of shares cover and tests err"
        output.table(shares.assign(seed=seed), "share_calibration", title, CAPTION)

    run = work.options("simulated data sets")
    write(calibrate_shares(listed(worlds) or [], listed(truths) or [], datasets, seed, write, run))
    return output


if __name__ == "__main__":
    run_script(main)
