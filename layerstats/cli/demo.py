"""`layerstats demo`: the main job, from speech to one page of tables and figures."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerstats.cli.arguments import listed
from layerstats.cli.demo_averages import ANALYSES as AVERAGES
from layerstats.cli.demo_averages import averages_jobs, record_small_windows
from layerstats.cli.demo_listening import ANALYSES as LISTENING
from layerstats.cli.demo_listening import REAL, designing, listening_jobs, real_ratings
from layerstats.cli.demo_maximization import ANALYSES as MAXIMIZATION
from layerstats.cli.demo_maximization import NETWORKS, WITHOUT_SEED, auditioning, maximization_jobs, maximizing, prior
from layerstats.cli.demo_phones import ANALYSES as PHONES
from layerstats.cli.demo_phones import about_phones, phone_vector_jobs, record_small_vectors
from layerstats.cli.demo_relevance import ANALYSES as RELEVANCE
from layerstats.cli.demo_relevance import record_small_relevance, relevance_jobs
from layerstats.cli.script import SINGLE_FILE_HELP, told_page
from layerstats.cli.speech import (
    ALIGN_HELP,
    CORPUS_HELP,
    DAMAGED_HELP,
    TOO_LONG_HELP,
    align_speech,
    open_speech,
    tell_damage,
)
from layerstats.errors import LayerstatsError

if TYPE_CHECKING:
    from layerstats.cli.progress import Steps
    from layerstats.corpora import Clips
    from layerstats.models import ModelCard

TITLE = "Which sounds and words a speech network tells apart, and at which layer"
# The small networks, in the order in which they are compared.
SMALL_KINDS = "ciwGAN Q-network,ciwGAN discriminator,supervised,untrained"
ANALYSES = ("phones", "words", "interactions", "networks", "lexical", "series", "duration", "checks")
# In the order of the page.
PAGE = (*ANALYSES, *PHONES, *RELEVANCE, *AVERAGES, *MAXIMIZATION, *LISTENING, REAL)
# Those that wait for nothing, the longest first.
FIRST = (
    "words",
    *PHONES,
    "lexical",
    "networks",
    "duration",
    "checks",
    "phones",
    "interactions",
    *RELEVANCE,
    *AVERAGES,
    "series",
    REAL,
)
# Untrained networks beside the small ones of several seeds.
SMALL_UNTRAINED = 5


def demo(
    corpus: Annotated[str, typer.Option(help=CORPUS_HELP)] = "demo",
    out: Annotated[Path, typer.Option(help="Folder for the page, its tables and figures, and the store.")] = Path(
        "results/demo"
    ),
    checkpoint: Annotated[
        Path | None, typer.Option(help="Network to look into (.safetensors); the shipped ciwGAN by default.")
    ] = None,
    words: Annotated[str | None, typer.Option(help="Words, separated by commas; the paper's eight by default.")] = None,
    phones: Annotated[str, typer.Option(help="Two sets of phones to contrast, for instance s:sh or p,t,k:b,d,g.")] = (
        "s:sh"
    ),
    untrained: Annotated[int, typer.Option(help="Untrained networks for the null.")] = 20,
    align: Annotated[bool, typer.Option(help=ALIGN_HELP)] = False,
    too_long: Annotated[str, typer.Option(help=TOO_LONG_HELP)] = "error",
    damaged: Annotated[str, typer.Option(help=DAMAGED_HELP)] = "error",
    workers: Annotated[int, typer.Option(help="Analyses that run side by side.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of every simulated quantity.")] = 0,
    single_file: Annotated[bool, typer.Option("--single-file", help=SINGLE_FILE_HELP)] = False,
) -> None:
    """Run the published analysis and what it lacks: speech, network, store, GAMM tables and figures on one page."""
    from layerstats.cli.progress import steps
    from layerstats.report import write_page
    from layerstats.resources import bundled

    store = out / "store.zarr"
    with steps() as step:
        clips = _read_speech(step, corpus, listed(words), align, too_long, damaged)
        network = checkpoint if checkpoint is not None else bundled("data", "checkpoints", "ciwgan.safetensors")
        card = _record(step, clips, store, network, untrained)
        networks = _record_small_networks(step, clips, out / "networks.zarr")
        relevance = record_small_relevance(step, clips, network, out / "relevance")
        jobs = _jobs(store, networks, network, corpus, phones)
        jobs |= relevance_jobs(relevance, letters=corpus.startswith("demo"))
        if not _has_both_sides(clips):
            del jobs["lexical"]
        if corpus.startswith("demo"):
            # What ships was trained on these voices; it has nothing to say of other speech.
            jobs |= averages_jobs(record_small_windows(step, out / "letters.zarr"))
            jobs |= phone_vector_jobs(record_small_vectors(step, out / "phones.zarr"))
            jobs |= maximization_jobs(out / "maximizations.zarr", out / "ladder.zarr")
            jobs |= listening_jobs(out / "maximizations.zarr", out / "listening_designs")
            jobs |= real_ratings()
        # Every other choice is a model more.
        middle = _middle_layer(store)
        jobs["phones"] += ["--sensitivity", middle]
        sides = _sides(clips, untrained)
        if sides:
            chosen = ["--layers", middle, "--workers", "1"]
            jobs["interactions"] = [str(store), "--contrast", phones, *sides, *chosen]
        step(f"analyses: {', '.join(name for name in PAGE if name in jobs)}")
        failures = _analyse(step, jobs, out, workers, seed)
        step("writing the page")
        page = write_page(
            out,
            title=TITLE,
            sections=tuple(name for name in PAGE if name in jobs),
            links={"Listen to what was maximized": "audition/index.html"} if "success" in jobs else None,
            introduction=_introduction(clips, card, untrained) + _about_parts(jobs),
            provenance={"network": network.name, "corpus": corpus, "clips": clips.content_hash()[:12], "seed": seed},
            single_file=single_file,
        )
    typer.echo(told_page(page, single_file))
    if failures:
        raise LayerstatsError("; ".join(failures) + f". What could be made is on {page}.")


def _read_speech(step: Steps, corpus: str, words: list[str] | None, align: bool, too_long: str, damaged: str) -> Clips:
    """Read the held-out part of the corpus (all of it where the corpus has no split) as the network hears it."""
    from layerstats.corpora import PAPER_WORDS, Clips

    speech = open_speech(step, corpus, words, damaged)
    held_out = "test" if "test" in set(speech.tokens["split"]) else None
    known = set(speech.words)
    wanted = words or [word for word in PAPER_WORDS if word in known] or None
    speech = speech.subset(words=wanted, split=held_out)
    if align:
        speech = align_speech(step, speech)
    clips = Clips(speech, too_long=too_long, damaged=damaged)
    tell_damage(clips)
    return clips


def _record(step: Steps, clips: Clips, store: Path, checkpoint: Path, untrained: int) -> ModelCard:
    """Record the network and its untrained twins; returns the network's card."""
    from layerstats.models import load_checkpoint
    from layerstats.probes import network_attributes, record_activations, record_untrained

    network, card = load_checkpoint(checkpoint)
    step(f"recording {len(clips.tokens)} tokens")
    record_activations(network, clips, store, attrs=network_attributes(card), progress=step.move)
    if untrained:
        step(f"recording {untrained} untrained networks")
        record_untrained(network, clips, store, seeds=range(untrained), progress=step.move)
    return card


def _record_small_networks(step: Steps, clips: Clips, store: Path) -> Path:
    """Record the small ciwGANs and supervised twins of several seeds that ship, in one store, which is returned."""
    from layerstats.models import load_checkpoint, part
    from layerstats.probes import network_attributes, record_activations, record_untrained
    from layerstats.resources import bundled

    checkpoints = sorted(bundled("data", "checkpoints", "seeds").glob("*.safetensors"))
    step(f"recording {len(checkpoints)} small networks of several seeds")
    for done, checkpoint in enumerate(checkpoints, start=1):
        network, card = load_checkpoint(checkpoint)
        parts = ("q_network", "discriminator") if hasattr(network, "generator") else ("q_network",)
        for name in parts:
            attrs, recording = network_attributes(card, name), f"{checkpoint.stem}_{name}"
            record_activations(part(network, name), clips, store, group=recording, attrs=attrs)
            if (done, name) == (1, parts[0]):
                record_untrained(network, clips, store, seeds=range(SMALL_UNTRAINED), attrs=attrs)
        step.move(done, len(checkpoints))
    return store


def _has_both_sides(clips: Clips) -> bool:
    """Whether the corpus says which voices were learned from: words get codes on these."""
    return set(clips.tokens["split"]) == {"test"}


def _sides(clips: Clips, untrained: int) -> list[str]:
    """Return what the contrast of phones is compared between: women and men where the corpus knows, and training."""
    sexes = sorted(map(str, set(clips.tokens["sex"].dropna()))) if "sex" in clips.tokens.columns else []
    by = ["--by", f"sex={':'.join(sexes)}"] if len(sexes) == 2 else []
    return [*by, *(["--training"] if untrained else [])]


def _middle_layer(store: Path) -> str:
    """Return the layer in the middle of the network: one is enough to show what is asked."""
    from layerstats.store import open_store

    layers = open_store(store).layers
    return layers[len(layers) // 2]


def _introduction(clips: Clips, card: ModelCard, untrained: int) -> str:
    """Say in words what was heard, by which network."""
    tokens = clips.tokens
    held_out = "held-out " if set(tokens["split"]) == {"test"} else ""
    damaged = len(clips.damaged_tokens)
    left_out = f" {damaged} further tokens whose audio is damaged were left out." if damaged else ""
    counts = f"{len(tokens)} tokens of {tokens['word'].nunique()} words by {tokens['speaker'].nunique()}"
    heard = (
        f"The network {card.name} heard {counts} {held_out}speakers ({clips.corpus.name}). It was trained on: "
        f"{card.training.get('corpus', 'not recorded')}."
    )
    network = f"{card.description}{left_out}{''.join(f' {note}' for note in clips.corpus.notes)}"
    series = (
        "A layer's series is the mean of its feature maps after the activation function, at each point in time (Eq. 1 "
        "of Begus & Zhou 2022). Tests over layers and words carry an adjusted p-value; intervals of curves are "
        "simultaneous unless they say otherwise."
    )
    null = f" The same analysis of {untrained} untrained networks of the same shape is the null." if untrained else ""
    return f"{heard}\n\n{network}\n\n{series}{null}"


def _about_parts(jobs: Mapping[str, list[str]]) -> str:
    """Say in words what else is on the page."""
    phones = about_phones() if "phone_layers" in jobs else ""
    return phones + _about_maximization(jobs) + _about_listeners(jobs)


def _about_maximization(jobs: Mapping[str, list[str]]) -> str:
    """Say in words what was maximized, where something was."""
    if "success" not in jobs:
        return ""
    return (
        f"\n\n{NETWORKS} small classifiers of the words of Speech Commands, of one make and several seeds, and an "
        "autoencoder, which all learned from built-in voices: what maximizes a word of one of them, who else hears the "
        "word in it, and what would be heard without it (untrained networks, shuffled labels, no steps, random "
        "directions, natural exemplars). A small cut: a few words and starts, so that intervals are wide."
    )


def _about_listeners(jobs: Mapping[str, list[str]]) -> str:
    """Say in words who listened, where a listening test is shown."""
    if "listening" not in jobs:
        return ""
    real = " Beside it are real ratings, those of the Voice Conversion Challenge 2018." if REAL in jobs else ""
    return (
        "\n\nThe listening test of what was maximized shows how answers are analysed: its raters are simulated, nobody "
        f"listened, and what it finds was put in.{real}"
    )


def _jobs(store: Path, networks: Path, network: Path, corpus: str, phones: str) -> dict[str, list[str]]:
    """Return the arguments of each script of `analyses/`."""
    # One worker each: the scripts themselves run side by side.
    main, one = [str(store)], ["--workers", "1"]
    return {
        "words": [*main, *one, "--corpus", corpus],
        "phones": [*main, *one, "--corpus", corpus, "--phones", phones],
        "networks": [str(networks), "--phones", phones, "--kinds", SMALL_KINDS],
        # A small cut: fewer noise vectors and untrained networks than the script takes by itself.
        "lexical": [str(network), "--corpus", corpus, "--voices", "10", "--seeds", "3"],
        "series": [*main, "--corpus", corpus],
        "duration": [*main, *one],
        "checks": [*main, *one],
    }


def _analyse(step: Steps, jobs: dict[str, list[str]], out: Path, workers: int, seed: int) -> list[str]:
    """Run the scripts of `analyses/`, several at once; returns a line for each that failed."""
    done, wanted = [], [name for name in (*FIRST, *MAXIMIZATION, *LISTENING) if name in jobs]
    with ThreadPoolExecutor(workers) as pool:

        def submit(names: Sequence[str]) -> dict[str, Future[str | None]]:
            scripts = {name: _script(name, jobs[name], out / name, seed) for name in names if name in jobs}
            return {name: pool.submit(_run, command) for name, command in scripts.items()}

        store = out / "maximizations.zarr"
        maximized = pool.submit(_run, maximizing(store, seed)) if "success" in jobs else None
        running = submit(FIRST)
        if maximized is not None:
            running["maximizing"] = maximized
            # These wait for the store; the others run meanwhile.
            if maximized.result() is None:
                running |= submit(MAXIMIZATION)
                running["audition"] = pool.submit(_run, auditioning(store, out / "audition"))
                designs = pool.submit(_run, designing(store, out / "listening_designs", prior(), seed))
                running["designing"] = designs
                if designs.result() is None:
                    running |= submit(LISTENING)
        failures = []
        for name, future in running.items():
            error = future.result()
            failures += [f"{name}: {error}"] if error else []
            done.append(name)
            step.move(min(len(done), len(wanted)), len(wanted))
    return failures


def _script(name: str, arguments: list[str], out: Path, seed: int) -> list[str]:
    """Return the command that runs a script of `analyses/`; not all draw anything."""
    from layerstats.resources import bundled

    seeded = [] if name in (*WITHOUT_SEED, "relevance_contrasts") else ["--seed", str(seed)]
    return [sys.executable, str(bundled("analyses", f"{name}.py")), *arguments, "--out", str(out), *seeded]


def _run(command: list[str]) -> str | None:
    """Run a command in a process of its own; returns its last line on stderr if it failed."""
    # One thread each: several run side by side. Plain tracebacks end with the message.
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TYPER_STANDARD_TRACEBACK": "1"}
    result = subprocess.run(command, env={**os.environ, **one}, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    lines = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
    return lines[-1]
