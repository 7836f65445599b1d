"""What ratings vary with: raters, raters within conditions, clips, and the rest; assumed, or of a pilot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from layerstats.checks import check_not_negative
from layerstats.errors import DataError
from layerstats.stats.ratings.means.rating_cells import RatingCells, read_by, read_cells
from layerstats.stats.ratings.means.two_way_variance import TwoWayVariance


@dataclass(frozen=True)
class RatingVariances:
    """Standard deviations of what makes a rating, in points of the scale.

    The defaults are those of the listening test of the Voice Conversion Challenge 2018 with its 38 systems, rounded.

    Attributes
    ----------
    rater
        Over raters: how kind they are, to all conditions alike.
    rater_by_condition
        Over raters within a condition: for whom it is better or worse than for others.
    clip
        Over clips of a condition.
    noise
        Of single ratings.

    Examples
    --------
    >>> RatingVariances(rater=1.0).noise
    0.75
    """

    rater: float = 0.7
    rater_by_condition: float = 0.4
    clip: float = 0.45
    noise: float = 0.75

    def __post_init__(self) -> None:
        for name in ("rater", "rater_by_condition", "clip", "noise"):
            check_not_negative(name, getattr(self, name))

    @classmethod
    def of(
        cls, ratings: pd.DataFrame, by: str | Sequence[str] = "condition", scale: tuple[int, int] | None = None
    ) -> RatingVariances:
        """Estimate them by moments from the ratings of a pilot, or of an earlier test; those below 0 are 0.

        Parameters
        ----------
        ratings
            ``rater, clip, rating`` and the columns of `by`.
        by
            Column of the conditions.
        scale
            Lowest and highest rating there is.

        Raises
        ------
        DataError
            Raters, clips and noise cannot be told apart: no rater heard two clips of a condition, or no clip was heard
            twice. See also `check_ratings`.

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> kind, good = rng.normal(0, 0.6, 40), rng.normal(0, 0.3, (2, 40))
        >>> rows = [(f"r{r}", f"{c}{k}", c, 3 + kind[r] + good[c, k] + rng.normal(0, 0.5))
        ...         for r in range(40) for c in range(2) for k in range(40)]
        >>> found = RatingVariances.of(pd.DataFrame(rows, columns=["rater", "clip", "condition", "rating"]))
        >>> found.rater > 0.4, found.clip < 0.4, round(found.noise, 1)
        (True, True, 0.5)
        """
        _, cells = read_cells(ratings, read_by(by), scale)
        repeated = [len(unit.counts) < len(cells.counts) for unit in (cells.rater_sums, cells.clip_sums)]
        if not all(repeated):
            what = "no rater heard two clips of a condition" if not repeated[0] else "no clip was heard by two raters"
            raise DataError(f"The variances of raters, clips and noise cannot be told apart: {what}.")
        weights = cells.ratings / cells.ratings.sum()
        raters, clips, noise = np.clip(weights @ TwoWayVariance.of(cells).components, 0, None)
        common = min(_common(cells), raters)
        return cls(*(float(np.sqrt(value)) for value in (common, raters - common, clips, noise)))


def _common(cells: RatingCells) -> float:
    """Return the variance of raters that all conditions share: the mean covariance of their means in two conditions."""
    size = len(cells.groups)
    sums, counts = (
        cells.rater_sums.matrix(each, size).toarray() for each in (cells.rater_sums.sums, cells.rater_sums.counts)
    )
    heard = counts > 0
    covariances, weights = [], []
    for one, two in combinations(range(size), 2):
        both = heard[:, one] & heard[:, two]
        if both.sum() > 1:
            means = sums[both][:, [one, two]] / counts[both][:, [one, two]]
            covariances.append(float(np.cov(means.T)[0, 1]))
            weights.append(int(both.sum()) - 1)
    # Who heard one condition only tells nothing of another: raters are then as kind to all.
    return max(float(np.average(covariances, weights=weights)), 0.0) if covariances else np.inf
