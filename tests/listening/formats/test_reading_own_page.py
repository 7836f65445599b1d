"""Our page as an external question: its answers stand as JSON in the results of a batch."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pandas as pd

from layerstats.listening import read_answers

GIVEN = runpy.run_path(str(Path(__file__).parents[1] / "page" / "test_submission.py"))["GIVEN"]


def test_answers_of_the_page_are_read_from_the_results_of_a_batch(tmp_path):
    # What the page says of the worker may be anything; Mechanical Turk knows.
    second = {**GIVEN, "submission": "c" * 32, "rater": "somebody else"}
    batch = pd.DataFrame(
        {
            "HITId": ["h1", "h1", "h2", "h2"],
            "AssignmentId": ["a1", "a2", "a3", "a4"],
            "AssignmentStatus": ["Approved", "Submitted", "Submitted", "Submitted"],
            "WorkerId": ["W1", "W2", "W3", "W4"],
            "Answer.layerstats_answers": [json.dumps(GIVEN), json.dumps(second), '{"format": "x"}', ""],
        }
    )
    batch.to_csv(tmp_path / "batch.csv", index=False)
    read = read_answers(tmp_path / "batch.csv", scale=(1, 5))
    table = read.table
    assert table["rater"].tolist() == ["W1", "W1", "W2", "W2"]
    assert table["rating"].tolist() == [4, 5, 4, 5]
    assert table["clip"].tolist() == ["practice", "yes_1"] * 2
    assert table["assignment_id"].tolist() == ["a1", "a1", "a2", "a2"]
    assert table["assignment_status"].tolist() == ["Approved", "Approved", "Submitted", "Submitted"]
    told = read.problems[["rater", "problem"]].to_records(index=False).tolist()
    assert sorted(told) == [("W1", "not played"), ("W2", "not played"), ("W3", "no answers of the page"),
                            ("W4", "unanswered")]  # fmt: skip
