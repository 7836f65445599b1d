"""Is there a pattern in the speech that a label stands for, and where? Tests of whole maps by permutation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.checks import check_choice, check_count, check_positive
from layerstats.errors import ArgumentError
from layerstats.stats.averages.aligned_windows import AlignedWindows
from layerstats.stats.averages.label_permutations import permuted_maps
from layerstats.stats.averages.pattern_tables import MAX_T, MEAN, pattern_maps, pattern_notes, pattern_table
from layerstats.stats.multiplicity import METHODS, AdjustMethod
from layerstats.tables import PrintedResult, check_frame


@dataclass(frozen=True, eq=False, repr=False)
class PatternTests(PrintedResult):
    """Tests of the patterns of labels.

    Attributes
    ----------
    table
        A row a contrast: ``level_1, level_2, statistic, lag_s, frequency_hz`` (or ``channel``), ``estimate, std_error,
        conf_low, conf_high, conf_level, p_value, p_adjusted, adjust_method, family, tests, permutations, speakers,
        windows, note``. The statistic is the largest absolute one of the map, with the place where it is; the
        estimate is level_1 - level_2 there, in units of what was averaged, with an interval that holds for the whole
        map at once.
    maps
        By (label, band, lag): `statistic`, `estimate`, `std_error`, `speakers`; `p_value`, adjusted over the map, and
        `p_adjusted`, adjusted over all maps. A label is the first level, or "a:b" of two.
    alignment, quantity
        How windows were aligned and what was averaged, for captions.
    notes
        What to know when reading the table.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    maps: xr.Dataset
    alignment: str
    quantity: str
    notes: tuple[str, ...]


def pattern_tests(
    windows: AlignedWindows,
    *,
    against: Literal["mean"] | Sequence[tuple[str, str]] = MEAN,
    permutations: int = 1999,
    resolution: tuple[int, int] = (1, 1),
    reach_s: float | None = None,
    covered: float = 0.5,
    adjust: AdjustMethod | Literal["max_t"] | None = None,
    conf_level: float = 0.95,
    seed: int = 0,
    workers: int = 1,
) -> PatternTests:
    """Test the pattern of each label against the mean over labels, or labels against each other.

    A label's windows are averaged by speaker first. An alignment that looks for something finds some of it in any
    window, so the mean of all the speaker's windows, whatever their labels, aligned as the label's are, is taken away;
    where the alignment does not depend on the label that changes nothing. At every place of the map the statistic is
    the mean over speakers of the speaker's difference (the label's mean less the speaker's mean over labels), over the
    standard error of that mean. The labels of windows are permuted within speakers, and each window is aligned anew, as
    the label it then has says: permuted windows have as much of what the alignment looks for as the real ones. The
    largest absolute statistic of the map is compared with the largest of each permutation (max-T, Westfall & Young
    1993), so that a place with an adjusted p-value below the level may be claimed.

    The null hypothesis of tests against the mean is that a speaker's windows, with where each is aligned under every
    label, are the same whatever their labels. Of two labels only their own windows are permuted.

    Parameters
    ----------
    windows
        What is averaged, and where it is aligned.
    against
        "mean": each label with the mean over labels; or pairs of labels.
    permutations
        Random assignments of labels. Where there are no more in all, each is used once and p-values are exact.
    resolution
        How many bands, and how many samples, are pooled to one place of the map.
    reach_s
        How far maps reach from the alignment in seconds; None: as far as windows do.
    covered
        Places are tested that windows of at least this part of a label's speakers reach, and of three speakers.
    adjust
        How p-values are adjusted over labels: "max_t" (step-down, from the same permutations; the default against the
        mean), "holm" (the default for pairs), "bonferroni", "fdr_bh", "none".
    conf_level
        Of the intervals. Their critical value is that of the test, so that one leaves 0 out where `p_value` is below
        1 - `conf_level`.
    seed, workers
        Numbers do not depend on `workers`, the number of threads.

    Raises
    ------
    ArgumentError
        A label is unknown, or so few permutations cannot reach the level.
    DataError
        No speaker has windows of two labels.

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
    pairs = _pairs(windows, against)
    adjust = adjust or ("holm" if pairs else MAX_T)
    _check(permutations, adjust, conf_level, len(pairs or windows.labels), resolution, reach_s, covered)
    if adjust == MAX_T and pairs:
        raise ArgumentError("adjust='max_t' needs one set of permutations, but each pair has its own: choose 'holm'.")
    found = [
        permuted_maps(windows, pair, permutations, resolution, reach_s, covered, seed, workers)
        for pair in pairs or [None]
    ]
    levels = pairs or [(label, MEAN) for label in windows.labels]
    table = pattern_table(windows, found, levels, adjust, conf_level)
    return PatternTests(
        check_frame(table, "pattern_tests"),
        pattern_maps(windows, found, levels, adjust),
        windows.alignment,
        windows.quantity,
        pattern_notes(windows, found, table),
    )


def _check(
    permutations: int,
    adjust: str,
    conf_level: float,
    tests: int,
    resolution: tuple[int, int],
    reach_s: float | None,
    covered: float,
) -> None:
    check_count("permutations", permutations)
    check_choice("adjust", adjust, (MAX_T, *METHODS))
    for number in resolution:
        check_count("resolution", number)
    if reach_s is not None:
        check_positive("reach_s", reach_s)
    for name, value in (("conf_level", conf_level), ("covered", covered)):
        if not 0 < value < 1:
            raise ArgumentError(f"The {name!r} parameter must lie between 0 and 1, but got {value!r} instead.")
    alpha, together = 1 - conf_level, 1 if adjust in (MAX_T, "none") else tests
    if together > (permutations + 1) * alpha * (1 + 1e-9):
        raise ArgumentError(
            f"With {permutations} permutations no p-value is below 1/{permutations + 1}, nor, adjusted over {together} "
            f"tests (adjust={adjust!r}), below {min(1.0, together / (permutations + 1)):.3g}, so that none can reach "
            f"{alpha:.3g}. Take {int(np.ceil(together / alpha - 1e-9)) - 1} permutations or more."
        )


def _pairs(windows: AlignedWindows, against: Literal["mean"] | Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    if isinstance(against, str):
        check_choice("against", against, (MEAN,))
        return []
    pairs = [(str(first), str(second)) for first, second in against]
    for pair in pairs:
        for label in pair:
            check_choice("against", label, windows.labels)
        if pair[0] == pair[1]:
            raise ArgumentError(f"A label is no contrast to itself, but 'against' has {pair!r}.")
    if not pairs:
        raise ArgumentError("The 'against' parameter must be 'mean' or have a pair of labels, but is empty.")
    return pairs
