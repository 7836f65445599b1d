"""Whatever stands in the cells: a row is an answer or a problem, never nothing, and never a crash."""

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerstats.errors import DataError
from layerstats.listening.formats import read_answers

CELL = st.one_of(
    st.sampled_from(
        ["", " ", "1", "5", "6", "4 - Good", "Good", "=1+1", "<b>", "null", "None", "3,5", "{", '["x"]', "a.wav"]
    ),
    st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), max_size=8),
)
HEADERS = {
    "table": ["rater", "clip", "rating", "note"],
    "mturk": ["HITId", "AssignmentId", "WorkerId", "Input.clip", "Answer.rating"],
    "praat": ["subject", "stimulus", "response", "reactionTime"],
    "webmushra": ["session_test_id", "age", "trial_id", "stimuli_rating", "stimuli", "rating_time"],
    "page": ["rater", "clip", "task", "rating", "response", "position", "seconds", "submission", "design_hash"],
}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(sorted(HEADERS)))
def test_every_row_is_an_answer_or_a_problem(tmp_path_factory, data, kind):
    header = HEADERS[kind]
    rows = data.draw(st.lists(st.lists(CELL, min_size=len(header), max_size=len(header)), min_size=1, max_size=6))
    if kind == "page":
        rows = [[*row[:2], "opinion", *row[3:]] for row in rows]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    path = tmp_path_factory.mktemp("fuzz") / "t.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    try:
        answers = read_answers(path, format=kind, scale=(1, 5), task="opinion")
    except DataError:
        return
    read = sorted([*answers.table["source_row"], *answers.problems.loc[~answers.problems["kept"], "source_row"]])
    filled = [2 + place for place, row in enumerate(rows) if any(cell.strip() for cell in row)]
    assert read == filled
    assert answers.table["rating"].between(1, 5).all()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(
        st.dictionaries(
            st.sampled_from(["trial_type", "stimulus", "response", "rt", "subject"]),
            st.one_of(CELL, st.integers(-3, 9), st.none(), st.booleans(), st.lists(CELL, max_size=2)),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_records_of_any_kind_are_read_or_refused_with_a_reason(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("fuzz") / "p.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    try:
        answers = read_answers(path, format="jspsych", scale=(1, 5), task="opinion")
    except DataError:
        return
    assert len(answers.table) + (~answers.problems["kept"]).sum() <= len(records)


def test_records_without_any_answer_say_so(tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps([{"trial_type": "a.wav"}]), encoding="utf-8")
    with pytest.raises(DataError, match=r"Nothing in 'p\.json' says what was answered.*mapping"):
        read_answers(path, format="jspsych", scale=(1, 5), task="opinion")
