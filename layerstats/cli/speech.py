"""What the commands say about the speech that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layerstats.cli.progress import Steps
    from layerstats.corpora import Clips, Corpus

CORPUS_HELP = (
    "demo, demo:35, demo:48, demo:sentences, or KIND:PATH such as timit:PATH. Options follow a question mark: "
    "'textgrids:PATH?word_tier=Words'. `layerstats corpora` lists the kinds and their options."
)
ALIGN_HELP = "Find the phones by forced alignment (American English)."
SLICE_HELP = "Slice utterances into their words by forced alignment (American English)."
TOO_LONG_HELP = "What to do with speech that is longer than a clip: error, trim or skip."
DAMAGED_HELP = "What to do with speech that cannot be used (noise after lost bytes, silence): error, skip or keep."


def tell_notes(corpus: Corpus) -> None:
    """Say on stderr what was recognised or left out when a corpus was read."""
    for note in corpus.notes:
        typer.echo(f"note: {note}", err=True)


def open_speech(step: Steps, corpus: str, words: list[str] | None, damaged: str) -> Corpus:
    """Open a corpus, and say on stderr what was recognised or left out."""
    from layerstats.corpora import open_corpus

    step(f"reading {corpus}")
    speech = open_corpus(corpus, words=words, damaged=damaged)
    tell_notes(speech)
    return speech


def align_speech(step: Steps, speech: Corpus, slice_words: bool = False) -> Corpus:
    """Find phones by forced alignment, and say on stderr what could not be aligned."""
    from layerstats.corpora import align

    step("forced alignment")
    aligned, unaligned = align(speech, slice_words=slice_words)
    if len(unaligned):
        typer.echo(f"not aligned:\n{unaligned.to_string(index=False)}", err=True)
    return aligned


def tell_damage(clips: Clips) -> None:
    """Name on stderr the tokens that were left out because their audio is damaged."""
    if clips.damaged_tokens:
        tell_skipped(clips.damaged_tokens, len(clips.corpus.tokens), clips.damage["reason"].iloc[0])


def tell_skipped(tokens: Sequence[str], count: int, reason: str = "") -> None:
    """Name on stderr tokens that were left out of so many, and why."""
    if tokens:
        more = f" and {len(tokens) - 3} more" if len(tokens) > 3 else ""
        told = f"{len(tokens)} of {count} tokens cannot be used and were left out: {', '.join(tokens[:3])}{more}."
        typer.echo(f"{told} {reason}".strip(), err=True)
