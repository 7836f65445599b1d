"""`layerstats listen read`: answers of a listening test, from whatever collected them, as one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from layerstats.cli.arguments import scale_of
from layerstats.errors import ArgumentError


def read(
    paths: Annotated[list[Path], typer.Argument(help="Files with answers, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for answers.csv and problems.csv.")],
    format: Annotated[
        str,
        typer.Option(help="auto, page, mturk, p808, webmushra, praat, psychopy, jspsych or table."),
    ] = "auto",
    design: Annotated[
        Path | None, typer.Option(help="Folder of the design: gives clips their roles, right answers and conditions.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="Which column holds what, such as rater=JUDGE, clip=WAV_PATH or rating=MOS; several columns, one a "
            "clip, are joined by '+'. Repeat it."
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="The same as a TOML or JSON file, with labels and clip_pattern."),
    ] = None,
    scale: Annotated[str | None, typer.Option(help="Lowest and highest rating: 1-5.")] = None,
    task: Annotated[str | None, typer.Option(help="opinion, preference, abx or identification.")] = None,
) -> None:
    """Read the answers of a listening test; what is wrong with a row stands in problems.csv, by row and rater."""
    from layerstats.listening import read_answers
    from layerstats.tables import write_csv

    answers = read_answers(
        paths, format, design, _mapping(column, mapping), None if scale is None else scale_of(scale), task
    )
    # What strangers wrote must not become a formula where the file is opened with a double click.
    write_csv(answers.table, out / "answers.csv", spreadsheet=True)
    write_csv(answers.problems, out / "problems.csv", spreadsheet=True)
    for note in answers.notes:
        typer.echo(note)
    raters, clips = answers.table["rater"].nunique(), answers.table["clip"].nunique()
    typer.echo(
        f"{out}: answers: {len(answers.table)}, raters: {raters}, clips: {clips}, problems: {len(answers.problems)}."
    )


def _mapping(column: list[str] | None, mapping: Path | None) -> dict[str, Any] | Path | None:
    if not column:
        return mapping
    if mapping is not None:
        raise ArgumentError("Say which column holds what by --column or by --mapping, not by both.")
    found: dict[str, Any] = {}
    for one in column:
        name, _, entry = one.partition("=")
        if not name or not entry:
            raise ArgumentError(f"--column takes what a column holds and its name, as rater=JUDGE, but got {one!r}.")
        found[name.strip()] = entry if "+" not in entry else entry.split("+")
    return found
