"""`layerstats listen power`: how many raters and clips find a difference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from layerstats.cli.arguments import listed, whole_numbers
from layerstats.cli.progress import steps
from layerstats.errors import ArgumentError


def power(
    difference: Annotated[float, typer.Option(help="True difference of two conditions, in points of the scale.")],
    raters: Annotated[str, typer.Option(help="Planned numbers of raters, separated by commas.")] = "20,40,80",
    clips: Annotated[str, typer.Option(help="Planned numbers of clips of each condition.")] = "10,20,40",
    raters_per_clip: Annotated[int | None, typer.Option(help="Raters who hear each clip; all by default.")] = None,
    margin: Annotated[float | None, typer.Option(help="Margin of equivalence, which is tested too.")] = None,
    pilot: Annotated[
        Path | None, typer.Option(help="Table of ratings (rater, clip, rating) whose variances are taken.")
    ] = None,
    by: Annotated[str, typer.Option(help="Its columns of conditions, separated by commas.")] = "condition",
    standard_deviations: Annotated[
        str | None,
        typer.Option(
            help="Assumed, in points: of raters, raters within conditions, clips, noise; as 0.7,0.4,0.45,0.75."
        ),
    ] = None,
    analysis: Annotated[str, typer.Option(help="two_way, or clmm (a mixed model; takes much longer).")] = "two_way",
    reach: Annotated[float, typer.Option(help="Power that the smallest plans have to reach.")] = 0.8,
    replicates: Annotated[int, typer.Option(help="Data sets that are drawn of each plan.")] = 500,
    alpha: Annotated[float, typer.Option(help="Level of the tests.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    workers: Annotated[int, typer.Option(help="Threads; they change no number.")] = 1,
    out: Annotated[Path | None, typer.Option(help="CSV file to write the table to.")] = None,
) -> None:
    """Simulate planned listening tests: how often they find a difference, by numbers of raters and clips."""
    from layerstats.stats.ratings import rating_power, smallest_plans
    from layerstats.tables import text_table, write_csv

    variances = _variances(pilot, listed(by) or [], standard_deviations)
    numbers = whole_numbers("raters", raters), whole_numbers("clips", clips)
    options: Any = {"analysis": analysis, "alpha": alpha, "replicates": replicates, "seed": seed, "workers": workers}
    with steps(quiet_s=2.0) as step:
        step("simulated studies")
        options |= {"raters_per_clip": raters_per_clip, "variances": variances, "margin": margin}
        found = rating_power(difference, *numbers, progress=step.move, **options)
    if out is not None:
        write_csv(found, out)
    typer.echo(f"standard deviations: {variances}", err=True)
    typer.echo(text_table(found))
    smallest = smallest_plans(found, reach)
    typer.echo(f"\nFewest raters with a power of {reach:g}:")
    typer.echo(text_table(smallest) if len(smallest) else "none of these plans")


def _variances(pilot: Path | None, by: list[str], standard_deviations: str | None) -> Any:
    from layerstats.stats.ratings import RatingVariances
    from layerstats.tables import read_table

    if pilot is not None:
        if standard_deviations is not None:
            raise ArgumentError("Give either --pilot or --standard-deviations, not both.")
        return RatingVariances.of(read_table(pilot), by)
    if standard_deviations is None:
        return RatingVariances()
    try:
        values = [float(item) for item in listed(standard_deviations) or []]
    except ValueError:
        values = []
    if len(values) != 4:
        raise ArgumentError(
            f"--standard-deviations takes four numbers, as in 0.7,0.4,0.45,0.75, but got {standard_deviations!r}."
        )
    return RatingVariances(*values)
