"""The trials of all sessions: clips dealt, extras spread among them, and orders drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.listening.design.session_counts import balanced_halves, session_count
from layerstats.listening.design.trial_clips import Extras
from layerstats.listening.design.trial_order import shuffled_order, spread_places
from layerstats.stats.ratings.planning import assign_clips


@dataclass(frozen=True)
class SessionPlan:
    """How many raters a clip, how many tested clips a session, what else, and columns that are balanced."""

    raters_per_clip: int
    trials_per_session: int
    extras: Extras
    balance: Sequence[str]


def plan_sessions(table: pd.DataFrame, plan: SessionPlan, task: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return the trials of all sessions: `session, position, clip`, and of pairs `swapped`.

    Parameters
    ----------
    table : DataFrame
        All clips with their roles.
    plan : SessionPlan
        What is wanted.
    task : str
        Of the test.
    rng : Generator
        What draws.

    Raises
    ------
    ArgumentError
        What is wanted is not possible.
    """
    by_role = {role: np.flatnonzero(table["role"] == role) for role in ("test", "reference", "catch", "training")}
    tested = by_role["test"]
    roles = table["role"].tolist()
    labels = _labels(table, plan.balance)
    sessions = session_count(len(tested), plan.raters_per_clip, plan.trials_per_session)
    dealt = assign_clips([labels[row] for row in tested.tolist()], plan.raters_per_clip, sessions, rng)
    references = _deal(by_role["reference"], plan.extras.reference, sessions, rng)
    catches = _deal(by_role["catch"], plan.extras.catch, sessions, rng)
    rows: list[tuple[int, int, int]] = []
    for session in range(sessions):
        mixed = [*tested[dealt[session]].tolist(), *references[session]]
        # References hide among the tested clips, as a condition of their own.
        conditions = [(roles[row], *labels[row][:1]) for row in mixed]
        ordered = [mixed[place] for place in shuffled_order([repr(label) for label in conditions], rng)]
        for place, row in zip(spread_places(len(catches[session]), len(ordered) + len(catches[session]), rng),
                              catches[session], strict=True):  # fmt: skip
            ordered.insert(place, row)
        heard = [*by_role["training"].tolist(), *ordered]
        rows += [(session + 1, position, row) for position, row in enumerate(heard, start=1)]
    trials = pd.DataFrame(rows, columns=["session", "position", "row"])
    numbers = trials["row"].to_numpy()
    clips = table["clip"].to_numpy(dtype=object)[numbers]
    laid = trials.assign(clip=clips).drop(columns="row")
    if task not in ("preference", "abx"):
        return laid
    return laid.assign(swapped=_swapped(trials["session"].to_numpy(), numbers, np.isin(numbers, tested), rng))


def _labels(table: pd.DataFrame, balance: Sequence[str]) -> list[tuple[str, ...]]:
    if not balance:
        return [("",)] * len(table)
    columns = [table[name].astype(str).tolist() for name in balance]
    return list(zip(*columns, strict=True))


def _deal(rows: np.ndarray, number: int, sessions: int, rng: np.random.Generator) -> list[list[int]]:
    """Deal so many clips to each session, all clips equally often but for one."""
    if not number:
        return [[] for _ in range(sessions)]
    turned = rng.permutation(rows)
    places = np.arange(sessions * number).reshape(sessions, number) % len(rows)
    return [turned[own].tolist() for own in places[rng.permutation(sessions)]]


def _swapped(sessions: np.ndarray, rows: np.ndarray, tested: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Say of each trial of a pair whether a is played second: half of the raters of each pair, half of a session."""
    swapped = np.zeros(len(rows), dtype=bool)
    for part in (tested, ~tested):
        swapped[part] = balanced_halves(sessions[part].tolist(), rows[part].tolist(), rng)
    return swapped
