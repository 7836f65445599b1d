"""A network and speech, looked at with the first tokens, then measured batch by batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from layerstats.corpora import Clips
from layerstats.errors import LayerstatsError, NetworkError
from layerstats.models import dtype_of, seeded_everywhere
from layerstats.probes.inputs import InputTime, axes_of_input, call, input_time, prepare, tensors_of
from layerstats.probes.layers.axes import Axes, series
from layerstats.probes.layers.examine import Examination, examine
from layerstats.probes.layers.input_layer import INPUT, WithInput
from layerstats.probes.layers.rounding import other_machine
from layerstats.probes.layers.trace import LayerFacts, trace_layers
from layerstats.probes.phone_pooling import PhonesOfTokens
from layerstats.probes.quantity import Batch, Quantity
from layerstats.probes.recording.batches import by_length, consecutive, read_batches
from layerstats.probes.recording.key import tensors_hash
from layerstats.probes.recording.length_look import LengthLook
from layerstats.probes.recording.own_lengths import (
    PADDED,
    PADDED_LENGTHS,
    cut_lengths,
    first_waveforms,
    is_invariant,
    padded_pair,
    sharing,
)
from layerstats.probes.recording.recorded import check_recorded
from layerstats.probes.recording.reduced import (
    Arrays,
    BegunMeasurement,
    FirstValues,
    begin_measuring,
    first_values,
    joined,
    padding_differences,
)
from layerstats.store import LayerSpec, RecordingWriter, VariableSpec, content_hash

# What other processes do without: the network goes to them in another way, the first tokens stay here.
_LEFT_HERE = ("model", "examined", "waveforms")


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
    fixed_samples: int | None = None


class NetworkRun:
    """A network and speech, looked at with the first tokens, then measured batch by batch."""

    def __init__(
        self, model: nn.Module, clips: Clips, quantity: Quantity, options: RecordingOptions, place: torch.device
    ) -> None:
        self.model, self.clips, self.quantity, self.options, self.place = model, clips, quantity, options, place
        self.dtype = dtype_of(model)
        self.lengths = clips.lengths()
        self.waveforms = torch.from_numpy(first_waveforms(clips)).to(place)
        self._hear_first()
        first = self.prepare(self.waveforms[:1])
        self.time = self.time_of(first, self.waveforms.shape[1])
        self.named_axes = self._named_axes(first)
        self.examined = self._examine()
        self.axes = {name: found.axes for name, found in self.examined.layers.items()}
        look = LengthLook(self, first, options.fixed_samples)
        self.facts, self.counts, self.time = look.facts, look.counts, look.time
        self.times = {name: fact.grid.centres() * self.time.hop_s for name, fact in self.facts.items()}
        self.phones = PhonesOfTokens(clips.tokens, clips.phones)
        self.first = self._measure_first()
        self.padding_difference = self._measure_padding()
        self.sharing = self._choose_sharing()
        self.made = self._hash_made(first)

    def prepare(self, waveforms: Tensor, lengths: np.ndarray | None = None) -> Any:
        """Return the network's input."""
        return prepare(waveforms, self.options.prepare_input, self.dtype, lengths)

    def _hear_first(self) -> None:
        """Let the network hear the first clip, cut off as all of the first ones are; say what is wrong if it fails."""
        if not self.clips.ragged:
            return
        length = self.waveforms.shape[1]
        try:
            with torch.no_grad(), seeded_everywhere(0, self.place):
                call(self.model, self.prepare(self.waveforms[:1], np.array([length])))
        except LayerstatsError as error:
            token = self.clips.tokens["token"].iloc[int(np.flatnonzero(self.lengths == length)[0])]
            raise NetworkError(
                f"{error} Clips are as long as their tokens, and that of token {token!r} has {length} samples. Leave "
                "tokens that are too short for the network out of the corpus; a network that hears one length gets "
                "clips of that with Clips(corpus, samples=...), in the shell without --own-lengths."
            ) from error

    def measure(self, rows: np.ndarray, waveforms: np.ndarray) -> Arrays:
        """Return the variables of every layer for some tokens."""
        return self._begun(rows, waveforms).arrays()

    def _begun(self, rows: np.ndarray, waveforms: np.ndarray) -> BegunMeasurement:
        """Run the network on some tokens; on a GPU this returns before it has run."""
        given = torch.from_numpy(waveforms)
        if self.place.type == "cuda":
            given = given.pin_memory()
        # Networks and preparations that draw random numbers draw the same ones after a resume.
        with seeded_everywhere(int(rows[0]), self.place):
            return begin_measuring(self.quantity, self._batch(rows, given.to(self.place, non_blocking=True)))

    def batches(self, shard: slice) -> list[np.ndarray]:
        """Return the rows of the batches of a shard: the same whoever records it."""
        size = self.options.batch_size
        if not self.clips.ragged:
            return consecutive(shard.start, shard.stop, size)
        # A second a token: utterances need more memory than words.
        most, filled = size * self.clips.rate_hz, self.options.fixed_samples
        if filled is not None:
            # Words count as long as they are filled up. A GPU has to be kept busy: there each counts as a token.
            size = size if self.place.type == "cuda" else max(1, most // filled)
            most = size * filled
        return by_length(self.lengths, shard.start, shard.stop, size, most, equal=self.sharing != PADDED)

    def write(
        self, writer: RecordingWriter, progress: Callable[[int, int], None] | None, part: tuple[int, int] = (0, 1)
    ) -> None:
        """Measure what is missing, while the shard before is written; of a part of it, as `writer.missing` takes it."""
        total, done = len(self.clips.tokens), sum(rows.stop - rows.start for rows in writer.written)
        with closing(writer.missing(part)) as missing:
            for rows in missing:

                def moved(tokens: int, before: int = done) -> None:
                    if progress is not None:
                        progress(before + tokens, total)

                writer.write_behind(rows, self.shard(rows, moved))
                done += rows.stop - rows.start

    def shard(self, shard: slice, moved: Callable[[int], None] | None = None) -> Arrays:
        """Return the variables of every layer for the tokens of a shard; `moved` is told how many are done."""
        parts: list[Arrays] = []
        planned, done = self.batches(shard), 0
        begun: list[BegunMeasurement] = []

        def look(count: int) -> None:
            nonlocal done
            while len(begun) > count:
                done += len(planned[len(parts)])
                parts.append(begun.pop(0).arrays())
                if moved is not None:
                    moved(done)

        with closing(read_batches(self.clips, planned)) as batches:
            for rows, waveforms in batches:
                try:
                    begun.append(self._begun(rows, waveforms))
                except NetworkError as error:
                    raise NetworkError(f"{error} It {self._failed_at(rows)}.") from error
                # What the batch before gave is looked at while a GPU works on this one.
                look(1)
        look(0)
        return self._joined(parts, planned)

    def _failed_at(self, rows: np.ndarray) -> str:
        """Say for which token of a batch the network fails, or that it is none of them alone."""
        tokens = self.clips.tokens["token"]
        for row in rows:
            alone = np.array([row])
            try:
                self.measure(alone, self.clips.waveforms(alone))
            except LayerstatsError:
                return f"was token {tokens.iloc[row]!r}"
        return f"were the {len(rows)} tokens from {tokens.iloc[rows[0]]!r} on together; none fails alone"

    def without_network(self) -> NetworkRun:
        """Return what goes to another process: not the network, nor what the first tokens gave, which is large."""
        sent = object.__new__(NetworkRun)
        sent.__dict__.update({name: value for name, value in vars(self).items() if name not in _LEFT_HERE})
        return sent

    def with_network(self, model: nn.Module) -> NetworkRun:
        """Return the same with the network of this process."""
        here = self.without_network()
        here.model = model
        return here

    def _joined(self, parts: Sequence[Arrays], rows: Sequence[np.ndarray]) -> Arrays:
        samples = {name: fact.grid.count for name, fact in self.facts.items()}
        return joined(self.quantity, parts, rows, [self.phones.rows(one) for one in rows], samples)

    def check_written(self, store: str | os.PathLike[str], name: str, written: Sequence[slice]) -> None:
        """Compare the first and the last batch that is on disk with what the network gives of it now."""
        if not written:
            return
        tolerance = {layer: self._tolerance(layer) for layer in self.axes}
        sizes = {layer: first.channel_rms for layer, first in self.first.items()}
        batches = [self.batches(written[0])[0], self.batches(written[-1])[-1]]
        for rows in batches[: 1 if np.array_equal(batches[0], batches[1]) else 2]:
            arrays = self._joined([self.measure(rows, self.clips.waveforms(rows))], [rows])
            ordered = np.sort(rows)
            check_recorded(store, name, ordered, arrays, tolerance, sizes, np.sort(self.phones.rows(ordered)))

    def _tolerance(self, layer: str) -> float:
        """Return the difference, relative to its size, that rounding can make of a layer on another machine."""
        return max(other_machine(self.examined.layers[layer].dtype), 10 * self.first[layer].rounding)

    def _batch(self, rows: np.ndarray, waveforms: Tensor, lengths: np.ndarray | None = None) -> Batch:
        """Return tokens on their way; `lengths` where the waveforms are not as long as the clips."""
        lengths = self.lengths[rows] if lengths is None else lengths
        samples = {name: counts.of(lengths) for name, counts in self.counts.items()}
        wanted = any(variable.by_phone for variable in self.quantity.variables)
        known = samples if samples or self.clips.ragged else None
        phones = self.phones.pooling(rows, self.times, known) if wanted else None
        tokens, prepared = self.clips.tokens.iloc[rows], self.prepare(waveforms, lengths)
        return Batch(self.model, prepared, tokens, self.axes, self.options.choose_output, phones, samples)

    def time_of(self, prepared: Any, samples: int) -> InputTime:
        """Return where time is in the input made of a clip of so many samples."""
        options = self.options
        heard = options.input_axes, options.input_hop_s, self.clips.rate_hz, samples, options.input_window_s
        return input_time(prepared, *heard)

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
            self.waveforms,
            options.layers,
            self.place,
            axes=self.named_axes,
            batch_size=options.batch_size,
            prepare_input=options.prepare_input,
            choose_output=options.choose_output,
        )

    def trace(self, prepared: Any, time: InputTime) -> dict[str, LayerFacts]:
        """Return what one token tells of the layers' geometry."""
        options = self.options
        facts = trace_layers(self.model, prepared, time, options.layers, self.axes, options.choose_output)
        for name, fact in facts.items():
            if self.examined.layers[name].same_for_all and not fact.hears_input:
                raise NetworkError(
                    f"Layer {name!r} gives the same for every token: it does not depend on the speech. Choose another "
                    "layer, or with choose_output= another part of its output."
                )
        return facts

    def _measure_first(self) -> dict[str, FirstValues]:
        """Measure the first tokens, as many as a batch holds, and the first two alone."""
        tokens = min(len(self.waveforms), self.options.batch_size)

        def batch(rows: np.ndarray) -> Batch:
            with seeded_everywhere(0, self.place):
                waveforms = self.waveforms[rows]
                return self._batch(rows, waveforms, np.full(len(rows), waveforms.shape[1]))

        comparable = tokens > 1 and self.examined.repeats_input
        alone = [batch(np.array([row])) for row in range(2)] if comparable else []
        with seeded_everywhere(0, self.place):
            found = first_values(self.quantity, batch(np.arange(tokens)), alone, self.examined.seen)
        # Nobody else needs them, and they may be large.
        self.examined = replace(self.examined, seen=())
        return found

    def _measure_padding(self) -> dict[str, float]:
        """Return by how much zeros behind a token change each layer, where that is of use and can be measured."""
        pair = padded_pair(self.lengths) if self.clips.ragged and self.options.batch_size > 1 else None
        if pair is None or len(self.counts) < len(self.axes) or not self.examined.repeats_input:
            return {}
        rows = np.array(pair)
        waveforms = torch.from_numpy(self.clips.waveforms(rows)).to(self.place)

        def batch(tokens: int, length: int) -> Batch:
            given = waveforms[:tokens, : length if tokens == 1 else PADDED_LENGTHS * length].clone()
            given[0, length:] = 0
            lengths = np.minimum([length, self.lengths[pair[1]]][:tokens], given.shape[1])
            with seeded_everywhere(0, self.place):
                return self._batch(rows[:tokens], given, lengths)

        found = dict.fromkeys(self.axes, 0.0)
        hops = [counts.hop for counts in self.counts.values()]
        for length in cut_lengths(int(self.lengths[pair[0]]), max(hops), self.clips.rate_hz):
            with seeded_everywhere(0, self.place):
                apart = padding_differences(self.quantity, batch(1, length), batch(2, length))
            found = {name: max(before, apart[name]) for name, before in found.items()}
        return found

    def _choose_sharing(self) -> str | None:
        if not self.clips.ragged:
            return None
        # What is made of all samples of a token at once would be made of the zeros behind it, too.
        by_sample = all("sample" in one.dims or one.by_phone for one in self.quantity.variables)
        invariant = {
            name: is_invariant(apart, self.first[name].rounding, self.examined.layers[name].dtype)
            for name, apart in self.padding_difference.items()
        }
        return sharing(invariant if invariant and by_sample else None, self.options.batch_size)

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
                "padding_difference": self.padding_difference.get(fact.name),
                "batches": self.sharing,
            },
        )
