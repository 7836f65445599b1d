"""How often do tests of aligned averages err, and how often do their intervals cover? Simulated, with known truth.

python analyses/average_calibration.py --out DIR --speech STORE      # windows of letters with maps and alignments
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.report import Output
from layerstats.stats import SpeechWorld, calibrate_averages

CAPTION = (
    "Shares of data sets in which tests of aligned averages reject at .05, adjusted over letters, or in which 95 % "
    "intervals cover, with standard errors. The recipe says where windows are aligned. Letters are shuffled within "
    "speakers; where a pattern is inserted, it is in windows of the first letter."
)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    work: LongWork,
    datasets: Annotated[int, typer.Option(help="Data sets for each world and truth.")] = 1000,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds of noise, separated by commas.")] = "0,1,2",
    truths: Annotated[str, typer.Option(help="Patterns, separated by commas.")] = "none,inserted",
    speech: Annotated[Path | None, typer.Option(help="Store of windows (record with maps and alignments).")] = None,
    permutations: Annotated[int, typer.Option(help="Of each test.")] = 99,
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Write average_calibration.csv: rejection rates and coverage by world, truth and alignment."""
    output = Output(out, title="Calibration of aligned averages", provenance={"seed": seed})

    def write(shares: pd.DataFrame) -> None:
        title = "How often tests of aligned averages err and intervals cover"
        output.table(shares.assign(seed=seed), "average_calibration", title, CAPTION)

    chosen = [*(listed(worlds) or []), *([] if speech is None else [SpeechWorld.of(speech)])]
    run = work.options("simulated data sets")
    write(calibrate_averages(chosen, listed(truths) or [], datasets, permutations, seed, write, run))
    return output


if __name__ == "__main__":
    run_script(main)
