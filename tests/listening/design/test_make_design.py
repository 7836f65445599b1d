from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora.espeak import SpeechRequest
from layerstats.errors import ArgumentError, DataError
from layerstats.listening import ScalePoint, make_design


@pytest.fixture(scope="module")
def clips(clip_table):
    return clip_table({"natural": 12, "maximized": 18, "noise": 6})


def joined(design) -> pd.DataFrame:
    return design.trials.merge(design.clips, on="clip", how="left")


def test_each_clip_has_its_raters_and_each_rater_all_conditions(clips):
    design = make_design(clips, raters_per_clip=5, trials_per_session=12, seed=3)
    tested = joined(design).query("role == 'test'")
    assert tested["clip"].value_counts().to_dict() == dict.fromkeys(clips["clip"], 5)
    assert design.sessions == 15
    by_session = pd.crosstab(tested["session"], tested["condition"])
    assert (by_session == [6, 4, 2]).all().all()
    assert not design.trials.duplicated(["session", "clip"]).any()


def test_a_session_has_all_clips_where_these_are_few(clips):
    few = clips[clips["role"] == "test"].head(6) if "role" in clips else clips.head(6)
    design = make_design(few, raters_per_clip=5, catch=0)
    assert set(design.trials.groupby("session").size()) == {6}


def test_catch_trials_ask_for_every_point_and_are_spread(clips):
    design = make_design(clips, trials_per_session=12, catch=2)
    catch = joined(design).query("role == 'catch'")
    assert (catch.groupby("session").size() == 2).all()
    assert set(catch["expected"]) == set("12345")
    assert (catch.groupby("session")["expected"].nunique() == 2).all()
    counts = catch["expected"].value_counts()
    assert counts.max() - counts.min() <= 1
    for _, session in catch.groupby("session"):
        early, late = sorted(session["position"])
        assert 1 < early <= 7 < late <= 14
    said = {design.clips.set_index("clip")["file"][f"catch_{point}"]: point for point in range(1, 6)}
    assert {file: source.text for file, source in design.sounds.items() if isinstance(source, SpeechRequest)} == {
        file: f"Please choose {point}." for file, point in said.items()
    }


def test_no_condition_comes_more_than_twice_in_a_row(clips):
    design = make_design(clips, trials_per_session=18, catch=0, seed=5)
    for _, session in joined(design).groupby("session"):
        runs = [len(list(run)) for _, run in groupby(session.sort_values("position")["condition"])]
        assert max(runs) <= 2


def test_references_are_hidden_among_the_others(clip_table, clips):
    references = clip_table({"original": 4}).assign(role="reference")
    table = pd.concat([clips.assign(role="test"), references])
    design = make_design(table, trials_per_session=12, references=2, catch=0, seed=1)
    heard = joined(design).query("role == 'reference'")
    assert (heard.groupby("session").size() == 2).all()
    assert set(heard["expected"]) == {"5"}
    assert heard["clip"].value_counts().max() - heard["clip"].value_counts().min() <= 1
    assert heard["position"].nunique() > 8
    unsaid = joined(make_design(table, trials_per_session=12, catch=0)).query("role == 'reference'")
    assert (unsaid.groupby("session").size() == 2).all()
    with pytest.raises(ArgumentError, match="Possible are 0 to 4"):
        make_design(table, trials_per_session=12, references=5)


def test_training_comes_first_and_is_not_tested(clips):
    design = make_design(clips, trials_per_session=11, training=3, seed=2)
    training = set(design.clips.query("role == 'training'")["clip"])
    assert len(training) == 3
    assert design.clips.query("role == 'training'")["condition"].nunique() == 3
    assert all(
        set(session.query("position <= 3")["clip"]) == training for _, session in design.trials.groupby("session")
    )
    assert not set(design.trials.query("position > 3")["clip"]) & training
    assert any("not tested" in note for note in design.notes)


def test_rows_of_a_role_are_taken_in_place_of_what_is_made(clips):
    own = pd.DataFrame({"clip": ["say one", "warm up"], "file": ["o.wav", "w.wav"], "role": ["catch", "training"],
                        "expected": ["1", None]})  # fmt: skip
    design = make_design(pd.concat([clips, own]), trials_per_session=12, catch=1)
    assert design.clips.query("role == 'catch'")["clip"].tolist() == ["say one"]
    assert design.trials.query("position == 1")["clip"].unique().tolist() == ["warm up"]
    with pytest.raises(DataError, match="need the column 'expected'"):
        make_design(pd.concat([clips, own.assign(expected=None)]), trials_per_session=12, catch=1)


@pytest.mark.parametrize("column", ["clip", "file", "condition", "target"])
def test_no_clip_leaves_the_pairs_for_a_cell_that_is_empty(clips, column):
    clips = clips.copy()
    clips.loc[1, column] = None
    with pytest.raises(DataError, match=f"column '{column}'"):
        make_design(clips, task="preference", contrasts=["maximized - natural"], trials_per_session=2)


def test_pairs_agree_in_the_word_and_are_swapped_for_half(clips):
    design = make_design(clips, task="preference", contrasts=["maximized - natural"], raters_per_clip=4,
                         trials_per_session=6, alternatives=("a", "b", "same"), seed=8)  # fmt: skip
    pairs = design.clips.query("role == 'test'")
    assert len(pairs) == 12
    assert (pairs["condition"] == "maximized - natural").all()
    target = clips.set_index("clip")["target"]
    assert (target[pairs["clip_a"]].to_numpy() == target[pairs["clip_b"]].to_numpy()).all()
    assert pairs["condition_a"].unique().tolist() == ["maximized"]
    assert pairs["clip_a"].is_unique
    assert pairs["clip_b"].is_unique
    tested = joined(design).query("role == 'test'")
    assert (tested.groupby("clip")["swapped"].sum() == 2).all()
    assert (tested.groupby("session")["swapped"].sum() == 3).all()
    assert [note for note in design.notes if "6 clips have no partner" in note] == list(design.notes)
    assert set(joined(design).query("role == 'catch'")["expected"]) == {"a", "b"}


def test_x_is_a_as_often_as_b(clips):
    design = make_design(clips, task="abx", contrasts=["maximized - natural", "noise - natural"], trials_per_session=6)
    pairs = design.clips.query("role == 'test'")
    assert pd.crosstab(pairs["condition"], pairs["expected"]).to_dict("list") == {"a": [6, 3], "b": [6, 3]}
    assert any("contrasts share clips" in note for note in design.notes)
    x_is_a = pairs["file_x"] == pairs["file_a"]
    assert ((pairs["expected"] == "a") == x_is_a).all()
    assert (x_is_a | (pairs["file_x"] == pairs["file_b"])).all()


def test_identification_hides_the_word_and_has_every_word_for_every_rater(clip_table):
    table = clip_table({"natural": 12, "maximized": 12}, words=("yes", "no", "up"))
    design = make_design(table, task="identification", alternatives="targets", trials_per_session=12)
    assert design.alternatives == ("no", "up", "yes")
    tested = joined(design).query("role == 'test'")
    assert (tested["expected"] == tested["target"]).all()
    assert tested["prompt"].isna().all()
    assert (pd.crosstab(tested["session"], tested["target"]) == 4).all().all()
    with pytest.raises(ArgumentError, match="without showing it"):
        make_design(table, task="identification", show="target", trials_per_session=12)
    typed = make_design(table, task="identification", trials_per_session=12)
    assert typed.alternatives == ()
    assert "Please type the word water." in [
        source.text for source in typed.sounds.values() if isinstance(source, SpeechRequest)
    ]


def test_the_word_is_shown_where_that_is_asked_for(clips):
    design = make_design(clips, trials_per_session=12, show="target")
    tested = design.clips.query("role == 'test'")
    assert (tested["prompt"] == tested["target"]).all()


def test_names_of_sounds_tell_raters_nothing_and_can_be_traced(clips):
    design = make_design(clips, trials_per_session=12, folder="/speech")
    tested = design.clips.query("role == 'test'")
    assert all(file.startswith("clips/") and file[6:-4].isdigit() for file in tested["file"])
    order = np.argsort(tested["file"].to_numpy())
    assert tested["condition"].to_numpy()[order].tolist() != tested["condition"].tolist()
    for row in tested.to_dict("records"):
        assert design.sounds[row["file"]] == Path("/speech") / row["taken_from"]
        assert row["taken_from"] == f"{row['clip']}.wav"


def test_what_raters_cannot_hear_is_told(clips):
    few = make_design(clips, trials_per_session=4)
    assert any("differences between them rest on different raters too" in note for note in few.notes)
    assert make_design(clips, trials_per_session=12).notes == ()
    with pytest.raises(DataError, match="Name the condition of every clip"):
        make_design(clips.assign(condition=[None, *clips["condition"][1:]]), trials_per_session=12)


def test_words_that_are_right_more_often_are_told(clip_table):
    table = clip_table({"natural": 9}, words=("yes", "yes", "no"))
    design = make_design(table, task="identification", alternatives="targets", trials_per_session=3)
    assert any("3 to 6 clips" in note for note in design.notes)


def test_the_same_seed_gives_the_same_design(clips):
    one, again, other = (make_design(clips, trials_per_session=12, seed=seed).hash for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_a_clip_table_without_conditions_is_a_design_too(clips):
    design = make_design(clips[["clip", "file"]], trials_per_session=12)
    assert design.sessions == 15
    with pytest.raises(ArgumentError, match="no column 'condition'"):
        make_design(clips[["clip", "file"]], trials_per_session=12, contrasts=["a - b"])


@pytest.mark.parametrize(
    ("changed", "options", "error", "message"),
    [
        ({}, {"trials_per_session": 37}, ArgumentError, "trials_per_session=1 to 36"),
        ({}, {"raters_per_clip": 0}, ArgumentError, "'raters_per_clip'"),
        ({}, {"task": "mushra"}, ArgumentError, "'task'"),
        ({}, {"contrasts": ["maximized - nature"]}, ArgumentError, "'natural', 'maximized', 'noise'"),
        ({}, {"equivalence_margin": -1}, ArgumentError, "equivalence_margin"),
        ({}, {"scale": [ScalePoint(2, "a"), ScalePoint(1, "b")]}, ArgumentError, "rising"),
        ({}, {"alternatives": ["yes", "no"]}, ArgumentError, "on a scale"),
        ({}, {"task": "identification", "alternatives": ["yes"]}, ArgumentError, "two alternatives"),
        ({}, {"task": "preference"}, ArgumentError, "needs contrasts"),
        ({}, {"rules": ["catch_misses"]}, ArgumentError, "'catch_misses'"),
        ({}, {"balance": ["speaker"]}, DataError, "'speaker' is not in the table of clips"),
        ({"file": None}, {}, DataError, "required column 'file'"),
        ({"clip": "one"}, {}, DataError, "twice"),
        ({"role": "tset"}, {}, DataError, "role 'test'"),
    ],
)
def test_what_cannot_be_is_said(clips, changed, options, error, message):
    with pytest.raises(error, match=message):
        make_design(clips.assign(**changed), **{"trials_per_session": 12, **options})
