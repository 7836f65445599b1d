"""Rules that judge raters by trials whose right answer was known beforehand: catch trials and hidden references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from layerstats.checks import check_columns, check_count, check_not_negative, check_positive
from layerstats.errors import ArgumentError
from layerstats.stats.ratings.cleaning.rule_protocol import Sees, Verdict, as_numbers, is_right, judged, nobody

WHAT = "the answers"


def _missed(seen: pd.DataFrame, role: str, tolerance: float, most_share: float) -> Verdict:
    """Remove raters who missed more than a share of the trials of a role."""
    check_columns(seen, ["expected"], WHAT)
    own = seen.loc[(seen["role"] == role).to_numpy() & seen["expected"].notna().to_numpy()]
    if own.empty:
        return Verdict(nobody(), notes=(f"There is no {role} trial with an expected answer: nobody can miss one.",))
    wrong = pd.DataFrame({"rater": own["rater"].astype(str), "wrong": ~is_right(pd.DataFrame(own), tolerance)})
    found = wrong.groupby("rater", sort=True).agg(trials=("wrong", "size"), value=("wrong", "mean")).reset_index()
    return Verdict(judged(found.assign(removed=found["value"] > most_share + 1e-9), most_share))


def _check_share(name: str, value: float) -> None:
    check_not_negative(name, value)
    if value > 1:
        raise ArgumentError(f"The {name!r} parameter is a share of trials, from 0 to 1, but got {value!r}.")


@dataclass(frozen=True)
class CatchMissed:
    """Remove raters who missed catch trials ("please choose four").

    Of up to three catch trials all must be right by default, as ITU-T P.808 asks of the one in its short sessions, and
    of four one may be missed: of attentive raters who slip once in twenty trials, 40 % would miss one of ten.

    Parameters
    ----------
    most_share
        Largest share of a rater's catch trials that may be missed.
    """

    most_share: float = 0.25
    name: ClassVar[str] = "catch_missed"
    sees: ClassVar[Sees] = "known answers"

    def __post_init__(self) -> None:
        _check_share("most_share", self.most_share)

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Judge raters by the share of catch trials missed."""
        return _missed(seen, "catch", 0.0, self.most_share)


@dataclass(frozen=True)
class ReferencesMissed:
    """Remove raters whose answers to hidden references are off.

    References must not be among the conditions compared: a rater who hears no difference would be removed for that.

    Parameters
    ----------
    tolerance
        By how many points a rating may be off the expected one.
    most_share
        Largest share of a rater's references that may be off by more.
    """

    tolerance: float = 1.0
    most_share: float = 0.0
    name: ClassVar[str] = "references_missed"
    sees: ClassVar[Sees] = "known answers"

    def __post_init__(self) -> None:
        check_not_negative("tolerance", self.tolerance)
        _check_share("most_share", self.most_share)

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Judge raters by the share of references out of tolerance."""
        return _missed(seen, "reference", self.tolerance, self.most_share)


@dataclass(frozen=True)
class TooFast:
    """Remove raters who answer trials of known answer faster than these can be heard.

    Parameters
    ----------
    least_seconds
        Smallest median time of a rater from the start of a catch or reference trial to its answer.
    """

    least_seconds: float = 1.0
    name: ClassVar[str] = "too_fast"
    sees: ClassVar[Sees] = "known answers"

    def __post_init__(self) -> None:
        check_positive("least_seconds", self.least_seconds)

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Judge raters by their median time."""
        check_columns(seen, ["seconds"], WHAT)
        timed = pd.DataFrame({"rater": seen["rater"].astype(str), "seconds": as_numbers(seen["seconds"])}).dropna()
        if timed.empty:
            return Verdict(nobody(), notes=("No catch or reference trial has a time: nobody can be too fast.",))
        found = timed.groupby("rater", sort=True).agg(trials=("seconds", "size"), value=("seconds", "median"))
        found = found.reset_index()
        return Verdict(judged(found.assign(removed=found["value"] < self.least_seconds), self.least_seconds))


@dataclass(frozen=True)
class StraightLining:
    """Remove raters who give one answer to trials that are known to differ.

    All clips of a test may rightly get one answer where all are bad, so that only trials with different expected
    answers count.

    Parameters
    ----------
    least_distinct
        Fewest different answers to a rater's catch and reference trials.
    least_trials
        Raters with fewer such trials, or with fewer different expected answers than `least_distinct`, are not judged.
    """

    least_distinct: int = 2
    least_trials: int = 3
    name: ClassVar[str] = "straight_lining"
    sees: ClassVar[Sees] = "known answers"

    def __post_init__(self) -> None:
        check_count("least_trials", self.least_trials)
        check_count("least_distinct", self.least_distinct)
        if self.least_distinct < 2:
            raise ArgumentError("Everyone gives at least one answer: 'least_distinct' must be 2 or more.")

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Judge raters by how many different answers they gave."""
        check_columns(seen, ["expected"], WHAT)
        parts = [seen[name].astype(object) for name in ("rating", "response") if name in seen]
        given = parts[0] if len(parts) == 1 else parts[0].where(parts[0].notna(), parts[1])
        rows = pd.DataFrame({"rater": seen["rater"].astype(str), "given": given, "expected": seen["expected"]})
        rows = rows.dropna(subset=["given", "expected"])
        counts = rows.groupby("rater", sort=True).agg(
            trials=("given", "size"), value=("given", "nunique"), known=("expected", "nunique")
        )
        enough = (counts["trials"] >= self.least_trials) & (counts["known"] >= self.least_distinct)
        kept = pd.DataFrame(counts.loc[enough].reset_index())
        left = len(counts) - len(kept)
        note = f"{left} raters have too few trials of different expected answers to be judged by straight lining."
        table = judged(kept.assign(removed=kept["value"] < self.least_distinct), self.least_distinct)
        return Verdict(table, notes=(note,) if left else ())
