"""Attempts of one set-up as arrays: which starts, of which network and class, and which judges heard the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.success.rater_moves import RaterAnswers

DENOMINATORS = ("all starts", "not the target already")


@dataclass(frozen=True, eq=False)
class JudgedStarts:
    """Starts of one set-up, or of one null of it.

    Attributes
    ----------
    set_up, null
        Of all starts; `null` is "" where it is none.
    networks, targets, judges
        Names.
    network_of, target_of
        (start,) numbers of these.
    names
        (start,) numbers that are the same for starts of one class and name, in all networks, set-ups and nulls.
    network_codes
        (network,) numbers of the networks that are the same in all set-ups and nulls.
    known_networks
        How many networks there are in all of these.
    right
        (start, judge) 1 where a judge hears the target, 0 where it does not, a share where several people are one
        judge, NaN where it was not asked.
    score
        (start, judge) what it gives the target; NaN where it gives none.
    peers
        Judges that are target networks of this set-up: networks of the kind that is drawn.
    answers
        Single answers of the judges who are several people; None where nobody is.
    """

    set_up: str
    null: str
    networks: tuple[str, ...]
    targets: tuple[str, ...]
    judges: tuple[str, ...]
    network_of: np.ndarray
    target_of: np.ndarray
    names: np.ndarray
    network_codes: np.ndarray
    known_networks: int
    right: np.ndarray
    score: np.ndarray
    peers: tuple[str, ...]
    answers: RaterAnswers | None = None

    @property
    def others(self) -> tuple[str, ...]:
        """Judges that are neither a peer nor one of the target networks."""
        return tuple(judge for judge in self.judges if judge not in self.peers and judge not in self.networks)

    @property
    def identities(self) -> np.ndarray:
        """(start,) numbers that are the same for starts of one network, class and name in all set-ups and nulls."""
        return self.names * self.known_networks + self.network_codes[self.network_of]

    def column(self, judge: str) -> int:
        """Return the number of a judge."""
        return self.judges.index(judge)

    def asked(self) -> np.ndarray:
        """Return whether a judge was asked about any start of a network, (network, judge)."""
        known = np.isfinite(self.right)
        return np.stack([known[self.network_of == number].any(axis=0) for number in range(len(self.networks))])

    def by_others(self, judges: tuple[str, ...]) -> np.ndarray:
        """Return whether a judge is another than the target network, (network, judge); there may be no judges."""
        return np.array(self.networks, dtype=object)[:, None] != np.array(judges, dtype=object)

    def of_class(self, target: str) -> JudgedStarts:
        """Return the starts of one class."""
        rows = self.target_of == self.targets.index(target)
        parts = {name: getattr(self, name)[rows] for name in ("network_of", "names", "right", "score")}
        target_of = np.zeros(int(rows.sum()), dtype=np.int64)
        answers = None if self.answers is None else self.answers.of_starts(rows)
        return replace(self, targets=(target,), target_of=target_of, answers=answers, **parts)

    def own(self) -> np.ndarray:
        """Return whether the target network hears the target, (start,); NaN where it was not asked."""
        columns = np.array([self.judges.index(name) if name in self.judges else -1 for name in self.networks])
        place = columns[self.network_of]
        return np.where(place >= 0, self.right[np.arange(len(place)), place], np.nan)


def judged_starts(
    attempts: pd.DataFrame, denominator: str, peers: Sequence[str] | None = None
) -> dict[tuple[str, str], JudgedStarts]:
    """Lay attempts out by set-up and null.

    Parameters
    ----------
    attempts
        As from `attempts_from_frame`.
    denominator
        "all starts", or those that were "not the target already" for the target network.
    peers
        Names of the networks that are peers; by default the target networks that are no null.

    Raises
    ------
    DataError
        Every start was the target already, or it is not known what was heard before.
    """
    attempts = counted_attempts(attempts, denominator)
    found: dict[tuple[str, str], JudgedStarts] = {}
    for set_up, own in attempts.groupby("set_up", observed=True, sort=False):
        real = _names(own.loc[own["null"].astype(str) == "", "network"])
        for null, rows in own.groupby("null", observed=True, sort=True):
            place = (str(set_up), str(null))
            found[place] = _laid_out(*place, rows, tuple(real if peers is None else peers))
    return found


def counted_attempts(attempts: pd.DataFrame, denominator: str) -> pd.DataFrame:
    """Return the attempts that are counted.

    Raises
    ------
    DataError
        Every start was the target already, or it is not known what was heard before.
    """
    if denominator == DENOMINATORS[0]:
        return attempts
    before = attempts["response_before"]
    if bool(before.isna().to_numpy().any()):
        raise DataError(
            "What the target network heard before maximization is not known of every start (column "
            f"'response_before'), so that those {denominator} cannot be counted. Count all starts."
        )
    counted = attempts.loc[before.astype(str).to_numpy() != attempts["target"].astype(str).to_numpy()]
    if counted.empty:
        raise DataError("Every start was the target already: nobody attempted anything. Count all starts.")
    return counted


def _names(values: pd.Series) -> list[str]:
    return [str(value) for value in sorted(values.astype(str).unique())]


def _laid_out(set_up: str, null: str, rows: pd.DataFrame, peers: tuple[str, ...]) -> JudgedStarts:
    # Categories are those of the whole table, and their codes the same everywhere; text would be slow here.
    everywhere = {
        name: rows[name].cat.codes.to_numpy(dtype=np.int64) for name in ("network", "target", "start", "judge")
    }
    codes, names, there = {}, {}, {}
    for name, values in everywhere.items():
        there[name], codes[name] = np.unique(values, return_inverse=True)
        names[name] = tuple(map(str, rows[name].cat.categories[there[name]]))
    name = everywhere["start"] * len(rows["target"].cat.categories) + everywhere["target"]
    identity = name * len(names["network"]) + codes["network"]
    unique, first, row = np.unique(identity, return_index=True, return_inverse=True)
    heard_as = rows["response"].cat.categories.get_indexer(rows["target"].cat.categories)
    right = (rows["response"].cat.codes.to_numpy() == heard_as[everywhere["target"]]).astype(float)
    place, size = row * len(names["judge"]) + codes["judge"], len(unique) * len(names["judge"])
    counted = np.bincount(place, minlength=size)
    scores = rows["score"].to_numpy(dtype=float, na_value=np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        heard, score = (np.bincount(place, values, minlength=size) / counted for values in (right, scores))
    shape = (len(unique), len(names["judge"]))
    return JudgedStarts(
        set_up, null, names["network"], names["target"], names["judge"],
        network_of=codes["network"][first],
        target_of=codes["target"][first],
        names=name[first],
        network_codes=there["network"],
        known_networks=len(rows["network"].cat.categories),
        right=heard.reshape(shape),
        score=score.reshape(shape),
        peers=peers,
        answers=_answers(rows, row, codes["judge"], right),
    )  # fmt: skip


def _answers(rows: pd.DataFrame, start: np.ndarray, judge: np.ndarray, right: np.ndarray) -> RaterAnswers | None:
    """Return the answers of people, each of whom has a name."""
    if "rater" not in rows:
        return None
    names = rows["rater"]
    people = names.notna().to_numpy() & (names.astype(str) != "").to_numpy()
    if not people.any():
        return None
    return RaterAnswers(start[people], judge[people], names.cat.codes.to_numpy(dtype=np.int64)[people], right[people])
