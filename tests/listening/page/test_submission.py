"""What the page hands out is read strictly: nothing that it would not write gets in."""

from __future__ import annotations

import copy
import json

import pytest

from layerstats.errors import DataError
from layerstats.listening.page import SUBMISSION_COLUMNS, parse_submission, submission_rows

GIVEN = {
    "format": "layerstats listening answers 1",
    "design_hash": "0123456789abcdef",
    "submission": "b1946ac9-2492-4d23-8b4d-1f0c3e5a7c11",
    "task": "opinion",
    "session": 3,
    "rater": "ann",
    "identifiers": {"worker_id": "ann", "assignment_id": "3A"},
    "native_language": "Welsh",
    "comment": "=1+1 <b>fine</b>",
    "headphones": {"correct": 6, "trials": 6, "passed": True, "attempts": 1},
    "started_at": "2026-11-26T16:40:00.123Z",
    "finished_at": "2026-11-26T16:50:00.000Z",
    "completion_code": "K3PQ7",
    "answers": [
        {"clip": "practice", "position": 1, "training": True, "rating": 4, "seconds": 3.5, "plays": 1,
         "answered_at": "2026-11-26T16:41:00.000Z"},
        {"clip": "yes_1", "position": 2, "training": False, "rating": 5, "seconds": 2.25, "plays": 2,
         "answered_at": "2026-11-26T16:42:00.000Z"},
        {"clip": "yes_2", "position": 3, "training": False, "seconds": 9.0, "plays": 0, "problem": "not played",
         "answered_at": "2026-11-26T16:43:00.000Z"},
    ],
}  # fmt: skip


def changed(*path, to):
    given = copy.deepcopy(GIVEN)
    place = given
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return json.dumps(given)


def test_a_submission_becomes_a_row_an_answer():
    rows = submission_rows(parse_submission(json.dumps(GIVEN).encode()))
    assert all(tuple(row) == SUBMISSION_COLUMNS for row in rows)
    assert [row["rating"] for row in rows] == [4, 5, None]
    assert [row["role"] for row in rows] == ["training", None, None]
    assert [row["problem"] for row in rows] == [None, None, "not played"]
    assert {row["comment"] for row in rows} == {"=1+1 <b>fine</b>"}
    assert {(row["worker_id"], row["prolific_pid"], row["headphones_correct"]) for row in rows} == {("ann", None, 6)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff\xfe", "no JSON"),
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "the whole"),
        (json.dumps(GIVEN)[:-1] + ', "rater": "bob"}', "a key comes twice"),
        (changed("answers", 0, "seconds", to=float("nan")), "NaN is no number"),
        (changed("format", to="another"), "format"),
        (changed("rater", to=""), "rater"),
        (changed("rater", to="a\nb"), "rater"),
        (changed("rater", to=7), "rater"),
        (changed("session", to="3"), "session"),
        (changed("session", to=0), "session"),
        (changed("design_hash", to="../../etc"), "design_hash"),
        (changed("submission", to="../../../x"), "submission"),
        (changed("identifiers", "ssn", to="1"), "unknown identifiers: ssn"),
        (changed("extra", to=1), "extra"),
        (changed("comment", to="x" * 10_001), "comment"),
        (changed("answers", 0, "rating", to=4.5), "answers.0.rating"),
        (changed("answers", 0, "rating", to=None), "a rating or a response"),
        (changed("answers", 0, "response", to="good"), "a rating or a response"),
        (changed("answers", 0, "seconds", to=-1), "answers.0.seconds"),
        (changed("answers", 0, "answered_at", to="today"), "answers.0.answered_at"),
        (changed("answers", to={}), "answers"),
    ],
)
def test_what_the_page_would_not_write_is_refused(text, message):
    with pytest.raises(DataError, match="No answers of a listening test") as raised:
        parse_submission(text)
    assert message in str(raised.value)
    assert len(str(raised.value)) < 600
