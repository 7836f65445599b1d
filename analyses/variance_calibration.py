"""How often do intervals of shares of variance cover, and tests of no variance err? Simulated, truth known.

python analyses/variance_calibration.py --out DIR
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.report import Output
from layerstats.stats import calibrate_variance

CAPTION = (
    "Shares of data sets whose 95 % interval holds the true share of variance, with standard errors, and which reject "
    "no variance at .05. Unless the world says otherwise: 5 networks, 5 judges, 10 classes, 50 starts a class."
)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    work: LongWork,
    datasets: Annotated[int, typer.Option(help="Data sets for each world.")] = 500,
    worlds: Annotated[str | None, typer.Option(help="Worlds, separated by commas; all by default.")] = None,
    engine: Annotated[str, typer.Option(help="laplace, or lme4.")] = "laplace",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Write variance_calibration.csv: coverage and rejection rates by world and component."""
    output = Output(out, title="Calibration of shares of variance", provenance={"seed": seed, "engine": engine})

    def write(table: pd.DataFrame) -> None:
        title = "How often intervals of shares of variance cover"
        output.table(table.assign(seed=seed), "variance_calibration", title, CAPTION)

    run = work.options("simulated data sets")
    write(calibrate_variance(listed(worlds), datasets, seed, engine, write, run))  # type: ignore[arg-type]
    return output


if __name__ == "__main__":
    run_script(main)
