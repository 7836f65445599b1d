"""A network and speech, looked at with the first tokens, then measured batch by batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from layerstats.corpora import Clips
from layerstats.errors import LayerstatsError, NetworkError
from layerstats.models import dtype_of, seeded_everywhere
from layerstats.probes.inputs import InputTime, axes_of_input, input_time, prepare, tensors_of
from layerstats.probes.layers.axes import Axes, series
from layerstats.probes.layers.examine import TOKENS, Examination, examine
from layerstats.probes.layers.input_layer import INPUT, WithInput
from layerstats.probes.layers.rounding import other_machine
from layerstats.probes.layers.trace import LayerFacts, trace_layers
from layerstats.probes.phone_pooling import PhonesOfTokens
from layerstats.probes.quantity import Batch, Quantity
from layerstats.probes.recording.batches import read_batches
from layerstats.probes.recording.key import tensors_hash
from layerstats.probes.recording.recorded import check_recorded
from layerstats.probes.recording.reduced import Arrays, FirstValues, first_values, joined, measure
from layerstats.store import LayerSpec, RecordingWriter, VariableSpec, content_hash


@dataclass(frozen=True)
class RecordingOptions:
    """How a recording is made; what determines its values goes into its key."""

    layers: tuple[str, ...]
    axes: Axes | None
    batch_size: int
    input_hop_s: float | None
    input_axes: tuple[str, ...] | None
    prepare_input: Callable[[Tensor], Any] | None
    choose_output: Callable[[object], Tensor] | None
    input_window_s: float = 0.0


class NetworkRun:
    """A network and speech, looked at with the first tokens, then measured batch by batch."""

    def __init__(
        self, model: nn.Module, clips: Clips, quantity: Quantity, options: RecordingOptions, place: torch.device
    ) -> None:
        self.model, self.clips, self.quantity, self.options, self.place = model, clips, quantity, options, place
        self.dtype = dtype_of(model)
        first = self.prepare(self.waveforms(slice(0, 1)))
        heard = options.input_axes, options.input_hop_s, clips.rate_hz, clips.samples, options.input_window_s
        self.time: InputTime = input_time(first, *heard)
        self.named_axes = self._named_axes(first)
        self.examined = self._examine()
        self.axes = {name: found.axes for name, found in self.examined.layers.items()}
        self.facts = self._trace(first)
        self.times = {name: fact.grid.centres() * self.time.hop_s for name, fact in self.facts.items()}
        self.phones = PhonesOfTokens(clips.tokens, clips.phones)
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

    def write(
        self, writer: RecordingWriter, progress: Callable[[int, int], None] | None, part: tuple[int, int] = (0, 1)
    ) -> None:
        """Measure and write what is missing, a shard at a time; of a part of them, as `writer.missing` takes it."""
        total, done = len(self.clips.tokens), sum(rows.stop - rows.start for rows in writer.written)
        for rows in writer.missing(part):

            def moved(tokens: int, before: int = done) -> None:
                if progress is not None:
                    progress(before + tokens, total)

            writer.write(rows, self.shard(rows, moved))
            done += rows.stop - rows.start

    def shard(self, shard: slice, moved: Callable[[int], None] | None = None) -> Arrays:
        """Return the variables of every layer for the tokens of a shard; `moved` is told how many are done."""
        parts: list[Arrays] = []
        spans: list[slice] = []
        with closing(read_batches(self.clips, self.options.batch_size, shard.start, shard.stop)) as batches:
            for rows, waveforms in batches:
                try:
                    parts.append(self.measure(rows, waveforms))
                except NetworkError as error:
                    raise NetworkError(f"{error} It {self._failed_at(rows)}.") from error
                spans.append(rows)
                if moved is not None:
                    moved(rows.stop - shard.start)
        return joined(self.quantity, parts, [self.phones.rows(rows) for rows in spans])

    def _failed_at(self, rows: slice) -> str:
        """Say for which token of a batch the network fails, or that it is none of them alone."""
        tokens = self.clips.tokens["token"]
        for row in range(rows.start, rows.stop):
            alone = slice(row, row + 1)
            try:
                self.measure(alone, self.clips.waveforms(alone))
            except LayerstatsError:
                return f"was token {tokens.iloc[row]!r}"
        return (
            f"were the {rows.stop - rows.start} tokens from {tokens.iloc[rows.start]!r} on together; none fails alone"
        )

    def without_network(self) -> NetworkRun:
        """Return what goes to another process: not the network, nor what the first tokens gave, which is large."""
        sent = object.__new__(NetworkRun)
        sent.__dict__.update({name: value for name, value in vars(self).items() if name not in ("model", "examined")})
        return sent

    def with_network(self, model: nn.Module) -> NetworkRun:
        """Return the same with the network of this process."""
        here = self.without_network()
        here.model = model
        return here

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
            arrays = self.measure(rows, self.clips.waveforms(rows))
            check_recorded(store, name, rows, arrays, tolerance, sizes, self.phones.rows(rows))

    def _tolerance(self, layer: str) -> float:
        """Return the difference, relative to its size, that rounding can make of a layer on another machine."""
        return max(other_machine(self.examined.layers[layer].dtype), 10 * self.first[layer].rounding)

    def _batch(self, rows: slice, waveforms: Tensor) -> Batch:
        wanted = any(variable.by_phone for variable in self.quantity.variables)
        phones = self.phones.pooling(rows, self.times) if wanted else None
        tokens = self.clips.tokens.iloc[rows]
        return Batch(self.model, self.prepare(waveforms), tokens, self.axes, self.options.choose_output, phones)

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
            time_s=self.times[fact.name],
            variables=[
                VariableSpec(one.name, one.dims, first.sizes[one.name], one.units, one.long_name or None)
                for one in self.quantity.variables
            ],
            attrs={
                "layer": fact.name,
                "activation": fact.activation,
                "slope": fact.slope,
                "hop_s": grid.hop * hop_s,
                "receptive_field_s": self.time.seconds(grid.field),
                "offset_s": grid.start * hop_s,
                "geometry": fact.geometry,
                "context": fact.context,
                "channels": fact.channels,
                "output_axes": list(fact.axes),
                "channel_rms": first.channel_rms if np.isfinite(first.channel_rms) else None,
                **{f"fixed_{name}": by for name in first.fixed},
            },
        )
