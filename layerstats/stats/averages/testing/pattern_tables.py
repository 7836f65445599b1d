"""Tables and maps of tests of patterns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.stats.averages.reading.aligned_windows import AlignedWindows
from layerstats.stats.averages.testing.map_statistics import (
    CLUSTER_MASS,
    ENHANCED,
    LARGEST,
    cluster_threshold,
    clusters_of_maps,
    enhanced,
)
from layerstats.stats.averages.testing.permuted_maps import LABELS, PermutationPlan, PermutedMaps
from layerstats.stats.averages.testing.studentised_maps import LEAST_SPEAKERS, Maps, t_of_normal_deviate
from layerstats.stats.multiplicity import adjust_p_values
from layerstats.stats.resampling.westfall_young import permutation_p_values, step_down_p_values

MEAN = "mean"
MAX_T = "max_t"
# Statistics in single precision that differ by less are the same.
SAME = 1e-5
# Labels that a note names; words and phones in context are hundreds.
NAMED = 12


def pattern_table(
    windows: AlignedWindows,
    found: Sequence[PermutedMaps],
    levels: Sequence[tuple[str, str]],
    plan: PermutationPlan,
    adjust: str,
    conf_level: float,
) -> pd.DataFrame:
    """Return a row a contrast, with the place where its statistic is largest: see `PatternTests`.

    Parameters
    ----------
    windows
        What was averaged.
    found
        Maps of all contrasts together, or one after another.
    levels
        The levels of each contrast.
    plan, adjust, conf_level
        See `pattern_tests`.
    """
    rows = [_row(one, place, plan, conf_level) for one in found for place in range(len(one.windows))]
    table = pd.DataFrame(levels, columns=["level_1", "level_2"]).join(pd.DataFrame(rows))
    named = table.rename(columns={"band": "channel" if windows.band_name == "channel" else "frequency_hz"})
    adjusted = _adjusted(named, found, adjust, f"labels: {windows.quantity} aligned by {windows.alignment}")
    last = ["permutations", "speakers", "windows", "note"]
    return adjusted.loc[:, [*(name for name in adjusted.columns if name not in last), *last]]


def _row(one: PermutedMaps, place: int, plan: PermutationPlan, conf_level: float) -> dict[str, object]:
    statistics, estimates, errors, speakers = (values[place] for values in one.observed)
    largest = one.largest[:, place]
    about = {"permutations": len(largest) - 1, "speakers": one.speakers[place], "windows": one.windows[place]}
    row: dict[str, object] = dict.fromkeys(["statistic", "lag_s", "band", "estimate", "std_error"], np.nan)
    row |= dict.fromkeys(["conf_low", "conf_high", "conf_level"], np.nan) | {"test": plan.statistic, "p_value": np.nan}
    if not largest[0] > 0:
        return row | about | {"note": _why_not(one, place)}
    band, lag = np.unravel_index(np.nanargmax(np.abs(statistics)), statistics.shape)
    estimate, error = float(estimates[band, lag]), float(errors[band, lag])
    reach = t_of_normal_deviate(critical_value(largest, conf_level), float(speakers[band, lag])) * error
    row |= {"statistic": _signed(one, place, plan), "lag_s": float(one.lag_s[lag]), "band": one.bands[band]}
    row |= {"estimate": estimate, "std_error": error, "conf_low": estimate - reach, "conf_high": estimate + reach}
    row |= {"conf_level": conf_level, "p_value": float(permutation_p_values(one.chosen[:, [place]], SAME)[0])}
    return row | about | {"note": ""}


def _signed(one: PermutedMaps, place: int, plan: PermutationPlan) -> float:
    """Return the statistic of an observed map with the sign of the difference that it is of."""
    values = one.observed.statistic[place]
    if plan.statistic == LARGEST:
        found = values.ravel()
    elif plan.statistic == ENHANCED:
        found = enhanced(values[None]).ravel()
    else:
        found = clusters_of_maps(values[None], cluster_threshold(plan.cluster_alpha))[1]
    return float(found[np.nanargmax(np.abs(found))]) if len(found) else 0.0


def critical_value(largest: np.ndarray, conf_level: float) -> float:
    """Return the statistic that only those exceed whose p-value is 1 - `conf_level` or below.

    Examples
    --------
    >>> critical_value(np.array([9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 0.5]), 0.8)
    7.0
    """
    below = int(np.floor((1 - conf_level) * len(largest) * (1 + 1e-9)))
    return float(np.sort(largest)[::-1][min(below, len(largest) - 1)])


def _why_not(one: PermutedMaps, place: int) -> str:
    if one.windows[place] == 0:
        return "no windows"
    if one.speakers[place] < LEAST_SPEAKERS:
        return f"windows of {one.speakers[place]} speaker{'s' if one.speakers[place] > 1 else ''} only"
    return "no place that enough speakers reach, or no difference anywhere"


def _adjusted(table: pd.DataFrame, found: Sequence[PermutedMaps], adjust: str, family: str) -> pd.DataFrame:
    if adjust != MAX_T:
        return adjust_p_values(table, family, method=adjust)  # type: ignore[arg-type]
    tested = table["p_value"].notna().to_numpy()
    adjusted = table.assign(p_adjusted=np.nan, adjust_method=MAX_T, family=family, tests=int(tested.sum()))
    if tested.any():
        adjusted.loc[tested, "p_adjusted"] = step_down_p_values(found[0].chosen[:, tested], SAME)
    return adjusted


def pattern_maps(
    windows: AlignedWindows,
    found: Sequence[PermutedMaps],
    levels: Sequence[tuple[str, str]],
    plan: PermutationPlan,
    adjust: str,
) -> xr.Dataset:
    """Return maps of all contrasts, (label, band, lag): see `PatternTests`; parameters as of `pattern_table`."""
    dims = ("label", windows.band_name, "lag")
    # Pairs have permutations of their own; a label may be called "mean" itself.
    of_pairs = len(found) == len(levels)
    variables = {name: np.concatenate([getattr(one.observed, name) for one in found]) for name in Maps._fields}
    if plan.statistic == LARGEST:
        variables |= _place_p_values(found, len(levels), adjust)
    elif plan.statistic == CLUSTER_MASS:
        variables["cluster"] = np.concatenate([_cluster_numbers(one, plan) for one in found])
    return xr.Dataset(
        {name: (dims, values) for name, values in variables.items()},
        {
            "label": [f"{first}:{second}" if of_pairs else first for first, second in levels],
            windows.band_name: found[0].bands,
            "lag_s": ("lag", found[0].lag_s),
            "level_1": ("label", [first for first, _ in levels]),
            "level_2": ("label", [second for _, second in levels]),
        },
        {"alignment": windows.alignment, "quantity": windows.quantity},
    )


def _place_p_values(found: Sequence[PermutedMaps], tests: int, adjust: str) -> dict[str, np.ndarray]:
    """Return p-values of places, adjusted over their map and over all maps."""
    over_map = np.concatenate([_p_values(one.observed.statistic, one.largest) for one in found])
    if adjust == MAX_T:
        together = np.repeat(found[0].largest.max(axis=1, keepdims=True), tests, axis=1)
        return {"p_value": over_map, "p_adjusted": _p_values(found[0].observed.statistic, together)}
    # A map may have places with and without a difference, so that no step down from it to the next can be taken.
    return {"p_value": over_map, "p_adjusted": np.minimum(1, over_map * (1 if adjust == "none" else tests))}


def _cluster_numbers(one: PermutedMaps, plan: PermutationPlan) -> np.ndarray:
    """Return the number of the cluster of each place within its map, (contrast, band, lag)."""
    threshold = cluster_threshold(plan.cluster_alpha)
    return np.concatenate([clusters_of_maps(values[None], threshold)[0] for values in one.observed.statistic])


def pattern_clusters(
    windows: AlignedWindows, found: Sequence[PermutedMaps], levels: Sequence[tuple[str, str]], plan: PermutationPlan
) -> pd.DataFrame:
    """Return a row a cluster of the observed maps: see `PatternTests`; parameters as of `pattern_table`."""
    band = "channel" if windows.band_name == "channel" else "frequency_hz"
    columns = ["level_1", "level_2", "cluster", "sign", "statistic", "lag_s", band, "p_value"]
    places = [(one, place) for one in found for place in range(len(one.windows))]
    rows = []
    for (one, place), pair in zip(places, levels, strict=True) if plan.statistic == CLUSTER_MASS else ():
        values = one.observed.statistic[place]
        numbers, masses, _ = clusters_of_maps(values[None], cluster_threshold(plan.cluster_alpha))
        for number, mass in enumerate(masses, 1):
            inside = np.where(numbers[0] == number, np.abs(values), -1)
            row, lag = np.unravel_index(inside.argmax(), inside.shape)
            p_value = np.mean(one.chosen[:, place] >= abs(mass) * (1 - SAME))
            sign = "positive" if mass > 0 else "negative"
            rows.append((*pair, number, sign, float(mass), one.lag_s[lag], one.bands[row], float(p_value)))
    return pd.DataFrame(rows, columns=columns)


def _p_values(statistics: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Return the share of assignments whose largest statistic is at least that of each place, (contrast, band, lag)."""
    p_values = np.full(statistics.shape, np.nan)
    for place, statistic in enumerate(statistics):
        below = np.searchsorted(np.sort(largest[:, place]), np.abs(statistic) * (1 - SAME))
        p_values[place] = np.where(np.isnan(statistic), np.nan, 1 - below / len(largest))
    return p_values


def pattern_claim(plan: PermutationPlan, adjust: str, conf_level: float) -> str:
    """Return what the tests may claim of a map and what not; parameters as of `pattern_table`."""
    if plan.statistic == LARGEST:
        over = "its map" if adjust == "none" else "all places of all maps"
        return f"At a place whose adjusted p-value is below {1 - conf_level:.3g} (over {over}) there is a difference."
    named = {
        CLUSTER_MASS: f"the mass of clusters (places with p below {plan.cluster_alpha:.3g})",
        ENHANCED: "threshold-free cluster enhancement",
    }[plan.statistic]
    return (
        f"Tested by {named}: that there is a difference somewhere in the map, not where it lies, when it begins or how "
        "far it reaches."
    )


def pattern_notes(
    windows: AlignedWindows,
    found: Sequence[PermutedMaps],
    table: pd.DataFrame,
    plan: PermutationPlan,
    conf_level: float,
) -> tuple[str, ...]:
    """Return in sentences what was left out, and what p-values rest on; parameters as of `pattern_table`."""
    notes = list(windows.notes)
    if plan.statistic != LARGEST:
        notes.append(pattern_claim(plan, "", conf_level))
    if plan.exchange == LABELS and not windows.by_label and "relevance" in windows.alignment:
        notes.append(
            f"Windows are aligned by {windows.alignment} for something that is not permuted: where that goes along "
            "with the labels, patterns are found in noise too."
        )
    if plan.windows_per_cell is not None:
        notes.append(f"At most {plan.windows_per_cell} windows of each speaker and label were drawn.")
    exact = [len(one.largest) for one in found if one.exact]
    if exact:
        some = "" if len(exact) == len(found) else f" in {len(exact)} of {len(found)} contrasts"
        what = "assignments of labels" if plan.exchange == LABELS else "signs of speakers"
        notes.append(f"All {what} there are were used{some}: the smallest p-value is 1/{min(exact)}.")
        if 1 / min(exact) > (1 - conf_level) * (1 + 1e-9):
            notes.append(f"So few cannot reach {1 - conf_level:.3g}.")
    left = table.loc[table["p_value"].isna()]
    if len(left):
        named = [f"{first} ({note})" for first, note in zip(left["level_1"], left["note"], strict=True)]
        more = len(named) - NAMED
        others = f"; and {more} more, which the column `note` of the table gives" if more > 0 else ""
        notes.append(f"Not tested: {'; '.join(named[:NAMED])}{others}.")
    return tuple(notes)
