"""What a figure of one letter shows: means, the difference that was tested with what may be claimed, and nulls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.errors import ArgumentError
from layerstats.stats.averages.aligned_averages import AlignedAverages, aligned_averages
from layerstats.stats.averages.reading.stored_windows import ALIGNED_SAMPLE, INPUT, NONE, RELEVANCE
from layerstats.stats.averages.reading.told_phones import PHONE_ALIGNMENTS
from layerstats.stats.averages.testing.pattern_tests import PatternTests
from layerstats.stats.contrasts.untrained import untrained_twins
from layerstats.store import Experiment
from layerstats.tables import check_frame

TESTED, OTHERS, DIFFERENCE = "difference tested", "other letters' windows", "difference"
UNTRAINED = "untrained network"


def pattern_panels(
    label: str,
    tests: PatternTests,
    means: Mapping[str, AlignedAverages],
    nulls: Mapping[str, AlignedAverages] | None = None,
    *,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Lay out the maps of one label at one alignment, all on the grid of the averages.

    Parameters
    ----------
    label
        Which label.
    tests
        Tests of the pattern of each label against the mean. Their maps may be coarser: each place of the grid gets the
        value of the place that is nearest.
    means
        Averages by what they are called, such as "input" and "relevance", each with a scale of its own. The first also
        has the null of other labels' windows, where the alignment depends on the label.
    nulls
        Further averages whose patterns are nulls, such as of windows aligned by an untrained network.
    alpha
        Places may be claimed whose p-value, adjusted over the map and the labels, is at most this; only max-T claims
        places.

    Returns
    -------
    DataFrame
        ``label, panel, kind, lag_s, frequency_hz`` (or ``channel``) ``, value, claimed``, with `kind` for panels that
        have one scale: the name of a mean, or "difference".

    Raises
    ------
    ArgumentError
        If the averages do not have the label, or lie on different grids.

    Examples
    --------
    >>> from layerstats.stats import AlignedWindows, pattern_tests
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(48, 2, 5))
    >>> windows = AlignedWindows.from_arrays(values, ["a", "b"] * 24, np.repeat(list("pqrs"), 12), hop_s=0.01)
    >>> tests, means = pattern_tests(windows, permutations=19), {"input": aligned_averages(windows, draws=2)}
    >>> found = pattern_panels("a", tests, means)
    >>> found["panel"].unique().tolist()
    ['input', 'difference tested']
    """
    first = next(iter(means.values()))
    grid = first.maps
    if label not in grid["label"].to_numpy():
        raise ArgumentError(f"There are no averages of {label!r}.")
    band = first.band
    hertz = str(next(name for name in grid.coords if grid[name].dims == (band,)))
    maps: list[tuple[str, str, np.ndarray]] = []
    for name, averages in means.items():
        maps.append((name, name, _of(averages, "mean", label, grid, band)))
    tested = _nearest(tests.maps.sel(label=label), grid, band, hertz)
    maps.append((TESTED, DIFFERENCE, tested["estimate"]))
    if "others" in grid:
        maps.append((OTHERS, DIFFERENCE, _of(first, "others", label, grid, band)))
    maps += [(name, DIFFERENCE, _of(one, "pattern", label, grid, band)) for name, one in (nulls or {}).items()]
    levels, lags = (axis.ravel() for axis in np.meshgrid(grid[hertz], grid["lag_s"], indexing="ij"))
    claimed = tested["p_adjusted"] <= alpha * (1 + 1e-9)
    frames = [
        pd.DataFrame({"panel": panel, "kind": kind, "lag_s": lags, hertz: levels, "value": values.ravel()}).assign(
            claimed=claimed.ravel() if panel == TESTED else False
        )
        for panel, kind, values in maps
    ]
    return check_frame(pd.concat(frames, ignore_index=True).assign(label=label))


def means_and_patterns(maps: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Lay out means of some labels, the mean over all, and patterns: the rows of Fig. 3 of Krug & Stober (2018).

    Parameters
    ----------
    maps
        ``alignment, label, lag_s, frequency_hz, mean, overall, pattern`` of all labels, as `AlignedAverages.to_frame`
        gives them, with how windows were aligned.
    labels
        Which labels.

    Returns
    -------
    DataFrame
        The same with `value`, `row` ("a: mean", "all: mean", "a - all") and `kind` ("mean", "pattern").

    Examples
    --------
    >>> place = {"alignment": "none", "lag_s": 0.0, "frequency_hz": 100.0, "mean": 3.0, "overall": 2.0, "pattern": 1.0}
    >>> means_and_patterns(pd.DataFrame([{"label": "a", **place}]), ["a"])[["row", "value"]].values.tolist()
    [['a: mean', 3.0], ['all: mean', 2.0], ['a - all', 1.0]]
    """
    place, own = ["alignment", "lag_s", "frequency_hz"], {one: maps.loc[maps["label"] == one] for one in labels}
    rows = [table.assign(value=table["mean"], kind="mean", row=f"{one}: mean") for one, table in own.items()]
    every = maps.drop_duplicates(place)
    rows.append(every.assign(value=every["overall"], kind="mean", row="all: mean"))
    rows += [table.assign(value=table["pattern"], kind="pattern", row=f"{one} - all") for one, table in own.items()]
    return pd.concat(rows, ignore_index=True)


def panel_averages(
    experiment: Experiment, tests: PatternTests, *, relevance: str, delay_s: float, reach_s: float | None = None
) -> tuple[dict[str, AlignedAverages], dict[str, AlignedAverages]]:
    """Average what a letter's figure shows beside its tests.

    Parameters
    ----------
    experiment
        The store of windows whose tests these are.
    tests
        Say how windows are aligned.
    relevance
        The recording that aligns.
    delay_s, reach_s
        As for `read_windows`.

    Returns
    -------
    tuple of dict
        Means of the input and of relevance; and, where windows are aligned by relevance of which the store has an
        untrained twin with alignments, the input aligned by the first of these. `pattern_panels` takes both.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.stats import pattern_tests, read_windows
    >>> from layerstats.store import open_store, store_arrays
    >>> rng = np.random.default_rng(0)
    >>> tokens = pd.DataFrame([(f"u@{row}", "he", "pqrs"[row % 4], "test", "ab"[row // 4 % 2]) for row in range(48)])
    >>> tokens = tokens.set_axis(["token", "word", "speaker", "split", "letter"], axis=1)
    >>> times = {"input": np.arange(9) * 0.008}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/s.zarr"
    ...     for name in ("input", "relevance"):
    ...         maps, about = rng.normal(size=(48, 2, 9)), {"quantity": name}
    ...         _ = store_arrays(path, tokens, {"input": maps}, time_s=times, name=name, attrs=about)
    ...     experiment = open_store(path, recording="input")
    ...     tests = pattern_tests(read_windows(experiment), permutations=19)
    ...     means, nulls = panel_averages(experiment, tests, relevance="relevance", delay_s=0.0)
    >>> list(means), nulls
    (['input', 'relevance'], {})
    """
    how: dict[str, Any] = {"alignment": tests.alignment, "delay_s": delay_s, "reach_s": reach_s, "draws": 2}
    means = {one: aligned_averages(experiment, relevance=relevance, quantity=one, **how) for one in (INPUT, RELEVANCE)}
    if tests.alignment in (NONE, *PHONE_ALIGNMENTS):
        return means, {}
    twins = untrained_twins(experiment.in_recording(relevance))
    known = [name for name in twins if ALIGNED_SAMPLE in experiment.in_recording(name).variables]
    if not known:
        return means, {}
    return means, {UNTRAINED: aligned_averages(experiment, relevance=known[0], others=False, **how)}


def _of(averages: AlignedAverages, variable: str, label: str, grid: xr.Dataset, band: str) -> np.ndarray:
    """Return a map (band, lag) of a label."""
    own = averages.maps
    if dict(own.sizes)[band] != grid.sizes[band] or not np.array_equal(own["lag"], grid["lag"]):
        raise ArgumentError("Averages that are shown beside each other must have the same lags and bands.")
    return own[variable].sel(label=label).transpose(band, "lag").to_numpy()


def _nearest(tested: xr.Dataset, grid: xr.Dataset, band: str, hertz: str) -> dict[str, np.ndarray]:
    """Return maps of a test at the places of a finer grid; missing beyond the lags that were tested."""
    rows = _places(tested[band].to_numpy(), grid[hertz].to_numpy())
    columns = _places(tested["lag_s"].to_numpy(), grid["lag_s"].to_numpy())
    lags = tested["lag_s"].to_numpy()
    step = float(np.median(np.diff(lags))) if len(lags) > 1 else np.inf
    beyond = np.abs(lags[columns] - grid["lag_s"].to_numpy()) > step * (0.5 + 1e-6)
    found = {}
    for name in ("estimate", "p_adjusted"):
        if name in tested:
            values = tested[name].transpose(band, "lag").to_numpy()[np.ix_(rows, columns)].astype(float)
            values[:, beyond] = np.nan
            found[name] = values
    return {"p_adjusted": np.full((len(rows), len(columns)), np.nan), **found}


def _places(coarse: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Return which coarse value is nearest to each fine one."""
    return np.abs(coarse[None, :] - fine[:, None]).argmin(axis=1)
