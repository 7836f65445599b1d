"""Is a contrast between levels of any column encoded at a layer, in level or in shape (Begus & Zhou 2022, Fig. 4)?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import DataError
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.curves import IntervalOptions
from layerstats.stats.contrasts.fits import FitOptions
from layerstats.stats.contrasts.fitted_layers import FittedLayers, adjust_tests, fit_layers, layers_of
from layerstats.stats.contrasts.models import SpeakerTerms, check_groups, check_level_speakers
from layerstats.stats.contrasts.stacking import stacked
from layerstats.stats.contrasts.untrained import network_effects
from layerstats.stats.fixed_summary import why_fixed
from layerstats.stats.multiplicity import AdjustMethod
from layerstats.stats.null import compare_with_untrained
from layerstats.stats.series import SAMPLES, Series, Variant
from layerstats.tables import PrintedResult, check_frame

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult
    from layerstats.store import Experiment

ItemTerms = Literal["auto", "none"]
# Fewer series of a level have no spread worth the name.
LEAST_SERIES = 3
UNTESTED = "not tested"
NO_NULL = "no comparison with untrained networks, in which what is recorded of the channels is fixed"
DURATIONS = ["token", "phone", "phone_index", "phone_duration_s"]


@dataclass(frozen=True, eq=False, repr=False)
class LayerContrasts(PrintedResult):
    """A contrast at each layer, always `level_1` minus `level_2`.

    Attributes
    ----------
    contrast
        What was compared.
    table
        A row a layer (with more than two levels, a row a layer and level, against the last): joint test, level
        difference and shape difference with raw and adjusted p-values, effect size, counts, of phones the receptive
        field against their duration, the comparison with untrained networks where the store has them, and which checks
        of its residuals the model fails. Layers that could not be tested have a `note` and no numbers.
    curves
        Predicted curves: ``layer, group``, ``time`` (normalised) or ``time_ms`` (of the clip), ``fit, std_error,
        conf_low, conf_high, interval, conf_level``.
    difference, regions
        The difference curve and the stretches of time where its interval excludes zero.
    parametric, smooths
        The tables of the models as fitted, whose tests of levels count residual degrees of freedom.
    checks, autocorrelation
        The k-index of their smooths, and the autocorrelation of their residuals.
    glance
        One row a layer.
    networks
        ``layer, recording, trained, effect_size``: the descriptive effect size of every network, missing where what is
        recorded of its channels is fixed (by a LayerNorm that has learned nothing yet); no rows without untrained
        recordings.
    dropped
        Series with too few samples at a layer.
    durations
        ``token, phone, phone_index, phone_duration_s``; of contrasts between tokens no rows.
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
    contrast: Contrast
    table: pd.DataFrame
    curves: pd.DataFrame
    difference: pd.DataFrame
    regions: pd.DataFrame
    parametric: pd.DataFrame
    smooths: pd.DataFrame
    checks: pd.DataFrame
    autocorrelation: pd.DataFrame
    glance: pd.DataFrame
    networks: pd.DataFrame
    dropped: pd.DataFrame
    durations: pd.DataFrame
    residual_checks: pd.DataFrame
    model_warning: str
    level_units: str
    series: Mapping[str, Series]
    results: Mapping[str, GammResult]


def layer_contrasts(
    source: Experiment | pd.DataFrame,
    contrast: str | Contrast,
    *,
    layers: Collection[str] | None = None,
    variant: Variant | None = None,
    speakers: SpeakerTerms = "auto",
    items: ItemTerms = "auto",
    samples: int | None = SAMPLES,
    k: int | None = None,
    adjust: AdjustMethod = "holm",
    intervals: IntervalOptions | None = None,
    fits: FitOptions | None = None,
) -> LayerContrasts:
    """Test a contrast between levels of any column of tokens or phones, layer by layer.

    One model a layer: ``value ~ sex + s(sample) + s(sample, by=sex_ordered)``, with AR(1) residuals where these fit
    better, a factor smooth a series, and factor smooths of whatever repeats:

    - *speakers*, and their versions of each level where they say several (a condition). Where each speaker is of one
      level (sex, dialect), levels are compared between speakers, and the level is tested with as many degrees of
      freedom as speakers, less the number of levels.
    - *words* (and for contrasts between phones of any other column than their label, the labels): what tokens of a word
      have in common is not mistaken for a level that says it more often, nor for noise. They are random, and so a
      sample: where each is of one level (frequent words), they are what is counted if there are fewer of them. Where
      words are of several levels, the result is about these words.

    ``docs/statistics/calibration.md`` has how often the tests err.

    Parameters
    ----------
    source
        An experiment, whose selection narrows the contrast, or a tidy table as from its ``to_frame(columns=...)``, with
        the contrast's column.
    contrast
        For instance ``"sex=F:M"``, ``"phones.position=initial:final"``, ``"s:sh"``: see `Contrast.read`.
    layers
        All by default; a layer with too few samples gets a row that says so.
    variant
        Of contrasts between tokens, in place of the contrast's own: see `word_series`.
    speakers, samples, k, adjust, intervals, fits
        As in `word_contrasts`. Each of the three tests is a family over layers and levels.
    items
        "auto" as above, or "none" for a model without words. Words and phones that are themselves compared have none.

    Raises
    ------
    ArgumentError
        A column, a value (the message lists those that exist) or a layer does not exist.
    DataError
        One speaker only, a level that one speaker says, or no layer with enough samples.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.store import open_store, store_arrays
    >>> rng, speaker = np.random.default_rng(0), np.arange(24) // 2
    >>> tokens = pd.DataFrame({"token": [f"t{n:02}" for n in range(24)], "word": "ask", "split": "test"})
    >>> tokens = tokens.assign(speaker=[f"p{n:02}" for n in speaker], sex=np.where(speaker % 2, "m", "f"))
    >>> values = rng.normal(size=(24, 1)) + rng.normal(size=(24, 12)) + 3.0 * (speaker % 2)[:, None]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, {"conv1": values}, time_s={"conv1": np.arange(12) / 12})
    ...     result = layer_contrasts(open_store(path), "sex=m:f")
    >>> result.level_units
    '12 speakers, less one for each of 2 groups'
    >>> bool(result.table["level_p_value"].item() < 0.01)
    True
    """
    contrast = Contrast.read(contrast)
    contrast = contrast if variant is None else replace(contrast, variant=variant)
    check_choice("items", items, ("auto", "none"))
    names = layers_of(source, layers)
    places = None if isinstance(source, pd.DataFrame) else contrast.intervals(source)
    if places is not None:
        check_groups(places, contrast.group, speakers)
    every = {layer: contrast.series(source, layer, samples=samples) for layer in names}
    notes = {layer: _note(source, layer, one, contrast) for layer, one in every.items()}
    series = {layer: one for layer, one in every.items() if not notes[layer].startswith(UNTESTED)}
    if not series:
        raise DataError(_nothing_to_test(contrast, notes))
    for one in series.values():
        check_groups(one.frame, contrast.group, speakers)
        # Words and phones are compared whoever says them.
        if contrast.items and speakers != "none":
            check_level_speakers(one.frame, contrast.group)
    fitted = fit_layers(
        contrast,
        series,
        k=k,
        speakers=speakers,
        items=contrast.items if items == "auto" else (),
        options=intervals or IntervalOptions(),
        fits=fits or FitOptions(),
    )
    networks = network_effects(source, series, contrast, samples)
    pairs = [(name, contrast.level_2) for name in contrast.names[:-1]]
    durations = _durations(places)
    table = _table(source, fitted, notes, durations, pairs)
    return LayerContrasts(
        contrast=contrast,
        table=_finished(table, contrast, adjust, networks, fitted.models_pass),
        parametric=fitted.stacked("parametric"),
        smooths=fitted.stacked("smooths"),
        glance=fitted.stacked("glance"),
        networks=networks,
        dropped=stacked({layer: one.dropped for layer, one in every.items()}),
        durations=durations,
        **fitted.tables(pairs, "group"),
    )


def _note(source: Experiment | pd.DataFrame, layer: str, series: Series, contrast: Contrast) -> str:
    """Say what was left out at a layer, or why it is not tested."""
    fixed = "" if isinstance(source, pd.DataFrame) else why_fixed(source, layer)
    if fixed:
        return f"{UNTESTED}: {fixed}"
    what, short = "intervals" if contrast.unit == "phone" else "tokens", len(series.dropped)
    counts = Counter(series.frame.drop_duplicates(series.identifier)[contrast.group])
    if min(counts[name] for name in contrast.names) < LEAST_SERIES:
        return f"{UNTESTED}: too few samples in {short} {what}"
    return f"{short} {what} too short" if short else ""


def _nothing_to_test(contrast: Contrast, notes: Mapping[str, str]) -> str:
    for layer, note in notes.items():
        if "is fixed" in note:
            return f"No layer can be tested. {layer}: {note.removeprefix(f'{UNTESTED}: ')}."
    what, which = ("intervals", "phones") if contrast.unit == "phone" else ("tokens", "levels")
    under = "under" if contrast.unit == "phone" else "of"
    return (
        f"No layer has enough samples {under} {', '.join(contrast.names)}: at least {LEAST_SERIES} {what} a set with "
        f"four samples or more are needed. Choose earlier layers, or other {which}."
    )


def _durations(places: pd.DataFrame | None) -> pd.DataFrame:
    """Return the durations of phones, of which a tidy table says nothing."""
    if places is None or "phone" not in places:
        empty = pd.DataFrame({name: [] for name in DURATIONS})
        return check_frame(empty.astype({"token": str, "phone": str, "phone_index": int, "phone_duration_s": float}))
    return check_frame(places.assign(phone_duration_s=places["offset_s"] - places["onset_s"]).loc[:, DURATIONS])


def _table(
    source: Experiment | pd.DataFrame,
    fitted: FittedLayers,
    notes: Mapping[str, str],
    durations: pd.DataFrame,
    pairs: Collection[tuple[str, str]],
) -> pd.DataFrame:
    rows = []
    for layer, note in notes.items():
        for pair in pairs:
            row: dict[str, object] = {"layer": layer, "level_1": pair[0], "level_2": pair[1]}
            if layer in fitted.series:
                row |= _counts(fitted.series[layer], fitted.contrast.group, pair)
                row |= fitted.tests(layer, *pair)
                row |= {"note": "; ".join(filter(None, [note, fitted.models[layer].units.note]))}
                row |= fitted.effect(layer, pair)
            else:
                row |= {"effect_size": np.nan, "level_difference": np.nan, "note": note}
            if len(durations) and not isinstance(source, pd.DataFrame):
                field = source.layer(layer).attrs.get("receptive_field_s", float("nan"))
                duration = float(np.median(durations["phone_duration_s"].to_numpy()))
                row |= {"receptive_field_s": field, "phone_duration_s": duration, "receptive_fields": duration / field}
            rows.append(row)
    return pd.DataFrame(rows)


def _counts(series: Series, group: str, pair: tuple[str, str]) -> dict[str, int]:
    each = series.frame.drop_duplicates(series.identifier)
    counts = Counter(each[group])
    return {
        "tokens_1": counts[pair[0]],
        "tokens_2": counts[pair[1]],
        "speakers": len(set(each["speaker"])),
        "samples": series.points,
    }


def _finished(
    table: pd.DataFrame,
    contrast: Contrast,
    adjust: AdjustMethod,
    networks: pd.DataFrame,
    models_pass: Mapping[str, str],
) -> pd.DataFrame:
    """Add adjusted p-values, the untrained networks, and whether the models pass their checks."""
    asked = contrast.name if len(contrast.levels) == 2 else f"levels of {contrast.column} against {contrast.level_2}"
    table = adjust_tests(table, f"{asked} over layers; joint, level and shape test each by itself", adjust)
    note = table.pop("note")
    lacking = sorted(set(networks.loc[networks["effect_size"].isna(), "layer"]))
    whole = networks.loc[~networks["layer"].isin(lacking)]
    if len(whole):
        table = table.merge(compare_with_untrained(whole), on="layer", how="left")
    note += np.where(table["layer"].isin(lacking) & (note != ""), "; ", "")
    note += np.where(table["layer"].isin(lacking), NO_NULL, "")
    checks = [models_pass.get(layer, "") for layer in table["layer"]]
    return check_frame(table.assign(model_checks=checks, note=note), "phone_contrast")
