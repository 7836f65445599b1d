"""`layerstats demo`: the main job, from speech to one page of tables and figures."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerstats.cli.arguments import listed
from layerstats.cli.speech import tell_damage
from layerstats.errors import LayerstatsError

if TYPE_CHECKING:
    from layerstats.cli.progress import Steps
    from layerstats.corpora import Clips
    from layerstats.models import ModelCard

# In the order of the page.
ANALYSES = ("words", "phones", "series", "duration", "checks")
LONGEST_FIRST = ("words", "duration", "checks", "phones", "series")


def demo(
    corpus: Annotated[
        str, typer.Option(help="demo, demo:48, timit:PATH, speech_commands:PATH, fsdd:PATH, textgrids:PATH.")
    ] = "demo",
    out: Annotated[Path, typer.Option(help="Folder for the page, its tables and figures, and the store.")] = Path(
        "results/demo"
    ),
    checkpoint: Annotated[
        Path | None, typer.Option(help="Network to look into (.safetensors); the shipped one by default.")
    ] = None,
    words: Annotated[str | None, typer.Option(help="Words, separated by commas; the paper's eight by default.")] = None,
    phones: Annotated[str, typer.Option(help="Two sets of phones to contrast, for instance s:sh or p,t,k:b,d,g.")] = (
        "s:sh"
    ),
    untrained: Annotated[int, typer.Option(help="Untrained networks for the null.")] = 20,
    align: Annotated[bool, typer.Option(help="Find the phones by forced alignment.")] = False,
    too_long: Annotated[str, typer.Option(help="What to do with clips over a second: error, trim or skip.")] = "error",
    damaged: Annotated[
        str, typer.Option(help="What to do with clips that turn into noise (lost bytes): error, skip or keep.")
    ] = "error",
    workers: Annotated[int, typer.Option(help="Analyses that run side by side.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of every simulated quantity.")] = 0,
) -> None:
    """Run the published analysis and what it lacks: speech, network, store, GAMM tables and figures on one page."""
    from layerstats.cli.progress import steps
    from layerstats.report import write_page
    from layerstats.resources import bundled

    store = out / "store.zarr"
    with steps() as step:
        clips = _read_speech(step, corpus, listed(words), align, too_long, damaged)
        network = checkpoint if checkpoint is not None else bundled("data", "checkpoints", "words.safetensors")
        card = _record(step, clips, store, network, untrained)
        step(f"analyses: {', '.join(ANALYSES)}")
        failures = _analyse(step, store, out, corpus, phones, workers, seed)
        step("writing the page")
        page = write_page(
            out,
            title=f"What {card.name} encodes of {clips.corpus.name}",
            sections=ANALYSES,
            introduction=_introduction(clips, card, untrained),
            provenance={"network": network.name, "corpus": corpus, "clips": clips.content_hash()[:12], "seed": seed},
        )
    typer.echo(page)
    if failures:
        raise LayerstatsError("; ".join(failures) + f". What could be made is on {page}.")


def _read_speech(step: Steps, corpus: str, words: list[str] | None, align: bool, too_long: str, damaged: str) -> Clips:
    """Read the held-out part of the corpus (all of it where the corpus has no split) as the network hears it."""
    from layerstats.corpora import PAPER_WORDS, Clips, open_corpus

    step(f"reading {corpus}")
    speech = open_corpus(corpus, words=words)
    held_out = "test" if "test" in set(speech.tokens["split"]) else None
    known = set(speech.words)
    wanted = words or [word for word in PAPER_WORDS if word in known] or None
    speech = speech.subset(words=wanted, split=held_out)
    if align:
        step("forced alignment")
        speech, unaligned = speech.with_alignment()
        if len(unaligned):
            typer.echo(f"not aligned:\n{unaligned.to_string(index=False)}", err=True)
    clips = Clips(speech, too_long=too_long, damaged=damaged)
    tell_damage(clips)
    return clips


def _record(step: Steps, clips: Clips, store: Path, checkpoint: Path, untrained: int) -> ModelCard:
    """Record the network and its untrained twins; returns the network's card."""
    from layerstats.models import load_checkpoint
    from layerstats.probes import record_activations, record_untrained

    network, card = load_checkpoint(checkpoint)
    step(f"recording {len(clips.tokens)} tokens")
    record_activations(network, clips, store, progress=step.move)
    if untrained:
        step(f"recording {untrained} untrained networks")
        record_untrained(network, clips, store, seeds=range(untrained), progress=step.move)
    return card


def _introduction(clips: Clips, card: ModelCard, untrained: int) -> str:
    """Say in words what was heard, by which network."""
    tokens = clips.tokens
    held_out = "held-out " if set(tokens["split"]) == {"test"} else ""
    damaged = len(clips.damaged_tokens)
    left_out = f" {damaged} further tokens whose audio is damaged were left out." if damaged else ""
    heard = (
        f"{len(tokens)} tokens of {tokens['word'].nunique()} words by {tokens['speaker'].nunique()} {held_out}speakers "
        f"({clips.corpus.name}).{left_out} {card.description} "
        f"It was trained on: {card.training.get('corpus', 'not recorded')}."
    )
    series = (
        "A layer's series is the mean of its feature maps after the activation function, at each point in time (Eq. 1 "
        "of Begus & Zhou 2022). Tests over layers and words carry an adjusted p-value; intervals of curves are "
        "simultaneous unless they say otherwise."
    )
    null = f" The same analysis of {untrained} untrained networks of the same shape is the null." if untrained else ""
    return f"{heard}\n\n{series}{null}"


def _analyse(step: Steps, store: Path, out: Path, corpus: str, phones: str, workers: int, seed: int) -> list[str]:
    """Run the scripts of `analyses/`, several at once; returns a line for each that failed."""
    # One worker each: the scripts themselves run side by side.
    one = ["--workers", "1"]
    extra = {
        "words": one,
        "duration": one,
        "checks": one,
        "phones": [*one, "--phones", phones],
        "series": ["--corpus", corpus],
    }
    failures = []
    with ThreadPoolExecutor(workers) as pool:
        running = {
            name: pool.submit(_run_script, name, store, out / name, [*extra[name], "--seed", str(seed)])
            for name in LONGEST_FIRST
        }
        for done, (name, future) in enumerate(running.items(), start=1):
            error = future.result()
            if error:
                failures.append(f"{name}: {error}")
            step.move(done, len(running))
    return failures


def _run_script(name: str, store: Path, out: Path, arguments: list[str]) -> str | None:
    """Run one script in a process of its own; returns its last line on stderr if it failed."""
    from layerstats.resources import bundled

    script = bundled("analyses", f"{name}.py")
    # One thread each: the scripts already run side by side. Plain tracebacks end with the message.
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TYPER_STANDARD_TRACEBACK": "1"}
    environment = {**os.environ, **one}
    command = [sys.executable, str(script), str(store), "--out", str(out), *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    lines = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
    return lines[-1]
