"""`layerstats corpora`: what can be named where a command takes a corpus."""

from __future__ import annotations

import typer


def corpora() -> None:
    """List the corpora that commands take, with the options of each."""
    from layerstats.corpora import corpus_kinds

    typer.echo(
        "demo, demo:35, demo:48\n    Built-in voices say eight words, the 35 of Speech Commands, or forty-eight."
    )
    typer.echo("demo:sentences, demo:sentences=COUNT\n    Built-in voices say 240 sentences, or as many as asked for.")
    for kind, (summary, options) in corpus_kinds().items():
        said = f"\n    Options: {', '.join(options)}" if options else ""
        typer.echo(f"{kind}:PATH\n    {summary}{said}")
    typer.echo("Options follow a question mark, joined by '&': 'textgrids:PATH?word_tier=Words&speaker=prefix'.")
