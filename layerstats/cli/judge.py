"""`layerstats judge`: what judges hear in speech, kept in a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli.arguments import listed
from layerstats.cli.speech import CORPUS_HELP, DAMAGED_HELP, TOO_LONG_HELP, open_speech, tell_damage


def judge(
    store: Annotated[Path, typer.Argument(help="Zarr store to write into; it is made where it is not there.")],
    corpus: Annotated[str, typer.Option(help=CORPUS_HELP)] = "demo",
    judges: Annotated[
        str, typer.Option(help="classifier, classifier:PATH (a checkpoint) or pocketsphinx, separated by commas.")
    ] = "classifier,pocketsphinx",
    hear: Annotated[
        str | None, typer.Option(help="What pocketsphinx may hear, separated by commas; the paper's eight by default.")
    ] = None,
    words: Annotated[str | None, typer.Option(help="Only tokens of these words, separated by commas.")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split, for instance test.")] = None,
    too_long: Annotated[str, typer.Option(help=TOO_LONG_HELP)] = "error",
    damaged: Annotated[str, typer.Option(help=DAMAGED_HELP)] = "error",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace judgements of the same name.")] = False,
) -> None:
    """Ask judges which word every token of a corpus is, and keep what they say in a store."""
    from layerstats.cli.progress import steps
    from layerstats.corpora import Clips
    from layerstats.judges import record_judgements
    from layerstats.stats import stored_responses
    from layerstats.store import open_store

    with steps() as step:
        speech = open_speech(step, corpus, listed(words), damaged).subset(split=split)
        clips = Clips(speech, too_long=too_long, damaged=damaged)
        tell_damage(clips)
        step("judging")
        record_judgements(clips, store, listed(judges) or (), words=listed(hear), device=device, overwrite=overwrite)
    heard = stored_responses(open_store(store))
    for name, own in heard.groupby("judge", sort=False):
        right = int((own["response"] == own["word"]).to_numpy().sum())
        # Generated speech is called by its codes: no word of it is right.
        said = f", {right} heard as the word that was said" if right else ""
        typer.echo(f"{store}: {name}, {len(own)} tokens{said}")
