"""Praat, PsychoPy, jsPsych and webMUSHRA, as they write."""

import json

import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.listening.formats import read_answers

RESULTS = """File type = "ooTextFile"
Object class = "ResultsMFC 2"

numberOfTrials = 3
result []:
    result [1]:
        stimulus = "say ""a"".1"
        response = "4"
        goodness = 0
        reactionTime = 1.25
    result [2]:
        stimulus = "b2|yes|no"
        response = "5"
        goodness = 0
        reactionTime = 0.5
    result [3]:
        stimulus = "c3"
        response = ""
        goodness = 0
        reactionTime = 0
"""


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_results_of_praat_are_read_in_both_encodings_that_it_writes(tmp_path, encoding):
    answers = read_answers(write(tmp_path, "ts.ResultsMFC", RESULTS, encoding), scale=(1, 5))
    assert answers.table[["rater", "clip", "rating", "seconds", "position"]].to_numpy().tolist() == [
        ["ts", 'say "a".1', 4, 1.25, 1],
        ["ts", "b2", 5, 0.5, 2],
    ]
    assert answers.problems[["source_row", "rater", "clip", "problem"]].to_numpy().tolist() == [
        [3, "ts", "c3", "unanswered"]
    ]


def test_short_text_files_and_collections_of_praat_are_read(tmp_path):
    short = 'File type = "ooTextFile"\nObject class = "ResultsMFC 2"\n\n1\n"a"\n"yes"\n4\n1.5\n'
    one = read_answers(write(tmp_path, "p.txt", short))
    assert one.table[["rater", "clip", "response", "goodness"]].to_numpy().tolist() == [["p", "a", "yes", "4"]]
    both = 'File type = "ooTextFile"\nObject class = "Collection"\nsize = 2\n' + "".join(
        f'item [{k}]:\n class = "ResultsMFC 2"\n name = "{who}"\n numberOfTrials = 1\n'
        f' stimulus = "a"\n response = "{said}"\n '
        "goodness = 0\n reactionTime = 1\n"
        for k, (who, said) in enumerate([("ann", "yes"), ("bob", "no")], start=1)
    )
    two = read_answers(write(tmp_path, "all.Collection", both))
    assert two.table[["rater", "response"]].to_numpy().tolist() == [["ann", "yes"], ["bob", "no"]]


def test_the_collected_table_of_praat_is_read(tmp_path):
    text = "subject\tstimulus\tresponse\treactionTime\nts\tx\ti\t0.7\nts\ty\te\t0.8\nmj\tx\ti\t0.9\n"
    answers = read_answers(write(tmp_path, "all.Table", text))
    assert answers.table[["rater", "clip", "response", "seconds", "position"]].to_numpy().tolist() == [
        ["ts", "x", "i", 0.7, 1],
        ["ts", "y", "e", 0.8, 2],
        ["mj", "x", "i", 0.9, 1],
    ]
    assert set(answers.table["task"]) == {"identification"}


def test_results_of_praat_that_break_off_are_refused(tmp_path):
    with pytest.raises(DataError, match="says 3 trials, and breaks off"):
        read_answers(write(tmp_path, "ts.ResultsMFC", RESULTS[:260]))


PSYCHOPY = (
    "sound_file,condition,trials.thisRepN,trials.thisTrialN,slider.response,slider.rt,participant,session,date,expName,"
    "psychopyVersion,frameRate,\n"
    ",,,,,,7,001,2024-05-19,mos,2024.1.1,60,\n"
    "s/a.wav,clean,0,0,4.0,1.5,7,001,2024-05-19,mos,2024.1.1,60,\n"
    "s/b.wav,noisy,0,1,None,,7,001,2024-05-19,mos,2024.1.1,60,\n"
    "s/c.wav,noisy,0,2,2.0,2.5,7,001,2024-05-19,mos,2024.1.1,60,\n"
)


def test_a_long_file_of_psychopy_is_read_and_none_is_no_answer(tmp_path):
    answers = read_answers(write(tmp_path, "7_mos.csv", PSYCHOPY), scale=(1, 5))
    assert answers.table[
        ["rater", "clip", "condition", "rating", "seconds", "position", "session"]
    ].to_numpy().tolist() == [
        ["7", "s/a.wav", "clean", 4, 1.5, 1, "001"],
        ["7", "s/c.wav", "noisy", 2, 2.5, 3, "001"],
    ]
    assert answers.problems[["source_row", "problem"]].to_numpy().tolist() == [[4, "unanswered"]]
    assert any("1 row without a clip" in note for note in answers.notes)


def test_psychopy_with_two_answers_a_row_is_asked_about(tmp_path):
    text = PSYCHOPY.replace("slider.rt", "other.response")
    with pytest.raises(DataError, match=r"which column is the rating: slider.response, other.response may be"):
        read_answers(write(tmp_path, "7.csv", text))
    answers = read_answers(tmp_path / "7.csv", mapping={"rating": "slider.response"}, scale=(1, 5))
    assert answers.table["rating"].tolist() == [4, 2]


JSPSYCH = [
    {"trial_type": "html-button-response", "trial_index": 0, "rt": 900, "stimulus": "<p>Welcome</p>", "response": 0},
    {"trial_type": "audio-button-response", "trial_index": 1, "rt": 2100, "stimulus": "snd/a.wav", "response": 3},
    {"trial_type": "audio-button-response", "trial_index": 2, "rt": None, "stimulus": "snd/b.wav", "response": None},
    {"trial_type": "audio-button-response", "trial_index": 3, "rt": 1000, "stimulus": ["snd/c.wav"], "response": 0},
]


def test_jspsych_stores_places_from_0_and_screens_without_a_sound_are_no_trials(tmp_path):
    answers = read_answers(write(tmp_path, "p01.json", json.dumps(JSPSYCH)), scale=(1, 5))
    assert answers.table[["rater", "clip", "rating", "seconds"]].to_numpy().tolist() == [
        ["p01", "snd/a.wav", 4, 2.1],
        ["p01", "snd/c.wav", 1, 1.0],
    ]
    assert answers.problems[["source_row", "clip", "problem"]].to_numpy().tolist() == [[3, "snd/b.wav", "unanswered"]]
    assert any("from 0: 1 was added" in note for note in answers.notes)
    declared = read_answers(tmp_path / "p01.json", scale=(1, 5), mapping={"labels": {"3": 2, "0": 5}})
    assert declared.table["rating"].tolist() == [2, 5]


def test_json_in_cells_of_jspsych_is_taken_apart(tmp_path):
    text = (
        "subject_id,trial_type,trial_index,rt,audio,response\n"
        'ann,survey-likert,1,1500,a.wav,"{""Q0"":4}"\n'
        'ann,survey-likert,2,1500,b.wav,"{""Q0"":0}"\n'
        'bob,survey-likert,1,1500,a.wav,"{""Q0"":2}"\n'
    )
    answers = read_answers(write(tmp_path, "data.csv", text), scale=(1, 5))
    assert answers.table[["rater", "clip", "rating"]].to_numpy().tolist() == [
        ["ann", "a.wav", 5],
        ["ann", "b.wav", 1],
        ["bob", "a.wav", 3],
    ]


def test_jspsych_without_a_sound_says_which_columns_there_are(tmp_path):
    with pytest.raises(DataError, match=r"names a sound in 'stimulus'.*trial_type, trial_index"):
        read_answers(write(tmp_path, "p.json", json.dumps(JSPSYCH[:1])))


def test_mushra_has_sessions_of_several_questionnaires_and_a_hidden_reference(tmp_path):
    text = (
        "session_test_id,age,session_uuid,trial_id,rating_stimulus,rating_score,rating_time,rating_comment\n"
        "t,31,u1,item1,reference,100,5000,\n"
        't,31,u1,item1,C1,60,5000,"a ""bit"" dull"\n'
        "t,u2,item1,reference,97,4000,\n"
        "t,u2,item1,C1,140,4000,\n"
        "t,x\n"
    )
    answers = read_answers(write(tmp_path, "mushra.csv", text))
    assert answers.table[["rater", "clip", "role", "rating", "seconds"]].to_numpy().tolist() == [
        ["u1", "item1:reference", "reference", 100, 5],
        ["u1", "item1:C1", "test", 60, 5],
        ["u2", "item1:reference", "reference", 97, 4],
    ]
    assert answers.scale == (0, 100)
    assert answers.problems[["source_row", "rater", "problem"]].fillna("").to_numpy().tolist() == [
        [5, "u2", "outside the scale"],
        [6, "", "cells are missing or too many"],
    ]
    assert any("2 rows have another number of cells" in note for note in answers.notes)


def test_likert_scores_stand_between_blanks_and_sessions_without_a_name_are_told_apart(tmp_path):
    text = (
        "session_test_id,trial_id,stimuli_rating,stimuli,rating_time\n"
        't,t1," 3 ",C1,900\nt,t2," 5 ",C1,800\nt,t1," 2 ",C1,700\nt,t2," undefined ",C1,700\n'
    )
    answers = read_answers(write(tmp_path, "lss.csv", text), scale=(1, 5))
    assert answers.table[["rater", "clip", "rating", "seconds"]].to_numpy().tolist() == [
        ["session 1", "t1:C1", 3, 0.9],
        ["session 1", "t2:C1", 5, 0.8],
        ["session 2", "t1:C1", 2, 0.7],
    ]
    assert answers.problems[["source_row", "problem", "value"]].to_numpy().tolist() == [
        [5, "not a rating", "undefined"]
    ]
    assert any("nothing of who answered" in note for note in answers.notes)


def test_columns_of_a_questionnaire_may_be_declared(tmp_path):
    text = "session_test_id,who,age,trial_id,stimuli_rating,stimuli,rating_time\nt,ann,31,t1,3,C1,900\n"
    path = write(tmp_path, "lss.csv", text)
    table = read_answers(path, scale=(1, 5), mapping={"rater": "who", "age": "age"}).table
    assert table[["rater", "age", "rating"]].to_numpy().tolist() == [["ann", "31", 3]]
    with pytest.raises(ArgumentError, match=r"says by itself what clip, rating.*'clip': 'stimuli'"):
        read_answers(path, scale=(1, 5), mapping={"clip": "stimuli"})


def test_paired_comparisons_of_webmushra_are_abx(tmp_path):
    text = (
        "session_test_id,email,trial_id,choice_reference,choice_non_reference,choice_answer,choice_time,choice_comment\n"
        "t,a@x.org,t1,reference,C1,correct,100,\nt,a@x.org,t2,reference,C2,incorrect,100,\n"
        "t,a@x.org,t3,reference,C3,undecided,100,\n"
    )
    answers = read_answers(write(tmp_path, "paired_comparison.csv", text))
    assert answers.table[["task", "clip", "response", "expected"]].to_numpy().tolist() == [
        ["abx", "t1", "a", "a"],
        ["abx", "t2", "b", "a"],
    ]
    assert answers.problems["problem"].tolist() == ["undecided"]


def test_pages_of_webmushra_that_ask_something_else_are_refused_with_their_columns(tmp_path):
    with pytest.raises(DataError, match=r"of no page of webMUSHRA that can be read.*rating_reference_score"):
        read_answers(write(tmp_path, "bs1116.csv", "session_test_id,trial_id,rating_reference_score\nt,x,3\n"))
