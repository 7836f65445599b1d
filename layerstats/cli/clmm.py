"""`layerstats clmm`: a cumulative link mixed model of any table of ratings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from layerstats.cli.gamm import one_line
from layerstats.cli.gamm_options import read_factor, read_names
from layerstats.errors import ArgumentError, LayerstatsError

if TYPE_CHECKING:
    import pandas as pd

    from layerstats.stats.ratings import ClmmResult

# Written whatever is asked, and those that only some models have.
_ALWAYS = ("coefficients", "thresholds", "random", "glance")
_SOMETIMES = ("scale", "correlations")
_NAMES = (
    "engine|link|threshold|scale|na|at|weights|distribution|margin|adjust|reference|separator|encoding|missing|sheet"
)


def clmm(
    table: Annotated[Path, typer.Argument(help="CSV, TSV (also .gz), .xlsx, .sav, .dta, .parquet: a row a rating.")],
    formula: Annotated[str, typer.Option(help="In lme4's language: rating ~ temp + (1 | judge).")],
    out: Annotated[Path, typer.Option(help="Folder for the tables; it is made.")],
    link: Annotated[str, typer.Option(help="logit or probit.")] = "logit",
    threshold: Annotated[str, typer.Option(help="flexible or equidistant.")] = "flexible",
    scale: Annotated[str | None, typer.Option(help="What the scale depends on: ~ temp.")] = None,
    engine: Annotated[str, typer.Option(help="layerstats, or in R ordinal or mgcv.")] = "layerstats",
    levels: Annotated[
        list[str] | None, typer.Option(help="COL=level,...: the first is the reference, or the lowest category.")
    ] = None,
    means: Annotated[str | None, typer.Option(help="Columns that means and probabilities are by, COL[,COL].")] = None,
    contrasts: Annotated[str | None, typer.Option(help="Columns whose levels are compared, COL[,COL].")] = None,
    pair: Annotated[list[str] | None, typer.Option(help="a:b, one difference; else all pairs of levels.")] = None,
    reference: Annotated[str | None, typer.Option(help="Level that all others are compared with.")] = None,
    at: Annotated[str, typer.Option(help="Differences are latent, or of means on the scale: mean.")] = "latent",
    margin: Annotated[float | None, typer.Option(help="Margin of equivalence, on the scale (--at mean).")] = None,
    adjust: Annotated[str, typer.Option(help="Of p-values: holm, fdr_bh, bonferroni or none.")] = "holm",
    weights: Annotated[str, typer.Option(help="Other factors count equal, or as observed.")] = "equal",
    distribution: Annotated[str, typer.Option(help="normal, or t: with few raters or clips.")] = "normal",
    na: Annotated[str, typer.Option(help="Rows with missing values: error, or omit.")] = "error",
    missing: Annotated[str | None, typer.Option(help="What stands for a missing value in the table, A,B,...")] = None,
    separator: Annotated[str | None, typer.Option(help="Between cells, where what is found is wrong.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the table, where what is found is wrong.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of an Excel file; else the first.")] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Figures of --means and --contrasts, and index.html.")] = False,
) -> None:
    """Fit a mixed model of ratings; write coefficients.csv, thresholds.csv, random.csv and glance.csv.

    Two categories make a mixed logistic model. With --means also means.csv and probabilities.csv, integrated over
    raters and clips; with --contrasts also contrasts.csv, tested as one family. With --plot these as figures, and
    index.html, a page of all of it.
    """
    from layerstats.stats.ratings import clmm as fit
    from layerstats.tables import read_table

    files: list[Path] = []
    try:
        if plot and means is None and contrasts is None:
            raise ArgumentError("--plot draws means and differences: name columns with --means or --contrasts.")
        options = _contrast_options(contrasts, pair, reference, at, margin)
        reading = {"missing": read_names(missing), "separator": separator, "encoding": encoding, "sheet": sheet}
        data = read_table(table, **{name: value for name, value in reading.items() if value is not None})  # type: ignore[arg-type]
        result = fit(
            formula,
            data,
            link=link,
            threshold=threshold,
            scale=scale,
            engine=engine,
            levels={column: order for column, order in map(read_factor, levels or []) if order},
            na=na,
        )
        files += _write(_tables(result), out)
        typer.echo(str(result) + "\n")
        common = {"weights": weights, "distribution": distribution}
        estimates = _estimates(result, means, contrasts, options | {"adjust": adjust}, common)
        files += _write(estimates, out)
        if plot:
            from layerstats.cli.clmm_page import write_clmm_page

            by = {"means": read_names(means) or [], "contrasts": read_names(contrasts) or []}
            files.append(write_clmm_page(result, _tables(result) | estimates, by, out, table.name, margin))
    except LayerstatsError as error:
        _stop(_in_options(one_line(str(error))), files)
    except OSError as error:
        _stop(f"{error.filename or out}: {error.strerror or error}", files)
    for file in files:
        typer.echo(file)


def _contrast_options(
    contrasts: str | None, pair: list[str] | None, reference: str | None, at: str, margin: float | None
) -> dict[str, object]:
    """Return the options of contrasts, and refuse those that nothing is done with."""
    given = {"--pair": pair, "--reference": reference, "--margin": margin}
    unused = [name for name, value in given.items() if value]
    if contrasts is None and unused:
        raise ArgumentError(f"{unused[0]} belongs to differences: name the columns that are compared with --contrasts.")
    pairs = None
    if pair:
        pairs = [tuple(part.strip() for part in text.split(":")) for text in pair]
        bad = next((text for text, both in zip(pair, pairs, strict=True) if len(both) != 2 or not all(both)), None)
        if bad is not None:
            raise ArgumentError(f"Invalid value for --pair. Write a:b, a minus b, but got {bad!r}.")
    return {"pairs": pairs, "reference": reference, "at": at, "margin": margin}


def _tables(result: ClmmResult) -> dict[str, pd.DataFrame]:
    tables = {name: getattr(result, name) for name in _ALWAYS}
    return tables | {name: getattr(result, name) for name in _SOMETIMES if len(getattr(result, name))}


def _estimates(
    result: ClmmResult,
    means: str | None,
    contrasts: str | None,
    options: dict[str, object],
    common: dict[str, Any],
) -> dict[str, pd.DataFrame]:
    tables = {}
    if means is not None:
        by = read_names(means) or []
        tables["means"] = result.means(by, **common)
        tables["probabilities"] = result.probabilities(by, **common)
    if contrasts is not None:
        by = read_names(contrasts) or []
        tables["contrasts"] = result.contrasts(by, **common, **options)  # type: ignore[arg-type]
    for note in dict.fromkeys(note for table in tables.values() for note in table.attrs.get("notes", ())):
        typer.echo(f"Note: {note}")
    return tables


def _write(tables: dict[str, pd.DataFrame], folder: Path) -> list[Path]:
    from layerstats.tables import write_csv

    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, frame in tables.items():
        files.append(folder / f"{name}.csv")
        write_csv(frame, files[-1], spreadsheet=True)
    return files


def _in_options(message: str) -> str:
    """Return a message of the library with options where it has parameters."""
    # Values of numbers are held in Python only.
    message = re.sub(r": give the values at which .*? hold=\{.*?\}\.", ": name factors.", message)
    text = re.sub(r"levels=\{'(.+?)': \[.*?\]\}", r"--levels \1=LOWEST,...,HIGHEST", message)
    text = re.sub(rf"[Tt]he '({_NAMES})' parameter", r"--\1", text)
    return re.sub(rf"(?<![\w.])({_NAMES})='([^']*)'", r"--\1 \2", text)


def _stop(message: str, files: list[Path]) -> NoReturn:
    where = f" The model is written: {files[-1].parent}." if files else ""
    typer.echo(f"layerstats: {message}{where}", err=True)
    raise typer.Exit(2)
