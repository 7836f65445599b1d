"""`layerstats gamm`: a generalised additive mixed model of any table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from layerstats.cli.stored_models import write_stored_model
from layerstats.errors import ArgumentError, LayerstatsError

if TYPE_CHECKING:
    import pandas as pd

    from layerstats.stats.gamm import GammResult


def gamm(
    table: Annotated[Path, typer.Argument(help="CSV, TSV (also .gz), .xlsx, .sav, .dta, .parquet.")],
    formula: Annotated[str, typer.Option(help="Formula in mgcv's language, as pasted from R.")],
    out: Annotated[Path, typer.Option(help="Folder for the tables; it is made.")],
    engine: Annotated[str, typer.Option(help="auto, structured, mgcv or pygam.")] = "auto",
    method: Annotated[str, typer.Option(help="fREML, ML or REML.")] = "fREML",
    rho: Annotated[str | None, typer.Option(help="AR(1) of the residuals: a number, auto, or reml.")] = None,
    series: Annotated[str | None, typer.Option(help="Columns that identify a series, COL[,COL].")] = None,
    order: Annotated[str | None, typer.Option(help="Column that orders the rows of a series.")] = None,
    gaps: Annotated[str, typer.Option(help="Rows of a series are adjacent, or their distance is time.")] = "adjacent",
    factor: Annotated[list[str] | None, typer.Option(help="COL=level,level,...: the first is the reference.")] = None,
    ordered: Annotated[
        list[str] | None, typer.Option(help="NEW=COL:reference, an ordered copy for difference smooths.")
    ] = None,
    difference: Annotated[list[str] | None, typer.Option(help="COL:a,b, the curve of a minus that of b.")] = None,
    along: Annotated[str | None, typer.Option(help="Covariate of the difference, where there are several.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Fit with mgcv too; the largest differences.")] = False,
) -> None:
    """Fit a GAMM and write its tables: parametric.csv, smooths.csv, glance.csv, difference.csv and regions.csv.

    model.json says what was fitted, for `layerstats verify`.
    """
    from layerstats.tables import read_table

    try:
        data = read_table(table)
        options = {
            "engine": engine,
            "method": method,
            "rho": _rho(rho),
            "series": series.split(",") if series else None,
            "order": order,
            "gaps": gaps,
            "factors": dict(map(_factor, factor or [])),
            "ordered": dict(map(_ordered, ordered or [])),
        }
        contrasts = [_contrast(text) for text in difference or []]
        tables, result = _analyse(data, formula, {**options, "verify": verify}, contrasts, along)
        files = [*_write(tables, out), write_stored_model(out, table, formula, options)]
    except LayerstatsError as error:
        _stop(one_line(str(error)))
    except OSError as error:
        _stop(f"{error.filename or out}: {error.strerror or error}")
    typer.echo(result.summary())
    typer.echo("")
    if result.verification is not None:
        typer.echo(result.verification.to_string(index=False))
    for file in files:
        typer.echo(file)


def _stop(message: str) -> NoReturn:
    typer.echo(f"layerstats: {message}", err=True)
    raise typer.Exit(2)


def one_line(message: str) -> str:
    """Put a message of several lines in one; a caret under a formula becomes a mark inside it."""
    lines = message.split("\n")
    if lines[-1].strip() == "^" and len(lines) > 1:
        place = lines[-1].index("^")
        lines[-2:] = [f"{lines[-2][:place]} <HERE> {lines[-2][place:]}"]
    return " ".join(" ".join(lines).split())


def _analyse(
    data: pd.DataFrame,
    formula: str,
    options: dict[str, object],
    contrasts: list[tuple[str, str, str]],
    along: str | None,
) -> tuple[dict[str, pd.DataFrame], GammResult]:
    import numpy as np
    import pandas as pd

    from layerstats.checks import check_columns
    from layerstats.stats import gamm as models

    at = None
    if along is not None:
        check_columns(data, [along], "the table (named in --along)")
        at = {along: np.linspace(data[along].min(), data[along].max(), 100)}
    result = models.fit(formula, data, **options)  # type: ignore[arg-type]
    tables = {"parametric": result.parametric, "smooths": result.smooths, "glance": result.glance}
    if result.verification is not None:
        tables["verification"] = result.verification
    if contrasts:
        found = [models.difference(result, *contrast, at=at) for contrast in contrasts]
        tables["difference"] = pd.concat([each.curve for each in found], ignore_index=True)
        tables["regions"] = pd.concat([each.regions for each in found], ignore_index=True)
    return tables, result


def _write(tables: dict[str, pd.DataFrame], folder: Path) -> list[Path]:
    from layerstats.tables import write_csv

    files = []
    for name, frame in tables.items():
        files.append(folder / f"{name}.csv")
        write_csv(frame, files[-1])
    return files


def _rho(text: str | None) -> str | float | None:
    if text is None or text in ("auto", "reml"):
        return text
    try:
        return float(text)
    except ValueError:
        raise ArgumentError(
            f"Invalid value for --rho. It must be a number, 'auto' or 'reml', but got {text!r}."
        ) from None


def _factor(text: str) -> tuple[str, list[str] | None]:
    column, equals, levels = text.partition("=")
    if not column or (equals and not levels):
        raise ArgumentError(f"Invalid value for --factor. Write COL=level,level,..., but got {text!r}.")
    return column, levels.split(",") if levels else None


def _ordered(text: str) -> tuple[str, tuple[str, str]]:
    name, _, rest = text.partition("=")
    column, _, reference = rest.partition(":")
    if not (name and column and reference):
        raise ArgumentError(f"Invalid value for --ordered. Write NEW=COL:reference, but got {text!r}.")
    return name, (column, reference)


def _contrast(text: str) -> tuple[str, str, str]:
    column, _, levels = text.partition(":")
    level_1, _, level_2 = levels.partition(",")
    if not (column and level_1 and level_2):
        raise ArgumentError(f"Invalid value for --difference. Write COL:a,b, but got {text!r}.")
    return column, level_1, level_2
