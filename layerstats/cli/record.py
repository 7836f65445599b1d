"""`layerstats record`: what the layers of any network do with the speech of any corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli.arguments import listed
from layerstats.cli.network_file import load_network
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


def record(
    network: Annotated[str, typer.Argument(help="FILE.safetensors, or FILE.py:FUNCTION that returns a torch module.")],
    store: Annotated[Path, typer.Argument(help="Zarr store to write or to resume.")],
    corpus: Annotated[
        str,
        typer.Option(help=CORPUS_HELP),
    ] = "demo",
    part: Annotated[str, typer.Option(help="Of a ciwGAN or fiwGAN: q_network or discriminator.")] = "q_network",
    layers: Annotated[str, typer.Option(help="Names or patterns of layers, separated by commas.")] = "conv*",
    words: Annotated[str | None, typer.Option(help="Only these words, separated by commas.")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split, for instance test.")] = None,
    axes: Annotated[
        str | None,
        typer.Option(help="Axes of the layers' output, for instance token,sample,channel; found by default."),
    ] = None,
    samples: Annotated[int, typer.Option(help="Length that every clip is padded to, in samples.")] = 16384,
    rate_hz: Annotated[int, typer.Option(help="Sampling rate that the network expects.")] = 16000,
    too_long: Annotated[str, typer.Option(help=TOO_LONG_HELP)] = "error",
    damaged: Annotated[str, typer.Option(help=DAMAGED_HELP)] = "error",
    maps: Annotated[bool, typer.Option(help="Keep every feature map, not only their mean.")] = False,
    summary: Annotated[
        str, typer.Option(help="What is stored of the channels: mean, or root_mean_square where a norm fixes the mean.")
    ] = "mean",
    align: Annotated[bool, typer.Option(help=ALIGN_HELP)] = False,
    slice_words: Annotated[bool, typer.Option("--slice-words", help=SLICE_HELP)] = False,
    untrained: Annotated[int, typer.Option(help="Also record this many untrained networks of the same shape.")] = 0,
) -> None:
    """Record the layers' activations on a corpus into a store."""
    from layerstats.cli.progress import steps
    from layerstats.corpora import Clips
    from layerstats.models import part as part_of
    from layerstats.probes import network_attributes, record_activations, record_untrained

    with steps() as step:
        # Utterances are sliced before words can be chosen.
        speech = open_speech(step, corpus, None if slice_words else listed(words), damaged).subset(split=split)
        if align or slice_words:
            speech = align_speech(step, speech, slice_words)
        if slice_words:
            speech = speech.subset(words=listed(words))
        clips = Clips(speech, rate_hz=rate_hz, samples=samples, too_long=too_long, damaged=damaged)
        tell_damage(clips)
        step("loading the network")
        module, card = load_network(network)
        module = part_of(module, part)
        attrs = {} if card is None else network_attributes(card, part)
        names = listed(axes)
        options = {"layers": listed(layers), "axes": None if names is None else tuple(names), "summary": summary}
        step("recording")
        record_activations(module, clips, store, maps=maps, attrs=attrs, progress=step.move, **options)
        if untrained:
            step(f"recording {untrained} untrained networks")
            record_untrained(module, clips, store, seeds=range(untrained), progress=step.move, **options)
    typer.echo(store)
