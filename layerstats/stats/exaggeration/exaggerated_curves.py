"""How maximized speech of a word differs from natural speech of it over time, against the natural spread."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice
from layerstats.stats.contrasts import FitOptions, IntervalOptions
from layerstats.stats.contrasts.curves import curve_effect, group_curves
from layerstats.stats.contrasts.fitted_layers import adjust_tests
from layerstats.stats.contrasts.layers import LayerContrasts, layer_contrasts
from layerstats.stats.effect_sizes import TokenSpread
from layerstats.stats.exaggeration.feature_items import (
    MAXIMIZED,
    NATURAL,
    FeatureItems,
    check_enough,
    feature_items,
    left_out,
    words_of_both,
)
from layerstats.stats.exaggeration.mel_measures import BANDS, DURATION, GRAVITY, LEVEL
from layerstats.stats.exaggeration.unit_differences import unit_difference
from layerstats.stats.exaggeration.unit_series import ALONG, unit_series
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.store import Experiment
from layerstats.tables import PrintedResult, check_frame

# Points of a series: a word of half a second has twice as many frames.
SAMPLES = 20
CUE_MEASURES = (LEVEL, *BANDS, GRAVITY)


@dataclass(frozen=True, eq=False, repr=False)
class Exaggeration(PrintedResult):
    """What maximization does to measures of each word, always `level_1` minus `level_2`.

    Attributes
    ----------
    table
        A row a word and measure: ``word, measure, level_1, level_2, design, tokens_1, tokens_2, speakers``, the joint,
        level and shape tests with raw and adjusted p-values, ``natural_sd`` (of natural series about their mean, in
        the units of the measure), ``level_in_sd`` (difference in level, in these), ``effect_size`` (root mean square
        over time of the difference, in these, corrected for bias) with its interval, and which checks of its residuals
        the model fails.
    difference
        The difference curves: ``word, measure, level_1, level_2, time`` (normalised) or ``time_ms`` (of the clip),
        ``diff, std_error, conf_low, conf_high, interval, conf_level, natural_sd``; the last is the standard deviation
        between natural series at that time.
    regions
        The stretches of time where the interval of a difference excludes zero.
    curves
        The curve of each condition: ``word, measure, group, ...``.
    duration
        A row a word: how long the speech lasts, ``word, measure, level_1, level_2, design, tokens_1, tokens_2, diff``
        (s), ``natural_sd, level_in_sd, std_error`` (of that), ``conf_low, conf_high, df, statistic, p_value,
        p_adjusted``: by a t test over speakers and starts, Welch's where they are not in pairs.
    silent
        Items that were left out: ``token, word, condition``.
    notes
        What was averaged, left out or compared in pairs.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    difference: pd.DataFrame
    regions: pd.DataFrame
    curves: pd.DataFrame
    duration: pd.DataFrame
    silent: pd.DataFrame
    notes: tuple[str, ...]


def measure_exaggeration(
    experiment: Experiment,
    *,
    words: Collection[str] | None = None,
    measures: str | Collection[str] = "cues",
    reference: str = NATURAL,
    condition: str = MAXIMIZED,
    along: str = "word",
    samples: int = SAMPLES,
    balanced: bool = True,
    adjust: AdjustMethod = "holm",
    intervals: IntervalOptions | None = None,
    fits: FitOptions | None = None,
) -> Exaggeration:
    """Compare maximized with natural speech, word by word and measure by measure, by one GAMM each.

    The model is ``value ~ condition + s(time) + s(time, by=condition_ordered) + s(time, token, bs="fs", m=1)`` with
    AR(1) residuals; the difference smooth has simultaneous intervals over time. Items that began from natural tokens
    are compared with these (or with the ``"before"`` condition) within speakers, by a factor smooth of speakers. What a
    model counts are speakers and starts: items of one speaker and condition are averaged.

    The model takes natural items and maximized ones to lie equally far apart, which they need not: so as many starts
    are taken as there are speakers, the first by number. ``bench/exaggeration_calibration.py`` simulates how often
    differences are found that are not there.

    Parameters
    ----------
    experiment
        A store that `layerstats.probes.record_heard` wrote.
    words
        All that both conditions have, by default.
    measures
        Names as `mel_measures` explains them; "cues" for all but mel trajectories, or "all".
    reference, condition
        Values of the column ``condition``: the difference is `condition` minus `reference`.
    along
        "word": normalised time from the first to the last frame that is speech. "clip": the time of the clip, as the
        network hears it.
    samples
        Points of a series.
    balanced
        False takes all starts of items that are not paired.
    adjust
        How p-values are adjusted, over words and measures, for each of the three tests.
    intervals, fits
        As for `layer_contrasts`.

    Returns
    -------
    Exaggeration

    Raises
    ------
    ArgumentError
        A word, measure or condition does not exist.
    DataError
        A word has fewer than three speakers or starts of a condition; the features' front end is not known.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> measure_exaggeration(open_store("heard.zarr"), words=["six"]).table["word"].unique().tolist()
    ['six']
    """
    check_choice("along", along, ALONG)
    intervals = intervals or IntervalOptions()
    # Natural items say how far speakers lie apart, whatever is compared.
    known = [NATURAL] if (experiment.tokens.get("condition", pd.Series()) == NATURAL).any() else []
    items = feature_items(experiment, words, list(dict.fromkeys([condition, reference, *known])))
    sets = {"cues": CUE_MEASURES, "all": tuple(items.measures.series)}
    if isinstance(measures, str):
        check_choice("measures", measures, sets)
    names = list(sets[measures]) if isinstance(measures, str) else list(measures)
    for name in names:
        check_choice("measures", name, list(items.measures.series))
    chosen = list(words) if words is not None else words_of_both(items, (condition, reference))
    for word in chosen:
        check_enough(items, word, (condition, reference))
    parts: dict[str, list[pd.DataFrame]] = {"table": [], "difference": [], "regions": [], "curves": []}
    for word in chosen:
        rows, paired = _rows(items, word, condition, reference, balanced)
        frame = unit_series(items, rows, names, along, samples)
        natural = unit_series(items, items.rows(word, items.spread_of(word, reference)), names, along, samples)
        result = layer_contrasts(
            frame,
            f"condition={condition}:{reference}",
            variant="word" if along == "word" else "padded",
            samples=None,
            adjust="none",
            intervals=intervals,
            fits=fits,
        )
        design = "within speakers" if paired else "between speakers and starts"
        for name, table in _tables(result, (condition, reference), natural, intervals).items():
            parts[name].append(table.assign(word=word, **({"design": design} if name == "table" else {})))
    family = f"{condition} - {reference}, over words and measures; joint, level and shape test each by itself"
    table = adjust_tests(pd.concat(parts.pop("table"), ignore_index=True), family, adjust)
    others = {name: _named(pd.concat(tables, ignore_index=True)) for name, tables in parts.items()}
    return Exaggeration(
        table=_named(table),
        duration=_durations(items, chosen, (condition, reference), adjust, intervals.conf_level),
        silent=check_frame(items.silent),
        notes=left_out(items),
        **others,
    )


def _rows(items: FeatureItems, word: str, condition: str, reference: str, balanced: bool) -> tuple[np.ndarray, bool]:
    """Return the items of a word to compare, and whether they are compared within speakers."""
    ours, theirs, paired = items.compared(word, condition, reference)
    if balanced and not paired:
        speakers = items.tokens["speaker"].to_numpy()
        kept = list(dict.fromkeys(speakers[ours]))[: len(set(speakers[theirs]))]
        ours = ours[np.isin(speakers[ours].astype(str), kept)]
    return np.concatenate([ours, theirs]), paired


def _tables(
    result: LayerContrasts, pair: tuple[str, str], spread_of: pd.DataFrame, options: IntervalOptions
) -> dict[str, pd.DataFrame]:
    """Return the tables of one word, with what the spread of natural series says of their differences."""
    spreads, effects = {}, []
    for name, fitted in result.results.items():
        curves = group_curves(fitted, result.series[name], "condition", pair)
        values = spread_of.loc[spread_of["layer"] == name, "value"].to_numpy()
        series = values.reshape(len(set(spread_of["speaker"])), -1)
        variance = np.var(series, axis=0, ddof=1)
        spread = TokenSpread(float(np.sqrt(variance.mean())), len(series) - 1)
        size = curve_effect(curves.matrices[pair[0]] - curves.matrices[pair[1]], curves, spread, options)
        ends = {"effect_conf_low": size.conf_low, "effect_conf_high": size.conf_high}
        effects.append({"layer": name, "natural_sd": spread.sd, "effect_size": size.estimate, **ends})
        grid, bins = np.linspace(0, 1, len(curves.grid)), np.linspace(0, 1, len(variance))
        spreads[name] = np.interp(grid, bins, np.sqrt(variance))
    table = result.table.drop(columns=["effect_size", "effect_conf_low", "effect_conf_high"], errors="ignore")
    table = table.merge(pd.DataFrame(effects), on="layer", how="left", validate="one_to_one")
    table = table.assign(level_in_sd=table["level_difference"] / table["natural_sd"], conf_level=options.conf_level)
    difference = result.difference.assign(natural_sd=np.concatenate([spreads[name] for name in result.results]))
    return {"table": table, "difference": difference, "regions": result.regions, "curves": result.curves}


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Call the column of measures so, and put words and measures first."""
    table = table.rename(columns={"layer": "measure"})
    first = [name for name in ("word", "measure", "level_1", "level_2", "design") if name in table]
    dropped = [name for name in ("smooth",) if name in table]
    return check_frame(table.loc[:, [*first, *(name for name in table if name not in (*first, *dropped))]])


def _durations(
    items: FeatureItems, words: Collection[str], pair: tuple[str, str], adjust: AdjustMethod, conf_level: float
) -> pd.DataFrame:
    rows = []
    for word in words:
        found = unit_difference(items, items.measures.duration_s, word, *pair)
        low, high = found.in_sd_interval(conf_level)
        tested = {"df": found.df, "statistic": found.statistic}
        tested["p_value"] = float(2 * stats.t.sf(abs(found.statistic), found.df))
        size = {"level_in_sd": found.in_sd, "std_error": found.in_sd_std_error, "conf_low": low, "conf_high": high}
        names = {"word": word, "measure": DURATION, "level_1": pair[0], "level_2": pair[1]}
        rows.append({**names, **found.described(), **size, "conf_level": conf_level, **tested})
    return check_frame(
        adjust_p_values(pd.DataFrame(rows), f"duration, {pair[0]} - {pair[1]}, over words", method=adjust)
    )
