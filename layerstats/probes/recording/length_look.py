"""What the layers of a network give of clips of other lengths: their times, and how many samples are of a clip."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from layerstats.corpora import Clips
from layerstats.errors import LayerstatsError, NetworkError
from layerstats.models import seeded_everywhere
from layerstats.probes.inputs import InputTime, call, main_tensor
from layerstats.probes.layers.capture import capturing
from layerstats.probes.layers.geometry import Grid, by_length
from layerstats.probes.layers.trace import LayerFacts
from layerstats.probes.recording.own_lengths import traced_row
from layerstats.probes.recording.sample_counts import CountsByTime, SampleCounts, find_counts


class HearingRun(Protocol):
    """A network that was examined, and what it hears."""

    model: nn.Module
    clips: Clips
    lengths: np.ndarray
    axes: dict[str, tuple[str, ...]]
    time: InputTime
    place: torch.device

    def prepare(self, waveforms: Tensor, lengths: np.ndarray | None = None) -> Any:
        """Return the network's input."""

    def time_of(self, prepared: Any, samples: int) -> InputTime:
        """Return where time is in the input made of a clip of so many samples."""
        ...

    def trace(self, prepared: Any, time: InputTime) -> dict[str, LayerFacts]:
        """Return what one token tells of the layers' geometry."""
        ...


class LengthLook:
    """What the layers give of clips of any length.

    Parameters
    ----------
    run : HearingRun
        The network and its clips.
    first : Tensor or mapping
        Its input for the first token.
    fixed_samples : int, optional
        Length of clips that the network hears, where shorter ones are filled up to it.

    Attributes
    ----------
    facts : dict of str to LayerFacts
        By layer; grids have the samples that the longest clip needs.
    time : InputTime
        Where time is in the input made of the longest clip.
    counts : dict of str to SampleCounts
        By layer, how many samples are of a clip; a layer whose samples follow no known rule is not there.
    """

    def __init__(self, run: HearingRun, first: Any, fixed_samples: int | None) -> None:
        self._run, self._seen = run, {}
        self.time, self.counts = run.time, dict[str, SampleCounts]()
        if fixed_samples is not None:
            self.facts = self._filled_up(run.trace(first, run.time))
        elif run.clips.ragged:
            self.facts = self._as_long_as_tokens()
        else:
            self.facts = run.trace(first, run.time)

    def _filled_up(self, facts: dict[str, LayerFacts]) -> dict[str, LayerFacts]:
        """Keep the samples that lie inside the longest clip: what follows is silence that nobody recorded."""
        longest = self._run.lengths.max(keepdims=True)
        for name, fact in facts.items():
            time_s = fact.grid.centres() * self._run.time.hop_s
            self.counts[name] = CountsByTime(time_s, self._run.clips.rate_hz)
            count = int(self.counts[name].of(longest)[0])
            facts[name] = replace(fact, grid=replace(fact.grid, count=count))
        return facts

    def _as_long_as_tokens(self) -> dict[str, LayerFacts]:
        run, longest = self._run, int(self._run.lengths.max())
        row = traced_row(run.clips)
        self._waveform = torch.from_numpy(run.clips.waveforms([row])).to(run.place)
        prepared = run.prepare(self._waveform)
        length = self._waveform.shape[1]
        time = run.time_of(prepared, length)
        try:
            facts = run.trace(prepared, time)
            self._seen[length] = {name: fact.grid.count for name, fact in facts.items()}, time.samples
            counts, samples = self._of_clip(longest)
        except NetworkError as error:
            raise NetworkError(
                f"{error} Its clips are as long as their tokens, from {min(run.lengths)} to {longest} samples: a "
                "network that hears one length gets clips of that with Clips(corpus, samples=...)."
            ) from error
        self.time = replace(time, samples=samples)
        known = {length: {name: fact.grid.count for name, fact in facts.items()}, longest: counts}
        # What is too short for the network by itself may go through it beside longer ones.
        with suppress(LayerstatsError):
            shortest = int(run.lengths.min())
            known[shortest] = self._counts(shortest)
        for name, fact in facts.items():
            found = self._find(name, fact.grid, time, length)
            if found is not None and found.of(np.array(list(known))).tolist() == [one[name] for one in known.values()]:
                self.counts[name] = found
            facts[name] = replace(fact, grid=_of_longest(fact, counts[name], samples, time))
        return facts

    def _find(self, layer: str, grid: Grid, time: InputTime, length: int) -> SampleCounts | None:
        rate_hz = self._run.clips.rate_hz
        scale = time.hop_s * rate_hz
        try:
            # Symmetric padding takes away from the start what it adds to the length.
            shortest = 2 * grid.start * scale + 1
            return find_counts(self._counts, layer, grid.hop * scale, min(length, rate_hz), shortest)
        except LayerstatsError:
            return None  # there are clips that are too short for it

    def _counts(self, length: int) -> dict[str, int]:
        return self._of_clip(length)[0]

    def _of_clip(self, length: int) -> tuple[dict[str, int], int]:
        """Return the samples of every layer, and of the input, for a clip of a length."""
        if length not in self._seen:
            run = self._run
            times = -(-length // self._waveform.shape[1])
            waveform = self._waveform.repeat(1, times)[:, :length]
            axes = {name: axes.index("sample") for name, axes in run.axes.items()}
            with torch.no_grad(), seeded_everywhere(0, run.place):
                prepared = run.prepare(waveform)
                samples = main_tensor(prepared).shape[run.time.axis]
                with capturing(run.model, list(axes), lambda name, output: output.shape[axes[name]]) as counts:
                    call(run.model, prepared)
            self._seen[length] = dict(counts), samples
        return self._seen[length]


def _of_longest(fact: LayerFacts, count: int, samples: int, time: InputTime) -> Grid:
    """Return the grid of the longest clip, of `count` outputs and `samples` inputs."""
    if fact.geometry == "length_ratio":
        return by_length(count, samples)
    everything = fact.grid.field == time.samples
    return replace(fact.grid, count=count, field=samples if everything else fact.grid.field)
