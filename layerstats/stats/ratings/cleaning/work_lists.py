"""What follows from cleaning: whose work is paid, who gets a bonus, and which clips need more raters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast

import pandas as pd

from layerstats.checks import check_choice, check_columns, check_count, check_positive
from layerstats.errors import ArgumentError
from layerstats.stats.ratings.cleaning.cleaned_answers import CleanedAnswers
from layerstats.stats.ratings.cleaning.rule_registry import RULES
from layerstats.tables import check_frame

# Names of columns are Mechanical Turk's own: the first list is uploaded as it is.
REVIEW_COLUMNS = ("AssignmentId", "WorkerId", "Approve", "Reject")
BONUS_COLUMNS = ("WorkerId", "AssignmentId", "BonusAmount", "Reason")
# Where assignments stand: in what the page hands out, else in batches of Mechanical Turk as they are read.
_ASSIGNMENTS = ("assignment_id", "session")
_REASONS = {
    "catch_missed": "trials that asked for a certain answer did not get it",
    "references_missed": "answers to recordings of known quality were off",
    "headphones_failed": "the headphone check was failed",
    "too_fast": "answers came before the recording could be heard",
    "straight_lining": "recordings that differ clearly got the same answer",
    "native_language": "the task was for native speakers of another language",
    "session_incomplete": "the session was not finished",
    "session_cap": "more sessions were done than the task allows",
    "rated_twice": "recordings were answered twice",
}


def review_assignments(
    cleaned: CleanedAnswers, *, reject: Collection[str] = ("catch_missed",), assignment: str | None = None
) -> pd.DataFrame:
    """List which assignments to approve and which to reject, as Mechanical Turk takes it.

    Work that is not used need not be refused: only that which broke a rule of `reject` is, and everything else is paid.

    Parameters
    ----------
    cleaned : CleanedAnswers
        From `clean`.
    reject : collection of str
        Rules whose breach is a reason to refuse work. Rules on the outcome cannot be: nobody is refused for what they
        heard.
    assignment : str, optional
        Column of assignments; by default `assignment_id`, else `session`.

    Returns
    -------
    DataFrame
        ``AssignmentId, WorkerId, Approve, Reject``, a row an assignment of a worker (an assignment that was returned is
        used again): "x" to approve, else the reason for rejecting.

    Raises
    ------
    ArgumentError
        A rule of `reject` was not used, or looks at the outcome.
    DataError
        There is no column of assignments.

    Examples
    --------
    >>> from layerstats.stats.ratings.cleaning import clean
    >>> rows = [("ann", "A1", 4), ("bob", "A2", 1)]
    >>> given = pd.DataFrame(rows, columns=["rater", "assignment_id", "rating"])
    >>> given = pd.concat([given.assign(clip="four", role="catch", expected=4), given.assign(clip="a", role="test")])
    >>> review_assignments(clean(given, ["catch_missed"]))[["AssignmentId", "Approve"]].values.tolist()
    [['A1', 'x'], ['A2', '']]
    """
    names = [str(rule["rule"]) for rule in cleaned.rules]
    for name in reject:
        check_choice("reject", name, names)
        if RULES[name].sees == "outcome":
            raise ArgumentError(f"Nobody is refused pay for what they heard: {name!r} cannot be a rule of 'reject'.")
    table, column = _everything(cleaned), _assignments(cleaned, assignment)
    rows = []
    for place, own in table.groupby([column, "rater"], sort=True):
        work, worker = cast(tuple[object, object], place)
        broken = {name for names in own["removed_by"] for name in str(names).split(", ")}
        reasons = [_REASONS[name] for name in names if name in reject and name in broken]
        reason = f"{'; '.join(reasons)}." if reasons else ""
        rows.append((str(work), str(worker), "" if reasons else "x", reason[:1].upper() + reason[1:]))
    return pd.DataFrame(rows, columns=pd.Index(REVIEW_COLUMNS))


def bonus_payments(
    cleaned: CleanedAnswers, amount: float, *, least_answers: int = 1, reason: str = "Careful work in many recordings."
) -> pd.DataFrame:
    """List who gets a bonus: raters with enough test answers that are kept.

    Parameters
    ----------
    cleaned : CleanedAnswers
        From `clean`.
    amount : float
        Of the bonus, in the currency of the platform.
    least_answers : int
        Fewest test answers.
    reason : str
        What the rater is told.

    Returns
    -------
    DataFrame
        ``WorkerId, AssignmentId, BonusAmount, Reason``, a row a rater; of several assignments the last, and none where
        there is no such column.

    Raises
    ------
    ArgumentError
        `amount` or `least_answers` is not positive.

    Examples
    --------
    >>> from layerstats.stats import clean
    >>> rows = [("ann", "a", "test", 4), ("ann", "b", "test", 3), ("bob", "a", "test", 5)]
    >>> given = pd.DataFrame(rows, columns=["rater", "clip", "role", "rating"])
    >>> bonus_payments(clean(given, []), 0.5, least_answers=2)[["WorkerId", "BonusAmount"]].values.tolist()
    [['ann', 0.5]]
    """
    check_positive("amount", amount)
    check_count("least_answers", least_answers)
    kept = cleaned.table.loc[cleaned.table["role"] == "test"]
    column = next((name for name in _ASSIGNMENTS if name in kept), None)
    rows = [
        (str(worker), "" if column is None else str(own[column].iloc[-1]), float(amount), reason)
        for worker, own in kept.groupby("rater", sort=True)
        if len(own) >= least_answers
    ]
    return pd.DataFrame(rows, columns=pd.Index(BONUS_COLUMNS))


def clips_to_extend(
    cleaned: CleanedAnswers, raters_per_clip: int, *, clips: Sequence[str] | None = None
) -> pd.DataFrame:
    """List the clips that have fewer answers left than the design asked for.

    Parameters
    ----------
    cleaned : CleanedAnswers
        From `clean`.
    raters_per_clip : int
        Raters that every clip should have.
    clips : sequence of str, optional
        All test clips of the design, so that those that nobody answered are listed too; by default those that anyone
        answered.

    Returns
    -------
    DataFrame
        ``clip, raters, missing``: how many raters it has, and how many more are needed.

    Raises
    ------
    ArgumentError
        `raters_per_clip` is no positive whole number.

    Examples
    --------
    >>> from layerstats.stats import clean
    >>> rows = [("ann", "a", "test", 4), ("ann", "b", "test", 3), ("bob", "a", "test", 5)]
    >>> given = pd.DataFrame(rows, columns=["rater", "clip", "role", "rating"])
    >>> clips_to_extend(clean(given, []), 2).values.tolist()
    [['b', 1, 1]]
    """
    check_count("raters_per_clip", raters_per_clip)
    everything = _everything(cleaned)
    known = everything.loc[everything["role"] == "test", "clip"].tolist() if clips is None else list(map(str, clips))
    kept = cleaned.table.loc[cleaned.table["role"] == "test"]
    counts = kept.groupby("clip")["rater"].nunique()
    found = pd.DataFrame({"clip": sorted(set(known))})
    raters = counts.reindex(found["clip"]).fillna(0).to_numpy(dtype=int)
    found = found.assign(raters=raters, missing=raters_per_clip - raters)
    return check_frame(found.loc[found["missing"] > 0].reset_index(drop=True))


def _everything(cleaned: CleanedAnswers) -> pd.DataFrame:
    return pd.concat([cleaned.table.assign(removed_by=""), cleaned.removed]).sort_index(kind="stable")


def _assignments(cleaned: CleanedAnswers, assignment: str | None) -> str:
    column = assignment or next((name for name in _ASSIGNMENTS if name in cleaned.table), _ASSIGNMENTS[0])
    check_columns(cleaned.table, [column], "the answers")
    return column
