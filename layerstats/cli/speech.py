"""What the commands say about the speech that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from layerstats.corpora import Clips, Corpus

CORPUS_HELP = (
    "demo, demo:48, timit:PATH, speech_commands:PATH, fsdd:PATH, librispeech:PATH, textgrids:PATH, generated:PATH. "
    "Options follow a question mark, as in 'textgrids:PATH?word_tier=Words&phone_tier=Phones&speaker=prefix'."
)
DAMAGED_HELP = "What to do with speech that cannot be used (noise after lost bytes, silence): error, skip or keep."


def tell_notes(corpus: Corpus) -> None:
    """Say on stderr what was recognised or left out when a corpus was read."""
    for note in corpus.notes:
        typer.echo(f"note: {note}", err=True)


def tell_damage(clips: Clips) -> None:
    """Name on stderr the tokens that were left out because their audio is damaged."""
    tokens = clips.damaged_tokens
    if tokens:
        more = f" and {len(tokens) - 3} more" if len(tokens) > 3 else ""
        typer.echo(
            f"{len(tokens)} of {len(clips.corpus.tokens)} tokens cannot be used and were left out: "
            f"{', '.join(tokens[:3])}{more}. {clips.damage['reason'].iloc[0]}",
            err=True,
        )
