"""Tables of ABX: rates with their intervals, and what they are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.null import compare_with_untrained
from layerstats.stats.proportions import effective_wilson
from layerstats.stats.representations.abx_counting import MODES
from layerstats.stats.representations.abx_measurement import ModeRates, RateKey
from layerstats.stats.representations.abx_rates import JackknifedRates
from layerstats.stats.representations.labelled_vectors import ComparedNetworks, LayerVectors
from layerstats.tables import check_frame

CHANCE = 0.5
TRAINED, UNTRAINED, ACOUSTICS = "trained", "untrained", "acoustics"


def _intervals(rates: JackknifedRates, conf_level: float) -> pd.DataFrame:
    ends = [
        effective_wilson(rate, error**2, df, int(speakers), conf_level) if df > 0 else (np.nan, np.nan)
        for rate, error, df, speakers in zip(rates.estimate, rates.std_error, rates.df, rates.speakers, strict=True)
    ]
    low, high = np.array(ends, dtype=float).reshape(-1, 2).T
    return pd.DataFrame(
        {
            "error_rate": rates.estimate,
            "conf_low": low,
            "conf_high": high,
            "conf_level": conf_level,
            "std_error": rates.std_error,
            "df": rates.df,
            "speakers": rates.speakers,
        }
    )


def rate_table(own: Sequence[ModeRates], conf_level: float, adjust: AdjustMethod) -> pd.DataFrame:
    """Return the rates of all phones, a row a layer and mode, with their tests against chance."""
    rows = []
    for one in own:
        row = _intervals(one.overall, conf_level)
        statistic, p_value = one.overall.test(against=CHANCE)
        row = row.assign(**one.names, chance=CHANCE, statistic=statistic, p_value=p_value)
        few = "one speaker only, or two across: no interval"
        note = few if row["df"].isna().item() else "speakers do not differ" if row["std_error"].item() == 0 else ""
        counts = {"phones": one.phones, "pairs": len(one.pairs[0]), "triplets": one.triplets}
        rows.append(row.assign(**counts, note=note))
    table = pd.concat(rows, ignore_index=True)
    table = adjust_p_values(table, [f"ABX {mode} speakers over layers" for mode in table["abx_mode"]], method=adjust)
    front = ["layer", "recording", "abx_mode", "error_rate", "conf_low", "conf_high", "conf_level", "std_error", "df"]
    middle = ["chance", "statistic", "p_value", "p_adjusted", "adjust_method", "family", "tests"]
    return check_frame(table.loc[:, [*front, *middle, "phones", "pairs", "speakers", "triplets", "note"]])


def detail_table(own: Sequence[ModeRates], what: str, conf_level: float) -> pd.DataFrame:
    """Return the rates of pairs of phones or of classes, a row each."""
    frames = []
    for one in own:
        names, rates = getattr(one, what)
        mode = {name: value for name, value in one.names.items() if name != "recording"}
        frames.append(pd.concat([names.assign(**mode), _intervals(rates, conf_level)], axis=1))
    table = pd.concat(frames, ignore_index=True)
    front = ["layer", "abx_mode", *(name for name in table if str(name)[-2:] in ("_1", "_2"))]
    return check_frame(table.loc[:, [*front, *(name for name in table if name not in front)]])


def comparison_table(
    compared: ComparedNetworks, found: Mapping[RateKey, ModeRates], conf_level: float, adjust: AdjustMethod
) -> pd.DataFrame:
    """Hold every layer against the mean of its untrained twins, and against each layer of the sound alone."""
    rows = []
    for (recording, layer, mode), one in found.items():
        if recording != compared.first.recording:
            continue
        twins = [found[name, layer, mode].overall for name in compared.untrained]
        others = {UNTRAINED: twins[0].mean_with(twins[1:])} if twins else {}
        for name, sound in compared.acoustics.items():
            told = ACOUSTICS if len(compared.acoustics) == 1 else f"{ACOUSTICS} {name}"
            others[told] = found[sound.recording, sound.layer, mode].overall
        for level, other in others.items():
            difference = one.overall.minus(other)
            (statistic, p_value), (low, high) = difference.test(), difference.interval(conf_level)
            row = pd.DataFrame({"diff": difference.estimate, "std_error": difference.std_error, "df": difference.df})
            row = row.assign(statistic=statistic, p_value=p_value, conf_low=low, conf_high=high, conf_level=conf_level)
            rows.append(row.assign(layer=layer, abx_mode=mode, level_1=TRAINED, level_2=level))
    front = ["layer", "abx_mode", "level_1", "level_2", "diff", "std_error", "df", "statistic", "p_value"]
    front += ["conf_low", "conf_high", "conf_level"]
    if not rows:
        return check_frame(pd.DataFrame([], columns=front))
    table = pd.concat(rows, ignore_index=True).loc[:, front]
    families = [
        f"ABX {mode} speakers, {TRAINED} - {other} over layers"
        for mode, other in zip(table["abx_mode"], table["level_2"], strict=True)
    ]
    table = adjust_p_values(table, families, method=adjust)
    null = _ranked(compared, found)
    return check_frame(table if null is None else table.merge(null, on=["layer", "abx_mode", "level_2"], how="left"))


def _ranked(compared: ComparedNetworks, found: Mapping[RateKey, ModeRates]) -> pd.DataFrame | None:
    """Rank the network among its untrained twins: how many of these tell phones apart as well?"""
    names = [compared.first.recording, *compared.untrained]
    rows = [
        (layer, mode, name, name == names[0], -float(one.overall.estimate[0]))
        for (name, layer, mode), one in found.items()
        if name in names
    ]
    if len(names) == 1:
        return None
    effects = pd.DataFrame(rows, columns=["layer", "abx_mode", "recording", "trained", "effect_size"])
    ranked = [
        compare_with_untrained(own).assign(abx_mode=mode) for mode, own in effects.groupby("abx_mode", sort=False)
    ]
    null = pd.concat(ranked, ignore_index=True).assign(level_2=UNTRAINED)
    null["null_error_median"] = -null.pop("null_effect_median")
    return null.drop(columns=["null_effect_low", "null_effect_high"])


def network_table(every: Sequence[LayerVectors], found: Mapping[RateKey, ModeRates]) -> pd.DataFrame:
    """Return the rate of every network at every layer."""
    rows = [
        (one.layer, mode, one.recording, one.network_kind, one.trained, float(rates.overall.estimate[0]))
        for one, mode in product(every, MODES)
        if (rates := found.get((one.recording, one.layer, mode))) is not None
    ]
    names = ["layer", "abx_mode", "recording", "network_kind", "trained", "error_rate"]
    return check_frame(pd.DataFrame(rows, columns=names))
