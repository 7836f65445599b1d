"""`layerstats listen serve`: a small server that shows the page and keeps what raters hand in."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli.listen_page import HEADPHONES_HELP


def serve(
    design: Annotated[Path, typer.Argument(help="Folder of a design, from `layerstats listen design`.")],
    out: Annotated[Path, typer.Option(help="Folder for the answers, one file a submission; it is made.")],
    host: Annotated[
        str, typer.Option(help="Where to listen: this machine alone by default; 0.0.0.0 for every network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any that is free.")] = 8080,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Address under which raters know this server, such as https://example.org behind a proxy."),
    ] = None,
    completion_code: Annotated[
        str | None,
        typer.Option(help="Code for whoever handed answers in, as on Prolific; it is not in the page's source."),
    ] = None,
    completion_url: Annotated[
        str | None, typer.Option(help="Link for whoever handed answers in; it is not in the page's source either.")
    ] = None,
    headphones: Annotated[str, typer.Option(help=HEADPHONES_HELP)] = "antiphase",
) -> None:
    """Show the page of a listening test and keep what raters hand in, until Ctrl-C."""
    from layerstats.listening.design import read_design
    from layerstats.listening.page import PageLinks, write_page
    from layerstats.listening.server import ANSWERS, SESSION, ListeningServer, ReceivedAnswers

    links = PageLinks(post_to=ANSWERS, assign_from=SESSION)
    with tempfile.TemporaryDirectory(prefix="layerstats-page-") as folder:
        page = write_page(design, Path(folder) / "page", headphones=headphones, links=links)
        received = ReceivedAnswers(out, read_design(design))
        server = ListeningServer(
            page.parent,
            received,
            host=host,
            port=port,
            origins=origin or (),
            completion_code=completion_code,
            completion_url=completion_url,
        )
        with server:
            typer.echo(f"{server.address} shows the test; answers go to {out}. Ctrl-C ends it.")
            # What runs in the background is ended so, and ignores Ctrl-C.
            before = signal.signal(signal.SIGTERM, signal.default_int_handler)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                typer.echo(f"Ended. {received.number} submissions are in {out}.")
            finally:
                signal.signal(signal.SIGTERM, before)
