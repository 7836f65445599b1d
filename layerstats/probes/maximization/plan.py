"""A maximization as it is planned: its starts, what is stored of each, and the run of any of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.corpora import Clips
from layerstats.errors import ArgumentError
from layerstats.models import preserved, seeded
from layerstats.probes.maximization.ascent import Ascent, ascend
from layerstats.probes.maximization.hearing import Hearing, hear_window
from layerstats.probes.maximization.objectives import Objective
from layerstats.probes.maximization.places import differentiating
from layerstats.probes.maximization.priors.protocol import Prior
from layerstats.probes.maximization.rendering import PREFIX
from layerstats.probes.maximization.settings import MaximizationSettings
from layerstats.probes.recording.key import model_hash
from layerstats.probes.units import Unit
from layerstats.store import VariableSpec, content_hash, outcome_variables, starts_in_block

# As many starts at once as keep a CPU busy within its caches, and a GPU full.
CPU_BATCH, GPU_BATCH = 32, 2048


@dataclass(frozen=True, eq=False)
class MaximizationPlan:
    """Everything that determines a maximization; nothing has run yet.

    Parameters
    ----------
    network : torch.nn.Module
        The target network.
    hearing : Hearing
        What it hears.
    prior : Prior
        What is optimised.
    units : mapping of str to Unit
        By the name of the target.
    settings : MaximizationSettings
        How.
    starts : DataFrame
        ``start, target, number, seed, token``.
    labels : tuple of str
        Names of the classes.
    clips : Clips, optional
        The natural tokens, where starts begin from data.
    about : mapping
        What outcomes say of the network and the set-up.
    batch_size : int, optional
        Starts that are maximized at once; by default as many as suit the device.
    device : str
        "auto", or a torch device.
    """

    network: nn.Module
    hearing: Hearing
    prior: Prior
    units: Mapping[str, Unit]
    settings: MaximizationSettings
    starts: pd.DataFrame
    labels: tuple[str, ...]
    clips: Clips | None = None
    about: Mapping[str, object] = field(default_factory=dict)
    batch_size: int | None = None
    device: str = "auto"

    @contextmanager
    def ready(self) -> Iterator[torch.device]:
        """Put all networks on the device, ready to be differentiated; afterwards they are as they were."""
        _ = self.attributes  # hashes the weights as they are: running may change buffers meanwhile
        with differentiating([self.network, *self.prior.modules], self.device) as place:
            hear_window(self.network)
            yield place

    def at_once(self, place: torch.device) -> int:
        """Return how many starts are maximized at once on a device."""
        return self.batch_size or (GPU_BATCH if place.type == "cuda" else CPU_BATCH)

    def in_block(self, place: torch.device, parts: int = 1) -> int:
        """Return how many starts a block of the store has, so that each of some parts has blocks of its own.

        They are whole batches, so that a resumed run forms the same.
        """
        size, total = self.at_once(place), len(self.starts)
        share = -(-total // parts)
        return min(starts_in_block(self.variables(), total, size), max(share // size * size, min(size, share)))

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """What outcomes say of how they were made."""
        layers = list(dict.fromkeys(unit.layer for unit in self.units.values()))
        corpus = {} if self.clips is None else {"corpus": self.clips.corpus.name}
        return {
            **self.about,
            "prior": self.prior.name,
            **{f"{PREFIX}{name}": value for name, value in self.prior.attrs.items()},
            **self.settings.attributes(),
            **corpus,
            "network_hash": model_hash(self.network),
            "layer": layers[0] if len(layers) == 1 else layers,
            "front_end": self.hearing.front_end_json,
            "heard_dims": list(self.hearing.dims),
            "heard_shape": list(self.hearing.shape),
        }

    def key(self) -> str:
        """Return a hash of all that determines the values."""
        heard = None if self.clips is None else self.clips.content_hash()
        told = {name: value for name, value in self.attributes.items() if value is not None}
        return content_hash(told, self.starts, list(self.labels), heard, self.batch_size)

    def check(self, place: torch.device) -> None:
        """Look for all units, and take a step with the first start, inside `ready`: before anything is written.

        Raises
        ------
        ArgumentError
            A unit is not there, or the labels are not as many as classes.
        DataError
            The first score is NaN.
        NetworkError
            The network fails, or has no gradient.
        """
        silence = torch.zeros((len(self.units), *self.hearing.shape), dtype=self.hearing.dtype, device=place)
        with torch.no_grad():
            Objective(self.network, list(self.units.values()), self.settings.objective, place)(silence)
        one = replace(self.settings, ascent=replace(self.settings.ascent, steps=min(1, self.settings.ascent.steps)))
        trial = replace(self, settings=one)
        trial._kept(trial.ascent(self.starts.iloc[:1], place))

    def optimised(self) -> dict[str, int]:
        """Return the axes of what is stored of a start before and after, with their lengths."""
        if not self.prior.latent:
            return dict(zip(self.hearing.dims, self.hearing.shape, strict=True))
        with differentiating(self.prior.modules, "cpu"), torch.no_grad():
            # Natural tokens need audio, and noise need not be known by a prior.
            kind = next(one for one in self.prior.starts if one != "data")
            variables = self.prior.start(kind, None, [torch.Generator().manual_seed(0)], 0.1)
        return dict(zip(self.prior.dims, variables.shape[1:], strict=True))

    def variables(self) -> tuple[VariableSpec, ...]:
        """Return what is stored of each start."""
        steps = self.settings.ascent.steps + 1 if self.settings.ascent.paths else None
        name = "codes" if self.prior.latent else "features"
        chosen = outcome_variables(self.optimised(), len(self.labels) or 1, name=name, path_steps=steps)
        # A network without classes gives no scores.
        return tuple(one for one in chosen if self.labels or not one.name.startswith("scores"))

    def coordinates(self) -> dict[str, tuple[str, Any]]:
        """Return the labels of dimensions."""
        return {"class": ("class", list(self.labels))} if self.labels else {}

    def run(self, rows: Sequence[int] | slice, place: torch.device) -> dict[str, np.ndarray]:
        """Maximize some starts, batch by batch, inside `ready`; return what is stored of each, by variable."""
        table = self.starts.iloc[rows]
        count = -(-len(table) // self.at_once(place))
        # Of equal size, for a small one at the end would take nearly as long.
        edges = [number * len(table) // count for number in range(count + 1)]
        batches = [table.iloc[first:last] for first, last in itertools.pairwise(edges)]
        parts = [self._kept(self.ascent(batch, place)) for batch in batches]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def ascent(self, table: pd.DataFrame, place: torch.device) -> Ascent:
        """Maximize one batch of starts, rows of the table, inside `ready`."""
        generators = [torch.Generator().manual_seed(int(seed)) for seed in table["seed"]]
        objective = Objective(
            self.network, [self.units[target] for target in table["target"]], self.settings.objective, place
        )
        with torch.no_grad():
            given = self.given(table, place)
            start = self.prior.start(self.settings.start_from, given, generators, self.settings.start_deviation)
        names, seed = table["start"].tolist(), int(table["seed"].iloc[0])
        # What a network keeps or draws of its own while it runs is the same whichever batches ran before.
        with preserved(self.network), seeded(seed, place):
            return ascend(objective, self.prior, start.to(place), self.settings.ascent, generators, names)

    def given(self, table: pd.DataFrame, place: torch.device) -> Tensor | None:
        """Return what the prior is given of the natural tokens of some starts, on the device; None without any."""
        if self.clips is None:
            return None
        rows = pd.Index(self.clips.tokens["token"]).get_indexer(pd.Index(table["token"]))
        waveforms = torch.from_numpy(self.clips.waveforms(rows)).to(place, self.hearing.dtype)
        if self.prior.takes_waveforms:
            return waveforms
        return self.hearing.check(features_of(self.network, self.hearing, waveforms), "What is heard of natural tokens")

    def _kept(self, found: Ascent) -> dict[str, np.ndarray]:
        before, after = found.heard_before, found.heard_after
        if self.prior.latent:
            before, after = found.variables_before, found.variables_after
        name = "codes" if self.prior.latent else "features"
        kept = {
            "steps": found.steps,
            "stalled": found.stalled,
            "displacement": found.displacement,
            "displacement_heard": found.displacement_heard,
            "objective_before": found.objective_before,
            "objective_after": found.objective_after,
            f"{name}_before": before,
            f"{name}_after": after,
            **self._scores(found),
        }
        if found.objective_path is not None and found.displacement_path is not None:
            kept |= {"objective_path": found.objective_path, "displacement_path": found.displacement_path}
        return {name: values.cpu().numpy() for name, values in kept.items()}

    def _scores(self, found: Ascent) -> dict[str, Tensor]:
        if not self.labels or found.logits_before is None or found.logits_after is None:
            return {}
        if found.logits_before.shape[1] != len(self.labels):
            raise ArgumentError(
                f"{len(self.labels)} labels were given for {found.logits_before.shape[1]} outputs of the network."
            )
        logits = {"scores_before": found.logits_before, "scores_after": found.logits_after}
        return {name: torch.softmax(value.double(), dim=1) for name, value in logits.items()}


def features_of(network: nn.Module, hearing: Hearing, waveforms: Tensor) -> Tensor:
    """Return what a network hears of waveforms (token, sample): its front end's features, or they themselves."""
    front_end = getattr(network, "front_end", None)
    if front_end is not None:
        return front_end(waveforms)
    if hearing.dims != ("sample",):
        raise ArgumentError(
            f"How a {type(network).__name__} hears waveforms is not known, so its starts cannot begin from data. Give "
            "it a module front_end that makes what it hears of (token, sample)."
        )
    return waveforms
