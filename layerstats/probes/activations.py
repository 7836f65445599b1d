"""What the layers of a network do with speech: any torch module in, series in a store out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from layerstats.checks import check_positive
from layerstats.corpora import Clips, Corpus
from layerstats.models import part, seeded
from layerstats.probes.axes import Axes
from layerstats.probes.batches import read_batches
from layerstats.probes.capture import capture
from layerstats.probes.inputs import InputTime, call, input_time, prepare
from layerstats.probes.key import model_hash, tensors_hash
from layerstats.probes.layers import choose_layers
from layerstats.probes.quiet import at_rest, dtype_of, place_for
from layerstats.probes.trace import LayerFacts, trace_layers
from layerstats.store import Experiment, LayerSpec, RecordingWriter, content_hash, open_store

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
        Names of the axes of the layers' outputs, with `token` and `sample` among them. By default
        (token, channel, sample); a transformer's layers are ("token", "sample", "channel").
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
    attrs : mapping, optional
        More provenance for the recording, for instance from `network_attributes`.

    Returns
    -------
    Experiment
        The store, seen through this recording.

    Raises
    ------
    ArgumentError
        No layer fits, the axes do not fit the output, or the device does not exist.
    AudioError
        The audio of a token cannot be used; before anything is written.
    DataError
        A layer gives NaN or infinite values.
    StoreError
        The store holds another recording in this group, or other clips, or the disk is full.

    Notes
    -----
    The attributes of each layer say how far its times can be trusted. `geometry` is where they come from: "layers"
    (padding, kernels and strides of the modules, in order of execution), "gradients" (measured), or "length_ratio"
    (neither was to be had, and the clip is divided evenly). `context` is what an output depends on: "local" (its
    receptive field, confirmed by gradients), "clip" (attention, recurrence or a norm over time: `receptive_field_s` is
    then the whole clip), or "unverified". `activation` is "unknown" where it is applied by a function, not a module.

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
    check_positive("batch_size", batch_size)
    model = part(model)
    clips = corpus if isinstance(corpus, Clips) else Clips(corpus)
    clips.check_audio()  # before a store is begun that other tokens could not go on with
    names = choose_layers(model, layers)
    input_names = None if input_axes is None else tuple(input_axes)
    options = _Options(names, maps, axes, batch_size, input_hop_s, input_names, prepare_input, choose_output)
    place = place_for(model, device)
    weights = model_hash(model)
    with seeded(0, place), at_rest(model, place):
        facts, time, probe = _look(model, clips, options, place)
        key = content_hash(weights, clips.content_hash(), dict(clips.attrs), _told(options, facts), probe)
        about = {**clips.attrs, **(attrs or {}), "model": type(model).__name__, "model_hash": weights}
        with RecordingWriter(
            store,
            group,
            clips.tokens,
            clips.phones,
            [_spec(fact, time) for fact in facts.values()],
            key=key,
            attrs={**about, "batch_size": batch_size, "device": place.type},
            store_attrs={"corpus_hash": clips.content_hash(), "torch_version": torch.__version__},
            maps=maps,
            # Whole batches in a chunk, so that a resumed run forms the same batches.
            chunk_tokens=batch_size if maps else batch_size * max(1, _CHUNK // batch_size),
        ) as writer:
            if not writer.complete:
                _stream(model, clips, options, facts, place, writer, progress)
                writer.finish()
    experiment = open_store(store)
    return experiment if group == "activations" else experiment.recording(group)


def _look(
    model: nn.Module, clips: Clips, options: _Options, place: torch.device
) -> tuple[dict[str, LayerFacts], InputTime, list[str]]:
    """Run the first token: the layers' facts, and a hash of what the caller's functions make of it."""
    waveform = torch.from_numpy(clips.waveforms(slice(0, 1))).to(place)
    prepared = prepare(waveform, options.prepare_input, dtype_of(model))
    time = input_time(prepared, options.input_axes, options.input_hop_s, clips.rate_hz, clips.samples)
    facts = trace_layers(model, prepared, time, options.layers, options.axes, options.choose_output)
    # Functions cannot be hashed; what they make of the first token can.
    probe = []
    if options.prepare_input is not None:
        parts = prepared if isinstance(prepared, Mapping) else {"input": prepared}
        probe.append(tensors_hash({name: value for name, value in parts.items() if isinstance(value, Tensor)}))
    if options.choose_output is not None:
        with capture(model, {name: fact.axes for name, fact in facts.items()}, False, options.choose_output) as layers:
            call(model, prepared)
            means, _ = layers.take([clips.tokens["token"].iloc[0]])
        probe.append(content_hash(means))
    return facts, time, probe


def _told(options: _Options, facts: Mapping[str, LayerFacts]) -> dict[str, object]:
    return {
        "layers": list(options.layers),
        "maps": options.maps,
        "axes": [list(fact.axes) for fact in facts.values()],
        "batch_size": options.batch_size,
        "input_hop_s": options.input_hop_s,
        "input_axes": options.input_axes,
    }


def _spec(fact: LayerFacts, time: InputTime) -> LayerSpec:
    grid = fact.grid
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
        },
    )


def _stream(
    model: nn.Module,
    clips: Clips,
    options: _Options,
    facts: Mapping[str, LayerFacts],
    place: torch.device,
    writer: RecordingWriter,
    progress: Callable[[int, int], None] | None,
) -> None:
    tokens = clips.tokens["token"].tolist()
    axes = {name: fact.axes for name, fact in facts.items()}
    dtype = dtype_of(model)
    with (
        capture(model, axes, options.maps, options.choose_output) as layers,
        closing(read_batches(clips, options.batch_size, writer.completed)) as batches,
    ):
        for rows, waveforms in batches:
            # Networks and preparations that draw random numbers draw the same ones after a resume.
            with seeded(rows.start, place):
                call(model, prepare(torch.from_numpy(waveforms).to(place), options.prepare_input, dtype))
            means, maps = layers.take(tokens[rows])
            writer.append(means, maps or None)
            if progress is not None:
                progress(rows.stop, len(tokens))
