"""The models of a contrast at each layer, as resampling takes them: the same tokens at all layers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from layerstats.checks import check_choice
from layerstats.errors import DataError
from layerstats.stats.contrasts.channel_values import ChannelRows, on_common_times
from layerstats.stats.contrasts.contrast import Contrast, one_contrast
from layerstats.stats.contrasts.models import SpeakerTerms, check_groups, level_and_shape_model
from layerstats.stats.fixed_summary import why_fixed
from layerstats.stats.series import SAMPLES, Series

if TYPE_CHECKING:
    from layerstats.stats.gamm import FitTask
    from layerstats.store import Experiment

LEAST_SERIES = 3
Times = Literal["common", "own"]


@dataclass(frozen=True, eq=False)
class ContrastTasks:
    """What `layerstats.stats.resampling` needs for a contrast.

    Attributes
    ----------
    models
        By layer.
    label
        The column of labels.
    level_1, level_2
        The labels to compare, in the order they were given.
    left_out
        By layer that has no model, why.
    """

    models: dict[str, FitTask]
    label: str
    level_1: str
    level_2: str
    left_out: dict[str, str]


def contrast_tasks(
    experiment: Experiment,
    contrast: str | Contrast | None = None,
    *,
    words: Collection[str] | None = None,
    phones: str | None = None,
    layers: Collection[str] | None = None,
    times: Times = "common",
    speakers: SpeakerTerms = "auto",
    samples: int | None = SAMPLES,
    k: int | None = None,
) -> ContrastTasks:
    """Return the model of each layer for a contrast between two words, two sets of phones, or levels of any column.

    Parameters
    ----------
    experiment
        The store.
    contrast
        A contrast of two levels, or its string: ``"s:sh"``, ``"sex=F:M"``; see `Contrast.read`. The models of these
        tasks know tokens and speakers only: where levels hold different words, select words to hold them equal.
    words, phones
        Instead, two words, or two sets of phones: ``"s:sh"``.
    layers
        All by default. A token that is too short at one of them is left out at all, and a layer at which fewer than
        three series of a label are long enough is left out.
    times
        Phones differ in length. "common" interpolates every series linearly to as many equally spaced times as the
        median series has points; "own" keeps each at its own, which makes refits some fifty times slower.
    speakers, samples, k
        As in `phone_contrast`.

    Raises
    ------
    ArgumentError
        Not exactly one of `contrast`, `words` and `phones`.
    DataError
        No layer has enough series.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> tasks = contrast_tasks(open_store("results/demo/store.zarr"), phones="s:sh")
    >>> sorted(tasks.models)
    ['conv1', 'conv3', 'conv4', 'conv5']
    """
    check_choice("times", times, ("common", "own"))
    contrast = one_contrast(contrast, words, phones)
    label = contrast.group
    chosen = experiment if layers is None else experiment.select(layer=list(layers))
    every = {layer: contrast.series(chosen, layer, samples=samples) for layer in chosen.layers}
    left_out = {layer: reason for layer in every if (reason := why_fixed(experiment, layer))}
    kept = {layer: one for layer, one in every.items() if layer not in left_out and _enough(one, contrast)}
    if not kept:
        reasons = "".join(f" {layer}: {reason}." for layer, reason in left_out.items())
        raise DataError(
            f"No layer has {LEAST_SERIES} series or more of {contrast.level_1} and of {contrast.level_2}.{reasons}"
        )
    shared = set.intersection(*(set(one.frame[one.identifier]) for one in kept.values()))
    models = {}
    for layer, one in kept.items():
        own = one.frame.loc[one.frame[one.identifier].isin(sorted(shared))].reset_index(drop=True)
        series = replace(one, frame=own)
        check_groups(own, label, speakers)
        if series.covariate == "time" and times == "common":
            series = on_the_same_times(series)
        model = level_and_shape_model(
            series, label, contrast.reference_first, k=k, speakers=speakers, items=contrast.items
        )
        models[layer] = model.task(rho="auto")
    few = "too few series with enough samples"
    left_out = {layer: left_out.get(layer, few) for layer in every if layer not in kept}
    return ContrastTasks(models, label, contrast.level_1, contrast.level_2, left_out)


def _enough(series: Series, contrast: Contrast) -> bool:
    counts = series.frame.drop_duplicates(series.identifier)[contrast.group].value_counts()
    return bool(counts.reindex(list(contrast.names), fill_value=0).min() >= LEAST_SERIES)


def on_the_same_times(series: Series) -> Series:
    """Interpolate series that run along normalised time to the same times; see `on_common_times`."""
    rows = np.arange(len(series.frame))
    common, moved = on_common_times(series, ChannelRows(rows, rows, rows))
    values = series.frame["value"].to_numpy(dtype=float)
    lower, upper, weight = np.asarray(moved.lower), np.asarray(moved.upper), np.asarray(moved.weight)
    frame = common.frame.assign(value=values[lower] * (1 - weight) + values[upper] * weight)
    return replace(series, frame=frame)
