"""Rules about raters and their sessions that need no answer: headphones, language, doubles, sessions left early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns, check_count
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.ratings.cleaning.rule_protocol import Sees, Verdict, as_numbers, as_words, judged, nobody

WHAT = "the answers"
_PASSED = {"true": 1.0, "yes": 1.0, "passed": 1.0, "false": 0.0, "no": 0.0, "failed": 0.0}


def _of_rater(seen: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return `rater, said`: what a column says of each rater; raters of whom it says nothing are left out."""
    check_columns(seen, [column], WHAT)
    pairs = pd.DataFrame({"rater": seen["rater"].astype(str), "said": seen[column]}).dropna().drop_duplicates()
    twice = pairs.loc[pairs.duplicated("rater"), "rater"].tolist()
    if twice:
        said = sorted(map(str, pairs.loc[pairs["rater"] == twice[0], "said"].tolist()))
        raise DataError(f"Column {column!r} says {' and '.join(said)} of the rater {twice[0]!r}. Keep one of these.")
    return pairs.sort_values("rater", ignore_index=True).assign(trials=1)


def _unknown(seen: pd.DataFrame, found: pd.DataFrame, what: str) -> tuple[str, ...]:
    """Return a note on raters of whom nothing is known."""
    unknown = len(set(seen["rater"].astype(str))) - len(found)
    return (f"Of {unknown} raters {what} is not known; the rule keeps them.",) if unknown else ()


def _verdict_of_rows(seen: pd.DataFrame, rows: np.ndarray, limit: float, value: np.ndarray) -> Verdict:
    """Return the verdict of a rule that removes rows: of each rater the value that is furthest on the wrong side."""
    table = pd.DataFrame({"rater": seen["rater"].astype(str).to_numpy(), "rows": rows, "value": value})
    found = table.groupby("rater", sort=True).agg(
        trials=("rows", "size"), removed=("rows", "any"), value=("value", "max")
    )
    return Verdict(judged(found.reset_index(), limit), rows)


def _session(seen: pd.DataFrame) -> np.ndarray:
    """Return numbers of sessions, the same for rows of one rater and session, in the order in which they appear."""
    check_columns(seen, ["session"], WHAT)
    rows = pd.DataFrame({"rater": seen["rater"].astype(str), "session": seen["session"].astype(str)})
    return rows.groupby(["rater", "session"], sort=False).ngroup().to_numpy(dtype=int)


@dataclass(frozen=True)
class HeadphonesFailed:
    """Remove raters who failed the headphone check.

    Parameters
    ----------
    least
        Fewest right answers in the check.
    column
        Column of right answers in the check; a column of true and false says at once who passed.
    """

    least: int = 5
    column: str = "headphones_correct"
    name: ClassVar[str] = "headphones_failed"
    sees: ClassVar[Sees] = "conduct"

    def __post_init__(self) -> None:
        check_count("least", self.least)

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Judge raters by their right answers in the check."""
        found = _of_rater(seen, self.column)
        passed = np.array([_PASSED.get(word, np.nan) for word in as_words(found["said"])])
        said_so = not np.isnan(passed).any()
        value, least = (passed, 1) if said_so else (as_numbers(found["said"]), self.least)
        if np.isnan(value).any():
            rater, said = found.loc[np.isnan(value), ["rater", "said"]].to_numpy().tolist()[0]
            raise DataError(
                f"Column {self.column!r} says neither how many answers were right nor true or false: {said!r} of the "
                f"rater {rater!r}."
            )
        notes = _unknown(seen, found, "the headphone check")
        return Verdict(judged(found.assign(value=value, removed=value < least), least), notes=notes)


@dataclass(frozen=True)
class NativeLanguage:
    """Remove raters whose native language is another.

    Parameters
    ----------
    languages
        Native languages that count, as raters write them, whatever the case: ("English", "en").
    column
        Column that holds it.
    """

    languages: tuple[str, ...]
    column: str = "native_language"
    name: ClassVar[str] = "native_language"
    sees: ClassVar[Sees] = "conduct"

    def __post_init__(self) -> None:
        if not self.languages:
            raise ArgumentError("'languages' names no language: nobody would be kept.")

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Judge raters by what they say is their native language."""
        found = _of_rater(seen, self.column)
        wanted = [language.strip().casefold() for language in self.languages]
        native = np.isin(as_words(found["said"]), np.array(wanted, dtype=object))
        notes = _unknown(seen, found, "the native language")
        return Verdict(judged(found.assign(value=native, removed=~native), 1), notes=notes)


@dataclass(frozen=True)
class RatedTwice:
    """Remove answers of a rater to a clip that this rater has answered before.

    Parameters
    ----------
    keep
        "first": the first answer stays; "none": neither does.
    """

    keep: Literal["first", "none"] = "first"
    name: ClassVar[str] = "rated_twice"
    sees: ClassVar[Sees] = "conduct"

    def __post_init__(self) -> None:
        check_choice("keep", self.keep, ("first", "none"))

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Find answers to clips that were answered before; catch and training trials may come again."""
        pairs = pd.DataFrame({name: seen[name].astype(str) for name in ("rater", "clip")})
        twice = pairs.duplicated(keep="first") if self.keep == "first" else pairs.duplicated(keep=False)
        again = twice.to_numpy() & np.isin(seen["role"].astype(str), ("test", "reference"))
        times = pairs.groupby(["rater", "clip"])["clip"].transform("size").to_numpy()
        return _verdict_of_rows(seen, again, 1, np.where(again, times, 1))


@dataclass(frozen=True)
class SessionIncomplete:
    """Remove sessions that were left early.

    Parameters
    ----------
    trials
        Different clips of a whole session without its training. A design says it by itself; where nothing does (0),
        nobody is judged: the longest session there is may be that of a rater who came often.
    least_share
        Smallest share of them that must be answered.
    """

    trials: int = 0
    least_share: float = 1.0
    name: ClassVar[str] = "session_incomplete"
    sees: ClassVar[Sees] = "conduct"

    def __post_init__(self) -> None:
        if self.trials != 0:
            check_count("trials", self.trials)
        if not 0 < self.least_share <= 1:
            raise ArgumentError(f"'least_share' must be above 0 and at most 1, but got {self.least_share!r}.")

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Find sessions with fewer answers."""
        session = _session(seen)
        if not self.trials:
            note = "How many trials a whole session has is not known: nobody is judged. Say it: 'trials'."
            return Verdict(nobody(), notes=(note,))
        counted = np.asarray(seen["role"] != "training")
        pairs = pd.DataFrame({"session": session, "clip": seen["clip"].astype(str).to_numpy()})
        different = pd.DataFrame(pairs.loc[counted]).drop_duplicates()
        sizes = np.bincount(different["session"].to_numpy(dtype=int), minlength=int(session.max()) + 1)
        early = sizes < self.least_share * self.trials - 1e-9
        # The shortest session of a rater decides.
        verdict = _verdict_of_rows(seen, early[session], -self.trials * self.least_share, -sizes[session])
        raters = verdict.raters.assign(value=-verdict.raters["value"], limit=-verdict.raters["limit"])
        return Verdict(raters, verdict.rows)


@dataclass(frozen=True)
class SessionCap:
    """Remove the sessions of a rater beyond a number, in the order of the table.

    Parameters
    ----------
    most
        Sessions that count.
    """

    most: int = 1
    name: ClassVar[str] = "session_cap"
    sees: ClassVar[Sees] = "conduct"

    def __post_init__(self) -> None:
        check_count("most", self.most)

    def verdict(self, seen: pd.DataFrame) -> Verdict:
        """Count sessions by rater."""
        session = _session(seen)
        _, first = np.unique(session, return_index=True)
        raters = pd.Series(seen["rater"].astype(str).to_numpy()[first])
        number = (raters.groupby(raters, sort=False).cumcount().to_numpy() + 1)[session]
        return _verdict_of_rows(seen, number > self.most, self.most, number)
