"""`layerstats ratings`: what comes out of a listening test, on one page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerstats.cli.arguments import listed, scale_of
from layerstats.cli.script import SINGLE_FILE_HELP, told_page
from layerstats.cli.stored_ratings import is_store, write_stored_ratings
from layerstats.errors import ArgumentError

if TYPE_CHECKING:
    from layerstats.tables.answers import Answers


def ratings(
    table: Annotated[
        list[Path],
        typer.Argument(
            help="Answers: of `layerstats listen read`, a long table, MTurk results, a folder of answers, or a store."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the page, its tables and figures.")],
    stored: Annotated[str, typer.Option(help="Name of the ratings, where a store holds several.")] = "",
    rater: Annotated[str, typer.Option(help="Column of raters, where it is not 'rater'.")] = "",
    clip: Annotated[str, typer.Option(help="Column of clips, where it is not 'clip'.")] = "",
    rating: Annotated[str, typer.Option(help="Column of ratings, where it is not 'rating'.")] = "",
    condition: Annotated[
        str, typer.Option(help="Column of conditions, which are compared; of several, COL,COL, their combinations.")
    ] = "condition",
    classes: Annotated[str, typer.Option(help="Column of classes, such as target: means by class and condition.")] = "",
    clip_pattern: Annotated[
        str, typer.Option(help="Regular expression whose named groups in a clip's name become columns.")
    ] = "",
    mapping: Annotated[Path | None, typer.Option(help="TOML or JSON file that says which column holds what.")] = None,
    file_format: Annotated[str, typer.Option("--format", help="Of the answers; auto finds out.")] = "auto",
    task: Annotated[str, typer.Option(help="opinion, preference, abx or identification, where nothing says so.")] = "",
    scale: Annotated[str, typer.Option(help="Lowest and highest rating there is: 1-5.")] = "",
    design: Annotated[
        Path | None, typer.Option(help="Folder of the design: its rules, contrasts and margin are used.")
    ] = None,
    rules: Annotated[
        str | None, typer.Option(help="Rules for cleaning instead: names separated by commas, or a JSON or TOML file.")
    ] = None,
    contrast: Annotated[
        list[str] | None, typer.Option(help="A difference to test, 'a - b'; repeat for several.")
    ] = None,
    reference: Annotated[str, typer.Option(help="Condition that all others are compared with.")] = "",
    margin: Annotated[float | None, typer.Option(help="Differences below it count as equivalent.")] = None,
    draws: Annotated[int, typer.Option(help="Of the bootstrap over raters and clips.")] = 2000,
    model: Annotated[bool, typer.Option("--model/--no-model", help="Fit mixed models.")] = True,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    single_file: Annotated[bool, typer.Option("--single-file", help=SINGLE_FILE_HELP)] = False,
) -> None:
    """Write what listeners answered as tables and figures on one page: means, differences, models, agreement.

    Of a store, its ratings beside what it says of their tokens: --condition word. Opinion scores are not comparable
    across tests.
    """
    from layerstats.cli.settings_file import read_rules
    from layerstats.listening import has_simulated_raters, read_answers, read_design
    from layerstats.report import AnswerSettings, Output, write_answers, write_page

    known = None if design is None else read_design(design)
    declared = _mapping(mapping, rater=rater, clip=clip, rating=rating, clip_pattern=clip_pattern)
    with TemporaryDirectory() as folder:
        answers = read_answers(
            _files(table, stored, Path(folder)),
            format=file_format,
            design=known,
            mapping=declared,
            scale=scale_of(scale) if scale else None,
            task=task or None,
        )
    answers, by = _combined(answers, condition)
    settings = AnswerSettings(
        by=by,
        contrasts=tuple(contrast or ()),
        reference=reference or None,
        margin=margin,
        classes=classes or None,
        draws=draws,
        seed=seed,
        model=model,
    )
    title = known.title if known is not None else f"Listening test: {', '.join(path.name for path in table)}"
    if has_simulated_raters(answers.table):
        title += " (simulated raters)"
    facts = {"answers": ", ".join(path.name for path in table), "seed": seed}
    output = Output(out, title=title, provenance=facts | ({} if known is None else {"design": known.hash[:12]}))
    write_answers(output, answers, settings=settings, design=known, rules=read_rules(rules))
    typer.echo(told_page(write_page(out, title=title, single_file=single_file), single_file))


def _files(paths: list[Path], stored: str, folder: Path) -> list[Path]:
    """Return files of answers; ratings of a store are put into one in the folder."""
    stores = [path for path in paths if is_store(path)]
    if stored and not stores:
        raise ArgumentError(f"--stored names ratings of a store, but {paths[0]} is none.")
    return [write_stored_ratings(path, stored, folder) if path in stores else path for path in paths]


def _mapping(file: Path | None, **columns: str) -> dict[str, Any] | Path | None:
    """Return what is declared of columns: a file, or the options."""
    named = {name: column for name, column in columns.items() if column}
    if file is not None and named:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in named)
        raise ArgumentError(f"Columns are named by --mapping or by {options}, not by both.")
    return file if file is not None else named or None


def _combined(answers: Answers, condition: str) -> tuple[Answers, str]:
    """Return answers with one column of conditions, and its name; of several columns their values are joined."""
    from layerstats.checks import check_columns

    columns = listed(condition) or ["condition"]
    if len(columns) == 1:
        return answers, columns[0]
    check_columns(answers.table, columns, "the answers")
    name = "_".join(columns)
    joined = answers.table[columns].astype(str).agg("_".join, axis=1)
    return replace(answers, table=answers.table.assign(**{name: joined})), name
