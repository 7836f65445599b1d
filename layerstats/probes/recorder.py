"""The one recorder: any torch module and any speech in, a quantity of its layers in a store out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from layerstats.checks import check_count
from layerstats.corpora import Clips, Corpus, clips_for
from layerstats.errors import ArgumentError, NetworkError
from layerstats.models import device_for, dtype_of, part, running, seeded_everywhere
from layerstats.probes.batches import read_batches
from layerstats.probes.inputs import InputTime, axes_of_input, input_time, prepare, tensors_of
from layerstats.probes.key import model_hash, tensors_hash
from layerstats.probes.layers.axes import Axes, check_names_of_axes, series
from layerstats.probes.layers.examine import TOKENS, Examination, examine
from layerstats.probes.layers.input_layer import INPUT, WithInput, choose_with_input
from layerstats.probes.layers.rounding import other_machine
from layerstats.probes.layers.trace import LayerFacts, trace_layers
from layerstats.probes.mel_inputs import HeardInput, heard_input
from layerstats.probes.quantity import Batch, Quantity
from layerstats.probes.ready import check_ready
from layerstats.probes.recorded import check_recorded, key_there
from layerstats.probes.reduced import Arrays, FirstValues, first_values, joined, measure
from layerstats.store import (
    Experiment,
    LayerSpec,
    RecordingWriter,
    VariableSpec,
    content_hash,
    open_store,
    tokens_in_shard,
)


def record(
    model: nn.Module,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    quantity: Quantity,
    layers: str | Sequence[str] = "conv*",
    recording: str | None = None,
    *,
    axes: Axes | None = None,
    batch_size: int = 32,
    device: str = "auto",
    input_hop_s: float | None = None,
    prepare_input: Callable[[Tensor], Any] | None = None,
    input_axes: Sequence[str] | None = None,
    choose_output: Callable[[object], Tensor] | None = None,
    attrs: Mapping[str, object] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Experiment:
    """Record a quantity of a network's layers into a store.

    The network is put in eval mode and left exactly as it was. A run that was killed goes on where it stopped when it
    is called again, and ends with the same bytes; the same call on a finished recording does nothing.

    Parameters
    ----------
    model : torch.nn.Module
        Any network; an InfoWaveGAN is its Q-network here (`layerstats.models.part` gives its discriminator).
    corpus : Corpus or Clips
        The speech; a Corpus is heard as `clips_for(model, corpus)` says.
    store : path
        Zarr directory, made if it is not there.
    quantity : Quantity
        What is recorded, for instance `Activation()` or `Gradient("ask", labels=card.outputs)`.
    layers : str or sequence of str
        Names as in `model.named_modules()` or patterns, in which `*` stands for any part of one name between dots;
        "input" is what the network is called with.
    recording : str, optional
        Name of the recording; by default that of the quantity, and "activations" for activations.
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
    prepare_input : callable, optional
        Makes the network's input, a tensor or a mapping of keyword arguments, of waveforms (token, sample).
    input_axes : sequence of str, optional
        Names of the axes of that input; by default (token, sample), (token, channel, sample) or
        (token, channel, frequency, sample).
    choose_output : callable, optional
        Picks the tensor to record from a layer's output; by default the first one in a tuple or ModelOutput.
    progress : callable, optional
        Called with (tokens done, tokens in all).

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
    >>> from layerstats.probes import Activation
    >>> speech = demo_corpus(words=["ask", "wash"], voices=4)
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = record(network, speech, f"{folder}/speech.zarr", Activation(), layers="conv5")
    ...     experiment.layer("conv5")["mean"].shape
    (8, 16)
    """
    if not isinstance(quantity, Quantity):
        raise ArgumentError(
            "The quantity must be an object, for instance Activation() or one of a class of your own, but got "
            f"{f'the class {quantity.__name__} itself' if isinstance(quantity, type) else type(quantity).__name__}."
        )
    check_count("batch_size", batch_size)
    model = part(model)
    clips = clips_for(model, corpus)
    clips.check_audio()  # before a store is begun that other tokens could not go on with
    hearing, names = choose_with_input(model, layers)
    given = HeardInput(prepare_input, input_axes, input_hop_s, axes)
    heard = heard_input(hearing, names, given)
    check_names_of_axes(heard.axes, names)
    check_ready(model, names)
    quantity.check(clips.tokens)
    input_names = None if heard.input_axes is None else tuple(heard.input_axes)
    hears = heard.input_hop_s, input_names, heard.prepare_input
    options = _Options(names, heard.axes, batch_size, *hears, choose_output)
    place = device_for(model, device)
    name = recording or quantity.recording
    # What a network is called with is the same whatever its weights, so that networks may share it.
    only_input = names == (INPUT,) and isinstance(hearing, WithInput) and not quantity.needs_gradients
    weights = "" if only_input else model_hash(model)
    of_network = {} if only_input else {"model": type(model).__name__, "model_hash": weights}
    with seeded_everywhere(0, place), running(model, place, differentiate=quantity.needs_gradients):
        run = _Run(hearing, clips, quantity, options, place)
        about = {**clips.attrs, **quantity.attributes(), **(attrs or {})}
        specs = [run.spec(fact) for fact in run.facts.values()]
        with RecordingWriter(
            store,
            name,
            clips.tokens,
            clips.phones,
            specs,
            key=key_there(store, name, run.keys(weights)),
            attrs={
                **about,
                **of_network,
                "batch_size": batch_size,
                "device": place.type,
            },
            store_attrs={"corpus_hash": clips.content_hash(), "torch_version": torch.__version__},
            # Whole batches in a shard, so that a resumed run forms the same batches.
            shard_tokens=tokens_in_shard(specs, len(clips.tokens), batch_size),
        ) as writer:
            run.check_written(store, name, writer.written)
            run.write(writer, progress)
            writer.finish()
    # The main one may be half-written by another process.
    return open_store(store, recording=name)


@dataclass(frozen=True)
class _Options:
    """How a recording is made; what determines its values goes into its key."""

    layers: tuple[str, ...]
    axes: Axes | None
    batch_size: int
    input_hop_s: float | None
    input_axes: tuple[str, ...] | None
    prepare_input: Callable[[Tensor], Any] | None
    choose_output: Callable[[object], Tensor] | None


class _Run:
    """A network and speech, looked at with the first tokens, then measured batch by batch."""

    def __init__(
        self, model: nn.Module, clips: Clips, quantity: Quantity, options: _Options, place: torch.device
    ) -> None:
        self.model, self.clips, self.quantity, self.options, self.place = model, clips, quantity, options, place
        self.dtype = dtype_of(model)
        first = self.prepare(self.waveforms(slice(0, 1)))
        self.time: InputTime = input_time(first, options.input_axes, options.input_hop_s, clips.rate_hz, clips.samples)
        self.named_axes = self._named_axes(first)
        self.examined = self._examine()
        self.axes = {name: found.axes for name, found in self.examined.layers.items()}
        self.facts = self._trace(first)
        self.first = self._measure_first()
        self.made = self._hash_made(first)

    def prepare(self, waveforms: Tensor) -> Any:
        """Return the network's input."""
        return prepare(waveforms, self.options.prepare_input, self.dtype)

    def waveforms(self, rows: slice) -> Tensor:
        """Return clips on the device of the network."""
        return torch.from_numpy(self.clips.waveforms(rows)).to(self.place)

    def measure(self, rows: slice, waveforms: np.ndarray) -> Arrays:
        """Return the variables of every layer for some tokens."""
        # Networks and preparations that draw random numbers draw the same ones after a resume.
        with seeded_everywhere(rows.start, self.place):
            return measure(self.quantity, self._batch(rows, torch.from_numpy(waveforms).to(self.place)))

    def write(self, writer: RecordingWriter, progress: Callable[[int, int], None] | None) -> None:
        """Measure and write what is missing, a shard at a time."""
        total, done = len(self.clips.tokens), sum(rows.stop - rows.start for rows in writer.written)
        for shard in writer.missing():
            parts: list[Arrays] = []
            with closing(read_batches(self.clips, self.options.batch_size, shard.start, shard.stop)) as batches:
                for rows, waveforms in batches:
                    parts.append(self.measure(rows, waveforms))
                    done += rows.stop - rows.start
                    if progress is not None:
                        progress(done, total)
            writer.write(shard, joined(parts))

    def check_written(self, store: str | os.PathLike[str], name: str, written: Sequence[slice]) -> None:
        """Compare the first and the last batch that is on disk with what the network gives of it now."""
        if not written:
            return
        size = self.options.batch_size
        tolerance = {layer: self._tolerance(layer) for layer in self.axes}
        sizes = {layer: first.channel_rms for layer, first in self.first.items()}
        first, last = written[0], written[-1]
        for start in sorted({first.start, last.start + (last.stop - last.start - 1) // size * size}):
            rows = slice(start, min(start + size, len(self.clips.tokens)))
            check_recorded(store, name, rows, self.measure(rows, self.clips.waveforms(rows)), tolerance, sizes)

    def _tolerance(self, layer: str) -> float:
        """Return the difference, relative to its size, that rounding can make of a layer on another machine."""
        return max(other_machine(self.examined.layers[layer].dtype), 10 * self.first[layer].rounding)

    def _batch(self, rows: slice, waveforms: Tensor) -> Batch:
        tokens = self.clips.tokens.iloc[rows]
        return Batch(self.model, self.prepare(waveforms), tokens, self.axes, self.options.choose_output)

    def _named_axes(self, first: Any) -> Axes | None:
        """Return the names of axes that are known beforehand: the caller's, and those of the input."""
        axes, layers = self.options.axes, self.options.layers
        if not isinstance(self.model, WithInput) or (isinstance(axes, Mapping) and INPUT in axes):
            return axes
        given = axes if isinstance(axes, Mapping) else {} if axes is None else dict.fromkeys(layers, axes)
        return {**given, INPUT: axes_of_input(first, self.options.input_axes)}

    def _examine(self) -> Examination:
        options = self.options
        return examine(
            self.model,
            self.clips,
            options.layers,
            self.place,
            axes=self.named_axes,
            batch_size=options.batch_size,
            prepare_input=options.prepare_input,
            choose_output=options.choose_output,
        )

    def _trace(self, first: Any) -> dict[str, LayerFacts]:
        options = self.options
        facts = trace_layers(self.model, first, self.time, options.layers, self.axes, options.choose_output)
        for name, fact in facts.items():
            if self.examined.layers[name].same_for_all and not fact.hears_input:
                raise NetworkError(
                    f"Layer {name!r} gives the same for every token: it does not depend on the speech. Choose another "
                    "layer, or with choose_output= another part of its output."
                )
        return facts

    def _measure_first(self) -> dict[str, FirstValues]:
        """Measure the first tokens, as many as a batch holds, and the first two alone."""
        tokens = min(TOKENS, self.options.batch_size, len(self.clips.tokens))

        def batch(rows: slice) -> Batch:
            with seeded_everywhere(0, self.place):
                return self._batch(rows, self.waveforms(rows))

        comparable = tokens > 1 and self.examined.repeats_input
        alone = [batch(slice(row, row + 1)) for row in range(2)] if comparable else []
        with seeded_everywhere(0, self.place):
            return first_values(self.quantity, batch(slice(0, tokens)), alone)

    def _hash_made(self, first: Any) -> list[str]:
        """Return hashes of what the caller's functions make of the first token, which keys of earlier versions hold."""
        made = []
        if self.options.prepare_input is not None:
            made.append(tensors_hash(tensors_of(first)))
        if self.options.choose_output is not None:
            outputs = self.examined.first.outputs
            means = {name: series(outputs[name], self.axes[name]).cpu().numpy() for name in self.options.layers}
            made.append(content_hash(means))
        return made

    def keys(self, weights: str) -> list[str]:
        """Return the key of the recording, and the one that earlier versions gave it.

        Functions of the caller cannot be hashed. What they make of a token can, but rounding differs between machines:
        the values of the recording are compared instead. Earlier versions hashed it.
        """
        options = self.options
        told: dict[str, object] = {
            "layers": list(options.layers),
            "axes": [list(axes) for axes in self.axes.values()],
            "batch_size": options.batch_size,
            "input_hop_s": options.input_hop_s,
            "input_axes": options.input_axes,
            **self.quantity.key(),
        }
        functions = [name for name in ("prepare_input", "choose_output") if getattr(options, name) is not None]
        about = (weights, self.clips.content_hash(), dict(self.clips.attrs), told)
        keys = [content_hash(*about, functions)]
        return keys if not functions else [*keys, content_hash(*about, self.made)]

    def spec(self, fact: LayerFacts) -> LayerSpec:
        """Return what the store is told of a layer."""
        grid, hop_s, first = fact.grid, self.time.hop_s, self.first[fact.name]
        # A gradient is fixed by what comes after the layer, anything else by what made its output.
        by = "what follows it" if self.quantity.needs_gradients else fact.last_module
        return LayerSpec(
            fact.name,
            time_s=grid.centres() * hop_s,
            variables=[
                VariableSpec(one.name, one.dims, first.sizes[one.name], one.units, one.long_name or None)
                for one in self.quantity.variables
            ],
            attrs={
                "layer": fact.name,
                "activation": fact.activation,
                "slope": fact.slope,
                "hop_s": grid.hop * hop_s,
                "receptive_field_s": grid.field * hop_s,
                "offset_s": grid.start * hop_s,
                "geometry": fact.geometry,
                "context": fact.context,
                "channels": fact.channels,
                "output_axes": list(fact.axes),
                "channel_rms": first.channel_rms if np.isfinite(first.channel_rms) else None,
                **{f"fixed_{name}": by for name in first.fixed},
            },
        )
