"""Means of success over classes, target networks and judges, and what moves them: starts, networks, classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from layerstats.stats.success.judged_starts import JudgedStarts
from layerstats.stats.success.rater_moves import RaterMoves, nothing


@dataclass(frozen=True, eq=False)
class RateEstimate:
    """A mean of rates in which every class counts the same, or a difference of two such means.

    Attributes
    ----------
    value
        NaN where there is nothing to count.
    by_class
        The same in each class, by name.
    left_out
        By group of networks that are drawn together: the estimate without each network, by name.
    names, networks, moves
        (row,) what each start of each network adds to the estimate beyond the mean of its cell, and which they are.
    degenerate
        Variance of cells in which all starts do the same, by Jeffreys' prior.
    starts, count
        Starts of all cells, and the sum of their successes.
    raters
        What single answers of people add, where a judge is several of them.
    """

    value: float
    by_class: Mapping[str, float]
    left_out: Mapping[str, Mapping[str, float]]
    names: np.ndarray
    networks: np.ndarray
    moves: np.ndarray
    degenerate: float
    starts: int
    count: float = field(default=np.nan)
    raters: RaterMoves = field(default_factory=nothing)

    def minus(self, other: RateEstimate) -> RateEstimate:
        """Return the difference of two estimates, paired by class, network and start where they share these."""
        shared = [name for name in self.by_class if name in other.by_class]
        left_out: dict[str, Mapping[str, float]] = {}
        for group in {**self.left_out, **other.left_out}:
            one, two = self.left_out.get(group), other.left_out.get(group)
            if one is None or two is None:
                only = one if one is not None else {name: -value for name, value in (two or {}).items()}
                left_out[group] = only
            elif one.keys() == two.keys():
                left_out[group] = {name: one[name] - two[name] for name in one}
            else:
                left_out |= {group: one, f"{group}, of level 2": {name: -value for name, value in two.items()}}
        return replace(
            self,
            value=self.value - other.value,
            by_class={name: self.by_class[name] - other.by_class[name] for name in shared},
            left_out=left_out,
            names=np.concatenate([self.names, other.names]),
            networks=np.concatenate([self.networks, other.networks]),
            moves=np.concatenate([self.moves, -other.moves]),
            degenerate=self.degenerate + other.degenerate,
            starts=min(self.starts, other.starts),
            count=np.nan,
            raters=self.raters + -other.raters,
        )


def mean_rate(
    starts: JudgedStarts,
    values: np.ndarray,
    columns: Sequence[str],
    keep: np.ndarray | None = None,
    *,
    drawn: bool = False,
    classes: Sequence[str] | None = None,
) -> RateEstimate:
    """Average values over starts within cells, then over pairs of network and judge, then over classes.

    Parameters
    ----------
    starts
        Which start is of which network and class.
    values
        (start, judge) successes or scores, NaN where there is none.
    columns
        Names of the judges.
    keep
        (network, judge) which pairs count; by default all.
    drawn
        Whether the judges are networks that are drawn as the target networks are. A network that is both is left out
        on both sides.
    classes
        Which classes count, if they have starts in every cell; by default all.
    """
    counts, means, pairs = _cells(starts, values, keep)
    wanted = np.isin(starts.targets, list(starts.targets if classes is None else classes))
    used = wanted & (np.where(pairs[:, None, :], counts, 1) > 0).all(axis=(0, 2))
    names = [name for name, use in zip(starts.targets, used, strict=True) if use]
    if not pairs.any() or not names:
        empty = np.array([], dtype=np.int64)
        return RateEstimate(np.nan, {}, {}, empty, empty, empty.astype(float), 0.0, 0, 0.0)
    table = means[:, used, :].mean(axis=1)
    by_class = np.where(pairs[:, None, :], means[:, used, :], 0).sum(axis=(0, 2)) / pairs.sum()
    moves, degenerate = _moves(starts, values, (counts, means, pairs), used)
    inside = np.where(pairs[:, None, :] & used[None, :, None], counts, 0)
    return RateEstimate(
        value=_mean(table, pairs),
        by_class=dict(zip(names, by_class.tolist(), strict=True)),
        left_out=_left_out(starts, table, pairs, columns, drawn),
        names=starts.names,
        networks=starts.network_codes[starts.network_of],
        moves=moves,
        degenerate=degenerate,
        starts=int(inside.max(axis=2).sum()),
        count=float(np.nansum(inside * np.nan_to_num(means))),
        raters=_rater_moves(starts, values, columns, (counts, means, pairs), used),
    )


def mean_table(starts: JudgedStarts, values: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the mean over classes of the mean of each cell, (network, judge); NaN where a class has no starts."""
    _, means, _ = _cells(starts, values, None)
    return means[:, np.isin(starts.targets, list(classes)), :].mean(axis=1)


def _cells(
    starts: JudgedStarts, values: np.ndarray, keep: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return counts and means (network, class, judge), and which pairs of network and judge count."""
    shape = (len(starts.networks), len(starts.targets), values.shape[1])
    cell = starts.network_of * shape[1] + starts.target_of
    known = np.isfinite(values)
    sums, counts = (
        np.stack([np.bincount(cell, one, shape[0] * shape[1]) for one in each.T], axis=1).reshape(shape)
        for each in (np.where(known, values, 0.0), known.astype(float))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    pairs = (counts > 0).any(axis=1)
    return counts, means, np.asarray(pairs if keep is None else pairs & keep)


def _mean(table: np.ndarray, pairs: np.ndarray) -> float:
    """Return the mean over the pairs of a table (network, judge) that count; NaN without any."""
    return float(table[pairs].mean()) if pairs.any() else np.nan


def _moves(
    starts: JudgedStarts, values: np.ndarray, cells: tuple[np.ndarray, np.ndarray, np.ndarray], used: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return what each start adds to the estimate beyond its cell's mean, and the variance of cells without any."""
    counts, means, pairs = cells
    network, target = starts.network_of, starts.target_of
    weight = 1 / (pairs.sum() * used.sum())
    counted = pairs[network] & used[target][:, None] & np.isfinite(values)
    number = counts[network, target]
    with np.errstate(invalid="ignore", divide="ignore"):
        own = (values - means[network, target]) / number * np.sqrt(number / np.maximum(number - 1, 1))
    moves = weight * np.where(counted, own, 0.0).sum(axis=1)
    cell = network * len(starts.targets) + target
    size = len(starts.networks) * len(starts.targets)
    varies = np.bincount(cell, moves**2, size).reshape(len(starts.networks), -1) > 1e-12 * weight**2
    judged = np.where(pairs[:, None, :], counts, 0).max(axis=2)
    level = np.where(pairs[:, None, :], np.nan_to_num(means), 0).sum(axis=2) / np.maximum(pairs.sum(axis=1), 1)[:, None]
    shrunk = (level * judged + 0.5) / (judged + 1)
    weights = weight * pairs.sum(axis=1)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = weights**2 * np.clip(shrunk * (1 - shrunk), 0, None) / judged
    return moves, float(variance[~varies & used[None, :] & (judged > 0)].sum())


def _rater_moves(
    starts: JudgedStarts,
    values: np.ndarray,
    columns: Sequence[str],
    cells: tuple[np.ndarray, np.ndarray, np.ndarray],
    used: np.ndarray,
) -> RaterMoves:
    """Return what each answer of people adds to the estimate beyond its cell's mean."""
    counts, means, pairs = cells
    network, target = starts.network_of, starts.target_of
    weight = 1 / (pairs.sum() * used.sum())
    found = nothing()
    for place, judge in enumerate(columns):
        if starts.answers is None or judge not in starts.judges:
            continue
        column = starts.column(judge)
        own = starts.answers.of_judge(column)
        counted = (pairs[network, place] & used[target] & np.isfinite(values[:, place]))[own.start]
        rows, right = own.start[counted], own.right[counted]
        if not len(rows):
            continue
        # What is counted is a start's share of right answers, times what does not depend on the answer.
        share, value = starts.right[rows, column], values[rows, place]
        said = right * np.divide(value, share, out=np.zeros(len(rows)), where=share > 0)
        asked = np.bincount(rows, minlength=len(network))[rows]
        of_cell = (network[rows], target[rows], place)
        moves = weight * (said - means[of_cell]) / (counts[of_cell] * asked)
        identity = starts.identities[rows]
        found = found + RaterMoves(own.rater[counted], identity, moves)
    return found


def _left_out(
    starts: JudgedStarts, table: np.ndarray, pairs: np.ndarray, columns: Sequence[str], drawn: bool
) -> dict[str, dict[str, float]]:
    """Return the estimate without each network in turn."""
    rows = np.array(starts.networks)
    judges = np.array(columns)
    shared = drawn and bool(set(starts.networks) & set(columns))
    targets = {}
    for name in rows[pairs.any(axis=1)]:
        kept = pairs & (rows != name)[:, None]
        targets[str(name)] = _mean(table, kept & (judges != name)[None, :] if shared else kept)
    found = {"networks": targets}
    if drawn and not shared:
        found["judges"] = {str(name): _mean(table, pairs & (judges != name)[None, :]) for name in judges}
    return found
