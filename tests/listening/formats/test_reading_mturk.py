import json

import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.listening.formats import read_answers

HEADER = ["HITId", "AssignmentId", "WorkerId", "AssignmentStatus", "WorkTimeInSeconds"]


def batch(folder, rows, header, name="batch.csv", encoding="utf-8", lacking=0):
    """Write a batch as Mechanical Turk does: every cell quoted, rows without the last columns."""
    lines = [",".join(f'"{cell}"' for cell in header)]
    lines += [",".join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in rows]
    path = folder / name
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def test_the_papers_column_of_labels_is_read_and_rows_lack_what_is_filled_in_for_uploading(tmp_path):
    path = batch(
        tmp_path,
        [
            ["h1", "a1", "w1", "Approved", 20, "3", "https://x.org/a.wav", "Good - Mostly clear speech", "fine"],
            [
                "h1",
                "a2",
                "w2",
                "Rejected",
                25,
                "3",
                "https://x.org/a.wav",
                "Bad - Completely unclear speech",
                "<b>!</b>",
            ],
            ["h2", "a3", "w1", "Approved", 9, "4", "https://x.org/b.wav", "5 - Excellent", "=1+1"],
        ],
        [
            *HEADER,
            "Input.experiment",
            "Input.audio_url",
            "Answer.audio-naturalness.label",
            "Answer.comment",
            "Approve",
            "Reject",
        ],
    )
    answers = read_answers(path)
    table = answers.table
    assert table["rating"].tolist() == [4, 1, 5]
    assert table["rater"].tolist() == ["w1", "w2", "w1"]
    assert table["session"].tolist() == ["a1", "a2", "a3"]
    assert table["assignment_id"].tolist() == ["a1", "a2", "a3"]
    assert table["seconds"].tolist() == [20, 25, 9]
    assert table["experiment"].tolist() == ["3", "3", "4"]
    assert table["source_row"].tolist() == [2, 3, 4]
    # HTML and formulas are what they are: text.
    assert table["comment"].tolist() == ["fine", "<b>!</b>", "=1+1"]
    assert table["assignment_status"].tolist() == ["Approved", "Rejected", "Approved"]
    assert set(table["task"]) == {"opinion"}
    assert answers.scale == (1, 5)
    assert answers.problems.empty
    assert any("1 assignment" in note and "rejected" in note for note in answers.notes)


def test_latin_1_and_lines_of_both_encodings_are_read(tmp_path):
    header = [*HEADER, "Input.clip", "Answer.rating", "Answer.comment"]
    row = ["h", "a", "w", "Approved", 1, "c.wav", 4, "caf\u00e9"]
    latin = read_answers(batch(tmp_path, [row], header, encoding="latin-1"), scale=(1, 5))
    assert latin.table["comment"].tolist() == ["caf\u00e9"]
    path = batch(tmp_path, [row], header, name="mixed.csv")
    path.write_bytes(path.read_bytes() + '"h","a2","w","Approved","1","d.wav","3","na\u00efve"\n'.encode("latin-1"))
    mixed = read_answers(path, scale=(1, 5))
    assert mixed.table["comment"].tolist() == ["caf\u00e9", "na\u00efve"]
    assert any("mixes encodings" in note for note in mixed.notes)


def test_several_clips_of_an_assignment_are_an_answer_each(tmp_path):
    header = [*HEADER, "Input.url1", "Input.url2", "Input.condition1", "Input.condition2", "Answer.q2", "Answer.q1"]
    rows = [["h", "a1", "w1", "Approved", 60, "x.wav", "y.wav", "clean", "noisy", 2, 5]]
    table = read_answers(batch(tmp_path, rows, header), scale=(1, 5)).table
    assert table[["clip", "rating", "condition", "position"]].to_numpy().tolist() == [
        ["x.wav", 5, "clean", 1],
        ["y.wav", 2, "noisy", 2],
    ]
    # The time of an assignment is not that of an answer.
    assert "seconds" not in table
    assert table["session_seconds"].tolist() == [60, 60]


def test_an_assignment_that_was_returned_and_used_again_is_two_and_a_row_read_twice_is_one(tmp_path):
    header = [*HEADER, "Input.clip", "Answer.rating"]
    rows = [
        ["h", "a1", "w1", "Approved", 1, "c.wav", 4],
        ["h", "a1", "w2", "Approved", 1, "c.wav", 2],
        ["h", "a1", "w1", "Approved", 1, "c.wav", 4],
        ["h", "a1", "w2", "Approved", 1, "c.wav", 3],
        ["h9", "a7", "w1", "Approved", 1, "c.wav", 5],
    ]
    answers = read_answers(batch(tmp_path, rows, header), scale=(1, 5))
    assert answers.table[["rater", "rating"]].to_numpy().tolist() == [["w1", 4], ["w2", 2], ["w1", 5]]
    assert answers.problems[["source_row", "rater", "problem", "value", "kept"]].to_numpy().tolist() == [
        [4, "w1", "duplicate", "4", False],
        [5, "w2", "duplicate with another answer", "3", False],
        [6, "w1", "answered again by the same rater", "5", True],
    ]
    assert any("several workers" in note for note in answers.notes)


def test_unanswered_and_out_of_scale_are_reported_by_row_and_worker(tmp_path):
    header = [*HEADER, "Input.clip", "Answer.rating"]
    values = [4, "", 7, "0", "good", "very good indeed", "=1+1"]
    rows = [[f"h{k}", f"a{k}", f"w{k}", "Approved", 1, f"c{k}.wav", value] for k, value in enumerate(values)]
    answers = read_answers(batch(tmp_path, rows, header), scale=(1, 5), mapping={"rating": "Answer.rating"})
    assert answers.table["rating"].tolist() == [4, 4]
    assert answers.problems[["source_row", "rater", "problem", "value"]].to_numpy().tolist() == [
        [3, "w1", "unanswered", ""],
        [4, "w2", "outside the scale", "7"],
        [5, "w3", "outside the scale", "0"],
        [7, "w5", "not a rating", "very good indeed"],
        [8, "w6", "not a rating", "=1+1"],
    ]


def test_buttons_and_the_json_of_crowd_forms_are_read(tmp_path):
    header = [*HEADER, "Input.clip", *[f"Answer.rating.{point}" for point in range(1, 6)]]
    rows = [["h", "a1", "w1", "Approved", 1, "c.wav", *["true" if point == 4 else "false" for point in range(1, 6)]]]
    assert read_answers(batch(tmp_path, rows, header), scale=(1, 5)).table["rating"].tolist() == [4]
    given = json.dumps([{"audio-naturalness": {"label": "2 - Poor"}, "comment": "quiet"}])
    rows = [["h", "a1", "w1", "Approved", 1, "c.wav", given], ["h", "a2", "w2", "Approved", 1, "c.wav", "[{"]]
    answers = read_answers(batch(tmp_path, rows, [*HEADER, "Input.clip", "Answer.taskAnswers"]), scale=(1, 5))
    assert answers.table[["rating", "comment"]].to_numpy().tolist() == [[2, "quiet"]]
    assert answers.problems["problem"].tolist() == ["answers are no JSON"]


def test_a_batch_without_input_names_its_columns_and_takes_what_is_declared(tmp_path):
    header = [*HEADER, "Answer.rating"]
    path = batch(tmp_path, [["h", "a1", "w1", "Approved", 1, 4]], header)
    with pytest.raises(DataError, match=r"no Input\.\* column.*HITId, AssignmentId, WorkerId"):
        read_answers(path)
    assert read_answers(path, mapping={"clip": "HITId"}, scale=(1, 5)).table["clip"].tolist() == ["h"]


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        (["Input.left.wav", "Input.right", "Answer.x"], "does not say which column names the clip: Input.left"),
        (
            ["Input.clip", "Answer.depth", "Answer.clarity"],
            "does not say which column is the answer to 1 clip: Answer.depth",
        ),
        (["Input.clip"], r"no Answer\.\* column"),
    ],
)
def test_what_is_not_clear_is_asked_with_the_columns_that_there_are(tmp_path, columns, match):
    path = batch(tmp_path, [["h", "a1", "w1", "Approved", 1, *[3] * len(columns)]], [*HEADER, *columns])
    with pytest.raises(DataError, match=match):
        read_answers(path)


def test_lists_of_a_mapping_have_one_length(tmp_path):
    path = batch(tmp_path, [["h", "a1", "w1", "Approved", 1, "x", "y", 3]], [*HEADER, "Input.l", "Input.r", "Answer.x"])
    with pytest.raises(ArgumentError, match="equally long, but got clip: 2, rating: 1"):
        read_answers(path, mapping={"clip": ["Input.l", "Input.r"], "rating": ["Answer.x"]})


@pytest.mark.realdata
def test_a_real_batch_of_preferences_is_read(real_data):
    answers = read_answers(
        real_data("ratings/mturk_sigir2010/data/judgments.csv"),
        mapping={"clip": "HITId", "response": "Answer.radio"},
    )
    assert len(answers.table) + len(answers.problems) == 2810
    assert answers.problems["problem"].unique().tolist() == ["unanswered"]
    assert set(answers.table["response"]) == {"a", "b", "same"}
    assert answers.table["rater"].nunique() == 79
    assert any("Latin-1" in note for note in answers.notes)


P808 = [*HEADER, "Input.TP", "Input.TP_ANS", "Input.gold_clips", "Input.gold_clips_ans"]


def test_questions_of_the_p808_toolkit_have_their_clips_and_known_answers(tmp_path):
    header = [*P808]
    for question in ("t1", "q0", "q1", "q2"):
        header += [f"Answer.{question}", f"Answer.{question}_url", f"Answer.audio_n_play_{question}"]
    cells = [3, "train.wav", 1, 4, "https://x/a.wav", 2, 2, "https://x/tp.wav", 1, 5, "https://x/gold.wav", 1]
    rows = [["h", "a1", "w1", "Approved", 90, "https://x/tp.wav", "2", "https://x/gold.wav", "5", *cells]]
    answers = read_answers(batch(tmp_path, rows, header), mapping={"hit_title": "HITId"})
    assert set(answers.table["hit_title"]) == {"h"}
    shown = answers.table[["clip", "role", "rating", "expected", "plays"]].astype(object)
    assert shown.where(shown.notna(), None).to_numpy().tolist() == [
        ["train.wav", "training", 3, None, 1],
        ["https://x/a.wav", "test", 4, None, 2],
        ["https://x/tp.wav", "catch", 2, "2", 1],
        ["https://x/gold.wav", "reference", 5, "5", 1],
    ]
    assert answers.scale == (1, 5)
    assert answers.notes[0] == "Read: 1 file as p808."


def test_the_overall_scale_of_p835_is_the_rating(tmp_path):
    header = [*HEADER, "Answer.q1_sig", "Answer.q1_bak", "Answer.q1_ovrl", "Answer.q1_url"]
    answers = read_answers(batch(tmp_path, [["h", "a1", "w1", "Approved", 9, 5, 1, 3, "a.wav"]], header))
    assert answers.table[["rating", "rating_sig", "rating_bak"]].to_numpy().tolist() == [[3, 5, 1]]
    assert isinstance(answers.table, pd.DataFrame)
