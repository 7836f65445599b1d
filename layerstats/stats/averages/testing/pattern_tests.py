"""Is there a pattern in the speech that a label stands for, and where? Tests of whole maps by permutation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.checks import check_choice, check_share
from layerstats.errors import ArgumentError
from layerstats.parallel import Progress, RunOptions
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows
from layerstats.stats.averages.reading.stored_windows import windows_of
from layerstats.stats.averages.testing.map_statistics import MapStatistic
from layerstats.stats.averages.testing.pattern_tables import (
    MAX_T,
    MEAN,
    pattern_claim,
    pattern_clusters,
    pattern_maps,
    pattern_notes,
    pattern_table,
)
from layerstats.stats.averages.testing.permuted_maps import (
    SIGNS,
    PermutationPlan,
    WindowExchange,
    permuted_maps,
)
from layerstats.stats.multiplicity import METHODS, AdjustMethod
from layerstats.store import Experiment
from layerstats.tables import PrintedResult, check_frame

# Quantities that are computed for the label that a window has.
_OF_A_LABEL = ("relevance", "gradient")


@dataclass(frozen=True, eq=False, repr=False)
class PatternTests(PrintedResult):
    """Tests of the patterns of labels.

    Attributes
    ----------
    table
        A row a contrast: ``level_1, level_2, statistic, lag_s, frequency_hz`` (or ``channel``), ``estimate, std_error,
        conf_low, conf_high, conf_level, test, p_value, p_adjusted, adjust_method, family, tests, permutations,
        speakers, windows, note``. The place is where the difference stands out most; the estimate is level_1 -
        level_2 there, in units of what was averaged, with an interval that holds for the whole map at once (max-T). The
        statistic is the one that is tested, with its sign: the normal deviate of the difference there, or the mass of
        the largest cluster, or the largest value after enhancement.
    maps
        By (label, band, lag): `statistic` (normal deviates of differences), `estimate`, `std_error`, `speakers`. By
        "max" also `p_value`, adjusted over the map, and `p_adjusted`, adjusted over all maps; by "cluster_mass"
        `cluster`, the number of the cluster of each place, 0 for none. A label is the first level, or "a:b" of two.
    clusters
        By "cluster_mass" a row a cluster: ``level_1, level_2, cluster, sign, statistic, lag_s, frequency_hz, p_value``,
        with the place of its largest statistic; else without rows.
    claim
        What the tests may claim of a map, and what not, in a sentence for captions.
    alignment, quantity
        How windows were aligned and what was averaged, for captions.
    notes
        What to know when reading the table.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    maps: xr.Dataset
    clusters: pd.DataFrame
    claim: str
    alignment: str
    quantity: str
    notes: tuple[str, ...]


def pattern_tests(
    source: AlignedWindows | Experiment | str | os.PathLike[str],
    *,
    against: Literal["mean"] | Sequence[tuple[str, str]] = MEAN,
    statistic: MapStatistic = "max",
    exchange: WindowExchange = "labels",
    permutations: int = 1999,
    resolution: tuple[int, int] = (1, 1),
    reach_s: float | None = None,
    covered: float = 0.5,
    cluster_alpha: float = 0.01,
    windows_per_cell: int | None = None,
    adjust: AdjustMethod | Literal["max_t"] | None = None,
    conf_level: float = 0.95,
    seed: int = 0,
    workers: int = 1,
    client: Any = None,
    progress: Progress | None = None,
    keep: str | os.PathLike[str] | None = None,
    **reading: Any,
) -> PatternTests:
    """Test the pattern of each label against the mean over labels, or labels against each other.

    A label's windows are averaged by speaker first. An alignment that looks for something finds some of it in any
    window, so the mean of all the speaker's windows, whatever their labels, aligned as the label's are, is taken away;
    where the alignment does not depend on the label that changes nothing. At every place of the map the statistic is
    the mean over speakers of the speaker's difference (the label's mean less the speaker's mean over labels), over the
    standard error of that mean: Student's t, on the scale of the normal distribution, so that few speakers do not have
    the largest everywhere. The labels of windows are permuted within speakers, and each window is aligned anew, as
    the label it then has says: permuted windows have as much of what the alignment looks for as the real ones. The
    largest absolute statistic of the map is compared with the largest of each permutation (max-T, Westfall & Young
    1993), so that a place with an adjusted p-value below the level may be claimed.

    The null hypothesis of tests against the mean is that a speaker's windows, with where each is aligned under every
    label, are the same whatever their labels. Of two labels only their own windows are permuted.

    Parameters
    ----------
    source
        Windows, with where each is aligned, or a store that has them.
    against
        "mean": each label with the mean over labels; or pairs of labels.
    statistic
        "max" (the default) may claim places. "cluster_mass" (of neighbouring places of one sign beyond a threshold) and
        "tfce" (threshold-free cluster enhancement) find weaker patterns that are spread out; they say that there is one
        in the map, not where it lies or how far it reaches.
    exchange
        "labels", or "signs": each speaker's differences are turned round as a whole, which allows speakers to differ in
        how much their labels differ, only not all in one direction. It needs an alignment that does not depend on the
        label: one that does has found its pattern before signs are turned (65 % false alarms in noise).
    permutations
        Random assignments of labels, or signs. Where there are no more in all, each is used once, and
        p-values are exact.
    resolution
        How many bands, and how many samples, are pooled to one place of the map.
    reach_s
        How far maps reach from the alignment in seconds; None: as far as windows do.
    covered
        Places are tested that windows of at least this part of a label's speakers reach, and of three speakers.
    cluster_alpha
        Places belong to a cluster whose two-sided p-value would be below it, by Student's t.
    windows_per_cell
        How many windows of each speaker and label are drawn; None: all. Those that are used are held in memory, 4
        bytes a value; speakers are what tests count, so that hundreds of windows of each add little.
    adjust
        How p-values are adjusted over labels: "max_t" (step-down, from the same permutations; the default against the
        mean), "holm" (the default for pairs), "bonferroni", "fdr_bh", "none".
    conf_level
        Of the intervals. Their critical value is that of the test, so that one leaves 0 out where `p_value` is below
        1 - `conf_level`.
    seed
        Of random assignments.
    workers, client, progress, keep
        See `layerstats.parallel.run_tasks`; `workers` are threads. Numbers depend on none of them.
    **reading
        How a store is read: as for `read_windows`.

    Raises
    ------
    ArgumentError
        A label is unknown, so few permutations cannot reach the level, or alignment, quantity and exchange do not go
        together.
    DataError
        Fewer than three speakers have windows of two labels.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(96, 2, 5))
    >>> values[::2, 1, 3] += 2.0
    >>> windows = AlignedWindows.from_arrays(values, ["a", "b"] * 48, np.repeat(list("pqrstu"), 16), hop_s=0.01)
    >>> result = pattern_tests(windows, against=[("a", "b")], permutations=99)
    >>> result.table[["level_1", "level_2", "lag_s", "p_value"]].values.tolist()
    [['a', 'b', 0.01, 0.01]]
    """
    plan = PermutationPlan(
        statistic, exchange, permutations, resolution, reach_s, covered, cluster_alpha, windows_per_cell, seed
    )
    run = RunOptions(workers, client, threads=True, progress=progress, keep=keep)
    windows = windows_of(source, reading)
    pairs = _pairs(windows, against)
    adjust = adjust or ("holm" if pairs else MAX_T)
    _check_level(permutations, adjust, conf_level, pairs, windows)
    _check_exchangeable(windows, exchange)
    compared = pairs or [None]
    found = [
        permuted_maps(windows, pair, plan, run.share(number, len(compared))) for number, pair in enumerate(compared)
    ]
    levels = pairs or [(label, MEAN) for label in windows.labels]
    table = pattern_table(windows, found, levels, plan, adjust, conf_level)
    return PatternTests(
        check_frame(table, "pattern_tests"),
        pattern_maps(windows, found, levels, plan, adjust),
        check_frame(pattern_clusters(windows, found, levels, plan)),
        pattern_claim(plan, adjust, conf_level),
        windows.alignment,
        windows.quantity,
        pattern_notes(windows, found, table, plan, conf_level),
    )


def _check_level(
    permutations: int, adjust: str, conf_level: float, pairs: Sequence[tuple[str, str]], windows: AlignedWindows
) -> None:
    check_choice("adjust", adjust, (MAX_T, *METHODS))
    check_share("conf_level", conf_level)
    if adjust == MAX_T and pairs:
        raise ArgumentError("adjust='max_t' needs one set of permutations, but each pair has its own: choose 'holm'.")
    tests = len(pairs) or len(set(windows.table["label"]))
    alpha, together = 1 - conf_level, 1 if adjust in (MAX_T, "none") else tests
    if together > (permutations + 1) * alpha * (1 + 1e-9):
        raise ArgumentError(
            f"With {permutations} permutations no p-value is below 1/{permutations + 1}, nor, adjusted over {together} "
            f"tests (adjust={adjust!r}), below {min(1.0, together / (permutations + 1)):.3g}, so that none can reach "
            f"{alpha:.3g}. Take {int(np.ceil(together / alpha - 1e-9)) - 1} permutations or more."
        )


def _check_exchangeable(windows: AlignedWindows, exchange: WindowExchange) -> None:
    by_relevance = windows.by_label or "relevance" in windows.alignment
    if exchange == SIGNS and by_relevance:
        raise ArgumentError(
            f"Windows are aligned by {windows.alignment}, which depends on the label: averages of noise have a pattern "
            "then (65 % false alarms), whichever way speakers' signs are turned. Choose exchange='labels', which "
            "aligns anew, or windows with alignment='none'."
        )
    if windows.by_label and windows.quantity in _OF_A_LABEL:
        raise ArgumentError(
            f"The {windows.quantity} of a window is for the label that it has, so that it is largest where that label "
            "aligns it, and nothing can be exchanged. Test the input, or choose alignment='none'."
        )


def _pairs(windows: AlignedWindows, against: Literal["mean"] | Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    if isinstance(against, str):
        check_choice("against", against, (MEAN,))
        return []
    for pair in against:
        if isinstance(pair, str) or len(pair) != 2:
            raise ArgumentError(
                f"'against' must be 'mean' or a list of pairs of labels, such as [('s', 'z')], but has {pair!r}."
            )
    pairs = [(str(first), str(second)) for first, second in against]
    if len(set(pairs)) < len(pairs):
        raise ArgumentError(f"A pair is in 'against' twice, and would count as two tests: {pairs}.")
    for pair in pairs:
        for label in pair:
            check_choice("against", label, windows.labels)
        if pair[0] == pair[1]:
            raise ArgumentError(f"A label is no contrast to itself, but 'against' has {pair!r}.")
    if not pairs:
        raise ArgumentError("The 'against' parameter must be 'mean' or have a pair of labels, but is empty.")
    return pairs
