"""What a contrast is compared between: levels of a column, layers, recordings, or training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.interactions.crossed import CrossedPlan, crossed_series
from layerstats.stats.contrasts.interactions.paired import PairedPlan, Scale
from layerstats.stats.contrasts.models import SpeakerTerms
from layerstats.stats.contrasts.untrained import untrained_twins
from layerstats.stats.fixed_summary import why_fixed
from layerstats.stats.series import Series

if TYPE_CHECKING:
    from layerstats.store import Experiment

TRAINED, UNTRAINED = "trained", "untrained"
LayerPlan = CrossedPlan | PairedPlan
Recordings = tuple["str | Experiment", "str | Experiment"]


@dataclass(frozen=True)
class ModelOptions:
    """As in `contrast_of_contrasts`."""

    scale: Scale
    samples: int | None
    k: int | None
    speakers: SpeakerTerms


@dataclass(frozen=True, eq=False)
class Sides:
    """The two sides of a comparison, and how the plan of a layer is made.

    Attributes
    ----------
    names
        The sides, the first minus the second.
    layers
        What tables have a row for.
    recordings
        By side, the names of the recordings; empty where both sides are in one.
    plan
        Takes a layer to its plan; raises `DataError` with the reason where there can be none.
    notes
        What the comparison means.
    """

    names: tuple[str, str]
    layers: tuple[str, ...]
    recordings: Mapping[str, tuple[str, ...]]
    plan: Callable[[str], LayerPlan]
    notes: tuple[str, ...]


def column_sides(experiment: Experiment, contrast: Contrast, by: Contrast, options: ModelOptions) -> Sides:
    """Compare the contrast between two levels of a column of the same recording."""

    def plan(layer: str) -> CrossedPlan:
        _check_varies(experiment, layer)
        series = crossed_series(experiment, contrast, by, layer, options.samples)
        made = CrossedPlan(contrast, by, series, options.k, options.speakers)
        made.check()
        return made

    note = (
        "One model a layer with four cells: its last coefficient and difference smooth are the double difference. "
        "Effect sizes are in standard deviations of tokens about the curve of their cell."
    )
    return Sides((by.level_1, by.level_2), tuple(experiment.layers), {}, plan, (note,))


def layer_sides(experiment: Experiment, contrast: Contrast, layers: tuple[str, str], options: ModelOptions) -> Sides:
    """Compare the contrast between two layers."""
    _check_two("by_layers", layers)
    first, second = layers
    for layer in (first, second):
        check_choice("by_layers", layer, experiment.layers)
    if first == second:
        raise ArgumentError(f"The layers to compare must differ, but both are {first!r}.")

    def plan(_: str) -> PairedPlan:
        return _paired(contrast, {one: [(experiment, one)] for one in layers}, options)

    return Sides((first, second), (f"{first} - {second}",), {}, plan, _paired_notes(options))


def recording_sides(experiment: Experiment, contrast: Contrast, pair: Recordings, options: ModelOptions) -> Sides:
    """Compare the contrast between two recordings, of one store or of two, at the layers that both have."""
    _check_two("by_recordings", pair)
    views = [experiment.recording(one) if isinstance(one, str) else one for one in pair]
    strange = [one for one in views if not hasattr(one, "recording_attrs")]
    if strange:
        raise ArgumentError(
            "The 'by_recordings' parameter must have names of recordings, or stores that open_store() has opened, but "
            f"got {strange[0]!r}."
        )
    names = [one if isinstance(one, str) else one.name for one in pair]
    if names[0] == names[1]:
        names = [f"{view.path.stem}/{view.name}" for view in views]
    if names[0] == names[1]:
        raise ArgumentError(f"The recordings to compare must differ, but both are {names[0]!r}.")
    layers = tuple(layer for layer in views[0].layers if layer in views[1].layers)
    if not layers:
        raise ArgumentError(f"{names[0]} and {names[1]} have no layer of one name. Compare layers of one recording.")

    def plan(layer: str) -> PairedPlan:
        sides = {name: [(view, layer)] for name, view in zip(names, views, strict=True)}
        return _paired(contrast, sides, options)

    recordings = {name: (name,) for name in names}
    return Sides((names[0], names[1]), layers, recordings, plan, _paired_notes(options))


def training_sides(experiment: Experiment, contrast: Contrast, options: ModelOptions) -> Sides:
    """Compare the contrast between the trained network and the mean of its untrained twins."""
    twins = untrained_twins(experiment)
    if not twins:
        raise DataError(
            f"The store {experiment.path.name} has no recordings of untrained networks. Record them first "
            "(record_untrained, or layerstats record --untrained 20)."
        )
    others = [experiment.recording(name) for name in twins]

    def plan(layer: str) -> PairedPlan:
        sides = {TRAINED: [(experiment, layer)], UNTRAINED: [(view, layer) for view in others]}
        return _paired(contrast, sides, options)

    notes = (
        *_paired_notes(options),
        "Two questions. Joint, level and shape count speakers: does the trained network differ from the mean of these "
        f"{len(twins)} untrained networks, for speakers in general? The tests among networks count networks: "
        "is its contrast further from the mean of all than those of random weights are, on these tokens?",
    )
    recordings = {TRAINED: (experiment.name,), UNTRAINED: tuple(twins)}
    return Sides((TRAINED, UNTRAINED), tuple(experiment.layers), recordings, plan, notes)


def _paired(
    contrast: Contrast, sides: Mapping[str, Sequence[tuple[Experiment, str]]], options: ModelOptions
) -> PairedPlan:
    series: dict[str, list[Series]] = {}
    for side, own in sides.items():
        for view, layer in own:
            _check_varies(view, layer)
        series[side] = [contrast.series(view, layer, samples=options.samples) for view, layer in own]
    made = PairedPlan.of(contrast, series, options.scale, options.k, options.speakers)
    made.check()
    return made


def _check_two(name: str, pair: Sequence[object]) -> None:
    if isinstance(pair, str) or len(pair) != 2:
        raise ArgumentError(f"The {name!r} parameter must be two to compare, but got {pair!r}.")


def _check_varies(view: Experiment, layer: str) -> None:
    reason = why_fixed(view, layer)
    if reason:
        raise DataError(reason)


def _paired_notes(options: ModelOptions) -> tuple[str, ...]:
    if options.scale == "none":
        return ("Both sides are in units of the response, as recorded: they are compared in size, not in separation.",)
    return (
        "Each side is in units of its own standard deviation of tokens about the mean of their group, so that scales "
        "do not matter: what is compared is how far apart the groups are. That these units are estimates is part of "
        "standard errors, tests and bands.",
    )
