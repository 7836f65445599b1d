"""What the layers of a network do with speech: any torch module in, series in a store out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from layerstats.checks import check_choice, check_count
from layerstats.corpora import Clips, Corpus
from layerstats.errors import NetworkError
from layerstats.models import device_for, dtype_of, part, running, seeded_everywhere
from layerstats.probes.batches import read_batches
from layerstats.probes.capture import Capture, capture
from layerstats.probes.inputs import InputTime, call, input_time, prepare, tensors_of
from layerstats.probes.key import model_hash, tensors_hash
from layerstats.probes.layers.axes import Axes, check_names_of_axes, series
from layerstats.probes.layers.choose import choose_layers
from layerstats.probes.layers.examine import LayerExamined, examine
from layerstats.probes.layers.rounding import other_machine
from layerstats.probes.layers.trace import LayerFacts, trace_layers
from layerstats.probes.ready import check_ready
from layerstats.probes.recorded import check_recorded, key_there
from layerstats.store import SUMMARIES, Experiment, LayerSpec, RecordingWriter, content_hash, open_store

# About as many tokens as a chunk of the store holds.
_CHUNK = 64


@dataclass(frozen=True)
class _Options:
    """How a recording is made; what determines its values goes into its key."""

    layers: tuple[str, ...]
    maps: bool
    axes: Axes | None
    batch_size: int
    input_hop_s: float | None
    input_axes: tuple[str, ...] | None
    prepare_input: Callable[[Tensor], Any] | None
    choose_output: Callable[[object], Tensor] | None
    summary: str


def record_activations(
    model: nn.Module,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    layers: str | Sequence[str] = "conv*",
    group: str = "activations",
    maps: bool = False,
    axes: Axes | None = None,
    batch_size: int = 32,
    device: str = "auto",
    input_hop_s: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    prepare_input: Callable[[Tensor], Any] | None = None,
    input_axes: Sequence[str] | None = None,
    choose_output: Callable[[object], Tensor] | None = None,
    summary: str = "mean",
    attrs: Mapping[str, object] | None = None,
) -> Experiment:
    """Record the activations of a network's layers, averaged over channels, into a store.

    Every chosen layer gives a series (token, sample): the mean of its output over all other axes (Begus & Zhou 2022,
    Eq. 1), with the time of the centre of each sample's receptive field. The network is put in eval mode and left
    exactly as it was. A run that was killed goes on where it stopped when it is called again, and ends with the same
    bytes; the same call on a finished recording does nothing.

    Parameters
    ----------
    model : torch.nn.Module
        Any network; an InfoWaveGAN is its Q-network here (`layerstats.models.part` gives its discriminator).
    corpus : Corpus or Clips
        The speech; a Corpus is heard as `Clips(corpus)`.
    store : path
        Zarr directory, made if it is not there.
    layers : str or sequence of str
        Names as in `model.named_modules()` or patterns, in which `*` stands for any part of one name between dots.
    group : str
        `activations`, or `untrained/seed_NN`.
    maps : bool
        Store full maps (token, channel, sample) too, as float32. Axes other than token and sample become one, in
        their order.
    axes : sequence of str, or mapping of layer names or patterns to such
        Names of the axes of the layers' outputs, with `token` and `sample` among them. By default they are found: time
        is the axis that changes with the clip's length, else what the types of the modules say; where neither tells,
        the layer is refused.
    batch_size : int
        Tokens that go through the network together.
    device : str
        "auto" (a GPU where there is one), or a torch device. The network returns to where it was.
    input_hop_s : float, optional
        Seconds from one sample of the network's input to the next, where that is not the waveform.
    progress : callable, optional
        Called with (tokens done, tokens in all).
    prepare_input : callable, optional
        Makes the network's input, a tensor or a mapping of keyword arguments, of waveforms (token, sample).
    input_axes : sequence of str, optional
        Names of the axes of that input; by default (token, sample), (token, channel, sample) or
        (token, channel, frequency, sample).
    choose_output : callable, optional
        Picks the tensor to record from a layer's output; by default the first one in a tuple or ModelOutput.
    summary : {"mean", "root_mean_square"}
        What is stored of the channels. The mean is that of Begus & Zhou; where a LayerNorm fixes it, the root mean
        square still says how much a layer does.
    attrs : mapping, optional
        More provenance for the recording, for instance from `network_attributes`.

    Returns
    -------
    Experiment
        The store, seen through this recording.

    Raises
    ------
    ArgumentError
        No layer fits, the axes do not fit the output or cannot be found, or the device does not exist.
    AudioError
        The audio of a token cannot be used; before anything is written.
    DataError
        A layer gives NaN or infinite values.
    NetworkError
        The network fails, is not the same each time, or a token's values depend on the others in the batch.
    StoreError
        The store holds another recording in this group, be it of other weights, options or code; or other clips; or
        the disk is full.

    Notes
    -----
    The attributes of each layer say how far its times can be trusted. `geometry` is where they come from: "layers"
    (padding, kernels and strides of the modules, in order of execution), "gradients" (measured), or "length_ratio"
    (neither was to be had, and the clip is divided evenly). `context` is what an output depends on: "local" (its
    receptive field, confirmed by gradients), "clip" (attention, recurrence or a norm over time: `receptive_field_s` is
    then the whole clip), or "unverified". `activation` is "unknown" where it is applied by a function, not a module.
    `channel_rms` is the size of the layer's values on the first tokens, and `fixed_mean` (`fixed_root_mean_square`) is
    there where what is recorded is one number but for rounding: the type of the module that fixes it, say "LayerNorm".

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import ConvolutionalEncoder
    >>> speech = demo_corpus(words=["ask", "wash"], voices=4)
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = record_activations(network, speech, f"{folder}/speech.zarr", layers="conv*")
    ...     experiment.layer("conv5")["mean"].shape
    (8, 16)
    """
    check_count("batch_size", batch_size)
    check_choice("summary", summary, SUMMARIES)
    model = part(model)
    clips = corpus if isinstance(corpus, Clips) else Clips(corpus)
    clips.check_audio()  # before a store is begun that other tokens could not go on with
    names = choose_layers(model, layers)
    check_names_of_axes(axes, names)
    check_ready(model, names)
    input_names = None if input_axes is None else tuple(input_axes)
    options = _Options(names, maps, axes, batch_size, input_hop_s, input_names, prepare_input, choose_output, summary)
    place = device_for(model, device)
    weights = model_hash(model)
    with seeded_everywhere(0, place), running(model, place):
        found = _examine(model, clips, options, place)
        keys = _keys(weights, clips, options, found)
        about = {**clips.attrs, **(attrs or {}), "model": type(model).__name__, "model_hash": weights}
        with RecordingWriter(
            store,
            group,
            clips.tokens,
            clips.phones,
            [_spec(fact, found, options) for fact in found.facts.values()],
            key=key_there(store, group, keys),
            attrs={**about, "batch_size": batch_size, "device": place.type},
            store_attrs={"corpus_hash": clips.content_hash(), "torch_version": torch.__version__},
            maps=maps,
            summary=summary,
            # Whole batches in a chunk, so that a resumed run forms the same batches.
            chunk_tokens=batch_size if maps else batch_size * max(1, _CHUNK // batch_size),
        ) as writer:
            _check_values(model, clips, options, found, place, store, group, writer.completed)
            if not writer.complete:
                _stream(model, clips, options, found, place, writer, progress)
                writer.finish()
    # The main one may be half-written by another process.
    return open_store(store, recording=group)


@dataclass(frozen=True)
class _Found:
    """What the first tokens told of the network and of its input."""

    examined: dict[str, LayerExamined]
    facts: dict[str, LayerFacts]
    time: InputTime
    # Hashes of what the caller's functions make of the first token, which keys of earlier versions hold.
    made: list[str]

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        return {name: one.axes for name, one in self.examined.items()}


def _examine(model: nn.Module, clips: Clips, options: _Options, place: torch.device) -> _Found:
    """Run the first tokens: the layers' facts, and a hash of what the caller's functions make of them."""
    waveform = torch.from_numpy(clips.waveforms(slice(0, 1))).to(place)
    prepared = prepare(waveform, options.prepare_input, dtype_of(model))
    time = input_time(prepared, options.input_axes, options.input_hop_s, clips.rate_hz, clips.samples)
    examined, first = examine(
        model,
        clips,
        options.layers,
        place,
        axes=options.axes,
        batch_size=options.batch_size,
        summary=options.summary,
        prepare_input=options.prepare_input,
        choose_output=options.choose_output,
    )
    axes = {name: found.axes for name, found in examined.items()}
    facts = trace_layers(model, prepared, time, options.layers, axes, options.choose_output)
    for name, fact in facts.items():
        if examined[name].same_for_all and not fact.hears_input:
            raise NetworkError(
                f"Layer {name!r} gives the same for every token: it does not depend on the speech. Choose another "
                "layer, or with choose_output= another part of its output."
            )
    made = []
    if options.prepare_input is not None:
        made.append(tensors_hash(tensors_of(prepared)))
    if options.choose_output is not None:
        means = {name: series(first.outputs[name], axes[name]).cpu().numpy() for name in options.layers}
        made.append(content_hash(means))
    return _Found(examined, facts, time, made)


def _keys(weights: str, clips: Clips, options: _Options, found: _Found) -> list[str]:
    """Return the key of a recording, and the one that earlier versions gave it.

    Functions of the caller cannot be hashed. What they make of a token can, but rounding differs between machines: the
    values of the recording are compared instead. Earlier versions hashed it.
    """
    told: dict[str, object] = {
        "layers": list(options.layers),
        "maps": options.maps,
        "axes": [list(axes) for axes in found.axes.values()],
        "batch_size": options.batch_size,
        "input_hop_s": options.input_hop_s,
        "input_axes": options.input_axes,
    }
    if options.summary != "mean":
        told["summary"] = options.summary
    functions = [name for name in ("prepare_input", "choose_output") if getattr(options, name) is not None]
    about = (weights, clips.content_hash(), dict(clips.attrs), told)
    keys = [content_hash(*about, functions)]
    return keys if not functions else [*keys, content_hash(*about, found.made)]


def _spec(fact: LayerFacts, found: _Found, options: _Options) -> LayerSpec:
    grid, time, seen = fact.grid, found.time, found.examined[fact.name]
    return LayerSpec(
        fact.name,
        time_s=grid.centres() * time.hop_s,
        channels=fact.channels,
        attrs={
            "layer": fact.name,
            "activation": fact.activation,
            "slope": fact.slope,
            "hop_s": grid.hop * time.hop_s,
            "receptive_field_s": grid.field * time.hop_s,
            "offset_s": grid.start * time.hop_s,
            "geometry": fact.geometry,
            "context": fact.context,
            "channels": fact.channels,
            "output_axes": list(fact.axes),
            "channel_rms": seen.channel_rms if np.isfinite(seen.channel_rms) else None,
            f"fixed_{options.summary}": fact.last_module if seen.fixed else None,
        },
    )


def _batch(
    model: nn.Module, clips: Clips, options: _Options, place: torch.device, rows: slice, waveforms: np.ndarray
) -> None:
    # Networks and preparations that draw random numbers draw the same ones after a resume.
    with seeded_everywhere(rows.start, place):
        call(model, prepare(torch.from_numpy(waveforms).to(place), options.prepare_input, dtype_of(model)))


def _check_values(
    model: nn.Module,
    clips: Clips,
    options: _Options,
    found: _Found,
    place: torch.device,
    store: str | os.PathLike[str],
    group: str,
    written: int,
) -> None:
    """Compare the first and the last batch that is on disk with what the network gives of it now."""
    if not written:
        return
    size, tokens = options.batch_size, clips.tokens["token"].tolist()
    tolerance = {name: max(other_machine(one.dtype), 10 * one.rounding) for name, one in found.examined.items()}
    rms = {name: one.channel_rms for name, one in found.examined.items()}
    with _captured(model, options, found) as layers:
        for start in sorted({0, (written - 1) // size * size}):
            rows = slice(start, min(start + size, len(tokens)))
            _batch(model, clips, options, place, rows, clips.waveforms(rows))
            series_now, maps_now = layers.take(tokens[rows])
            arrays = {options.summary: series_now, "maps": maps_now}
            there = slice(start, min(rows.stop, written))
            arrays = {
                variable: {name: values[: there.stop - start] for name, values in by_layer.items()}
                for variable, by_layer in arrays.items()
            }
            check_recorded(store, group, there, arrays, tolerance, rms)


def _captured(model: nn.Module, options: _Options, found: _Found) -> AbstractContextManager[Capture]:
    return capture(model, found.axes, options.maps, options.choose_output, options.summary)


def _stream(
    model: nn.Module,
    clips: Clips,
    options: _Options,
    found: _Found,
    place: torch.device,
    writer: RecordingWriter,
    progress: Callable[[int, int], None] | None,
) -> None:
    tokens = clips.tokens["token"].tolist()
    with (
        _captured(model, options, found) as layers,
        closing(read_batches(clips, options.batch_size, writer.completed)) as batches,
    ):
        for rows, waveforms in batches:
            _batch(model, clips, options, place, rows, waveforms)
            means, maps = layers.take(tokens[rows])
            writer.append(means, maps or None)
            if progress is not None:
                progress(rows.stop, len(tokens))
