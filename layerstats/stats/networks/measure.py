"""Measure contrasts in many networks: effect sizes, and the covariance of their sampling errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.fixed_summary import why_fixed
from layerstats.stats.networks.collect import Network
from layerstats.stats.networks.effects import draw_speakers, effect_sizes, sampling_covariance
from layerstats.stats.networks.layouts import Layout, layout
from layerstats.stats.score_shares import are_shares
from layerstats.tables import check_frame


@dataclass(frozen=True, eq=False)
class Measured:
    """One contrast at one layer: effects (network,), their sampling covariance, and the number of speakers."""

    effects: np.ndarray
    covariance: np.ndarray
    speakers: int


def measure(
    networks: Sequence[Network], contrasts: Sequence[Contrast], layers: Sequence[str], draws: int, seed: int
) -> tuple[dict[tuple[str, str], Measured], pd.DataFrame]:
    """Measure every contrast at every layer in every network.

    Returns
    -------
    dict
        By contrast and layer, in the order given; those that could not be measured are missing.
    DataFrame
        A row each: ``contrast, layer, tokens, speakers, dropped, note``.
    """
    found: dict[tuple[str, str], Measured] = {}
    rows = {}
    first = networks[0].view
    intervals = {contrast.name: contrast.intervals(first) for contrast in contrasts}
    for layer in layers:
        layouts: dict[str, Layout] = {}
        fixed = _fixed(networks, layer)
        for contrast in contrasts:
            row = {"contrast": contrast.name, "layer": layer, "tokens": len(intervals[contrast.name])}
            if fixed:
                rows[contrast.name, layer] = {**row, "note": f"not tested: {fixed}"}
                continue
            try:
                places, tokens = intervals[contrast.name], first.tokens["token"].tolist()
                times = first.layer(layer)["time_s"].to_numpy()
                one = layout(places, contrast.group, tokens, times, summed=are_shares(first))
            except DataError as error:
                rows[contrast.name, layer] = {**row, "note": f"not tested: {error}"}
                continue
            layouts[contrast.name] = one
            told = {"tokens": len(one.groups), "speakers": int(one.speakers.max()) + 1, "dropped": one.dropped}
            rows[contrast.name, layer] = {**row, **told, "note": ""}
        for name, effects, covariance in _effects(networks, layouts, layer, draws, seed):
            found[name, layer] = Measured(effects, covariance, int(layouts[name].speakers.max()) + 1)
    order = [(contrast.name, layer) for contrast in contrasts for layer in layers]
    columns = ["contrast", "layer", "tokens", "speakers", "dropped", "note"]
    table = pd.DataFrame([rows[key] for key in order], columns=columns)
    return {key: found[key] for key in order if key in found}, check_frame(table)


def _fixed(networks: Sequence[Network], layer: str) -> str:
    """Say in which network a layer's series are rounding, and why; nothing where they vary in all."""
    for one in networks:
        reason = why_fixed(one.view, layer)
        if reason:
            return f"in {one.kind} {one.seed} {reason}"
    return ""


def _effects(
    networks: Sequence[Network], layouts: Mapping[str, Layout], layer: str, draws: int, seed: int
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield for each contrast the networks' effects at a layer and their sampling covariance."""
    # Each array is read once, for all contrasts; the same speakers are drawn for all networks.
    means: dict[str, list[np.ndarray]] = {name: [] for name in layouts}
    for one in networks:
        values = one.view.layer(layer)[one.view.summary].to_numpy() if layouts else np.empty(0)
        for name, place in layouts.items():
            means[name].append(place.means(values))
    for name, place in layouts.items():
        people = int(place.speakers.max()) + 1
        weights = draw_speakers(people, draws, seed)
        effects = np.array([effect_sizes(one, place.groups, place.speakers)[0] for one in means[name]])
        if not np.isfinite(effects).all():
            dead = networks[int(np.flatnonzero(~np.isfinite(effects))[0])]
            raise DataError(
                f"The series of {dead.kind} {dead.seed} do not vary at layer {layer!r} ({name}): the network is dead "
                "there. Leave it or this layer out."
            )
        drawn = np.array([effect_sizes(one, place.groups, place.speakers, weights) for one in means[name]])
        yield name, effects, sampling_covariance(drawn, people)
