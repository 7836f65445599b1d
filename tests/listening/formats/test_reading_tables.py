"""Long tables, our page's files, designs beside answers, and what cannot be read."""

import gzip
import json
from dataclasses import replace

import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.listening.design import ListeningDesign, ScalePoint
from layerstats.listening.formats import read_answers
from layerstats.tables import ANSWER_COLUMNS, PROBLEM_COLUMNS

MAPPING = {"rater": "JUDGE", "clip": "WAV", "rating": "MOS"}
TEXT = "JUDGE,WAV,MOS,room\nann,s1_a.wav,4,x\nann,s2_b.wav,3,x\nbob,s1_a.wav,5,y\n"


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def design():
    clips = pd.DataFrame(
        {
            "clip": ["c1", "c2", "c3", "k1"],
            "role": ["test", "test", "test", "catch"],
            "expected": [None, None, None, "4"],
            "file": ["clips/one.wav", "clips/two.wav", "clips/three.wav", "clips/k1.wav"],
            "prompt": [None] * 4,
            "condition": ["clean", "noisy", "babble", None],
        }
    )
    trials = pd.DataFrame({"session": 1, "position": [1, 2, 3, 4], "clip": ["c2", "k1", "c1", "c3"]})
    points = [
        ScalePoint(value, label) for value, label in enumerate(["Awful", "Poor", "So-so", "Fine", "Superb"], start=1)
    ]
    return ListeningDesign("Clear?", "opinion", "How clear?", clips, trials, scale=tuple(points))


def test_a_long_table_takes_the_declared_columns_and_keeps_the_others(tmp_path):
    answers = read_answers(
        write(tmp_path, "t.csv", TEXT), mapping={**MAPPING, "clip_pattern": "^(?P<system>[^_]+)"}, scale=(1, 5)
    )
    table = answers.table
    assert [name for name in table if name in ANSWER_COLUMNS] == [name for name in ANSWER_COLUMNS if name in table]
    assert table["system"].tolist() == ["s1", "s2", "s1"]
    assert table["room"].tolist() == ["x", "x", "y"]
    assert table["source_file"].tolist() == ["t.csv"] * 3
    assert list(answers.problems) == list(PROBLEM_COLUMNS)


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_a_mapping_may_stand_in_a_file(tmp_path, ending):
    entries = {**MAPPING, "labels": {"five": 5}}
    toml = "\n".join(f'{name} = "{column}"' for name, column in MAPPING.items()) + '\n[labels]\n"five" = 5\n'
    file = write(tmp_path, f"mapping.{ending}", toml if ending == "toml" else json.dumps(entries))
    table = read_answers(write(tmp_path, "t.csv", TEXT.replace(",5,", ",five,")), mapping=file, scale=(1, 5)).table
    assert table["rating"].tolist() == [4, 3, 5]


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "csv.gz", "semicolons"])
def test_other_files_hold_the_same(tmp_path, kind):
    frame = pd.DataFrame({"JUDGE": ["01", "02"], "WAV": ["a", "a"], "MOS": [4, 5]})
    path = tmp_path / f"t.{kind}"
    if kind == "xlsx":
        pytest.importorskip("openpyxl")
        frame.to_excel(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    elif kind == "semicolons":
        path = write(tmp_path, "t.txt", frame.to_csv(index=False, sep=";"))
    else:
        path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    table = read_answers(path, mapping=MAPPING, scale=(1, 5)).table
    assert table[["rater", "clip", "rating"]].to_numpy().tolist() == [["01", "a", 4], ["02", "a", 5]]


def test_without_a_scale_it_is_that_of_the_ratings_and_said_so(tmp_path):
    answers = read_answers(write(tmp_path, "t.csv", TEXT), mapping=MAPPING)
    assert answers.scale == (3, 5)
    assert any("scale is taken to be 3 to 5" in note for note in answers.notes)
    same = read_answers(write(tmp_path, "same.csv", "rater,clip,rating\na,x,4\nb,x,4\n"))
    assert same.scale is None


def test_one_rater_and_constant_raters_are_said(tmp_path):
    rows = "".join(f"ann,c{clip},3\n" for clip in range(6))
    answers = read_answers(write(tmp_path, "t.csv", f"rater,clip,rating\n{rows}"), scale=(1, 5))
    assert any("one rater, ann" in note for note in answers.notes)
    assert any("all alike: ann" in note for note in answers.notes)


def test_clips_of_a_design_are_found_by_name_address_and_file(tmp_path, design):
    text = (
        "rater,clip,rating,session\nann,c1,Fine,1\nann,https://x.org/v%20/two.wav?a=1,Awful,1\n"
        "ann,C:\\sounds\\k1.wav,4,1\nann,other.wav,3,1\nann,c3,2.5,1\nann,c3,6,1\n"
    )
    answers = read_answers(write(tmp_path, "t.csv", text), design=design)
    shown = answers.table[["clip", "role", "rating", "condition", "expected", "position"]].astype(object)
    assert shown.where(shown.notna(), None).to_numpy().tolist() == [
        ["c1", "test", 4, "clean", None, 3],
        ["c2", "test", 1, "noisy", None, 1],
        ["k1", "catch", 4, None, "4", 2],
    ]
    assert "file" not in answers.table
    assert "prompt" not in answers.table
    assert answers.scale == (1, 5)
    assert answers.problems[["source_row", "problem", "value"]].to_numpy().tolist() == [
        [5, "clip is not in the design", "other.wav"],
        [6, "between points of the scale", "2.5"],
        [7, "outside the scale", "6"],
    ]
    assert any("Nobody answered a clip of the condition babble" in note for note in answers.notes)
    assert any("1 clip of 3 have no answer: c3" in note for note in answers.notes)


def test_answers_to_another_design_are_refused(tmp_path, design):
    with pytest.raises(DataError, match=r"None of the clips that were answered is in the design 'Clear\?'.*s1_a.wav"):
        read_answers(write(tmp_path, "t.csv", TEXT), mapping=MAPPING, design=design)


def test_alternatives_of_a_design_are_the_only_ones(tmp_path, design):
    words = ListeningDesign(
        "Words", "identification", "Which word?", design.clips, design.trials, alternatives=("Wash", "oily")
    )
    answers = read_answers(write(tmp_path, "t.csv", "rater,clip,response\na,c1,wash\na,c2,rag\n"), design=words)
    assert answers.table["response"].tolist() == ["Wash"]
    assert answers.problems["problem"].tolist() == ["no alternative of this task"]
    assert answers.scale is None


def submission(rater="ann", session="aaaaaaaa", position=2, **changes):
    time = "2026-01-01T10:00:00Z"
    given = [
        {"clip": "c1", "position": 1, "training": True, "rating": 3, "seconds": 2.0, "plays": 1, "answered_at": time},
        {
            "clip": "c2",
            "position": position,
            "training": False,
            "rating": 5,
            "seconds": 2.5,
            "plays": 2,
            "answered_at": time,
        },
        {
            "clip": "k1",
            "position": 3,
            "training": False,
            "seconds": 0,
            "plays": 0,
            "problem": "not played",
            "answered_at": time,
        },
    ]
    return {
        "format": "layerstats listening answers 1",
        "design_hash": "0123456789abcdef",
        "submission": session,
        "task": "opinion",
        "session": 1,
        "rater": rater,
        "comment": "=1+1 <script>alert(1)</script>",
        "started_at": time,
        "finished_at": time,
        "answers": given,
        **changes,
    }


def test_a_folder_of_the_server_is_read_and_what_was_sent_again_counts_once(tmp_path, design):
    write(tmp_path, "in/one.json", json.dumps(submission()))
    write(tmp_path, "in/two.json", json.dumps(submission("bob", "bbbbbbbb")))
    write(tmp_path, "in/again.json", json.dumps(submission(comment="again")))
    write(tmp_path, "in/copy.json", json.dumps(submission()))
    write(tmp_path, "in/.hidden", "no")
    answers = read_answers(tmp_path / "in", design=design)
    assert answers.table[["rater", "clip", "role", "rating", "seconds", "plays"]].to_numpy().tolist() == [
        ["ann", "c1", "training", 3, 2.0, 1],
        ["ann", "c2", "test", 5, 2.5, 2],
        ["bob", "c1", "training", 3, 2.0, 1],
        ["bob", "c2", "test", 5, 2.5, 2],
    ]
    assert answers.problems[["rater", "clip", "problem"]].value_counts().to_dict() == {
        ("ann", "c1", "duplicate"): 1,
        ("ann", "c2", "duplicate"): 1,
        ("ann", "k1", "not played"): 2,
        ("bob", "k1", "not played"): 1,
    }
    assert any("holds the same as" in note for note in answers.notes)
    assert answers.table["comment"].iloc[3] == "=1+1 <script>alert(1)</script>"
    assert any("belong to the design 0123456789ab, which this one never was" in note for note in answers.notes)


def test_a_design_that_was_changed_after_the_answers_is_said_with_its_parts(tmp_path, design):
    entry = {"written": "2026-01-01T09:00:00Z", "by": "layerstats", "hashes": design.hashes}
    changed = replace(design, equivalence_margin=0.5, history=(entry,))
    write(tmp_path, "one.json", json.dumps(submission(design_hash=design.hash)))
    notes = read_answers(tmp_path / "one.json", design=changed).notes
    assert f"The design was changed after answers were given to {design.hash[:12]}: equivalence_margin." in notes
    assert not any("changed" in note for note in read_answers(tmp_path / "one.json", design=design).notes)


def test_csv_of_the_page_has_its_guards_taken_off(tmp_path):
    text = (
        "\ufeffrater,clip,task,role,rating,response,session,position,seconds,comment,problem,submission,design_hash\n"
        "'-ann,c1,opinion,,4,,1,1,2.5,'=1+1,,aaaaaaaa,0123\n'-ann,c2,opinion,,,,1,2,0,'=1+1,not played,aaaaaaaa,0123\n"
    )
    answers = read_answers(write(tmp_path, "page.csv", text), scale=(1, 5))
    assert answers.table[["rater", "rating", "comment"]].to_numpy().tolist() == [["-ann", 4, "=1+1"]]
    assert answers.problems[["source_row", "rater", "clip", "problem"]].to_numpy().tolist() == [
        [3, "-ann", "c2", "not played"]
    ]


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("empty.csv", "", "'empty.csv' cannot be read as answers: it is empty"),
        ("blank.csv", "\n \n", "is empty"),
        (
            "t.csv",
            "judge,wav,score\na,b,3\n",
            "no column for rater, clip, rating or response. Its columns are: judge, wav",
        ),
        ("t.csv", "rater,clip,rating\n", r"it has one row \(rater, clip, rating\) and no others"),
        ("t.csv", "rater,clip,rating\na,b\n", "its rows have 2 cells, but the header has 3"),
        ("t.csv", "rater,clip,rating,clip\na,b,3,c\n", "its header has 'clip' twice"),
        ("t.csv", "rater,clip,rating\na,b,\nc,,3\n", "no answer among 2 rows.*1 row of 1 rater: unanswered"),
        ("t.json", '{"format": "layerstats listening answers 1"', "begins as JSON, but is none"),
        ("t.json", '{"format": "layerstats listening answers 1"}', "design_hash: field required"),
        ("t.json", '{"a": 1}', "its JSON is of no format that is known"),
        ("t.json", "[" * 100_000, "begins as JSON, but is none"),
        ("t.csv", b"\x00\x01\x02binary\x00", "characters that no text has"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, name, text, match):
    with pytest.raises(DataError, match=match):
        read_answers(write(tmp_path, name, text))


@pytest.mark.parametrize("column", ["task", "role"])
def test_a_column_that_is_called_like_ours_but_means_something_else_is_named(tmp_path, column):
    path = write(tmp_path, "own.csv", f"rater,clip,rating,{column}\nann,a,4,cooking\n")
    with pytest.raises(DataError, match=f"column '{column}'.*'cooking'"):
        read_answers(path)


def test_files_that_are_not_there_and_folders_without_any_are_said(tmp_path):
    with pytest.raises(DataError, match=r"There is no file '.*nowhere.csv'"):
        read_answers(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="There are no files in"):
        read_answers(tmp_path)


@pytest.mark.parametrize(
    ("mapping", "match"),
    [
        ({"rater": 3}, "'rater' has 3"),
        ({"labels": {"good": "4"}}, "must give a number for each label"),
        ({"clip_pattern": "("}, "no regular expression"),
        ({"clip_pattern": "[a-z]+"}, "no named group"),
        ([1], "says which column holds what"),
    ],
)
def test_mappings_are_checked(tmp_path, mapping, match):
    with pytest.raises(ArgumentError, match=match):
        read_answers(write(tmp_path, "t.csv", TEXT), mapping=mapping)


def test_a_declared_column_that_is_not_there_is_named_with_those_found(tmp_path):
    with pytest.raises(DataError, match=r"Column 'SCORE' is not in 't.csv'. Its columns are: JUDGE, WAV, MOS, room"):
        read_answers(write(tmp_path, "t.csv", TEXT), mapping={**MAPPING, "rating": "SCORE"})


def test_arguments_are_checked(tmp_path):
    path = write(tmp_path, "t.csv", TEXT)
    with pytest.raises(ArgumentError, match=r"'format'.*'mturk'"):
        read_answers(path, format="qualtrics")
    with pytest.raises(ArgumentError, match="scale must be"):
        read_answers(path, scale=(5, 1))
    with pytest.raises(ArgumentError, match="task"):
        read_answers(path, task="rating")
    with pytest.raises(DataError, match=r"clip_pattern 'zzz\(\?P<a>.\)' is not in 2 of 2 clips"):
        read_answers(path, mapping={**MAPPING, "clip_pattern": "zzz(?P<a>.)"})


@pytest.mark.realdata
def test_all_ratings_of_vcc_2018_are_kept(real_data):
    answers = read_answers(
        real_data("ratings/vcc2018/vcc2018_training_data.csv"),
        mapping={"rater": "JUDGE", "clip": "WAV_PATH", "rating": "MOS", "clip_pattern": r"^(?P<system>[^_]+)_"},
        scale=(1, 5),
    )
    assert len(answers.table) == 54_040
    # Of 270 names, three are another with a blank after it.
    assert answers.table["rater"].nunique() == 267
    assert any(note.startswith("3 raters stand with and without blanks") for note in answers.notes)
    assert answers.table["clip"].nunique() == 13_580
    assert answers.problems.empty
    means = answers.table.groupby("clip").agg(own=("rating", "mean"), published=("MEAN", "first"))
    assert (means["own"] - means["published"]).abs().max() < 1e-9
