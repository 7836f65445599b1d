"""How raters move a mean of success: what people said of starts, rater by rater, and the variance that raters add."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

# With fewer, how raters differ is not known.
FEWEST_RATERS = 3


@dataclass(frozen=True, eq=False)
class RaterAnswers:
    """Single answers of judges who are several people.

    Attributes
    ----------
    start, judge
        (answer,) rows and columns of `JudgedStarts.right`.
    rater
        (answer,) numbers that are the same in all set-ups and nulls.
    right
        (answer,) whether the target was heard.
    """

    start: np.ndarray
    judge: np.ndarray
    rater: np.ndarray
    right: np.ndarray

    def of_starts(self, rows: np.ndarray) -> RaterAnswers:
        """Return the answers to some of the starts, (start,) bool, which are numbered anew."""
        kept = rows[self.start]
        number = np.cumsum(rows) - 1
        return RaterAnswers(number[self.start[kept]], self.judge[kept], self.rater[kept], self.right[kept])

    def of_judge(self, column: int) -> RaterAnswers:
        """Return the answers of one judge."""
        own = self.judge == column
        return replace(self, start=self.start[own], judge=self.judge[own], rater=self.rater[own], right=self.right[own])


@dataclass(frozen=True, eq=False)
class RaterMoves:
    """What every answer adds to an estimate beyond the mean of its cell.

    Attributes
    ----------
    rater, place
        (answer,) who answered, and a number of the start that is the same in all set-ups and nulls.
    move
        (answer,) what it adds.
    """

    rater: np.ndarray
    place: np.ndarray
    move: np.ndarray

    def __neg__(self) -> RaterMoves:
        """Return the moves of the estimate with its sign turned."""
        return replace(self, move=-self.move)

    def __add__(self, other: RaterMoves) -> RaterMoves:
        """Return the moves of a sum of two estimates."""
        names = ("rater", "place", "move")
        return RaterMoves(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))

    def is_enough(self) -> bool:
        """Return whether there are raters enough to tell how they differ."""
        return len(np.unique(self.rater)) >= FEWEST_RATERS

    def added_to(self, variance: float, freedom: float) -> tuple[float, float]:
        """Return a variance of other starts (and networks, ...) and its degrees of freedom, for other raters too.

        Answers are in two-way clusters, of starts and of raters: to the variance of starts that of raters comes, less
        that of single answers, which both hold (Cameron, Gelbach & Miller 2011).
        """
        raters, of_rater = np.unique(self.rater, return_inverse=True)
        places, of_place = np.unique(self.place, return_inverse=True)
        single = np.bincount(of_rater * len(places) + of_place, self.move)
        by_rater = float(np.sum(np.bincount(of_rater, self.move) ** 2)) * len(raters) / (len(raters) - 1)
        added = max(by_rater - float(np.sum(single**2)), 0.0)
        total = variance + added
        if added == 0:
            return total, freedom
        # Satterthwaite's, as of independent parts.
        return total, float(total**2 / (variance**2 / freedom + added**2 / (len(raters) - 1)))


def nothing() -> RaterMoves:
    """Return the moves of an estimate that no rater moves."""
    empty = np.array([], dtype=np.int64)
    return RaterMoves(empty, empty, empty.astype(float))
