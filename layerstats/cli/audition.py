"""`layerstats audition`: a page to listen to what was maximized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerstats.cli.arguments import listed
from layerstats.cli.speech import CORPUS_HELP
from layerstats.cli.vocoder_file import VOCODER_HELP, load_vocoder

if TYPE_CHECKING:
    import numpy as np

    from layerstats.cli.auditioned_draws import Voices
    from layerstats.cli.progress import Steps
    from layerstats.models import MelFrontEnd
    from layerstats.report.audition import Draw
    from layerstats.store import Experiment


def audition(
    store: Annotated[Path, typer.Argument(help="A store with outcomes of `layerstats maximize`.")],
    out: Annotated[Path, typer.Option(help="Folder for the page, its sounds and pictures; it is made.")],
    set_ups: Annotated[str | None, typer.Option(help="Only these, separated by commas; all by default.")] = None,
    networks: Annotated[
        str | None, typer.Option(help="Target networks, separated by commas, or all; the first by default.")
    ] = None,
    nulls: Annotated[
        str | None, typer.Option(help="Nulls that are shown beside, separated by commas, for instance zero_steps.")
    ] = None,
    targets: Annotated[str | None, typer.Option(help="Only these classes, separated by commas.")] = None,
    draws: Annotated[int, typer.Option(help="Starts of each class and set-up.")] = 3,
    priors: Annotated[
        str | None, typer.Option(help="What decodes codes of outcomes, separated by commas: autoencoder:FILE.")
    ] = None,
    vocoder: Annotated[str | None, typer.Option(help=VOCODER_HELP)] = None,
    natural: Annotated[
        str | None, typer.Option(help=f"Corpus of natural exemplars, where the store has none: {CORPUS_HELP}")
    ] = None,
    exemplars: Annotated[int, typer.Option(help="Natural exemplars of each class.")] = 2,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a page that is there.")] = False,
) -> None:
    """Write a page that plays what was maximized, with spectrograms and what every judge hears; it needs no server."""
    from layerstats.checks import check_count, check_not_negative
    from layerstats.cli.auditioned_draws import (
        Voices,
        axes_of,
        chosen_outcomes,
        drawn_rows,
        priors_by_kind,
        shown_front_end,
    )
    from layerstats.cli.auditioned_exemplars import natural_exemplars
    from layerstats.cli.progress import steps
    from layerstats.report.audition import check_folder, write_audition
    from layerstats.store import open_store

    check_count("draws", draws)
    check_not_negative("exemplars", exemplars)
    check_folder(out, overwrite)
    voices = Voices(priors_by_kind(listed(priors) or []), load_vocoder(vocoder), device)
    with steps() as step:
        experiment = open_store(store)
        found = chosen_outcomes(experiment, listed(set_ups), listed(networks), listed(nulls))
        front_end = shown_front_end(found)
        rows = {str(name): drawn_rows(experiment.outcome(str(name)), listed(targets), draws) for name in found["name"]}
        page = write_audition(
            out,
            _draws(step, experiment, rows, front_end, voices),
            natural_exemplars(experiment, rows, natural, exemplars, front_end, voices),
            axes=axes_of(front_end),
            title=f"What {' and '.join(dict.fromkeys(map(str, found['network'])))} listens for",
            introduction=_introduction(draws),
            provenance=_provenance(store, natural, vocoder),
            overwrite=overwrite,
        )
    typer.echo(page)


def _draws(
    step: Steps, experiment: Experiment, rows: Mapping[str, np.ndarray], front_end: MelFrontEnd, voices: Voices
) -> Iterator[Draw]:
    """Yield the draws of all sets of outcomes, and say how far it has come."""
    from layerstats.cli.auditioned_draws import draws_of

    step("making sounds")
    total, done = sum(map(len, rows.values())), 0
    for name, own in rows.items():
        for draw in draws_of(experiment, name, own, front_end, voices):
            yield draw
            done += 1
            step.move(done, total)


def _introduction(draws: int) -> str:
    many = f"The first {draws} starts of each class are here, whatever became of them."
    shown = many if draws > 1 else "The first start of each class is here, whatever became of it."
    return (
        "Classes of a network were maximized: an input was changed until the network heard the class in it. Here is "
        "what it heard before and after, made audible, and natural tokens of the class beside it. "
        f"{shown} Where the network hears mel features, all sounds, those of natural tokens too, are made of features "
        "by the same vocoder; all have the same peak."
    )


def _provenance(store: Path, natural: str | None, vocoder: str | None) -> dict[str, str]:
    from layerstats import __version__

    told = {"store": store.name, "natural exemplars": natural or "of the store", "vocoder": vocoder or "Griffin-Lim"}
    return {**told, "version": f"layerstats {__version__}"}
