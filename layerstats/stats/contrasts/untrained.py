"""The effect size of a contrast in every network of a store, trained and untrained."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.fixed_summary import why_fixed
from layerstats.stats.null import descriptive_effect_size
from layerstats.stats.series import Series
from layerstats.tables import check_frame

if TYPE_CHECKING:
    from layerstats.store import Experiment

COLUMNS = ["layer", "recording", "trained", "effect_size"]
# What a network and its untrained twins have in common.
IDENTITY = ("model", "network", "network_kind", "part")
# How it is measured, besides the quantity, and of which score: a store may hold the relevance of several, by several
# rules.
MEASURED = ("times_activation", "method", "rules", "epsilon")
SCORE = ("target", "start")


def network_effects(
    source: Experiment | pd.DataFrame, series: Mapping[str, Series], contrast: Contrast, samples: int | None
) -> pd.DataFrame:
    """Measure every complete recording by the same descriptive effect size, on the same intervals.

    Parameters
    ----------
    source
        The view of the trained network; untrained ones are the other recordings of the store. A tidy table has none.
    series
        The trained network's series of the contrast, by layer.
    contrast, samples
        The contrast and the bins, as for the trained network; of more than two levels there is no one effect.

    Returns
    -------
    pandas.DataFrame
        ``layer, recording, trained, effect_size``; no rows where there is no untrained recording, and a missing number
        where what is recorded of the channels is fixed.
    """
    if isinstance(source, pd.DataFrame) or len(contrast.levels) > 2:
        return check_frame(pd.DataFrame([], columns=COLUMNS))
    experiment, rows = source, []
    others = untrained_twins(experiment)
    if others:
        for layer, one in series.items():
            rows.append((layer, experiment.name, True, _effect(one, contrast)))
    for name in others:
        view = experiment.recording(name)
        for layer in series:
            if why_fixed(view, layer):
                rows.append((layer, name, False, np.nan))
                continue
            rows.append((layer, name, False, _effect(contrast.series(view, layer, samples=samples), contrast)))
    return check_frame(pd.DataFrame(rows, columns=COLUMNS))


def _effect(series: Series, contrast: Contrast) -> float:
    where = {"group": contrast.group, "identifier": series.identifier, "covariate": series.covariate}
    return descriptive_effect_size(series.frame, **where)


def untrained_twins(experiment: Experiment) -> list[str]:
    """Return the complete recordings of the same network with random weights: of its quantity and of its layers.

    A store may hold several networks, and of each several targets and rules, so what two recordings say of `IDENTITY`,
    of `MEASURED` and of `SCORE` must agree where both say it.
    """
    recordings = experiment.recordings
    alike = recordings["complete"].astype(bool) & (recordings["quantity"] == experiment.quantity)
    untrained = recordings.loc[alike & ~recordings["trained"].astype(bool), "recording"].astype(str)
    return [name for name in untrained if name != experiment.name and _is_twin(experiment, name)]


def _is_twin(experiment: Experiment, name: str) -> bool:
    try:
        other = experiment.select(layer=list(experiment.layers)).recording(name)
    except ArgumentError:
        return False  # it lacks a layer
    # A mean and a root mean square are not the same either.
    return agree(experiment, other, (*IDENTITY, *MEASURED, *SCORE)) and other.summary == experiment.summary


def agree(experiment: Experiment, other: Experiment, about: Collection[str]) -> bool:
    """Return whether two recordings have the same attributes `about`, as far as both say them."""
    ours, theirs = experiment.recording_attrs, other.recording_attrs
    return all(ours[name] == theirs[name] for name in about if name in ours and name in theirs)
