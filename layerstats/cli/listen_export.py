"""`layerstats listen export`: a listening test for Mechanical Turk's own pages, or for Praat."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerstats.errors import ArgumentError


def export(
    design: Annotated[Path, typer.Argument(help="Folder of the design.")],
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    to: Annotated[
        str, typer.Option(help="mturk (batch CSV and HIT template) or praat (ExperimentMFC, a file a session).")
    ],
    url: Annotated[
        str | None, typer.Option(help="For mturk: address (https) where the folder of the design lies.")
    ] = None,
) -> None:
    """Write a listening test for another program; its results are read by `layerstats listen read`."""
    from layerstats.checks import check_choice
    from layerstats.listening import read_design, write_mturk, write_praat

    check_choice("to", to, ("mturk", "praat"))
    if to == "praat":
        written = write_praat(read_design(design), out)
        typer.echo(f"{out}: {len(written)} experiments of Praat, {written[0].name} to {written[-1].name}")
        return
    if url is None:
        raise ArgumentError(
            "Mechanical Turk plays sounds from an address: say --url, below which the design's folder lies."
        )
    for batch in write_mturk(read_design(design), out, url):
        typer.echo(f"{batch.csv} and {batch.template.name}: {batch.sessions} sessions of {batch.trials} trials")
