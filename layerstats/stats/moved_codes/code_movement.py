"""What the paper asserts of moving codes, tested: corrections, movement near the boundary, words and speakers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_columns, check_positive
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.moved_codes.start_codes import MovedCodes
from layerstats.stats.moved_codes.variance_partition import FACTORS, group_basis, jackknifed_shares, permuted_p_values
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.proportions import effective_wilson
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.tables import PrintedResult, check_frame

# Fewer speakers give no jackknife worth the name.
LEAST_SPEAKERS = 3
_DISTANCES = {"margin": "log odds", "boundary_distance": "distance to the boundary"}


@dataclass(frozen=True, eq=False, repr=False)
class CodeMovement(PrintedResult):
    """Where codes move, in numbers.

    Attributes
    ----------
    corrections
        A row a judge: ``judge, starts`` (that the target network heard as another word before), ``count`` (of these,
        heard as their word after), ``rate`` with ``conf_low, conf_high, conf_level, speakers``, and ``kept``, the share
        of the others that are still heard as their word.
    displacement
        ``measure, estimate, conf_low, conf_high, conf_level, p_value, p_adjusted, starts, speakers``: the rank
        correlation, within words and speakers, of displacement with the margin before (and with the distance to the
        boundary where it is known), and the mean displacement of misclassified starts over that of others.
    variance
        ``factor, moment`` ("before", "after", "after - before"), ``estimate`` (share of the variance of codes),
        ``std_error, conf_low, conf_high, conf_level, p_value, p_adjusted, starts, words, speakers``.
    notes
        What could not be measured.
    """

    main_tables = ("corrections", "displacement", "variance")
    corrections: pd.DataFrame
    displacement: pd.DataFrame
    variance: pd.DataFrame
    notes: tuple[str, ...]


def code_movement(
    moved: MovedCodes,
    judgements: pd.DataFrame | None = None,
    *,
    adjust: AdjustMethod = "holm",
    permutations: int = 999,
    seed: int = 0,
    conf_level: float = 0.95,
) -> CodeMovement:
    """Test what is said of Fig. 4 in the space of the codes, where distances mean something.

    *Corrections*: the share of misclassified starts that are heard as their word after maximization, by the network
    itself, which was climbed, and by other judges, with Wilson's interval for as many independent starts as speakers
    make of them. *Displacement*: "the maximization process is only activated strongly in the highly confusable area"
    says that codes move farther where the word's margin is small. Correlations are of ranks within words and speakers
    (less what these account for); the p-value
    permutes displacements within speakers; intervals are by jackknife of speakers, on Fisher's scale. With steps of one
    length (gradient over its RMS) and a fixed number of them, displacements say how straight paths are, and hardly
    anything of confusion: use outcomes that stop at a probability. *Variance*: the shares of words and of speakers,
    each adjusted for the other and corrected for the number of groups; p-values permute whole codes within speakers
    (words) and within words (speakers); intervals, and the test of after - before, are by jackknife of speakers.

    Parameters
    ----------
    moved
        From `read_moved_codes`.
    judgements
        ``start, judge, response``: what others hear in the starts afterwards.
    adjust
        How p-values are adjusted, within each table.
    permutations, seed, conf_level
        Of the tests and intervals.

    Raises
    ------
    DataError
        There are fewer than three speakers or two words, or speakers and words cannot be told apart.
    ArgumentError
        `conf_level` or `permutations` is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> starts = pd.DataFrame([(word, f"p{number}") for word in ("no", "yes") for number in range(6)])
    >>> starts = starts.set_axis(["word", "speaker"], axis=1).assign(start=[f"s{row}" for row in range(12)])
    >>> starts = starts.assign(token=starts["start"], misclassified=[True, False] * 6, correct_after=True)
    >>> starts = starts.assign(margin=rng.normal(size=12), margin_after=2.0, displacement=rng.random(12) + 1)
    >>> before, after = rng.normal(size=(2, 12, 3))
    >>> moved = MovedCodes(starts.assign(boundary_distance=np.nan), before, after, "n0")
    >>> found = code_movement(moved, permutations=99)
    >>> found.corrections[["judge", "starts", "rate"]].values.tolist()
    [['n0', 6, 1.0]]
    """
    check_positive("permutations", permutations)
    if not 0 < conf_level < 1:
        raise ArgumentError(f"The 'conf_level' parameter must be between 0 and 1, but got {conf_level!r} instead.")
    starts = moved.starts
    speakers, words = len(set(starts["speaker"])), len(set(starts["word"]))
    if speakers < LEAST_SPEAKERS or words < 2:
        raise DataError(
            f"Two words and {LEAST_SPEAKERS} speakers or more are needed to say how others would do, but the starts "
            f"are of {words} and by {speakers}."
        )
    notes = []
    if not starts["misclassified"].to_numpy(dtype=bool).any():
        notes.append("The network heard every start as its word before: there is nothing to correct.")
    displacement = pd.DataFrame(_displacement(starts, permutations, seed, conf_level))
    variance = pd.DataFrame(_variance(moved, permutations, seed, conf_level))
    return CodeMovement(
        check_frame(pd.DataFrame(_corrections(moved, judgements, conf_level))),
        check_frame(adjust_p_values(displacement, "displacement of codes", method=adjust)),
        check_frame(adjust_p_values(variance, "variance of codes by word and speaker", method=adjust)),
        tuple(notes),
    )


def _corrections(moved: MovedCodes, judgements: pd.DataFrame | None, conf_level: float) -> list[dict[str, object]]:
    starts = moved.starts
    rows = [_correction(moved.network, starts, starts["correct_after"].to_numpy(), conf_level)]
    if judgements is None:
        return rows
    check_columns(judgements, ["start", "judge", "response"], "the table of judgements")
    for judge, given in judgements.groupby("judge", sort=False, observed=True):
        if str(judge) == moved.network:
            continue
        heard = dict(zip(given["start"].astype(str), given["response"].astype(str), strict=True))
        if len(heard) < len(given):
            raise DataError(
                f"The judge {judge!r} is asked twice about a start: give the judgements of one outcome set."
            )
        there = starts["start"].isin(list(heard)).to_numpy()
        asked = pd.DataFrame(starts.loc[there])
        right = np.array([heard[name] == word for name, word in zip(asked["start"], asked["word"], strict=True)])
        rows.append(_correction(str(judge), asked, right.astype(bool), conf_level))
    return rows


def _correction(judge: str, starts: pd.DataFrame, right: np.ndarray, conf_level: float) -> dict[str, object]:
    wrong = starts["misclassified"].to_numpy()
    count, total = int(right[wrong].sum()), int(wrong.sum())
    names, speakers = np.unique(starts["speaker"].to_numpy(dtype=str)[wrong], return_inverse=True)
    clusters = len(names)
    rate = count / total if total else np.nan
    low, high = np.nan, np.nan
    if clusters > 1:
        # Starts of one speaker are alike: the variance is that of sums by speaker.
        sums = np.bincount(speakers, right[wrong] - rate)
        variance = clusters / (clusters - 1) * float(np.sum(sums**2)) / total**2
        variance = max(variance, rate * (1 - rate) / total)
        low, high = effective_wilson(rate, variance, clusters - 1, total, conf_level)
    return {
        "judge": judge,
        "starts": total,
        "count": count,
        "rate": rate,
        "conf_low": low,
        "conf_high": high,
        "conf_level": conf_level,
        "speakers": clusters,
        "kept": float(right[~wrong].mean()) if (~wrong).any() else np.nan,
    }


def _within_groups(starts: pd.DataFrame, column: str) -> np.ndarray:
    """Return the ranks of a column less what words and speakers account for, (start,)."""
    ranks = stats.rankdata(starts[column].to_numpy())
    basis = group_basis(*(starts[name].to_numpy(dtype=str) for name in FACTORS))
    return ranks - basis @ (basis.T @ ranks)


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    scale = np.sqrt(np.sum(first**2) * np.sum(second**2))
    return float(np.sum(first * second) / scale) if scale > 0 else np.nan


def _displacement(starts: pd.DataFrame, permutations: int, seed: int, conf_level: float) -> list[dict[str, object]]:
    rows = []
    for number, (column, name) in enumerate(_DISTANCES.items()):
        if np.isnan(starts[column].to_numpy(dtype=float)).all():
            continue
        rows.append(_correlated(starts, column, name, permutations, replicate_generator(seed, number), conf_level))
    rows.append(_ratio(starts, conf_level))
    speakers = len(set(starts["speaker"]))
    about = {"starts": len(starts), "speakers": speakers, "conf_level": conf_level}
    return [{**row, **about} for row in rows]


def _correlated(
    starts: pd.DataFrame, column: str, name: str, permutations: int, rng: np.random.Generator, conf_level: float
) -> dict[str, object]:
    def measured(of: pd.DataFrame) -> float:
        return _correlation(_within_groups(of, "displacement"), _within_groups(of, column))

    value = measured(starts)
    first, second = _within_groups(starts, "displacement"), _within_groups(starts, column)
    speakers = starts["speaker"].to_numpy(dtype=str)
    groups = [np.flatnonzero(speakers == who) for who in np.unique(speakers)]
    extreme = 0
    for _ in range(permutations):
        order = np.arange(len(first))
        for group in groups:
            order[group] = rng.permutation(group)
        extreme += abs(_correlation(first[order], second)) >= abs(value) - 1e-9

    def transformed(of: pd.DataFrame) -> float:
        return float(np.arctanh(np.clip(measured(of), -0.999999, 0.999999)))

    low, high = np.tanh(_jackknife_ends(starts, transformed, conf_level))
    return {
        "measure": f"rank correlation of displacement with the {name}",
        "estimate": value,
        "conf_low": float(low),
        "conf_high": float(high),
        "p_value": (1 + extreme) / (1 + permutations) if np.isfinite(value) else np.nan,
    }


def _ratio(starts: pd.DataFrame, conf_level: float) -> dict[str, object]:
    def measured(of: pd.DataFrame) -> float:
        wrong, moves = of["misclassified"].to_numpy(), of["displacement"].to_numpy()
        if not wrong.any() or wrong.all() or not moves[~wrong].mean() > 0:
            return np.nan
        return float(np.log(moves[wrong].mean() / moves[~wrong].mean()))

    value = measured(starts)
    low, high = _jackknife_ends(starts, measured, conf_level)
    error, freedom = _jackknife(starts, measured)
    return {
        "measure": "mean displacement of misclassified starts over that of others",
        "estimate": float(np.exp(value)),
        "conf_low": float(np.exp(low)),
        "conf_high": float(np.exp(high)),
        "p_value": float(2 * stats.t.sf(abs(value) / error, freedom)) if error > 0 else np.nan,
    }


def _jackknife(starts: pd.DataFrame, measured: Callable[[pd.DataFrame], float]) -> tuple[float, int]:
    """Return the standard error over speakers, and its degrees of freedom."""
    speakers = starts["speaker"].to_numpy(dtype=str)
    without = np.array([measured(pd.DataFrame(starts.loc[speakers != who])) for who in np.unique(speakers)])
    return float(_jackknife_error(without)), len(without) - 1


def _jackknife_ends(starts: pd.DataFrame, measured: Callable[[pd.DataFrame], float], conf_level: float) -> np.ndarray:
    value, (error, freedom) = measured(starts), _jackknife(starts, measured)
    return value + np.array([-1, 1]) * stats.t.ppf((1 + conf_level) / 2, freedom) * error


def _jackknife_error(without: np.ndarray) -> np.ndarray:
    """Return the jackknife's standard error of values without one speaker each, (speaker, ...)."""
    count = len(without)
    return np.sqrt((count - 1) / count * np.sum((without - without.mean(axis=0)) ** 2, axis=0))


def _variance(moved: MovedCodes, permutations: int, seed: int, conf_level: float) -> list[dict[str, object]]:
    words, speakers = (moved.starts[name].to_numpy(dtype=str) for name in FACTORS)
    sets = {"before": moved.before, "after": moved.after}
    whole, without = jackknifed_shares(list(sets.values()), words, speakers)
    p_values = [
        permuted_p_values(codes, words, speakers, permutations, replicate_generator(seed, 9, number))
        for number, codes in enumerate(sets.values())
    ]
    freedom = len(without) - 1
    quantile = float(stats.t.ppf((1 + conf_level) / 2, freedom))
    rows = []
    for place, factor in enumerate(FACTORS):
        shares = {name: (whole[number, place], without[:, number, place]) for number, name in enumerate(sets)}
        shares["after - before"] = (shares["after"][0] - shares["before"][0], shares["after"][1] - shares["before"][1])
        for number, (moment, (value, left)) in enumerate(shares.items()):
            error = float(_jackknife_error(left))
            by_t = float(2 * stats.t.sf(abs(value) / error, freedom)) if error > 0 else np.nan
            rows.append(
                {
                    "factor": factor,
                    "moment": moment,
                    "estimate": float(value),
                    "std_error": error,
                    "conf_low": float(value - quantile * error),
                    "conf_high": float(value + quantile * error),
                    "conf_level": conf_level,
                    "p_value": float(p_values[number][place]) if number < len(p_values) else by_t,
                    "starts": len(words),
                    "words": len(np.unique(words)),
                    "speakers": len(np.unique(speakers)),
                }
            )
    return rows
