"""What the commands say about the speech that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from layerstats.corpora import Clips


def tell_damage(clips: Clips) -> None:
    """Name on stderr the tokens that were left out because their audio is damaged."""
    tokens = clips.damaged_tokens
    if tokens:
        more = f" and {len(tokens) - 3} more" if len(tokens) > 3 else ""
        typer.echo(
            f"{len(tokens)} of {len(clips.corpus.tokens)} tokens turn into noise (bytes lost) and were left out: "
            f"{', '.join(tokens[:3])}{more}.",
            err=True,
        )
