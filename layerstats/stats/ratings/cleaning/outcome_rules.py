"""Rules that look at the very answers that are compared: named, so that published numbers can be had; never advised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_positive
from layerstats.errors import DataError
from layerstats.stats.ratings.cleaning.rule_protocol import Sees, Verdict, as_numbers, judged, nobody

WHAT = "the answers"


def _rated(seen: pd.DataFrame) -> pd.DataFrame:
    check_columns(seen, ["rating"], WHAT)
    rows = seen.assign(rater=seen["rater"].astype(str), rating=as_numbers(seen["rating"]))
    return pd.DataFrame(rows.loc[(rows["role"] == "test").to_numpy() & rows["rating"].notna().to_numpy()])


@dataclass(frozen=True)
class OutcomeFilter:
    """Remove raters who ever rated a clip of one condition so high, as Soomro et al. 2019 did.

    It selects raters by what is compared: where conditions do not differ it makes the others look better than this one
    (`calibrate_outcome_filter`). Kept to reproduce and to compare.

    Parameters
    ----------
    condition
        The condition whose ratings are held against the rater.
    least
        Rating from which a rater is removed (4 is "Good").
    column
        Column of conditions.
    """

    condition: str
    least: float = 4.0
    column: str = "condition"
    name: ClassVar[str] = "outcome_filter"
    sees: ClassVar[Sees] = "outcome"

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Judge raters by their highest rating of the condition."""
        rows = _rated(seen)
        check_columns(rows, [self.column], WHAT)
        own = rows.loc[(rows[self.column].astype(str) == self.condition).to_numpy()]
        if own.empty:
            there = ", ".join(sorted(set(rows[self.column].astype(str)))[:20])
            raise DataError(f"Nobody rated the condition {self.condition!r}. Rated were: {there}.")
        found = own.groupby("rater", sort=True).agg(trials=("rating", "size"), value=("rating", "max")).reset_index()
        return Verdict(judged(found.assign(removed=found["value"] >= self.least), self.least))


@dataclass(frozen=True)
class OutlyingRatings:
    """Remove ratings that are outliers among those of their clip, as the P.808 toolkit does.

    Of n ratings none is further from their mean than ``sqrt(n - 1)`` of their standard deviations, so that the rule
    cannot fire at all at 11 ratings a clip or fewer.

    Parameters
    ----------
    most_deviations
        Largest distance from the clip's mean, in population standard deviations of the clip's ratings.
    """

    most_deviations: float = 3.29
    name: ClassVar[str] = "outlying_ratings"
    sees: ClassVar[Sees] = "outcome"

    def __post_init__(self) -> None:
        check_positive("most_deviations", self.most_deviations)

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Find ratings that are far from the mean of their clip."""
        removed = np.zeros(len(seen), dtype=bool)
        rows = _rated(seen.reset_index(drop=True))
        if rows.empty:
            return Verdict(nobody(), removed, ("Nobody rated a clip: no rating is an outlier.",))
        clip, ratings = pd.factorize(rows["clip"].astype(str))[0], rows["rating"].to_numpy(dtype=float)
        size = np.bincount(clip)
        apart = ratings - (np.bincount(clip, ratings) / size)[clip]
        spread = np.sqrt(np.bincount(clip, apart**2) / size)[clip]
        distance = np.divide(np.abs(apart), spread, out=np.zeros(len(rows)), where=spread > 1e-12)
        far = distance >= self.most_deviations - 1e-9
        removed[rows.index.to_numpy()[far]] = True
        table = pd.DataFrame({"rater": rows["rater"], "far": far, "distance": distance})
        found = table.groupby("rater", sort=True).agg(
            trials=("far", "size"), value=("distance", "max"), removed=("far", "any")
        )
        needed = int(np.ceil(self.most_deviations**2 - 1e-9)) + 1
        few = int((size < needed).sum())
        note = (
            f"{few} of {len(size)} clips have fewer than {needed} ratings: there no rating can be "
            f"{self.most_deviations:g} standard deviations from the mean (at most the root of n - 1), and the rule "
            "cannot fire."
        )
        return Verdict(judged(found.reset_index(), self.most_deviations), removed, (note,) if few else ())
