"""Does a contrast differ: between men and women, between layers, between networks, after training?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.contrasts.contrast import Contrast, one_contrast
from layerstats.stats.contrasts.curves import IntervalOptions
from layerstats.stats.contrasts.difference_tests import TESTS
from layerstats.stats.contrasts.fits import FitOptions, fit_models
from layerstats.stats.contrasts.interactions.comparison import LayerComparison
from layerstats.stats.contrasts.interactions.paired import SCALES, PairedPlan, Scale
from layerstats.stats.contrasts.interactions.sides import (
    TRAINED,
    LayerPlan,
    ModelOptions,
    Recordings,
    Sides,
    column_sides,
    layer_sides,
    recording_sides,
    training_sides,
)
from layerstats.stats.contrasts.interactions.trained_among_untrained import network_distances, rank_trained
from layerstats.stats.contrasts.model_checks import check_models, verdicts, warn_of
from layerstats.stats.contrasts.models import SpeakerTerms
from layerstats.stats.contrasts.stacking import residual_autocorrelation, stacked
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.series import SAMPLES, Series
from layerstats.stats.units import describe_units
from layerstats.tables import PrintedResult, check_frame

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult
    from layerstats.store import Experiment


@dataclass(frozen=True, eq=False, repr=False)
class ContrastOfContrasts(PrintedResult):
    """How a contrast differs between two sides, at each layer: always the contrast on `by_level` 1 minus that on 2.

    Attributes
    ----------
    tests
        A row a layer: ``contrast`` (for instance "s - sh"), ``level_1, level_2`` (the two sides), the joint test of the
        double difference, which is the one to rely on for "does the contrast differ at all", its level and its shape,
        with raw and adjusted p-values, its effect size, counts, and which checks of its residuals the model fails.
        After training also where the trained network ranks among the untrained ones. Layers that could not be tested
        have a `note` and no numbers.
    effects
        ``layer, by_level, level_1, level_2, effect_size, ...``: of the contrast on each side, and of the double
        difference where ``by_level`` is "difference".
    curves
        Predicted curves of the four cells: ``layer, by_level, group, <axis>, fit, ...``.
    contrasts, contrast_regions
        The difference curve of the contrast on each side, and where its interval excludes zero.
    difference, regions
        The double-difference curve, ``level_1 - level_2`` the two sides, and where its interval excludes zero.
    cells
        How many series and speakers each cell has.
    network_tests, networks
        After training: the ranks of the trained network among untrained ones for each test, and the distances behind
        them. No rows otherwise.
    parametric, smooths, checks, autocorrelation, residual_checks
        Of the models with the double difference, as fitted; tests of levels there count residual degrees of freedom,
        and take units for known.
    dropped
        Series that are too short at a layer, or missing on one side.
    notes
        What the comparison means, in sentences.
    model_warning
        Which layers' models fail checks, in a sentence for captions; empty where none does.
    level_units
        What tests of levels count, for instance "16 speakers, less one for each of 2 groups".
    series, results
        By layer: the series of the model with the double difference, and that model.
    """

    main_tables = ("tests",)
    tests: pd.DataFrame
    effects: pd.DataFrame
    curves: pd.DataFrame
    contrasts: pd.DataFrame
    contrast_regions: pd.DataFrame
    difference: pd.DataFrame
    regions: pd.DataFrame
    cells: pd.DataFrame
    network_tests: pd.DataFrame
    networks: pd.DataFrame
    parametric: pd.DataFrame
    smooths: pd.DataFrame
    checks: pd.DataFrame
    autocorrelation: pd.DataFrame
    residual_checks: pd.DataFrame
    dropped: pd.DataFrame
    notes: tuple[str, ...]
    model_warning: str
    level_units: str
    series: Mapping[str, Series]
    results: Mapping[str, GammResult]


def contrast_of_contrasts(
    experiment: Experiment,
    contrast: str | Contrast,
    *,
    by: str | Contrast | None = None,
    by_layers: tuple[str, str] | None = None,
    by_recordings: Recordings | None = None,
    by_training: bool = False,
    layers: Collection[str] | None = None,
    scale: Scale = "tokens",
    speakers: SpeakerTerms = "auto",
    samples: int | None = SAMPLES,
    k: int | None = None,
    adjust: AdjustMethod = "holm",
    intervals: IntervalOptions | None = None,
    fits: FitOptions | None = None,
) -> ContrastOfContrasts:
    """Test whether a contrast differs between two sides: that on the first side minus that on the second.

    ``(level_1 - level_2 | side 1) - (level_1 - level_2 | side 2)``; what the sides are, one of `by`, `by_layers`,
    `by_recordings` and `by_training` says.

    With `by`, a column of the same recording, one model a layer has four cells (see `interaction_model`): the double
    difference is its last coefficient and its last difference smooth. With the others both sides have the same tokens.
    Their scales differ, so that each side is put in units of its own standard deviation of tokens, on one axis of time;
    then the contrast of the paired differences of tokens is the double difference, and the model is that of any
    contrast. ``docs/how-to/contrasts.md`` has formulas, and ``docs/statistics/calibration.md`` how often the tests err.

    Parameters
    ----------
    experiment
        A store, or a selection of it.
    contrast
        Two levels of a column of tokens or phones: ``"s:sh"``, ``"sex=F:M"``, or a `Contrast`.
    by
        Another one: ``"sex=F:M"`` with a contrast of phones, ``"phones.position=initial:final"``.
    by_layers
        Two layers of this recording.
    by_recordings
        Two recordings, by name (of this store) or as experiments (of any store with the same tokens): trained twins,
        two networks, two quantities. At the layers that both have.
    by_training
        The trained network against the mean of its untrained twins.
    layers
        All by default; says nothing with `by_layers`.
    scale
        "tokens", or "none" where both sides have the same units and sizes are to be compared; `by` has one unit anyway.
    speakers, samples, k, adjust, intervals, fits
        As in `word_contrasts`. Each of the three tests is a family over layers.

    Raises
    ------
    ArgumentError
        Not one thing to compare by, or a column, level, layer or recording that does not exist.
    DataError
        Too few series of a cell or too few speakers at all layers, or no untrained networks.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> from layerstats.store import open_store
    >>> result = contrast_of_contrasts(open_store("results/demo/store.zarr"), "s:sh", by="sex=F:M", layers=["conv3"])
    >>> result.tests[["layer", "level_1", "level_2"]].values.tolist()
    [['conv3', 'F', 'M']]
    """
    given = [name for name, one in (("by", by), ("by_layers", by_layers), ("by_recordings", by_recordings)) if one]
    if len(given) + by_training != 1:
        raise ArgumentError(
            "Say what the contrast is compared between by one of 'by', 'by_layers', 'by_recordings' and 'by_training', "
            f"but got {', '.join([*given, *['by_training'] * by_training]) or 'none of them'}."
        )
    check_choice("scale", scale, SCALES)
    if isinstance(experiment, pd.DataFrame):
        raise ArgumentError("A contrast of contrasts is read from a store, but got a table. store_arrays() makes one.")
    options, fits = intervals or IntervalOptions(), fits or FitOptions()
    one, model_options = one_contrast(contrast), ModelOptions(scale, samples, k, speakers)
    chosen = experiment if layers is None else experiment.select(layer=list(layers))
    if by is not None:
        sides = column_sides(chosen, one, one_contrast(by), model_options)
    elif by_layers is not None:
        sides = layer_sides(experiment, one, by_layers, model_options)
    elif by_recordings is not None:
        sides = recording_sides(chosen, one, by_recordings, model_options)
    else:
        sides = training_sides(chosen, one, model_options)
    plans, untested = _plans(sides)
    compared, results = _fitted(plans, fits)
    return _result(one, sides, plans, untested, compared, results, adjust, options)


def _plans(sides: Sides) -> tuple[dict[str, LayerPlan], dict[str, str]]:
    """Return the plan of each layer, and for those that cannot be tested the reason."""
    plans, untested = {}, {}
    for layer in sides.layers:
        try:
            plans[layer] = sides.plan(layer)
        except DataError as error:
            untested[layer] = str(error).rstrip(".")
    if not plans:
        raise DataError(
            f"No layer can be tested. {' '.join(f'{layer}: {reason}.' for layer, reason in untested.items())}"
        )
    return plans, untested


def _fitted(
    plans: Mapping[str, LayerPlan], fits: FitOptions
) -> tuple[dict[str, LayerComparison], dict[str, GammResult]]:
    """Fit all models side by side; returns what is read from them, and of each layer the one with the difference."""
    every = iter(fit_models([model for plan in plans.values() for model in plan.models], fits))
    compared, results = {}, {}
    for layer, plan in plans.items():
        own = [next(every) for _ in plan.models]
        compared[layer], results[layer] = plan.compare(own), own[-1]
    return compared, results


def _result(
    contrast: Contrast,
    sides: Sides,
    plans: Mapping[str, LayerPlan],
    untested: Mapping[str, str],
    compared: Mapping[str, LayerComparison],
    results: dict[str, GammResult],
    adjust: AdjustMethod,
    options: IntervalOptions,
) -> ContrastOfContrasts:
    series = {layer: plan.series for layer, plan in plans.items()}
    checked = check_models(results)
    models_pass = verdicts(checked)
    contrasts = {layer: one.contrasts(options) for layer, one in compared.items()}
    doubles = {layer: one.double_difference(options) for layer, one in compared.items()}
    effects = stacked({layer: one.effects(options) for layer, one in compared.items()})
    networks, network_tests = _among_networks(sides, plans)
    tests = _tests(contrast, sides, plans, untested, compared, effects, models_pass)
    return ContrastOfContrasts(
        tests=_finished(tests, contrast, sides, adjust, network_tests),
        effects=effects,
        curves=stacked({layer: one.curves(options) for layer, one in compared.items()}),
        contrasts=stacked({layer: tables[0] for layer, tables in contrasts.items()}),
        contrast_regions=stacked({layer: tables[1] for layer, tables in contrasts.items()}),
        difference=stacked({layer: tables[0] for layer, tables in doubles.items()}),
        regions=stacked({layer: tables[1] for layer, tables in doubles.items()}),
        cells=stacked({layer: plan.counts for layer, plan in plans.items()}),
        network_tests=network_tests,
        networks=networks,
        parametric=stacked({layer: result.parametric for layer, result in results.items()}),
        smooths=stacked({layer: result.smooths for layer, result in results.items()}),
        checks=stacked({layer: result.k_check(seed=options.seed) for layer, result in results.items()}),
        autocorrelation=residual_autocorrelation(results, series),
        residual_checks=stacked(checked),
        dropped=stacked({layer: one.dropped for layer, one in series.items()}),
        notes=sides.notes,
        model_warning=warn_of(models_pass, untested),
        level_units=describe_units(plan.models[-1].units for plan in plans.values()),
        series=series,
        results=results,
    )


def _tests(
    contrast: Contrast,
    sides: Sides,
    plans: Mapping[str, LayerPlan],
    untested: Mapping[str, str],
    compared: Mapping[str, LayerComparison],
    effects: pd.DataFrame,
    models_pass: Mapping[str, str],
) -> pd.DataFrame:
    sizes = effects.loc[effects["by_level"] == "difference"].set_index("layer")
    rows = []
    for layer in sides.layers:
        row = {"layer": layer, "contrast": contrast.name, "level_1": sides.names[0], "level_2": sides.names[1]}
        if layer in untested:
            nothing = {"level_difference": np.nan, "effect_size": np.nan, "model_checks": ""}
            rows.append({**row, **nothing, "note": f"not tested: {untested[layer]}"})
            continue
        each = plans[layer].series.frame.drop_duplicates(plans[layer].series.identifier)
        row |= {"tokens": len(each), "speakers": each["speaker"].nunique(), "samples": plans[layer].series.points}
        row |= compared[layer].tests
        row |= sizes.loc[layer, ["effect_size", "effect_conf_low", "effect_conf_high", "conf_level"]].to_dict()
        rows.append({**row, "model_checks": models_pass[layer], "note": compared[layer].note})
    return pd.DataFrame(rows)


def _finished(
    table: pd.DataFrame, contrast: Contrast, sides: Sides, adjust: AdjustMethod, network_tests: pd.DataFrame
) -> pd.DataFrame:
    """Add adjusted p-values, and where the trained network ranks."""
    family = f"({contrast.name}), {sides.names[0]} - {sides.names[1]}, over layers; each test by itself"
    for test in TESTS:
        table = adjust_p_values(table, family, method=adjust, column=f"{test}_p_value", adjusted=f"{test}_p_adjusted")
    if len(network_tests):
        joint = network_tests.loc[network_tests["test"] == "joint"].drop(columns=["test", "effect_size"])
        table = table.merge(joint, on="layer", how="left")
    return check_frame(table, "contrast_of_contrasts")


def _among_networks(sides: Sides, plans: Mapping[str, LayerPlan]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the distances of networks and the trained one's ranks; without rows where training is not compared."""
    tables = []
    for layer, plan in plans.items():
        if sides.names[0] == TRAINED and isinstance(plan, PairedPlan):
            names = [name for side in sides.recordings.values() for name in side]
            scales = dict(zip(names, plan.scales, strict=True))
            tables.append(network_distances(layer, scales, sides.recordings[TRAINED][0]))
    if not tables:
        return check_frame(pd.DataFrame(columns=["layer", "recording"])), check_frame(pd.DataFrame(columns=["layer"]))
    distances = check_frame(pd.concat(tables, ignore_index=True))
    return distances, rank_trained(distances)
