"""`layerstats new`: a script to start from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from layerstats.errors import ArgumentError, FileError

_STORE = "experiment.zarr"


def new(
    script: Annotated[Path, typer.Argument(help="File to write, for instance analysis.py.")],
    store: Annotated[Path | None, typer.Option(help="A store that it analyses, as it does without --table.")] = None,
    table: Annotated[Path | None, typer.Option(help="A table of your own that it analyses instead: words.csv.")] = None,
) -> None:
    """Write a commented script to start from: of a store, or with --table of a table of your own.

    It is what the scripts of `layerstats` itself are: options that are checked, tables and figures in a folder,
    progress and Ctrl-C. `python analysis.py --help` shows its options. A file that is there is not replaced.
    """
    from layerstats.resources import bundled

    if store is not None and table is not None:
        raise ArgumentError("A script is of a store or of a table: give --store or --table, not both.")
    if script.suffix != ".py":
        raise ArgumentError(f"A script is called as Python's are, for instance analysis.py, but got {script.name!r}.")
    if script.exists():
        raise FileError(f"{script} exists already, and may hold your work. Name another file.")
    source = bundled("data", "scripts", f"{'table' if table is not None else 'store'}.py.txt")
    text = source.read_text(encoding="utf-8")
    given = table or store
    # Names without their folders, so that lines stay short.
    text = text.replace("SCRIPT", _shown(script.name)).replace("GIVEN", _shown(given.name if given else _STORE))
    try:
        with script.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileNotFoundError:
        raise FileError(f"There is no folder {script.parent} to write {script.name} into. Make it first.") from None
    typer.echo(
        f"{script}: {shlex.join(['python', str(script), str(given or _STORE), '--out', f'results/{script.stem}'])}"
    )


def _shown(name: str) -> str:
    """Return a name as a shell takes it and as text between quotes of Python may hold it."""
    return shlex.quote(name).replace("\\", "\\\\").replace('"', '\\"')


__all__ = ["new"]
