"""What cleaning means for pay, bonuses and clips: nobody is refused for what they heard."""

import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.ratings import bonus_payments, clean, clips_to_extend, review_assignments

RULES = ["catch_missed", {"rule": "too_fast", "least_seconds": 1}]


def work(rater, assignment, clips, catch=4, seconds=3.0):
    rows = [(rater, assignment, clip, "test", "c", 3, None, seconds) for clip in clips]
    return [*rows, (rater, assignment, "four", "catch", None, catch, 4, seconds)]


GIVEN = pd.DataFrame(
    [
        *work("ann", "A1", "xyz"),
        *work("bob", "A2", "xy", catch=2),
        # An assignment that was returned is used again by someone else.
        *work("cat", "A2", "x", seconds=0.2),
        *work("ann", "A3", "w"),
    ],
    columns=["rater", "assignment_id", "clip", "role", "condition", "rating", "expected", "seconds"],
)


def test_only_what_breaks_a_rule_of_reject_is_refused():
    cleaned = clean(GIVEN, RULES)
    review = review_assignments(cleaned)
    assert list(review) == ["AssignmentId", "WorkerId", "Approve", "Reject"]
    assert review.values.tolist() == [
        ["A1", "ann", "x", ""],
        ["A2", "bob", "", "Trials that asked for a certain answer did not get it."],
        ["A2", "cat", "x", ""],
        ["A3", "ann", "x", ""],
    ]
    both = review_assignments(cleaned, reject=["catch_missed", "too_fast"])
    assert both["Approve"].tolist() == ["x", "", "", "x"]
    assert review_assignments(cleaned, reject=[])["Approve"].eq("x").all()


def test_batches_as_they_are_read_have_assignments_as_sessions():
    cleaned = clean(GIVEN.rename(columns={"assignment_id": "session"}), RULES)
    assert review_assignments(cleaned)["AssignmentId"].tolist() == ["A1", "A2", "A2", "A3"]
    with pytest.raises(DataError, match="'assignment_id' is not in the answers"):
        review_assignments(clean(GIVEN.drop(columns="assignment_id"), RULES))


def test_nobody_is_refused_for_what_they_heard():
    rule = {"rule": "outcome_filter", "condition": "c", "least": 5}
    with pytest.warns(UserWarning, match="outcome_filter"):
        cleaned = clean(GIVEN, [rule])
    with pytest.raises(ArgumentError, match="Nobody is refused pay for what they heard"):
        review_assignments(cleaned, reject=["outcome_filter"])
    with pytest.raises(ArgumentError, match="'catch_missed'"):
        review_assignments(cleaned)


def test_every_rule_that_may_refuse_says_why():
    from layerstats.stats.ratings.cleaning.rule_registry import RULES as KNOWN
    from layerstats.stats.ratings.cleaning.work_lists import _REASONS

    assert _REASONS.keys() == {name for name, kind in KNOWN.items() if kind.sees != "outcome"}


def test_bonuses_are_for_answers_that_are_kept():
    cleaned = clean(GIVEN, RULES)
    paid = bonus_payments(cleaned, 1.5, least_answers=4)
    assert paid.values.tolist() == [["ann", "A3", 1.5, "Careful work in many recordings."]]
    assert bonus_payments(cleaned, 1.5, least_answers=5).empty
    assert bonus_payments(clean(GIVEN, []), 2, least_answers=2)["WorkerId"].tolist() == ["ann", "bob"]
    with pytest.raises(ArgumentError, match="amount"):
        bonus_payments(cleaned, 0)


def test_clips_with_too_few_raters_are_listed():
    cleaned = clean(GIVEN, RULES)
    assert clips_to_extend(cleaned, 1).empty
    assert clips_to_extend(cleaned, 2).values.tolist() == [["w", 1, 1], ["x", 1, 1], ["y", 1, 1], ["z", 1, 1]]
    # A clip that nobody answered is known from the design only.
    assert clips_to_extend(cleaned, 2, clips=["x", "new"]).values.tolist() == [["new", 0, 2], ["x", 1, 1]]
    with pytest.raises(ArgumentError, match="raters_per_clip"):
        clips_to_extend(cleaned, 0)
