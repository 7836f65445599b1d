"""`layerstats cluster`: what workers a cluster has, and whether they can do what they will be asked to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def cluster(
    address: Annotated[
        str, typer.Argument(help="Of its scheduler, as tcp://HOST:8786, or its scheduler file (.json).")
    ],
    folder: Annotated[
        Path | None,
        typer.Option(help="A folder, such as that of a store: do workers see it, and may they write there?"),
    ] = None,
    patience_s: Annotated[float, typer.Option(help="How long to wait for a worker, in seconds.")] = 10.0,
) -> None:
    """Say what workers a cluster of dask has; nothing is started.

    The exit status is 1 where one has other versions than this machine, or does not see the folder.
    """
    from layerstats.parallel import connected, describe_workers

    with connected(address, timeout_s=patience_s) as client:
        found = describe_workers(client, folder, patience_s)
    typer.echo(found.drop(columns="problem").to_string(index=False))
    wrong = found.loc[found["problem"] != ""]
    for worker, problem in wrong[["worker", "problem"]].itertuples(index=False):
        typer.echo(f"{worker}: {problem}", err=True)
    blind = [] if folder is None else [there for there in found["writes_folder"] if there is not True]
    if len(wrong) or blind:
        raise typer.Exit(1)
