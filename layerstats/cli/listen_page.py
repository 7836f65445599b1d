"""`layerstats listen page`: the page of a listening test, to put on any web server or to open from a disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HEADPHONES_HELP = "Headphone check: antiphase (three tones, one of them in opposite phase), or none."


def page(
    design: Annotated[Path, typer.Argument(help="Folder of a design, from `layerstats listen design`.")],
    out: Annotated[Path, typer.Option(help="Folder for the page and its sounds; it is made.")],
    post_to: Annotated[
        str | None,
        typer.Option(help="Address that takes the answers as JSON; without it raters download and send them."),
    ] = None,
    completion_code: Annotated[
        str | None,
        typer.Option(
            help="Code that everybody is shown at the end, as on Prolific; it stands in the page's source. By default "
            "each rater gets a code of their own, which is stored with the answers."
        ),
    ] = None,
    completion_url: Annotated[
        str | None, typer.Option(help="Link at the end, such as Prolific's https://app.prolific.com/submissions/...")
    ] = None,
    headphones: Annotated[str, typer.Option(help=HEADPHONES_HELP)] = "antiphase",
    embed: Annotated[bool, typer.Option("--embed", help="Put the sounds into the page: one file.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a page that is there.")] = False,
) -> None:
    """Write the page that asks: consent, headphone check, practice, trials, and the answers as a file or a post."""
    from layerstats.listening.page import PageLinks, write_page

    links = PageLinks(post_to=post_to, completion_code=completion_code, completion_url=completion_url)
    typer.echo(write_page(design, out, headphones=headphones, embed=embed, links=links, overwrite=overwrite))
