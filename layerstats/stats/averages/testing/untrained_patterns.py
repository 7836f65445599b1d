"""Do letters have patterns because the network was trained, or would any network's relevance find some?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows
from layerstats.stats.averages.reading.stored_windows import aligning_recording, read_windows, windows_of
from layerstats.stats.averages.testing.pattern_tables import MEAN, NAMED
from layerstats.stats.averages.testing.permuted_maps import PermutationPlan, observed_maps
from layerstats.stats.contrasts.untrained import untrained_twins
from layerstats.stats.null import compare_with_untrained
from layerstats.store import Experiment, open_store
from layerstats.tables import PrintedResult, check_frame

TRAINED = "trained"


@dataclass(frozen=True, eq=False, repr=False)
class UntrainedPatterns(PrintedResult):
    """Patterns of a trained network's windows among those that untrained networks find in the same windows.

    Attributes
    ----------
    table
        A row a label: ``level_1, level_2, statistic, lag_s, frequency_hz`` (or ``channel``), of the trained network;
        ``null_statistic_median, null_statistic_low, null_statistic_high, null_p_value, null_p_adjusted,
        null_recordings``, which count networks.
    networks
        A row a label and network: ``level_1, level_2, recording, trained, statistic, lag_s, frequency_hz``.
    maps
        Statistics by (recording, label, band, lag), the trained network's first.
    notes
        What to know when reading the tables.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    networks: pd.DataFrame
    maps: xr.Dataset
    notes: tuple[str, ...]


def untrained_patterns(
    source: AlignedWindows | Experiment | str | os.PathLike[str],
    untrained: Mapping[str, AlignedWindows] | None = None,
    *,
    resolution: tuple[int, int] = (1, 1),
    reach_s: float | None = None,
    covered: float = 0.5,
    windows_per_cell: int | None = None,
    seed: int = 0,
    **reading: Any,
) -> UntrainedPatterns:
    """Rank the largest statistic of each label among those of untrained networks' alignments of the same windows.

    Windows keep the labels that the trained network gave them, and each network aligns them by its own relevance for
    these labels. The statistic is that of `pattern_tests`. If training did not matter, the trained network would be one
    more draw: `null_p_value` is the share of networks, itself counted, whose largest statistic is at least as large.

    Parameters
    ----------
    source
        Windows as the trained network aligns them, or a store that has its relevance and that of its untrained twins
        (``layerstats relevance --untrained 19 --maps --alignments``).
    untrained
        The same windows as each untrained network aligns them, by name; not where a store is given.
    resolution, reach_s, covered, windows_per_cell, seed
        See `pattern_tests`.
    **reading
        How a store is read: as for `read_windows`.

    Raises
    ------
    ArgumentError
        The alignment does not depend on the network.
    DataError
        There is no untrained network, one has other windows or labels, or no label is tested in all of them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values, named = rng.normal(size=(60, 2, 9)), ["a", "b"] * 30
    >>> samples = rng.integers(0, 9, size=(4, 60, 2))
    >>> speakers = np.repeat(list("pqrst"), 12)
    >>> def by(network):
    ...     return AlignedWindows.from_arrays(values, named, speakers, samples[network])
    >>> result = untrained_patterns(by(0), {f"untrained_{network:02}": by(network) for network in (1, 2, 3)})
    >>> result.table["null_recordings"].tolist()
    [3, 3]
    """
    if untrained is None:
        trained, others = _read(source, reading)
    else:
        trained, others = windows_of(source, reading), dict(untrained)
    _check(trained, others)
    plan = PermutationPlan(
        resolution=resolution, reach_s=reach_s, covered=covered, windows_per_cell=windows_per_cell, seed=seed
    )
    found = {name: observed_maps(one, None, plan) for name, one in {TRAINED: trained, **others}.items()}
    maps = xr.Dataset(
        {
            "statistic": (
                ("recording", "label", trained.band_name, "lag"),
                np.stack([maps.statistic for maps, _ in found.values()]),
            )
        },
        {
            "recording": list(found),
            "label": list(trained.labels),
            trained.band_name: found[TRAINED][1].bands,
            "lag_s": ("lag", found[TRAINED][1].lag_s),
        },
        {"alignment": trained.alignment, "quantity": trained.quantity},
    )
    networks = pd.DataFrame(_peaks(maps, trained.band_name))
    if networks.empty:
        raise DataError("No label is tested in any network: no place is reached by windows of enough speakers.")
    table = _ranked(networks)
    return UntrainedPatterns(check_frame(table), check_frame(networks), maps, _notes(trained, table, len(others)))


def _read(
    source: AlignedWindows | Experiment | str | os.PathLike[str], reading: Mapping[str, Any]
) -> tuple[AlignedWindows, dict[str, AlignedWindows]]:
    if isinstance(source, AlignedWindows):
        raise ArgumentError("Windows alone do not say how untrained networks align them: give these as 'untrained'.")
    store = source if isinstance(source, Experiment) else open_store(source)
    trained = aligning_recording(store, reading.get("relevance"), needed=True)
    assert trained is not None
    named = {name: value for name, value in reading.items() if name != "relevance"}
    windows = read_windows(store, relevance=trained.name, **named)
    return windows, {name: read_windows(store, relevance=name, **named) for name in untrained_twins(trained)}


def _check(trained: AlignedWindows, others: Mapping[str, AlignedWindows]) -> None:
    if not others:
        raise DataError(
            "There are no untrained networks to compare with. Record their relevance for the letters of the same "
            "windows, with alignments (layerstats relevance --untrained 19 --alignments)."
        )
    for name, one in others.items():
        if not one.table[["token", "label"]].equals(trained.table[["token", "label"]]) or one.labels != trained.labels:
            raise DataError(f"The windows of {name!r} are not those of the trained network, or have other labels.")
        if not np.array_equal(one.lags, trained.lags) or not np.array_equal(one.bands, trained.bands):
            raise DataError(f"The windows of {name!r} have other lags or bands than those of the trained network.")
    if all(np.array_equal(one.samples, trained.samples) for one in others.values()):
        raise ArgumentError(
            f"All networks align windows at the same samples (alignment {trained.alignment!r}), so that none finds "
            "anything else. Choose an alignment by relevance."
        )


def _peaks(maps: xr.Dataset, band_name: str) -> list[dict[str, object]]:
    band = "channel" if band_name == "channel" else "frequency_hz"
    rows: list[dict[str, object]] = []
    for place, label in enumerate(maps["label"].to_numpy()):
        for number, recording in enumerate(maps["recording"].to_numpy()):
            values = maps["statistic"].to_numpy()[number, place]
            if np.isnan(values).all():
                continue
            row, lag = np.unravel_index(np.nanargmax(np.abs(values)), values.shape)
            about = {"level_1": str(label), "level_2": MEAN, "recording": str(recording), "trained": number == 0}
            peak = {"lag_s": float(maps["lag_s"][lag]), band: maps[band_name].to_numpy()[row]}
            rows.append(about | {"statistic": float(values[row, lag])} | peak)
    return rows


def _ranked(networks: pd.DataFrame) -> pd.DataFrame:
    """Return the trained network's rows of labels that all networks have, beside their ranks."""
    every = networks["recording"].nunique()
    having = [label for label, rows in networks.groupby("level_1") if len(rows) == every]
    kept = networks.loc[networks["level_1"].isin(having)]
    effects = kept.rename(columns={"level_1": "layer"}).assign(effect_size=kept["statistic"].abs())
    ranks = compare_with_untrained(effects).drop(columns="layer")
    ranks.columns = ranks.columns.str.replace("null_effect", "null_statistic")
    own = kept.loc[kept["trained"].to_numpy(dtype=bool)].drop(columns=["recording", "trained"])
    return pd.concat([own.reset_index(drop=True), ranks.reset_index(drop=True)], axis=1)


def _notes(trained: AlignedWindows, table: pd.DataFrame, others: int) -> tuple[str, ...]:
    left = [label for label in trained.labels if label not in set(table["level_1"])]
    notes = [*trained.notes]
    if left:
        more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        notes.append(f"Not tested, since too few speakers have them: {', '.join(left[:NAMED])}{more}.")
    if others < 19:
        notes.append(f"With {others} untrained networks no p-value is below 1/{others + 1}: none can reach 0.05.")
    return tuple(notes)
