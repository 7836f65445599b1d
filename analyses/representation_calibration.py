"""How often do intervals of probes and of similar layers cover, and how often do their tests err? Simulated.

python analyses/representation_calibration.py --out DIR --study probes
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.checks import check_choice
from layerstats.cli import listed, run_script
from layerstats.report import Output
from layerstats.stats import calibrate_probes, calibrate_similarity

CAPTION = (
    "Shares of data sets in which 95 % intervals cover or tests reject at .05, with standard errors. The recipe says "
    "what is estimated, and what its standard error is made of."
)
STUDIES = {"probes": calibrate_probes, "similarity": calibrate_similarity}


def main(
    out: Annotated[Path, typer.Option(help="Folder for the table.")],
    study: Annotated[str, typer.Option(help="probes, or similarity (of layers).")] = "similarity",
    datasets: Annotated[int, typer.Option(help="Data sets for each world and truth.")] = 1000,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds, separated by commas; all by default.")] = "",
    truths: Annotated[str, typer.Option(help="Differences, separated by commas.")] = "none,level",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Write probes_calibration.csv or similarity_calibration.csv: coverage and rejection rates by world and truth."""
    check_choice("study", study, STUDIES)
    output = Output(out, title="Calibration of probes and similarities", provenance={"study": study, "seed": seed})

    def write(shares: pd.DataFrame) -> None:
        title = f"How often intervals cover and tests err: {study}"
        output.table(shares.assign(seed=seed), f"{study}_calibration", title, CAPTION)

    chosen = {"worlds": listed(worlds)} if worlds else {}
    write(STUDIES[study](truths=listed(truths) or [], datasets=datasets, seed=seed, progress=write, **chosen))
    return output


if __name__ == "__main__":
    run_script(main)
