"""`layerstats synthesise`: stored outcomes of maximizations as sound files and as a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli.vocoder_file import VOCODER_HELP, load_vocoder


def synthesise(
    store: Annotated[Path, typer.Argument(help="A store with outcomes of `layerstats maximize`.")],
    out: Annotated[Path, typer.Option(help="Folder for the sound files and their table; it is made.")],
    outcomes: Annotated[
        str | None, typer.Option(help="Name of the outcomes, as `layerstats info` lists them, where there are several.")
    ] = None,
    starts: Annotated[
        int | None, typer.Option(help="Only so many starts of each target, the first by their numbers.")
    ] = None,
    which: Annotated[str, typer.Option(help="after maximization, or before.")] = "after",
    prior: Annotated[str | None, typer.Option(help="What decodes codes, such as autoencoder:FILE.")] = None,
    vocoder: Annotated[str | None, typer.Option(help=VOCODER_HELP)] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Make stored outcomes audible: 16-bit WAV files, a table of what each is, and the corpus generated:OUT."""
    from layerstats.checks import check_count
    from layerstats.cli.auditioned_draws import drawn_rows
    from layerstats.cli.progress import steps
    from layerstats.corpora import write_generated
    from layerstats.probes import outcome_speech
    from layerstats.store import open_store

    if starts is not None:
        check_count("starts", starts)
    with steps() as step:
        experiment = open_store(store)
        outcome = experiment.outcome(outcomes)
        rows = drawn_rows(outcome, None, outcome.sizes["start"] if starts is None else starts)
        names = outcome["start"].to_numpy().astype(object)[rows].tolist()
        options = {"prior": prior, "vocoder": load_vocoder(vocoder), "device": device}
        speech = outcome_speech(experiment, name=outcomes, starts=names, which=which, **options)
        step("making sounds")
        write_generated(speech, out)
    typer.echo(f"{out}: {len(speech)} tokens of {len(speech.words)} targets; hear {out / 'tour.wav'}")
