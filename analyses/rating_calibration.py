"""How often do intervals of mean ratings cover, and how often do tests of conditions err? Simulated, with known truth.

python analyses/rating_calibration.py --out DIR
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.report import Output
from layerstats.stats import calibrate_answers, calibrate_outcome_filter, calibrate_ratings

CAPTION = (
    "Shares of data sets in which tests of two conditions reject at .05, in which 95 % intervals cover the difference "
    "of mean ratings, and of the two means that theirs cover, for other raters and other clips; with standard errors."
)
ANSWERS = (
    "Shares of data sets in which tests of preference, of identification, of a machine judge's agreement with people "
    "and of equivalence at the margin reject at .05, and in which 95 % intervals of shares and of agreement cover."
)
FILTER = (
    "Raters who ever rated a clip of the worse condition 4 or better are removed with all their ratings, as in Soomro "
    "et al. 2019, beside a rule on catch trials: bias of the difference, in points of the scale, by simulation."
)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the tables.")],
    work: LongWork,
    datasets: Annotated[int, typer.Option(help="Data sets for each world and truth.")] = 1000,
    worlds: Annotated[str, typer.Option(help="Numbers of worlds, separated by commas.")] = "0,1,2,3,4,5,6",
    truths: Annotated[str, typer.Option(help="Differences, separated by commas.")] = "none,level",
    answers: Annotated[int, typer.Option(help="Data sets for shares, agreement and equivalence; 0 for none.")] = 200,
    filtered: Annotated[int, typer.Option(help="Data sets for the bias of the outcome filter; 0 for none.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Write rating_calibration.csv, answer_calibration.csv (coverage and rejection rates) and outcome_filter.csv."""
    output = Output(out, title="Calibration of ratings", provenance={"seed": seed})

    def write(shares: pd.DataFrame) -> None:
        title = "How often intervals of mean ratings cover and tests err"
        output.table(shares.assign(seed=seed), "rating_calibration", title, CAPTION)

    if filtered:
        work.progress("the outcome filter")
        study = calibrate_outcome_filter(datasets=filtered, seed=seed)
        output.table(study, "outcome_filter", "What removing raters by what is compared does", FILTER)
    if answers:
        found = calibrate_answers(datasets=answers, seed=seed, run=work.options("simulated answers"))
        output.table(
            found.assign(seed=seed), "answer_calibration", "How often shares, agreement and equivalence err", ANSWERS
        )
    run = work.options("simulated data sets")
    write(calibrate_ratings(listed(worlds) or [], listed(truths) or [], datasets, seed, write, run))
    return output


if __name__ == "__main__":
    run_script(main)
