"""How far to trust maps: one table of everything that was measured of them, with intervals that respect speakers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.trust.cluster_means import cluster_mean
from layerstats.stats.trust.interval_shares import HIT, SHARE
from layerstats.stats.trust.map_agreement import CORRELATION, SAME_MAXIMUM
from layerstats.tables import PrintedResult, check_frame

EVERY = "all"
SPLITS = ("phone_class", "phone", "speaker")
# What is told by phone class and speaker too; of other measures the table has means over all.
LOCATIONS = (SHARE, HIT)
_NULL = ["null_variance", "null_covariance"]
_OF = ["measure", "map", "condition", "baseline"]


@dataclass(frozen=True, eq=False, repr=False)
class Trust(PrintedResult):
    """How far maps of one recording can be trusted.

    Attributes
    ----------
    table
        A row a measure, map ("R" or "R/x"), condition and baseline, over ``by`` "all" and by phone class and speaker:
        ``recording, measure, map, condition, baseline, by, unit, tokens, speakers, estimate, conf_low, conf_high,
        baseline_estimate, diff`` (always ``estimate - baseline_estimate``) ``, diff_low, diff_high, std_error, df,
        statistic, p_value`` (of `diff`) ``, p_adjusted, adjust_method, family, tests, conf_level``.
    notes
        What could not be measured.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    notes: tuple[str, ...] = ()


def trust_table(
    measurements: pd.DataFrame | Collection[pd.DataFrame],
    *,
    recording: str = "relevance",
    by: Collection[str] = ("phone_class", "speaker"),
    adjust: AdjustMethod = "holm",
    conf_level: float = 0.95,
) -> Trust:
    """Sum up what was measured of the maps of a recording.

    Every speaker counts the same: means are over speakers' means, with Student's intervals and tests for other
    speakers. Rows of one speaker are means over his utterances (over tokens, where no utterances are known), for other
    utterances by him. Intervals of shares do not pass 0 and 1 (Wilson's, at the effective number of tokens). Measures,
    conditions and baselines differ in what they say, so that a family of tests is one measure of one map against one
    baseline, over its conditions and over the phone classes, or speakers, of its split.

    How often intervals cover and tests err is in ``docs/how-to/trust.md``.

    Parameters
    ----------
    measurements
        Of `phone_location`, `map_agreement`, `measure_agreement`, and of `layerstats.probes.perturbation_curves`; one
        frame or several.
    recording
        Name of the recording that they are of.
    by
        Columns that shares and hits of phones are told apart by: of "phone_class", "phone" and "speaker", where known.
    adjust
        How p-values are adjusted within each family.
    conf_level
        Of each interval by itself.

    Returns
    -------
    Trust

    Raises
    ------
    ArgumentError
        A column of `by` is none of these.
    DataError
        Nothing was measured, a measurement is there twice, or has no speaker.

    Examples
    --------
    >>> from layerstats.stats import measure_agreement
    >>> rng = np.random.default_rng(0)
    >>> maps = rng.normal(size=(8, 10))
    >>> tokens = pd.DataFrame({"token": list("abcdefgh"), "speaker": ["s1", "s1", "s2", "s2", "s3", "s3", "s4", "s4"]})
    >>> trust = trust_table(measure_agreement(maps, 2 * maps, tokens, "gradient"), by=["speaker"])
    >>> trust.table.query("by == 'all'")[["measure", "estimate"]].round(6).values.tolist()[0]
    ['correlation', 1.0]
    """
    if not 0 < conf_level < 1:
        raise ArgumentError(f"The 'conf_level' parameter must be between 0 and 1, but got {conf_level!r} instead.")
    for name in by:
        check_choice("by", name, SPLITS)
    given = [measurements] if isinstance(measurements, pd.DataFrame) else list(measurements)
    if not sum(map(len, given)):
        raise DataError("Nothing was measured of these maps: the tables of measurements are empty.")
    frame = pd.concat([one for one in given if len(one)], ignore_index=True)
    check_columns(frame, ["token", "speaker", *_OF, "value", "baseline_value", *_NULL], "the measurements")
    if frame.loc[:, ["speaker"]].isna().to_numpy().any():
        raise DataError("Measurements lack their speaker, over whom means are taken: name one for each map.")
    same = frame.duplicated([name for name in ("token", "phone_index", *_OF) if name in frame.columns])
    if same.any():
        one = frame.loc[same].to_dict("records")[0]
        raise DataError(
            f"Measurements are there twice, for instance {one['measure']!r} ({one['condition']}) of {one['token']!r}: "
            "give each table once, and conditions different names."
        )
    rows, notes = [], []
    for names in frame.loc[:, _OF].drop_duplicates().to_dict("records"):
        own = pd.DataFrame(frame.loc[np.all([frame[name] == value for name, value in names.items()], axis=0)])
        missing = np.count_nonzero(own["value"].isna())
        if missing:
            notes.append(f"{names['measure']}, {names['condition']}: {missing} of {len(own)} maps have none.")
        splits = [name for name in by if name in own.columns] if names["measure"] in LOCATIONS else []
        for split in [EVERY, *splits]:
            rows += [{**names, "by": split, **row} for row in _rows(own, split, str(names["measure"]), conf_level)]
    table = pd.DataFrame(rows)
    over = ["" if row["by"] == EVERY else f" over levels of {row['by']}" for row in rows]
    tested = [f"{row['measure']} of {row['map']} minus {row['baseline']}" for row in rows]
    families = [f"{what}{levels}, {recording}" for what, levels in zip(tested, over, strict=True)]
    table = adjust_p_values(table, families, method=adjust).assign(conf_level=conf_level)
    table.insert(0, "recording", recording)
    return Trust(check_frame(table, "trust"), tuple(dict.fromkeys(notes)))


def _rows(frame: pd.DataFrame, split: str, measure: str, conf_level: float) -> Iterator[dict[str, object]]:
    """Yield a row for everything, or for every phone class or speaker."""
    parts = [(EVERY, frame)] if split == EVERY else frame.groupby(split, sort=True)
    for unit, own in parts:
        clusters = own["speaker"] if split != "speaker" else own["utterance" if "utterance" in own else "token"]
        names = clusters.astype(str).to_numpy()
        value, baseline = (own[name].to_numpy(dtype=float) for name in ("value", "baseline_value"))
        mean = cluster_mean(value, names)
        # Both are of the same maps.
        paired = np.isfinite(value) & np.isfinite(baseline)
        chance = cluster_mean(np.where(paired, baseline, np.nan), names)
        diff = cluster_mean(_difference(value, baseline), names, *(own[name].to_numpy(dtype=float) for name in _NULL))
        if measure.endswith((SHARE, HIT, SAME_MAXIMUM)):
            low, high = mean.share_interval(conf_level)
        else:
            low, high = mean.interval(conf_level, _limits(measure))
        diff_low, diff_high = diff.interval(conf_level)
        yield {
            "unit": str(unit),
            "tokens": mean.items,
            "speakers": int(own.loc[np.isfinite(value), "speaker"].nunique()),
            "estimate": mean.estimate,
            "conf_low": low,
            "conf_high": high,
            "baseline_estimate": chance.estimate,
            "diff": diff.estimate,
            "diff_low": diff_low,
            "diff_high": diff_high,
            "std_error": diff.std_error,
            "df": float(diff.df),
            "statistic": diff.statistic,
            "p_value": diff.p_value,
        }


def _difference(value: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Return how much larger values are than their baselines; what rounding leaves of equal ones is none."""
    difference = value - baseline
    return np.where(np.abs(difference) <= 1e-12 * (np.abs(value) + np.abs(baseline)), 0.0, difference)


def _limits(measure: str) -> tuple[float, float]:
    return (-1.0, 1.0) if CORRELATION in measure else (-np.inf, np.inf)
