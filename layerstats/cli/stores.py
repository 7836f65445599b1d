"""`layerstats info`, `layerstats export` and `layerstats upgrade`: look into a store, take it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli.arguments import listed

# Words of a corpus of sentences would fill screens.
MOST_WORDS = 30


def info(
    store: Annotated[Path, typer.Argument(help="A Zarr store made by layerstats.")],
    check: Annotated[bool, typer.Option("--check", help="Read all values and say what is damaged.")] = False,
) -> None:
    """Say what a store holds: tokens, speakers, columns, layers, recordings, provenance.

    With --check all of it is read; the exit status is 1 where something is damaged.
    """
    from layerstats.store import describe

    if check:
        _check(store)
        return
    for heading, frame in describe(store).items():
        most = MOST_WORDS if heading == "Words" else len(frame)
        typer.echo(f"\n{heading}")
        typer.echo(frame.head(most).dropna(axis="columns", how="all").to_string(index=False) if len(frame) else "none")
        if len(frame) > most:
            typer.echo(f"and {len(frame) - most} more")


def _check(store: Path) -> None:
    from layerstats.store import check_store, without_checksums

    problems = check_store(store)
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    unprotected = without_checksums(store)
    if unprotected:
        typer.echo(
            f"{store}: every file can be read. {len(unprotected)} arrays were written without checksums by an earlier "
            "version, so that flipped bits in their values stay unseen; a copy by `layerstats upgrade` has them."
        )
    else:
        typer.echo(f"{store}: all values were read, and nothing is damaged.")


def upgrade(
    store: Annotated[Path, typer.Argument(help="A Zarr store made by an earlier version of layerstats.")],
    out: Annotated[Path, typer.Argument(help="Where to write the new store.")],
) -> None:
    """Copy a store of an earlier version into one that can be written into."""
    from layerstats.store import upgrade_store

    typer.echo(upgrade_store(store, out))


def export(
    store: Annotated[Path, typer.Argument(help="A Zarr store made by layerstats.")],
    to: Annotated[str, typer.Option(help="csv, parquet or netcdf.")] = "csv",
    out: Annotated[Path | None, typer.Option(help="Folder or file to write; beside the store by default.")] = None,
    recording: Annotated[
        str | None, typer.Option(help="Which recording, by name; activations by default, else the only one.")
    ] = None,
    word: Annotated[str | None, typer.Option(help="Only these words, separated by commas.")] = None,
    layer: Annotated[str | None, typer.Option(help="Only these layers, separated by commas.")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split, for instance test.")] = None,
    untrained: Annotated[bool, typer.Option("--untrained", help="Also the untrained networks, by their seed.")] = False,
    padding: Annotated[
        bool, typer.Option("--padding", help="Also the samples of a clip's padding, not only of its speech.")
    ] = False,
    sums: Annotated[
        bool, typer.Option("--sums", help="Also sums over windows of letters: a row a speaker, letter and place.")
    ] = False,
    spreadsheet: Annotated[
        bool, typer.Option("--spreadsheet", help="Text that a spreadsheet takes for a formula gets an apostrophe.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
) -> None:
    """Write a store, or a part of it, as CSV, Parquet or netCDF.

    Tables have the samples in which there is speech; netCDF has whole clips.
    """
    from layerstats.store import open_store

    experiment = open_store(store, recording=recording)
    experiment = experiment.select(word=listed(word), layer=listed(layer), split=listed(split))
    target = out if out is not None else store.with_suffix("").with_name(f"{store.stem}_{to}")
    options = {
        "untrained": untrained,
        "padding": padding,
        "sums": sums,
        "spreadsheet": spreadsheet,
        "overwrite": overwrite,
    }
    for path in experiment.export(target, to=to, **options):
        typer.echo(path)
