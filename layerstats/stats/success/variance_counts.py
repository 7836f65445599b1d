"""Attempts as counts, a row a cell, with the level that each row has of every component of variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError, DataError

FACTORS = ("network", "judge", "target")
# Main effects, pairs and cells. "start" is one start of one network.
COMPONENTS = (*(":".join(part) for size in (1, 2, 3) for part in combinations(FACTORS, size)), "start")


@dataclass(frozen=True, eq=False)
class Counts:
    """Successes and trials of the cells of one model.

    Attributes
    ----------
    successes, trials
        (row,)
    components
        Names of the components of variance.
    levels
        For each, (row,) the number of its level, from 0.
    factors
        The factors that have several levels.
    notes
        What was left out.
    """

    successes: np.ndarray
    trials: np.ndarray
    components: tuple[str, ...]
    levels: tuple[np.ndarray, ...]
    factors: tuple[str, ...]
    notes: tuple[str, ...]


def read_components(components: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return components with their factors in order, without repetitions; None stands for all that can be estimated.

    Raises
    ------
    ArgumentError
        One is not known.

    Examples
    --------
    >>> read_components(["judge", "target:judge"])
    ('judge', 'judge:target')
    """
    if components is None:
        return None
    if isinstance(components, str) or not len(components):
        raise ArgumentError(
            f"'components' must be a list of one or more of {', '.join(COMPONENTS)}, not {components!r}."
        )
    found = []
    for written in components:
        parts = str(written).split(":")
        ordered = ":".join(sorted(parts, key=lambda part: FACTORS.index(part) if part in FACTORS else 0))
        if ordered not in COMPONENTS:
            raise ArgumentError(f"The component {written!r} is not one of {', '.join(COMPONENTS)}.")
        found.append(ordered)
    return tuple(dict.fromkeys(found))


def count_attempts(attempts: pd.DataFrame, components: tuple[str, ...] | None, most_starts: int, seed: int) -> Counts:
    """Count successes by cell; by start and judge where starts are a component.

    Parameters
    ----------
    attempts : columns `network, judge, target, start, success`
        Of one set-up.
    components
        As `read_components` returns them.
    most_starts
        Starts that are used where they are a component: so many at most, drawn from all.
    seed
        Of that draw.

    Raises
    ------
    DataError
        No factor has two levels; or a component that was asked for cannot be told from another, or from chance.
    """
    notes: list[str] = []
    factors = tuple(name for name in FACTORS if len(attempts[name].unique()) > 1)
    if not factors:
        raise DataError(
            "There is one network, one judge and one class only: no two of anything that success could vary over."
        )
    wanted = components
    if wanted is None:
        wanted = tuple(":".join(part) for size in (1, 2, 3) for part in combinations(factors, size))
        notes += [_single(attempts, name) for name in FACTORS if name not in factors]
    else:
        _check_factors(attempts, wanted, factors)
    keys = list(FACTORS)
    if "start" in wanted:
        keys = [*FACTORS, "start"]
        attempts = _check_starts(attempts, most_starts, seed, notes)
    cells = attempts.groupby(keys, observed=True)["success"].agg(["sum", "size"]).reset_index()
    trials = cells["size"].to_numpy(dtype=float)
    kept: dict[str, np.ndarray] = {}
    for name in wanted:
        codes = _codes(cells, name)
        reason = _confounded(codes, trials, kept)
        if reason and components is not None:
            raise DataError(f"The component {name!r} cannot be estimated: {reason}. Leave it out of 'components'.")
        if reason:
            notes.append(f"{name} is not a component here: {reason}.")
        else:
            kept[name] = codes
    return Counts(cells["sum"].to_numpy(dtype=float), trials, tuple(kept), tuple(kept.values()), factors, tuple(notes))


def _single(attempts: pd.DataFrame, name: str) -> str:
    alone = str(attempts[name].iloc[0])
    return f"There is one {_word(name)} only, {alone!r}: what varies between {_word(name, True)} is not known."


def _word(name: str, plural: bool = False) -> str:
    singular = {"target": "class"}.get(name, name)
    return singular if not plural else {"class": "classes"}.get(singular, f"{singular}s")


def _check_factors(attempts: pd.DataFrame, wanted: tuple[str, ...], factors: tuple[str, ...]) -> None:
    for component in wanted:
        for name in FACTORS:
            if name in component.split(":") and name not in factors:
                raise DataError(
                    f"The component {component!r} needs several {_word(name, True)}, but there is one only, "
                    f"{str(attempts[name].iloc[0])!r}."
                )


def _check_starts(attempts: pd.DataFrame, most_starts: int, seed: int, notes: list[str]) -> pd.DataFrame:
    """Return the attempts of at most `most_starts` starts, as many as can be of each network and class."""
    identity = ["network", "target", "start"]
    number = attempts.groupby(identity, observed=True).ngroup().to_numpy()
    judged = pd.Series(number).value_counts()
    if judged.max() < 2:
        raise DataError(
            "The component 'start' needs starts that several judges have heard, but every start has one judgement. "
            "Leave it out of 'components'."
        )
    if len(judged) <= most_starts:
        return attempts
    cells = attempts.assign(_number=number).drop_duplicates("_number")
    order = np.random.default_rng(seed).permutation(len(cells))
    cells = cells.sort_values("_number").iloc[order]
    # One of each cell, then a second of each, and so on.
    place = cells.groupby(["network", "target"], observed=True).cumcount()
    chosen = cells.assign(_place=place).sort_values("_place", kind="stable")["_number"].iloc[:most_starts]
    notes.append(f"{most_starts} of {len(judged)} starts were drawn for the component start (most_starts).")
    return attempts.loc[np.isin(number, chosen.to_numpy())]


def _codes(cells: pd.DataFrame, component: str) -> np.ndarray:
    columns = ["network", "target", "start"] if component == "start" else component.split(":")
    return cells.groupby(columns, observed=True).ngroup().to_numpy()


def _confounded(codes: np.ndarray, trials: np.ndarray, others: dict[str, np.ndarray]) -> str:
    """Return why no variance can be told for a component, or nothing."""
    count = int(codes.max()) + 1
    if count == len(codes) and trials.max() == 1:
        return "each of its levels has a single attempt"
    for name, other in others.items():
        together = len(np.unique(np.stack([codes, other]), axis=1).T)
        if count == together == int(other.max()) + 1:
            return f"its levels are those of {name}"
    return ""
