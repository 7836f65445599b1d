"""`layerstats gamm`: a generalised additive mixed model of any table."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from layerstats.cli.gamm_options import (
    LevelPair,
    check_contrast,
    read_contrast,
    read_factor,
    read_knots,
    read_names,
    read_ordered,
    read_places,
    read_rho,
)
from layerstats.cli.shell_words import in_shell_words
from layerstats.cli.stored_models import write_stored_model
from layerstats.errors import LayerstatsError

if TYPE_CHECKING:
    import pandas as pd

    from layerstats.stats.gamm import DifferenceResult, FitTask, GammResult


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
    family: Annotated[str, typer.Option(help="Of the response, as R writes it: binomial, ocat, ...")] = "gaussian",
    weights: Annotated[str | None, typer.Option(help="Column of prior weights, for instance trials.")] = None,
    knots: Annotated[list[str] | None, typer.Option(help="COL=number,number,...: where a smooth's knots are.")] = None,
    function: Annotated[str, typer.Option(help="Of mgcv: bam, or gam.")] = "bam",
    discrete: Annotated[bool, typer.Option("--discrete", help="bam() rounds covariates to a grid.")] = False,
    factor: Annotated[list[str] | None, typer.Option(help="COL=level,level,...: the first is the reference.")] = None,
    ordered: Annotated[
        list[str] | None, typer.Option(help="NEW=COL:reference, an ordered copy for difference smooths.")
    ] = None,
    difference: Annotated[list[str] | None, typer.Option(help="COL:a,b, the curve of a minus that of b.")] = None,
    along: Annotated[str | None, typer.Option(help="Covariate of the difference, where there are several.")] = None,
    at: Annotated[list[str] | None, typer.Option(help="COL=value, where another column of a difference is.")] = None,
    na: Annotated[str, typer.Option(help="Rows with missing values: error, or omit.")] = "error",
    missing: Annotated[str | None, typer.Option(help="What stands for a missing value in the table, A,B,...")] = None,
    numeric: Annotated[str | None, typer.Option(help="Columns of numbers that look like codes, COL[,COL].")] = None,
    separator: Annotated[str | None, typer.Option(help="Between cells, where what is found is wrong.")] = None,
    decimal: Annotated[str | None, typer.Option(help="Decimal sign, where what is found is wrong.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the table, where what is found is wrong.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of an Excel file; else the first.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Fit with mgcv too; the largest differences.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Figures and index.html too.")] = False,
) -> None:
    """Fit a GAMM and write its tables: parametric.csv, smooths.csv, glance.csv, difference.csv and regions.csv.

    With --plot also smooths, differences and checks of the residuals as figures, and index.html, a page of all of it.
    model.json says what was fitted, for `layerstats verify`. Differences are checked before the fit, and its tables are
    written before they are computed.
    """
    from layerstats.stats.gamm import FitTask
    from layerstats.tables import read_table

    columns: list[str] = []
    files: list[Path] = []
    try:
        reading = {"missing": read_names(missing), "numeric": read_names(numeric), "separator": separator}
        reading = _given({**reading, "decimal": decimal, "encoding": encoding, "sheet": sheet})
        options = {
            "engine": engine,
            "method": method,
            "rho": read_rho(rho),
            "series": read_names(series),
            "order": order,
            "gaps": gaps,
            "factors": dict(map(read_factor, factor or [])),
            "ordered": dict(map(read_ordered, ordered or [])),
            "weights": weights,
            "knots": dict(map(read_knots, knots or [])),
        }
        options |= _unusual(family=family, function=function, discrete=discrete, na=na)
        written = list(map(check_contrast, difference or []))
        data = read_table(table, **reading)  # type: ignore[arg-type]
        columns += map(str, data.columns)
        task = FitTask(formula, data, **options, verify=verify)  # type: ignore[arg-type]
        contrasts, places = _checked_contrasts(task, written, along, at or []) if written else ([], None)
        result = _fit(task, out)
        files += [*_write(_tables(result), out), write_stored_model(out, table, formula, options, reading)]
        typer.echo(in_shell_words(result.summary()) + "\n")
        found = _differences(result, contrasts, places)
        files += _write(_difference_tables(found), out)
        if plot:
            from layerstats.cli.gamm_page import write_gamm_page

            files.append(write_gamm_page(result, found, _tables(result), out, table.name))
    except LayerstatsError as error:
        _stop(in_shell_words(one_line(str(error)), columns), files)
    except OSError as error:
        _stop(f"{error.filename or out}: {error.strerror or error}", files)
    if result.verification is not None:
        typer.echo(result.verification.to_string(index=False))
    for file in files:
        typer.echo(file)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _unusual(**options: object) -> dict[str, object]:
    """Return the options of a fit that differ from its defaults: only these are written down."""
    from layerstats.stats.gamm import FitTask

    defaults = {field.name: field.default for field in fields(FitTask)}
    return {name: value for name, value in options.items() if value != defaults[name]}


def _stop(message: str, files: list[Path]) -> NoReturn:
    where = f" The model is written: {files[-1].parent}." if files else ""
    typer.echo(f"layerstats: {message}{where}", err=True)
    raise typer.Exit(2)


def one_line(message: str) -> str:
    """Put a message of several lines in one; a caret under a formula becomes a mark inside it."""
    lines = message.split("\n")
    if lines[-1].strip() == "^" and len(lines) > 1:
        place = lines[-1].index("^")
        lines[-2:] = [f"{lines[-2][:place]} <HERE> {lines[-2][place:]}"]
    return " ".join(" ".join(lines).split())


def _checked_contrasts(
    task: FitTask, written: list[str], along: str | None, at: list[str]
) -> tuple[list[LevelPair], dict[str, object] | None]:
    """Return the differences to take, and where: what is wrong with them is found before the fit."""
    from layerstats.stats.gamm.data.factors import factor_levels
    from layerstats.stats.gamm.inference.difference import difference_grid
    from layerstats.stats.gamm.request.builder import build_request

    request = build_request(task)[0]
    levels = factor_levels(request.frame)
    numbers = [column for column in map(str, request.frame.columns) if column not in levels]
    contrasts = [read_contrast(text, levels, numbers) for text in written]
    places = read_places(request, along, at)
    for contrast in contrasts:
        difference_grid(request, *contrast, at=places)
    return contrasts, places


def _fit(task: FitTask, out: Path) -> GammResult:
    """Fit, once there is a folder to write to; without a fit there is none that was not there before."""
    from layerstats.cli.progress import long_fit
    from layerstats.stats.gamm import fit_many

    made = next((folder for folder in (*reversed(out.parents), out) if not folder.exists()), None)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with long_fit() as moved:
            return fit_many([replace(task, progress=moved)], workers=1)[0]
    except BaseException:
        if made is not None:
            folder = out
            while folder != made.parent:
                folder.rmdir()
                folder = folder.parent
        raise


def _tables(result: GammResult) -> dict[str, pd.DataFrame]:
    tables = {"parametric": result.parametric, "smooths": result.smooths, "glance": result.glance}
    if result.verification is not None:
        tables["verification"] = result.verification
    return tables


def _differences(
    result: GammResult, contrasts: list[LevelPair], places: dict[str, object] | None
) -> list[DifferenceResult]:
    from layerstats.stats.gamm import difference

    found = [difference(result, *contrast, at=places) for contrast in contrasts]
    for note in dict.fromkeys(note for each in found for note in each.notes):
        typer.echo(f"Note: {in_shell_words(note)}")
    return found


def _difference_tables(found: list[DifferenceResult]) -> dict[str, pd.DataFrame]:
    import pandas as pd

    if not found:
        return {}
    return {
        "difference": pd.concat([each.curve for each in found], ignore_index=True),
        "regions": pd.concat([each.regions for each in found], ignore_index=True),
    }


def _write(tables: dict[str, pd.DataFrame], folder: Path) -> list[Path]:
    from layerstats.tables import write_csv

    files = []
    for name, frame in tables.items():
        files.append(folder / f"{name}.csv")
        write_csv(frame, files[-1])
    return files
