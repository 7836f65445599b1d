"""`layerstats judge`: what judges hear in speech, or in outcomes of maximizations, kept in a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerstats.cli.arguments import listed
from layerstats.cli.speech import CORPUS_HELP, DAMAGED_HELP, TOO_LONG_HELP, open_speech, tell_damage

if TYPE_CHECKING:
    from layerstats.cli.progress import Steps


def judge(
    store: Annotated[Path, typer.Argument(help="Zarr store to write into; it is made where it is not there.")],
    corpus: Annotated[
        str | None,
        typer.Option(help=f"What is judged; by default the outcomes in the store, else demo. {CORPUS_HELP}"),
    ] = None,
    judges: Annotated[
        str,
        typer.Option(
            help="classifier, FILE.safetensors (a network's checkpoint), pocketsphinx or people:FILE (a table of "
            "token, rater, response), separated by commas."
        ),
    ] = "classifier,pocketsphinx",
    hear: Annotated[
        str | None,
        typer.Option(
            help="What pocketsphinx may hear, separated by commas; by default the classes of outcomes, else the "
            "paper's eight words."
        ),
    ] = None,
    set_ups: Annotated[str | None, typer.Option(help="Only outcomes of these set-ups, separated by commas.")] = None,
    networks: Annotated[str | None, typer.Option(help="Only outcomes of these networks, separated by commas.")] = None,
    priors: Annotated[
        str | None, typer.Option(help="What decodes codes of outcomes, separated by commas: autoencoder:FILE.")
    ] = None,
    words: Annotated[str | None, typer.Option(help="Only tokens of these words, separated by commas.")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split, for instance test.")] = None,
    too_long: Annotated[str, typer.Option(help=TOO_LONG_HELP)] = "error",
    damaged: Annotated[str, typer.Option(help=DAMAGED_HELP)] = "error",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace judgements of the same name.")] = False,
) -> None:
    """Ask judges which word every token of a corpus, or every outcome of a maximization, is; keep what they say."""
    from layerstats.cli.progress import steps

    names = listed(judges) or ()
    options: dict[str, Any] = {"words": listed(hear), "device": device, "overwrite": overwrite}
    with steps() as step:
        if corpus is None and _has_outcomes(store):
            chosen = {"set_ups": listed(set_ups), "networks": listed(networks), "priors": listed(priors) or ()}
            told = _judge_outcomes(step, store, names, **chosen, **options)
        else:
            speech = {"words": listed(words), "split": split, "too_long": too_long, "damaged": damaged}
            told = _judge_speech(step, store, corpus or "demo", names, speech, options)
    for line in told:
        typer.echo(f"{store}: {line}")


def _has_outcomes(store: Path) -> bool:
    from layerstats.store import open_store

    return (store / "outcomes").exists() and len(open_store(store, incomplete="allow").outcomes) > 0


def _judge_outcomes(step: Steps, store: Path, names: Sequence[str], **options: Any) -> list[str]:
    from layerstats.judges import judge as judge_outcomes

    step("judging outcomes")
    table = judge_outcomes(store, names, progress=step.move, **options).judgements
    told = []
    for name, own in table.groupby("judge", sort=False):
        sets = f"{len(own)} sets" if len(own) > 1 else "1 set"
        told.append(f"{name} has judged {sum(own['starts'].tolist())} starts in {sets} of outcomes")
    return told


def _judge_speech(
    step: Steps, store: Path, corpus: str, names: Sequence[str], chosen: dict[str, Any], options: dict[str, Any]
) -> list[str]:
    from layerstats.corpora import Clips
    from layerstats.judges import record_judgements
    from layerstats.stats import stored_responses
    from layerstats.store import open_store

    damaged = chosen["damaged"]
    speech = open_speech(step, corpus, chosen["words"], damaged).subset(split=chosen["split"])
    clips = Clips(speech, too_long=chosen["too_long"], damaged=damaged)
    tell_damage(clips)
    step("judging")
    record_judgements(clips, store, names, **options)
    told = []
    for name, own in stored_responses(open_store(store)).groupby("judge", sort=False):
        right = int((own["response"] == own["word"]).to_numpy().sum())
        # Generated speech is called by its codes: no word of it is right.
        said = f", {right} heard as the word that was said" if right else ""
        told.append(f"{name}, {len(own)} tokens{said}")
    return told
