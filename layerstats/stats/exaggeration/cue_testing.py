"""Does maximization exaggerate the cue that a phonetician names, in the direction named beforehand?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.exaggeration.feature_items import (
    MAXIMIZED,
    NATURAL,
    FeatureItems,
    check_enough,
    feature_items,
    left_out,
    words_of_both,
)
from layerstats.stats.exaggeration.mel_measures import DURATION, GRAVITY, LEVEL
from layerstats.stats.exaggeration.named_cues import Cue, read_cues
from layerstats.stats.exaggeration.unit_differences import unit_difference
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.store import Experiment
from layerstats.tables import PrintedResult, check_frame


@dataclass(frozen=True, eq=False, repr=False)
class CueTests(PrintedResult):
    """Whether cues are exaggerated, always `level_1` minus `level_2`.

    Attributes
    ----------
    table
        A row a cue and pair of conditions: ``word, cue, measure, direction, level_1, level_2, design, tokens_1,
        tokens_2`` (speakers or starts), ``diff`` (in the measure's units, not turned), ``natural_sd``, ``exaggeration``
        (in natural standard deviations, above 0 where it goes the way named) with ``std_error, df, statistic, conf_low,
        conf_high, conf_level``, ``p_value`` (one-sided, in the direction named), ``p_adjusted``, ``p_reduced`` (one-
        sided, against it, adjusted). A family is one pair of conditions.
    summary
        A row a pair of conditions: ``level_1, level_2, words, cues, exaggerated, reduced, exaggeration`` (mean over
        words) with its interval over words and ``p_value`` (two-sided).
    notes
        What was left out.
    """

    main_tables = ("summary", "table")
    table: pd.DataFrame
    summary: pd.DataFrame
    notes: tuple[str, ...]


def cue_tests(
    experiment: Experiment,
    *,
    cues: Sequence[Cue] | None = None,
    words: Collection[str] | None = None,
    condition: str = MAXIMIZED,
    nulls: Collection[str] = (),
    adjust: AdjustMethod = "holm",
    conf_level: float = 0.95,
) -> CueTests:
    """Test cues in the direction that was named for each.

    A cue is one number an item: the mean of a measure over a share of its speech, of a band less the level of the
    whole. Items of one speaker are averaged. Natural and maximized items are compared by Welch's t test, those in pairs
    (a token, and what was made of it) by a t test of differences within speakers. The standard deviation that
    differences are measured in is that of natural speakers, whose own uncertainty the intervals hold (delta method).

    Parameters
    ----------
    experiment
        A store that `layerstats.probes.record_heard` wrote.
    cues
        By default `read_cues()`.
    words
        Words to test; by default all that have items and a cue.
    condition
        What is tested against "natural".
    nulls
        Other conditions: "before" (zero steps), "random_direction", ...; each is compared with "natural" as
        `condition` is, and `condition` with it.
    adjust
        How p-values are adjusted, over the cues of one pair of conditions.
    conf_level
        Of the intervals.

    Raises
    ------
    ArgumentError
        A word has no cue, or a condition does not exist.
    DataError
        A word has fewer than three speakers or starts of a condition.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> found = cue_tests(open_store("heard.zarr"), nulls=["before", "random_direction"])
    >>> found.table["level_2"].unique().tolist()
    ['natural', 'before', 'random_direction']
    """
    if not 0 < conf_level < 1:
        raise ArgumentError(f"The 'conf_level' parameter must be between 0 and 1, but got {conf_level!r} instead.")
    conditions = (condition, NATURAL, *nulls)
    items = feature_items(experiment, words, conditions)
    chosen = _chosen(cues, words, words_of_both(items, conditions))
    for word in dict.fromkeys(cue.word for cue in chosen):
        check_enough(items, word, conditions)
    pairs = [(condition, NATURAL), *((null, NATURAL) for null in nulls), *((condition, null) for null in nulls)]
    rows = [_row(items, cue, pair, conf_level) for pair in pairs for cue in chosen]
    table = pd.DataFrame(rows)
    families = [f"named cues, {row['level_1']} - {row['level_2']}" for row in rows]
    table = adjust_p_values(table.assign(p_reduced=1 - table["p_value"]), families, method=adjust)
    other = adjust_p_values(table, families, method=adjust, column="p_reduced", adjusted="p_reduced")
    table = table.assign(p_reduced=other["p_reduced"])
    summary = pd.DataFrame([_summary(table, pair, conf_level) for pair in pairs])
    same = [f"{row['cue']} of {row['word']!r}" for row in rows if row["natural_sd"] == 0]
    notes = [
        f"Natural speakers do not differ in {name}: there is no spread to compare with." for name in dict.fromkeys(same)
    ]
    return CueTests(check_frame(table, "cue_tests"), check_frame(summary), (*left_out(items), *notes))


def _chosen(cues: Sequence[Cue] | None, words: Collection[str] | None, there: Collection[str]) -> list[Cue]:
    known = list(read_cues() if cues is None else cues)
    named = {cue.word for cue in known}
    for word in words or ():
        check_choice("words", word, sorted(named & set(there)))
    chosen = [cue for cue in known if cue.word in (words or there) and cue.word in there]
    if not chosen:
        raise DataError(
            f"No cue is named for the words of the store, {', '.join(there)}: give your own, cues=read_cues(FILE)."
        )
    return chosen


def cue_values(items: FeatureItems, cue: Cue) -> np.ndarray:
    """Return the cue of every item, (item,)."""
    if cue.measure == DURATION:
        return items.measures.duration_s
    value = items.measures.window(cue.measure, cue.start, cue.end)
    if cue.relative and cue.measure not in (GRAVITY, LEVEL):
        value = value - items.measures.window(LEVEL, cue.start, cue.end)
    return value


def _row(items: FeatureItems, cue: Cue, pair: tuple[str, str], conf_level: float) -> dict[str, object]:
    found = unit_difference(items, cue_values(items, cue), cue.word, *pair)
    low, high = sorted(cue.sign * end for end in found.in_sd_interval(conf_level))
    statistic = cue.sign * found.statistic if found.natural_sd > 0 else np.nan
    return {
        "word": cue.word,
        "cue": cue.cue,
        "measure": cue.measure,
        "direction": cue.direction,
        "level_1": pair[0],
        "level_2": pair[1],
        **found.described(),
        "exaggeration": cue.sign * found.in_sd,
        "std_error": found.in_sd_std_error,
        "df": found.df,
        "statistic": statistic,
        "conf_low": low,
        "conf_high": high,
        "conf_level": conf_level,
        "p_value": float(stats.t.sf(statistic, found.df)),
        "reason": cue.reason,
    }


def _summary(table: pd.DataFrame, pair: tuple[str, str], conf_level: float) -> dict[str, object]:
    """Count cues, and average them over words, each of which counts the same."""
    own = table.loc[(table["level_1"] == pair[0]) & (table["level_2"] == pair[1])]
    by_word = own.groupby("word")["exaggeration"].mean().dropna().to_numpy()
    words = len(by_word)
    mean = float(by_word.mean()) if words else np.nan
    error = float(by_word.std(ddof=1) / np.sqrt(words)) if words > 1 else np.nan
    reach = float(stats.t.ppf((1 + conf_level) / 2, words - 1)) * error if words > 1 else np.nan
    alpha = 1 - conf_level
    return {
        "level_1": pair[0],
        "level_2": pair[1],
        "words": words,
        "cues": len(own),
        "exaggerated": int((own["p_adjusted"] < alpha).sum()),
        "reduced": int((own["p_reduced"] < alpha).sum()),
        "exaggeration": mean,
        "std_error": error,
        "conf_low": mean - reach,
        "conf_high": mean + reach,
        "conf_level": conf_level,
        "p_value": float(2 * stats.t.sf(abs(mean) / error, words - 1)) if words > 1 and error > 0 else np.nan,
    }
