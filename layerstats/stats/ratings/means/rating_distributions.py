"""How often each rating was given, by condition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerstats.checks import check_share
from layerstats.stats.proportions import effective_wilson
from layerstats.stats.ratings.means.rating_cells import RatingCells, read_by, read_cells
from layerstats.stats.ratings.means.two_way_variance import TwoWayVariance
from layerstats.tables import check_frame


def rating_distribution(
    ratings: pd.DataFrame,
    by: str | Sequence[str] = "condition",
    *,
    scale: tuple[int, int] | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Count the ratings that were given, with intervals of their shares for other raters and other clips.

    Parameters
    ----------
    ratings
        ``rater, clip, rating`` and the columns of `by`; rows of roles other than "test" are left out.
    by
        Columns whose combinations are the groups; [] for all ratings.
    scale
        Lowest and highest rating there is: ratings of a whole scale that nobody gave have rows too.
    conf_level
        Of each interval by itself.

    Returns
    -------
    DataFrame
        A row a group and rating: the columns of `by`, ``rating, ratings`` (how often it was given), ``share, conf_low,
        conf_high, conf_level``. Intervals are Wilson's, of as many independent ratings as give the two-way variance
        (see `rating_means`); a rating that all gave, or nobody, has those of as many as there are raters or clips,
        whichever are fewer.

    Examples
    --------
    >>> rows = [(f"r{r}", f"c{k}", 2 + (r + k) % 2) for r in range(4) for k in range(3)]
    >>> table = rating_distribution(pd.DataFrame(rows, columns=["rater", "clip", "rating"]), [], scale=(1, 3))
    >>> list(zip(table["rating"], table["ratings"], table["share"]))
    [(1, 0, 0.0), (2, 6, 0.5), (3, 6, 0.5)]
    """
    check_share("conf_level", conf_level)
    columns = read_by(by)
    table, cells = read_cells(ratings, columns, scale)
    given = table["rating"].to_numpy()
    whole = scale is not None and bool(np.all(given % 1 == 0))
    points = np.arange(scale[0], scale[1] + 1.0) if scale is not None and whole else np.unique(given)
    size = len(cells.groups)
    fewest = np.minimum(
        *(unit.per_group(np.ones(len(unit.counts)), size) for unit in (cells.rater_sums, cells.clip_sums))
    )
    parts = []
    for point in points:
        own = RatingCells.of(table, columns, (given == point).astype(float))
        variance = TwoWayVariance.of(own)
        ends = [
            effective_wilson(share, spread, freedom, int(number), conf_level)
            for share, spread, freedom, number in zip(
                own.means,
                np.nan_to_num(variance.of_means),
                np.where(np.isfinite(variance.of_means), variance.freedom, np.inf),
                fewest,
                strict=True,
            )
        ]
        low, high = np.array(ends).T
        count = np.round(own.means * own.ratings)
        parts.append(cells.groups.assign(rating=point, ratings=count, share=own.means, conf_low=low, conf_high=high))
    # Points of a scale are whole numbers, and read so in a table.
    found = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True).assign(conf_level=conf_level)
    found["ratings"] = found["ratings"].astype(int)
    if np.all(given % 1 == 0):
        found["rating"] = found["rating"].astype(int)
    return check_frame(found, user_columns=columns)
