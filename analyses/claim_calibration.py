"""How often does a table of claims say that something holds where nothing is? Simulated, with known truth.

python analyses/claim_calibration.py --out DIR
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.report import Output
from layerstats.stats import calibrate_claims

CAPTION = (
    "Shares of data sets, each of five layers, in which claims hold, or of claims whose 95 % interval covers the "
    "effect, with standard errors. Checks of residuals and of bases, which can only take from what holds, are left out."
)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    work: LongWork,
    datasets: Annotated[int, typer.Option(help="Data sets for each world and truth.")] = 400,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds, separated by commas.")] = "0,1,2",
    truths: Annotated[str, typer.Option(help="Differences, separated by commas.")] = "none,level",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Write claim_calibration.csv: how often claims hold and intervals cover, by world and truth."""
    output = Output(out, title="Calibration of claims", provenance={"seed": seed})

    def write(shares: pd.DataFrame) -> None:
        title = "How often claims hold and intervals cover"
        output.table(shares.assign(seed=seed), "claim_calibration", title, CAPTION)

    run = work.options("simulated data sets")
    write(calibrate_claims(listed(worlds) or [], listed(truths) or [], datasets, seed, write, run))
    return output


if __name__ == "__main__":
    run_script(main)
