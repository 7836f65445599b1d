"""`layerstats example`: the table that the examples of the documentation use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerstats.errors import FileError


def example(
    out: Annotated[Path, typer.Argument(help="File to write.")] = Path("words.csv"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Write words.csv, a small table to try `layerstats gamm` with: speaker, word, repetition, trajectory, time, f2.

    Second formants of two words, as simulated speakers say them.
    """
    from layerstats.files import replacing
    from layerstats.resources import bundled

    source = bundled("data", "tables", "words.csv")
    if out.exists() and not overwrite:
        raise FileError(f"{out} exists already. Name another file, or replace it with --overwrite.")
    with replacing(out) as partial:
        partial.write_bytes(source.read_bytes())
    typer.echo(out)
