"""What do listeners say of systems? Ratings of a table, and how far they agree with published means.

python analyses/ratings.py RATINGS.csv --out DIR --columns rater=JUDGE,clip=WAV_PATH,rating=MOS \
    --clip-pattern '^(?P<team>[^_]+)_.*_(?P<track>[A-Z]+)[.]wav$' --condition track,team --published SYSTEMS.csv

These are the ratings of the Voice Conversion Challenge 2018. For more, `layerstats ratings`.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.checks import check_columns
from layerstats.cli import listed, run_script
from layerstats.errors import ArgumentError, DataError
from layerstats.listening import read_answers
from layerstats.report import AnswerSettings, Output, write_answers
from layerstats.stats import rating_means
from layerstats.tables import read_table

CAPTION = "Mean of all ratings beside the published mean of each system; the rank correlation is Spearman's."


def main(
    table: Annotated[Path, typer.Argument(help="A row a rating.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    columns: Annotated[str, typer.Option(help="What columns hold: rater=JUDGE,clip=WAV_PATH,rating=MOS.")] = "",
    clip_pattern: Annotated[str, typer.Option(help="Named groups found in a clip's name become columns.")] = "",
    condition: Annotated[
        str, typer.Option(help="Columns of conditions; of several, their combinations.")
    ] = "condition",
    published: Annotated[Path | None, typer.Option(help="Published means: a column of conditions, and 'mean'.")] = None,
    reference: Annotated[str, typer.Option(help="Condition that all others are compared with.")] = "",
    contrast: Annotated[list[str] | None, typer.Option(help="'a - b': what is compared; repeatable.")] = None,
    sensitivity: Annotated[bool, typer.Option("--sensitivity", help="Claims by a probit link and by R too.")] = False,
    model: Annotated[bool, typer.Option("--model/--no-model", help="Fit the mixed model.")] = True,
    draws: Annotated[int, typer.Option(help="Of the bootstrap over raters and clips.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> Output:
    """Write means with intervals, distributions, raters, agreement and the mixed model; and the published means."""
    mapping = dict(map(_pair, listed(columns) or []))
    answers = read_answers(table, mapping=mapping | ({"clip_pattern": clip_pattern} if clip_pattern else {}) or None)
    by, parts = "_".join(listed(condition) or []), listed(condition) or []
    check_columns(answers.table, parts, table.name)
    joined = answers.table[parts].astype(str).agg("_".join, axis=1)
    answers = replace(answers, table=answers.table.assign(**{by: joined}))
    output = Output(out, title=f"Ratings: {table.name}", provenance={"table": table.name, "seed": seed})
    asked = {"reference": reference or None, "contrasts": tuple(contrast or ()), "sensitivity": sensitivity}
    settings = AnswerSettings(by=by, draws=draws, seed=seed, model=model, **asked)
    kept = write_answers(output, answers, settings=settings)
    if published is not None:
        _beside(output, kept, by, published)
    return output


def _beside(output: Output, ratings, by: str, published: Path) -> None:
    """Write means beside published ones, and their correlations."""
    known = read_table(published)
    check_columns(known, ["mean"], published.name)
    name = next((column for column in known if column != "mean"), None)
    if name is None:
        raise DataError(f"{published.name} has no column of conditions beside 'mean'.")
    means = rating_means(ratings, by, interval="t").table
    both = means.merge(known.rename(columns={name: by, "mean": "published"}), on=by)
    shown = pd.DataFrame(both[[by, "ratings", "estimate", "conf_low", "conf_high", "published"]])
    pair = [pd.Series(shown[column]) for column in ("estimate", "published")]
    found = {kind: pair[0].corr(pair[1], method=kind) for kind in ("pearson", "spearman")}
    caption = (
        f"{CAPTION} r = {found['pearson']:.4f}, rho = {found['spearman']:.4f}, {len(both)} of {len(known)} conditions."
    )
    output.table(shown, "published", "Means beside published means", caption, user_columns=[by, "published"])


def _pair(text: str) -> tuple[str, str]:
    name, _, column = text.partition("=")
    if not column:
        raise ArgumentError(f"--columns takes NAME=COLUMN, separated by commas, but one is {text!r}.")
    return name.strip(), column.strip()


if __name__ == "__main__":
    run_script(main)
