"""Are maximized classes heard as the classes that natural speech is confused with?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_columns, check_complete
from layerstats.errors import DataError
from layerstats.stats.lexical.cluster_intervals import permutation_p_value
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.proportions import wilson_interval
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.success.attempt_frames import WHAT, checked_attempts
from layerstats.stats.success.judged_starts import counted_attempts
from layerstats.tables import PrintedResult, check_frame

ALL_PAIRS, BEYOND_PREFERENCES = "rank correlation", "rank correlation beyond preferences"
# Fewer classes have too few orders to permute.
_FEWEST_CLASSES = 4


@dataclass(frozen=True, eq=False, repr=False)
class NaturalConfusions(PrintedResult):
    """Confusions of maximized starts beside those of natural speech.

    Attributes
    ----------
    association
        A row a set-up, judge and measure: ``set_up, judge, measure, classes, estimate, chance_low, chance_high,
        p_value, p_adjusted, family, ...``. *Beyond preferences* takes the mean of each target and of each response
        away first, so that a judge which hears one word in everything adds nothing.
    pairs
        A row a pair of classes and judge, the most confused first: ``set_up, judge, target, response, starts, count,
        rate, conf_low, conf_high, natural_tokens, natural_rate, natural_low, natural_high``.
    """

    main_tables = ("association",)
    association: pd.DataFrame
    pairs: pd.DataFrame


def natural_confusions(
    attempts: pd.DataFrame,
    natural: pd.DataFrame,
    *,
    denominator: str = "all starts",
    adjust: AdjustMethod = "holm",
    draws: int = 2000,
    seed: int = 0,
    conf_level: float = 0.95,
) -> NaturalConfusions:
    """Compare what each judge hears in maximized classes with what it hears in natural words of these classes.

    The null permutes the classes of the natural confusion matrix, rows and columns together (Mantel 1967). A target
    network's own judgements are left out: they are what was maximized.

    Parameters
    ----------
    attempts : DataFrame
        As from `attempts` or `attempts_from_frame`.
    natural : columns `word, judge, response`
        What the same judges hear in natural words: `layerstats.stats.stored_responses` of a store of speech.
    denominator
        As for `success_rates`.
    adjust
        How p-values are adjusted, over all set-ups, judges and measures.
    draws, seed
        Of permutations.
    conf_level
        Of intervals and of the range of permutations.

    Raises
    ------
    DataError
        No judge has heard natural words of four or more of the classes that were attempted.

    Examples
    --------
    >>> from layerstats.stats.success import attempts_from_frame
    >>> words = ["bed", "bird", "no", "go", "up"]
    >>> heard = {"bed": "bird", "bird": "bed", "no": "go", "go": "no", "up": "up"}
    >>> rows = [("a", word, f"{word}_{n}", judge, heard[word] if n < 3 else word)
    ...         for word in words for n in range(10) for judge in "ab"]
    >>> frame = pd.DataFrame(rows, columns=["network", "target", "start", "judge", "response"])
    >>> speech = frame[frame["judge"] == "b"].rename(columns={"target": "word"})
    >>> natural_confusions(attempts_from_frame(frame), speech, draws=99).association["estimate"].round(2).tolist()
    [1.0, 1.0]
    """
    needed = ["word", "judge", "response"]
    check_columns(natural, needed, "the natural judgements")
    check_complete(natural, needed, "the natural judgements")
    real = counted_attempts(checked_attempts(attempts), denominator)
    real = real.loc[real["null"].astype(str).eq("") & (real["judge"].astype(str) != real["network"].astype(str))]
    rows, pairs = [], []
    for (set_up, judge), own in real.groupby(["set_up", "judge"], observed=True):
        speech = natural.loc[natural["judge"].astype(str) == str(judge)]
        classes = sorted(set(own["target"].astype(str)) & set(speech["word"].astype(str)))
        if len(classes) >= _FEWEST_CLASSES:
            sides = [
                _counts(own["target"], own["response"], classes),
                _counts(speech["word"], speech["response"], classes),
            ]
            place = {"set_up": str(set_up), "judge": str(judge)}
            rows += [{**place, **row} for row in _association(sides, classes, draws, seed, conf_level)]
            pairs.append(_pairs(sides, classes, conf_level).assign(**place))
    if not rows:
        raise DataError(
            f"No judge of {WHAT} has heard natural words of {_FEWEST_CLASSES} or more of its classes. Judge natural "
            "speech of the same words by the same judges: layerstats judge STORE"
        )
    association = adjust_p_values(pd.DataFrame(rows), "confusions, set-ups and judges", method=adjust)
    return NaturalConfusions(
        check_frame(association.assign(conf_level=conf_level, denominator=denominator)),
        check_frame(pd.concat(pairs, ignore_index=True).loc[:, _PAIR_COLUMNS].assign(denominator=denominator)),
    )


_PAIR_COLUMNS = [
    "set_up", "judge", "target", "response", "starts", "count", "rate", "conf_low", "conf_high", "conf_level",
    "natural_tokens", "natural_rate", "natural_low", "natural_high",
]  # fmt: skip


def _counts(target: pd.Series, response: pd.Series, classes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each class is heard as each, (target, response), and how often it was there, (target,)."""
    rows, columns = (pd.Index(classes).get_indexer(pd.Index(one.astype(str))) for one in (target, response))
    inside, heard = rows >= 0, (rows >= 0) & (columns >= 0)
    size = len(classes)
    counts = np.bincount(rows[heard] * size + columns[heard], minlength=size**2).reshape(size, size)
    return counts, np.bincount(rows[inside], minlength=size)


def _association(
    sides: list[tuple[np.ndarray, np.ndarray]], classes: list[str], draws: int, seed: int, conf_level: float
) -> Iterator[dict[str, object]]:
    rates = [counts / totals[:, None] for counts, totals in sides]
    generator = replicate_generator(seed, 0)
    orders = [generator.permutation(len(classes)) for _ in range(draws)]
    tail = (1 - conf_level) / 2
    for measure, of in ((ALL_PAIRS, lambda table: table), (BEYOND_PREFERENCES, _beyond_preferences)):
        one, two = (of(table) for table in rates)
        ranks = _ranks(one)
        estimate = _correlation(ranks, _ranks(two))
        permuted = np.array([_correlation(ranks, _ranks(two[np.ix_(order, order)])) for order in orders])
        known = np.isfinite(estimate)
        yield {
            "measure": measure,
            "classes": len(classes),
            "estimate": estimate,
            "chance_low": float(np.quantile(permuted, tail)) if known else np.nan,
            "chance_high": float(np.quantile(permuted, 1 - tail)) if known else np.nan,
            "p_value": float(permutation_p_value(np.array([estimate]), permuted[:, None])[0]) if known else np.nan,
        }


def _off_diagonal(table: np.ndarray) -> np.ndarray:
    return table[~np.eye(len(table), dtype=bool)]


def _ranks(table: np.ndarray) -> np.ndarray:
    return stats.rankdata(np.round(_off_diagonal(table), 12))


def _correlation(one: np.ndarray, two: np.ndarray) -> float:
    """Return the correlation of ranks, NaN where all are tied: nothing was confused."""
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        return np.nan
    return float(np.corrcoef(one, two)[0, 1])


def _beyond_preferences(table: np.ndarray) -> np.ndarray:
    """Return confusions less what target and response add, by least squares off the diagonal."""
    size = len(table)
    off = ~np.eye(size, dtype=bool)
    rows, columns = np.nonzero(off)
    design = np.hstack([np.eye(size)[rows], np.eye(size)[columns]])
    fitted = design @ np.linalg.lstsq(design, table[off], rcond=None)[0]
    left = np.zeros_like(table, dtype=float)
    left[off] = table[off] - fitted
    return left


def _pairs(sides: list[tuple[np.ndarray, np.ndarray]], classes: list[str], conf_level: float) -> pd.DataFrame:
    rows, columns = np.nonzero(~np.eye(len(classes), dtype=bool))
    (made, starts), (natural, tokens) = sides
    low, high = wilson_interval(made[rows, columns], starts[rows], conf_level)
    natural_low, natural_high = wilson_interval(natural[rows, columns], tokens[rows], conf_level)
    table = pd.DataFrame(
        {
            "target": np.array(classes)[rows],
            "response": np.array(classes)[columns],
            "starts": starts[rows],
            "count": made[rows, columns],
            "rate": made[rows, columns] / starts[rows],
            "conf_low": low,
            "conf_high": high,
            "conf_level": conf_level,
            "natural_tokens": tokens[rows],
            "natural_rate": natural[rows, columns] / tokens[rows],
            "natural_low": natural_low,
            "natural_high": natural_high,
        }
    )
    return table.sort_values("rate", ascending=False, kind="stable", ignore_index=True)
