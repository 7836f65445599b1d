"""Is a contrast between two sets of phones encoded at a layer, in level or in shape (Begus & Zhou 2022, Fig. 4)?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.curves import (
    GroupCurves,
    IntervalOptions,
    curve_table,
    difference_effect,
    difference_tables,
    group_curves,
)
from layerstats.stats.contrasts.difference_tests import TESTS, difference_tests
from layerstats.stats.contrasts.fits import FitOptions, fit_models
from layerstats.stats.contrasts.model_checks import check_models, verdicts, warn_of
from layerstats.stats.contrasts.models import SeriesModel, SpeakerTerms, check_groups, level_and_shape_model
from layerstats.stats.contrasts.stacking import residual_autocorrelation, stacked
from layerstats.stats.contrasts.untrained import network_effects
from layerstats.stats.fixed_summary import why_fixed
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.null import compare_with_untrained
from layerstats.stats.series import SAMPLES, Series
from layerstats.stats.units import describe_units
from layerstats.tables import PrintedResult, check_frame

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult
    from layerstats.store import Experiment

GROUP = "phone_set"
# Fewer series of a set have no spread worth the name.
LEAST_SERIES = 3
UNTESTED = "not tested"
NO_NULL = "no comparison with untrained networks, in which what is recorded of the channels is fixed"


@dataclass(frozen=True, eq=False, repr=False)
class PhoneContrast(PrintedResult):
    """A contrast between two sets of phones at each layer, always `level_1` minus `level_2`.

    Attributes
    ----------
    table
        A row a layer: joint test, level difference and shape difference with raw and adjusted p-values, effect size,
        receptive field against phone duration, counts, the comparison with untrained networks where the store has
        them, and which checks of its residuals the model fails. Layers that could not be tested have a `note` and no
        numbers.
    curves
        Predicted curves: ``layer, group, time, fit, std_error, conf_low, conf_high, interval, conf_level``.
    difference, regions
        The difference curve and the stretches of normalised time where its interval excludes zero.
    parametric, smooths
        The tables of the models as fitted, whose tests of levels count residual degrees of freedom.
    checks, autocorrelation
        The k-index of their smooths, and the autocorrelation of their residuals.
    networks
        ``layer, recording, trained, effect_size``: the descriptive effect size of every network, missing where what is
        recorded of its channels is fixed (by a LayerNorm that has learned nothing yet); no rows without untrained
        recordings.
    dropped
        Intervals with too few samples at a layer.
    durations
        ``token, phone, phone_index, phone_duration_s``.
    residual_checks
        Checks of the residuals: ``layer, check, estimate, implied, statistic, p_value, passed, note``.
    model_warning
        Which layers' models fail them, in a sentence for captions; empty where none does.
    level_units
        What tests of levels count, for instance "16 speakers, less one".
    series, results
        By layer: the series, and the fitted model.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    curves: pd.DataFrame
    difference: pd.DataFrame
    regions: pd.DataFrame
    parametric: pd.DataFrame
    smooths: pd.DataFrame
    checks: pd.DataFrame
    autocorrelation: pd.DataFrame
    networks: pd.DataFrame
    dropped: pd.DataFrame
    durations: pd.DataFrame
    residual_checks: pd.DataFrame
    model_warning: str
    level_units: str
    series: Mapping[str, Series]
    results: Mapping[str, GammResult]


def phone_contrast(
    experiment: Experiment,
    set_1: str | Collection[str],
    set_2: str | Collection[str] | None = None,
    *,
    layers: Collection[str] | None = None,
    speakers: SpeakerTerms = "auto",
    samples: int | None = SAMPLES,
    k: int | None = None,
    adjust: AdjustMethod = "holm",
    intervals: IntervalOptions | None = None,
    fits: FitOptions | None = None,
) -> PhoneContrast:
    """Test a contrast between two sets of phones on the stretches of each layer's series that lie under them.

    One model a layer, on normalised time with AR(1) residuals where these fit better, a factor smooth a phone token,
    and factor smooths of speakers, and of speakers' versions of each set, where they repeat: ``value ~ phone_set +
    s(time) + s(time, by=phone_set_ordered) + ...``. Three tests: the joint one of level and shape, which is the one to
    rely on for "is there any difference"; the level, by t with as many degrees of freedom as speakers, less one (or
    less the number of sets, where each speaker says one of them only); and the shape. ``docs/calibration.md`` has how
    often each errs. The effect size is the root mean square of the difference curve over the standard deviation of
    phone tokens, see `layerstats.stats.effect_size`.

    Untrained networks in the store are measured by a descriptive effect size that needs no model, and the trained
    network by the same, so that their ranks are fair: see `layerstats.stats.null`.

    Parameters
    ----------
    experiment
        A store whose corpus has phones; a selection (of words, speakers, neighbouring phones) narrows the contrast.
    set_1, set_2
        Labels of phones: ``"s"``, ``"p,t,k"`` or a list; or both sets in the first, ``"p,t,k:b,d,g"``.
    layers
        All by default; a layer with too few samples under the phones gets a row that says so.
    speakers, samples, k, adjust, intervals, fits
        As in `word_contrasts`. Each of the three tests is a family over layers.

    Raises
    ------
    ArgumentError
        A phone does not exist (the message lists those that do), the sets overlap, a layer does not exist.
    DataError
        One speaker only, or no layer has enough samples under the phones.

    Notes
    -----
    Phones of different words differ in their neighbours too: the published [s] of *ask* and [ʃ] of *wash* stand in
    different places. Select by word or by neighbouring phone to hold them equal.
    """
    options, fits = intervals or IntervalOptions(), fits or FitOptions()
    contrast = Contrast.of_phones(set_1, set_2)
    names = (contrast.level_1, contrast.level_2)
    chosen = experiment if layers is None else experiment.select(layer=list(layers))
    intervals_table = contrast.intervals(chosen)
    check_groups(intervals_table, GROUP, speakers)
    every, notes = _series(chosen, contrast, samples)
    series = {layer: one for layer, one in every.items() if not notes[layer].startswith(UNTESTED)}
    levels = contrast.reference_first
    models = {layer: level_and_shape_model(one, GROUP, levels, k=k, speakers=speakers) for layer, one in series.items()}
    results = dict(zip(series, fit_models(list(models.values()), fits), strict=True))
    curves = {layer: group_curves(result, series[layer], GROUP, names) for layer, result in results.items()}
    differences = {layer: difference_tables(one, [names], options) for layer, one in curves.items()}
    checked = check_models(results)
    models_pass = verdicts(checked)
    networks = network_effects(chosen, series, contrast, samples)
    table = _table(chosen, names, series, notes, intervals_table, models, results, curves, options)
    return PhoneContrast(
        table=_finished(table, names, adjust, networks, models_pass),
        curves=stacked({layer: curve_table(one, options, "group") for layer, one in curves.items()}),
        difference=stacked({layer: tables[0] for layer, tables in differences.items()}),
        regions=stacked({layer: tables[1] for layer, tables in differences.items()}),
        parametric=stacked({layer: result.parametric for layer, result in results.items()}),
        smooths=stacked({layer: result.smooths for layer, result in results.items()}),
        checks=stacked({layer: result.k_check(seed=options.seed) for layer, result in results.items()}),
        autocorrelation=residual_autocorrelation(results, series),
        networks=networks,
        dropped=stacked({layer: one.dropped for layer, one in every.items()}),
        durations=_durations(intervals_table),
        residual_checks=stacked(checked),
        model_warning=warn_of(models_pass),
        level_units=describe_units(model.units for model in models.values()),
        series=series,
        results=results,
    )


def _durations(intervals: pd.DataFrame) -> pd.DataFrame:
    seconds = intervals["offset_s"] - intervals["onset_s"]
    return check_frame(
        intervals.assign(phone_duration_s=seconds).loc[:, ["token", "phone", "phone_index", "phone_duration_s"]]
    )


def _series(
    experiment: Experiment, contrast: Contrast, samples: int | None
) -> tuple[dict[str, Series], dict[str, str]]:
    """Return the series of every layer, and for each layer a note on what was left out."""
    series, notes = {}, {}
    for layer in experiment.layers:
        one = contrast.series(experiment, layer, samples=samples)
        series[layer] = one
        counts = Counter(one.frame.drop_duplicates(one.identifier)[GROUP])
        notes[layer] = f"{len(one.dropped)} intervals too short" if len(one.dropped) else ""
        fixed = why_fixed(experiment, layer)
        if fixed:
            notes[layer] = f"{UNTESTED}: {fixed}"
        elif min(counts[name] for name in contrast.names) < LEAST_SERIES:
            notes[layer] = f"{UNTESTED}: too few samples in {len(one.dropped)} intervals"
    if all(note.startswith(UNTESTED) for note in notes.values()):
        for layer, note in notes.items():
            if "is fixed" in note:
                raise DataError(f"No layer can be tested. {layer}: {note.removeprefix(f'{UNTESTED}: ')}.")
        raise DataError(
            f"No layer has enough samples under {contrast.name}: at least {LEAST_SERIES} intervals a set with four "
            "samples or more are needed. Choose earlier layers, or other phones."
        )
    return series, notes


def _table(
    experiment: Experiment,
    names: tuple[str, str],
    series: Mapping[str, Series],
    notes: Mapping[str, str],
    intervals: pd.DataFrame,
    models: Mapping[str, SeriesModel],
    results: Mapping[str, GammResult],
    curves: Mapping[str, GroupCurves],
    options: IntervalOptions,
) -> pd.DataFrame:
    duration = float(np.median((intervals["offset_s"] - intervals["onset_s"]).to_numpy()))
    rows = []
    for layer in experiment.layers:
        field = experiment.layer(layer).attrs.get("receptive_field_s", float("nan"))
        row = {"layer": layer, "level_1": names[0], "level_2": names[1]}
        if layer in series:
            row |= _counts(series[layer], names)
            reference, other = sorted(names)
            sign = 1.0 if names == (other, reference) else -1.0
            units = models[layer].units
            row |= difference_tests(results[layer], GROUP, reference, other, units, sign)
            row |= {"note": "; ".join(filter(None, [notes[layer], units.note]))}
            size = difference_effect(curves[layer], series[layer], GROUP, names, options)
            row |= {
                "effect_size": size.estimate,
                "effect_conf_low": size.conf_low,
                "effect_conf_high": size.conf_high,
                "conf_level": options.conf_level,
            }
        else:
            row |= {"effect_size": np.nan, "level_difference": np.nan, "note": notes[layer]}
        row |= {"receptive_field_s": field, "phone_duration_s": duration, "receptive_fields": duration / field}
        rows.append(row)
    return pd.DataFrame(rows)


def _counts(series: Series, names: tuple[str, str]) -> dict[str, int]:
    each = series.frame.drop_duplicates(series.identifier)
    counts = Counter(each[GROUP])
    return {
        "tokens_1": counts[names[0]],
        "tokens_2": counts[names[1]],
        "speakers": len(set(each["speaker"])),
        "samples": series.points,
    }


def _finished(
    table: pd.DataFrame,
    names: tuple[str, str],
    adjust: AdjustMethod,
    networks: pd.DataFrame,
    models_pass: Mapping[str, str],
) -> pd.DataFrame:
    """Add adjusted p-values, the untrained networks, and whether the models pass their checks."""
    family = f"{names[0]} - {names[1]} over layers; joint, level and shape test each by itself"
    for test in TESTS:
        table = adjust_p_values(table, family, method=adjust, column=f"{test}_p_value", adjusted=f"{test}_p_adjusted")
    note = table.pop("note")
    lacking = sorted(set(networks.loc[networks["effect_size"].isna(), "layer"]))
    whole = networks.loc[~networks["layer"].isin(lacking)]
    if len(whole):
        table = table.merge(compare_with_untrained(whole), on="layer", how="left")
    note += np.where(table["layer"].isin(lacking) & (note != ""), "; ", "")
    note += np.where(table["layer"].isin(lacking), NO_NULL, "")
    checks = [models_pass.get(layer, "") for layer in table["layer"]]
    return check_frame(table.assign(model_checks=checks, note=note), "phone_contrast")
