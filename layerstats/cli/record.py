"""`layerstats record`: what the layers of any network do with the speech of any corpus."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
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
    SLICE_HELP,
    TOO_LONG_HELP,
    align_speech,
    open_speech,
    tell_damage,
)

if TYPE_CHECKING:
    from layerstats.probes import Quantity


def record(
    network: Annotated[str, typer.Argument(help=NETWORK_HELP)],
    store: Annotated[Path, typer.Argument(help="Zarr store to write or to resume.")],
    corpus: Annotated[
        str,
        typer.Option(help=CORPUS_HELP),
    ] = "demo",
    part: Annotated[str, typer.Option(help="Of a ciwGAN or fiwGAN: q_network or discriminator.")] = "q_network",
    layers: Annotated[
        str | None,
        typer.Option(help="Names or patterns of layers, separated by commas; the network's own, else conv*."),
    ] = None,
    words: Annotated[str | None, typer.Option(help="Only these words, separated by commas.")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split, for instance test.")] = None,
    axes: Annotated[
        str | None,
        typer.Option(help="Axes of the layers' output, for instance token,sample,channel; found by default."),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="Length that every clip is padded to; the network's own, else 16384 samples.")
    ] = None,
    rate_hz: Annotated[
        int | None, typer.Option(help="Sampling rate that the network expects; its own, else 16000.")
    ] = None,
    own_lengths: Annotated[
        bool,
        typer.Option(
            "--own-lengths",
            help="Let the network hear every token as long as it is, not filled up to one length; networks that others "
            "trained do so by themselves.",
        ),
    ] = False,
    normalisation: Annotated[
        str | None,
        typer.Option(help="Of each token: peak, rms, standard or none; the network's own, else peak."),
    ] = None,
    too_long: Annotated[str, typer.Option(help=TOO_LONG_HELP)] = "error",
    damaged: Annotated[str, typer.Option(help=DAMAGED_HELP)] = "error",
    maps: Annotated[bool, typer.Option(help="Keep every feature map, not only their mean.")] = False,
    phones: Annotated[
        bool, typer.Option("--phones", help="Keep every channel averaged over each phone, (phone, channel).")
    ] = False,
    summary: Annotated[
        str | None,
        typer.Option(
            help="What is stored of the channels, separated by commas: mean, root_mean_square (where a norm fixes the "
            "mean). By default the mean, of gradients both."
        ),
    ] = None,
    quantity: Annotated[str, typer.Option(help="activation, or gradient (of --target).")] = "activation",
    target: Annotated[
        str | None,
        typer.Option(help="Of which output gradients are taken: its number from 0, its name, or own_word."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(help="Names of the network's outputs in order, separated by commas; else those of a checkpoint."),
    ] = None,
    times_activation: Annotated[
        bool, typer.Option("--times-activation", help="Multiply gradients by what the layers give.")
    ] = False,
    align: Annotated[bool, typer.Option(help=ALIGN_HELP)] = False,
    slice_words: Annotated[bool, typer.Option("--slice-words", help=SLICE_HELP)] = False,
    untrained: Annotated[int, typer.Option(help="Also record this many untrained networks of the same shape.")] = 0,
    acoustics: Annotated[
        bool, typer.Option("--acoustics", help="Also record a log-mel spectrogram of 80 bands, as the sound alone.")
    ] = False,
    plan: Annotated[
        bool,
        typer.Option(
            "--plan",
            help="Only say what the recording will take in time, memory and disk, for means, phones and maps and "
            "several numbers of workers, from ten tokens that are recorded on trial.",
        ),
    ] = False,
    workers: Annotated[int, typer.Option(help=WORKERS_HELP)] = 1,
    client: Annotated[str | None, typer.Option(help=CLIENT_HELP)] = None,
    shard: Annotated[str | None, typer.Option(help=SHARD_HELP)] = None,
) -> None:
    """Record what layers do with the speech of a corpus, or what an output depends on, into a store."""
    from layerstats.cli.progress import steps
    from layerstats.cli.script import stopping
    from layerstats.corpora import clips_for
    from layerstats.models import part as part_of_network
    from layerstats.parallel import connected
    from layerstats.probes import Activation, forecast_recording, record_acoustics, record_untrained
    from layerstats.probes import record as record_layers
    from layerstats.probes.recording.own_lengths import batching_note
    from layerstats.probes.recording.plan import part_of_shards

    share = part_of(shard)
    part_of_shards(share, workers, client)  # before a corpus is read
    # A plan that is ended leaves no folder behind.
    ending = stopping(kept=False) if plan else nullcontext()
    with ending, steps() as step, connected(client) as cluster:
        # Utterances are sliced before words can be chosen.
        speech = open_speech(step, corpus, None if slice_words else listed(words), damaged).subset(split=split)
        if align or slice_words:
            speech = align_speech(step, speech, slice_words)
        if slice_words:
            speech = speech.subset(words=listed(words))
        step("loading the network")
        module, card = load_network(network)
        module = part_of_network(module, part)
        length = _length(rate_hz, samples, own_lengths, normalisation)
        clips = clips_for(module, speech, **length, too_long=too_long, damaged=damaged)
        tell_damage(clips)
        attrs = attributes_of(module, card, part)
        outputs = listed(labels) or ([] if card is None else list(card.outputs))
        wanted = partial(_quantity, quantity, listed(summary), target, outputs, times_activation)
        names = listed(axes)
        options = {"layers": listed(layers), "axes": None if names is None else tuple(names)}
        if plan:
            step("recording a few tokens on trial")
            kinds = _kinds(wanted, quantity == "activation" and len(clips.phones) > 0)
            typer.echo(forecast_recording(module, clips, store, kinds, **options))
            return
        options |= {"workers": workers, "client": cluster, "shard": share}
        step("recording")
        recorded = record_layers(module, clips, store, wanted(phones, maps), attrs=attrs, progress=step.move, **options)
        if recorded.ragged:
            typer.echo(batching_note(recorded.recording_attrs["batches"]), err=True)
        if untrained:
            step(f"recording {untrained} untrained networks")
            # Maps of these are asked for by nobody.
            plain = wanted(phones, False)
            record_untrained(module, clips, store, range(untrained), quantity=plain, progress=step.move, **options)
        if acoustics:
            step("recording the sound alone")
            sharing = {name: options[name] for name in ("workers", "client", "shard")}
            record_acoustics(clips, store, quantity=Activation(phones=phones), progress=step.move, **sharing)
    typer.echo(store)


def _length(rate_hz: int | None, samples: int | None, own_lengths: bool, normalisation: str | None) -> dict[str, Any]:
    """Return how clips are made where it is not left to the network."""
    from layerstats.errors import ArgumentError

    if own_lengths and samples is not None:
        raise ArgumentError("Clips have lengths of their own (--own-lengths) or one length (--samples), not both.")
    given = {"rate_hz": rate_hz, "samples": samples, "normalisation": normalisation}
    chosen = {name: value for name, value in given.items() if value is not None}
    return {**chosen, "samples": None} if own_lengths else chosen


def _kinds(wanted: Callable[[bool, bool], Quantity], phones: bool) -> dict[str, Quantity]:
    """Return what may be stored, from little to much."""
    with_phones = {"phones": wanted(True, False)} if phones else {}
    return {"means": wanted(False, False), **with_phones, "maps": wanted(phones, True)}


def _quantity(
    kind: str,
    summary: list[str] | None,
    target: str | None,
    outputs: list[str],
    times_activation: bool,
    phones: bool,
    maps: bool,
) -> Quantity:
    """Return what is to be recorded."""
    from layerstats.checks import check_choice
    from layerstats.errors import ArgumentError
    from layerstats.probes import Activation, Gradient

    check_choice("--quantity", kind, ["activation", "gradient"])
    chosen = {} if summary is None else {"summary": summary}
    if kind == "activation":
        if target is not None or times_activation:
            raise ArgumentError("Activations have no --target and no --times-activation. Add --quantity gradient.")
        return Activation(maps=maps, phones=phones, **chosen)
    if phones:
        raise ArgumentError("Of gradients no averages over phones are kept: leave out --phones, or keep --maps.")
    if target is None:
        raise ArgumentError(
            "Say with --target of which output gradients are taken: its number from 0, its name, or own_word for the "
            f"output of each token's own word. {_told(outputs)}"
        )
    number = target.isdecimal() and target not in outputs
    return Gradient(
        int(target) if number else target, outputs or None, times_activation=times_activation, maps=maps, **chosen
    )


def _told(outputs: list[str]) -> str:
    return f"The outputs are: {', '.join(outputs)}." if outputs else "The outputs have no names unless --labels do."
