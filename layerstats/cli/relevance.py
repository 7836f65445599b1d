"""`layerstats relevance`: which part of what a network hears its answers rest on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerstats.cli.arguments import listed, part_of
from layerstats.cli.network_file import NETWORK_HELP, attributes_of, load_network
from layerstats.cli.sharing import CLIENT_HELP, SHARD_HELP, WORKERS_HELP
from layerstats.cli.speech import (
    ALIGN_HELP,
    CORPUS_HELP,
    DAMAGED_HELP,
    TOO_LONG_HELP,
    align_speech,
    open_speech,
    tell_damage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from layerstats.cli.progress import Steps
    from layerstats.corpora import Corpus


def relevance(
    network: Annotated[str, typer.Argument(help=NETWORK_HELP)],
    store: Annotated[Path, typer.Argument(help="Zarr store to write or to resume.")],
    corpus: Annotated[str, typer.Option(help=CORPUS_HELP)] = "demo",
    target: Annotated[
        str | None,
        typer.Option(
            help="Whose relevance: an output by its name or its number from 0, a unit as conv2:5, own_word (the output "
            "of each token's own word; the default), decision (each token's largest output), or of a network of "
            "letters a letter or emitted (the letter that was read; the default)."
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="gradient, input_x_gradient, integrated_gradients, or a rule: lrp_0, epsilon, epsilon_relative, "
            "gamma, alpha_beta, z_plus, flat, adapted (Krug & Stober 2018)."
        ),
    ] = "epsilon",
    rules: Annotated[
        str | None,
        typer.Option(help="Other rules by layer, type or operation: 'conv1: flat; linear: epsilon(0.01)'."),
    ] = None,
    epsilon: Annotated[float | None, typer.Option(help="Of a rule, in place of its usual one.")] = None,
    dtype: Annotated[str | None, typer.Option(help="Of a rule: type in which the network runs, as float64.")] = None,
    start: Annotated[str | None, typer.Option(help="Of outputs: logit, log_probability, probability or one.")] = None,
    steps: Annotated[int | None, typer.Option(help="Of integrated gradients.")] = None,
    layers: Annotated[
        str,
        typer.Option(help="input, and names or patterns of layers, separated by commas; of letters only the input."),
    ] = "input",
    labels: Annotated[
        str | None,
        typer.Option(help="Names of the network's outputs in order, separated by commas; else those of a checkpoint."),
    ] = None,
    part: Annotated[str, typer.Option(help="Of a ciwGAN or fiwGAN: q_network or discriminator.")] = "q_network",
    recording: Annotated[str | None, typer.Option(help="Name of the recording; by default that of the method.")] = None,
    frames: Annotated[
        str, typer.Option(help="Of letters: runs (one window a run of frames with the same letter) or all.")
    ] = "runs",
    maps: Annotated[bool, typer.Option(help="Keep whole maps, not only their sums.")] = False,
    alignments: Annotated[
        bool, typer.Option(help="Of letters: keep where each window is aligned under every letter, which tests need.")
    ] = False,
    words: Annotated[str | None, typer.Option(help="Only these words, separated by commas.")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split, for instance test.")] = None,
    too_long: Annotated[str, typer.Option(help=TOO_LONG_HELP)] = "error",
    damaged: Annotated[str, typer.Option(help=DAMAGED_HELP)] = "error",
    align: Annotated[bool, typer.Option(help=ALIGN_HELP)] = False,
    untrained: Annotated[
        int, typer.Option(help="Also record this many untrained networks of the same shape.", min=0)
    ] = 0,
    workers: Annotated[int, typer.Option(help=WORKERS_HELP)] = 1,
    client: Annotated[str | None, typer.Option(help=CLIENT_HELP)] = None,
    shard: Annotated[str | None, typer.Option(help=SHARD_HELP)] = None,
) -> None:
    """Record which part of the input, or of layers, an answer of a network rests on, into a store."""
    from layerstats.cli.progress import steps as shown
    from layerstats.errors import ArgumentError
    from layerstats.models import part as part_of_network
    from layerstats.parallel import connected
    from layerstats.probes import decision
    from layerstats.probes.relevance.reading import reads_letters
    from layerstats.probes.relevance.window_question import EMITTED

    numbers = {"epsilon": epsilon, "dtype": dtype, "steps": steps}
    how: dict[str, Any] = {name: value for name, value in numbers.items() if value is not None}
    _check_method(method, how)
    how |= {"method": method, "start": start, "rules": _rules(rules)}
    share = part_of(shard)
    with shown() as step, connected(client) as cluster:
        who = {"workers": workers, "client": cluster, "shard": share}
        step("loading the network")
        module, card = load_network(network)
        module = part_of_network(module, part)
        about = attributes_of(module, card, part)
        letters = reads_letters(module)
        if letters:
            how |= {"target": target or EMITTED, "alignments": alignments}
            _check_letters(module, labels, listed(layers) or [], how)
        elif alignments:
            raise ArgumentError(
                "This network reads no letters, whose windows could be aligned: leave out --alignments."
            )
        speech = open_speech(step, corpus, listed(words), damaged).subset(split=split)
        speech = align_speech(step, speech) if align else speech
        if letters:
            how |= {"maps": maps, "frames": frames, "recording": recording, **who}
            _record_letters(step, module, speech, store, about, how, untrained)
        else:
            outputs = listed(labels) or (None if card is None else list(card.outputs)) or None
            number = target is not None and target.isdecimal() and target not in (outputs or [])
            named = decision if target == "decision" and target not in (outputs or []) else target or "own_word"
            how |= {"target": int(target) if number and target else named, "labels": outputs}
            options = {
                "layers": listed(layers),
                "too_long": too_long,
                "damaged": damaged,
                "maps": maps,
                "recording": recording,
                **who,
            }
            _record_tokens(step, module, speech, store, about, how, options, untrained)
    typer.echo(store)


def _check_method(method: str, options: Mapping[str, Any]) -> None:
    """Refuse what no method takes before any speech is read."""
    from layerstats.errors import ArgumentError
    from layerstats.probes.relevance.methods import options_of

    if method == "occlusion":
        raise ArgumentError(
            "--method occlusion needs to know what is taken away at a time, which the shell cannot say: call "
            "record_relevance(..., method='occlusion', patch= or stretches=) from Python."
        )
    options_of(method, options)


def _check_letters(module: nn.Module, labels: str | None, layers: list[str], how: Mapping[str, Any]) -> None:
    """Refuse what no window could answer before any letter is read."""
    from layerstats.errors import ArgumentError
    from layerstats.probes.relevance.window_question import check_input_only, check_question

    if labels is not None:
        raise ArgumentError(f"The outputs of this network are letters: leave out --labels {labels}.")
    check_input_only(layers)
    asked = dict(how)
    named = {name: asked.pop(name) for name in ("target", "method", "start", "alignments")}
    check_question(module, **named, options=asked)


def _record_letters(
    step: Steps,
    module: nn.Module,
    speech: Corpus,
    store: Path,
    about: Mapping[str, object],
    how: dict[str, Any],
    untrained: int,
) -> None:
    """Record windows of emitted letters; untrained networks hear those of the trained one."""
    from layerstats.models import untrained as fresh
    from layerstats.probes import emitted_letters, record_relevance
    from layerstats.store import untrained_name

    step("reading letters")
    windows = emitted_letters(module, speech, frames=how["frames"], progress=step.move)
    for note in windows.attrs["notes"]:
        typer.echo(f"note: {note}", err=True)
    step("recording")
    record_relevance(module, speech, store, windows=windows, attrs=about, progress=step.move, **how)
    for seed in range(untrained):
        step(f"recording an untrained network ({seed + 1} of {untrained})")
        of_it = {name: value for name, value in about.items() if name != "network_seed"}
        of_it |= {"seed": seed, "trained": False}
        name = f"{how['recording'] or how['method']}_{untrained_name(seed)}"
        options = {**how, "maps": False, "windows": windows, "recording": name, "attrs": of_it}
        record_relevance(fresh(module, seed), speech, store, progress=step.move, **options)


def _record_tokens(
    step: Steps,
    module: nn.Module,
    speech: Corpus,
    store: Path,
    about: Mapping[str, object],
    how: dict[str, Any],
    options: dict[str, Any],
    untrained: int,
) -> None:
    """Record whole tokens."""
    from layerstats.corpora import clips_for
    from layerstats.probes import Relevance, record_relevance, record_untrained

    length = {name: options.pop(name) for name in ("too_long", "damaged")}
    clips = clips_for(module, speech, **length)
    tell_damage(clips)
    step("recording")
    named = {"recording": options.pop("recording")}
    record_relevance(module, clips, store, attrs=about, progress=step.move, **how, **named, **options)
    if untrained:
        step(f"recording {untrained} untrained networks")
        # Maps of these are asked for by nobody.
        quantity = Relevance(**how)
        who = {name: options[name] for name in ("workers", "client", "shard")}
        same = {"quantity": quantity, "layers": options["layers"], "attrs": about, "progress": step.move, **who}
        record_untrained(module, clips, store, range(untrained), **named, **same)


def _rules(text: str | None) -> dict[str, str] | None:
    """Read rules by layer, type or operation."""
    from layerstats.errors import ArgumentError

    if not text:
        return None
    pairs = [part.partition(":") for part in text.split(";") if part.strip()]
    wrong = [name for name, colon, rule in pairs if not (name.strip() and colon and rule.strip())]
    if wrong:
        raise ArgumentError(f"--rules takes 'NAME: RULE; NAME: RULE', for instance 'conv1: flat', but got {text!r}.")
    return {name.strip(): rule.strip() for name, _, rule in pairs}
