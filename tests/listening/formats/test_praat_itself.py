"""What is written for Praat is read by Praat, and what Praat writes is read: Praat's own code, through parselmouth."""

import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.listening import ListeningDesign, ScalePoint, read_answers
from layerstats.listening.formats.praat_text import praat_tokens
from layerstats.listening.formats.write_praat import experiment_text

parselmouth = pytest.importorskip("parselmouth")

TRIALS = [('say "a".1', "4", 1.25), ("b\u00e92|yes|no", "5", 0.5), ("c3", "", 0)]


def results(folder, name):
    """Return results as an object of Praat."""
    lines = "".join('"{}"\n"{}"\n0\n{}\n'.format(one.replace('"', '""'), said, time) for one, said, time in TRIALS)
    path = folder / f"{name}.ResultsMFC"
    path.write_text(
        f'File type = "ooTextFile"\nObject class = "ResultsMFC 2"\n\n{len(TRIALS)}\n{lines}', encoding="utf-8"
    )
    return parselmouth.read(str(path))


@pytest.mark.parametrize("task", ["opinion", "preference", "abx", "identification"])
def test_praat_reads_an_experiment_and_saves_the_same(tmp_path, task):
    names = {"preference": ["_a", "_b"], "abx": ["_a", "_b", "_x"]}.get(task, [""])
    clips = pd.DataFrame({"clip": ["yes, 1", 'no "2"'], "role": "test", "expected": None, "prompt": None})
    if task == "opinion":
        clips["prompt"] = ['"caf\u00e9" 50 % a_b|c', "\\bs"]
    for side in names:
        clips[f"file{side}"] = [f"clips/{place}{side}.wav" for place in range(2)]
    trials = pd.DataFrame({"session": 1, "position": [1, 2], "clip": clips["clip"]})
    if len(names) > 1:
        trials["swapped"] = [True, False]
    choices = {"identification": tuple(f'w"{place}' for place in range(20)), "preference": ("a", "b", "same")}
    points = tuple(ScalePoint(value, "x") for value in range(1, 8)) if task == "opinion" else ()
    alternatives = choices.get(task, ("a", "b") if task == "abx" else ())
    design = ListeningDesign('T "1"', task, "Which? <yes> 3", clips, trials, scale=points, alternatives=alternatives)
    path = tmp_path / "one.ExperimentMFC"
    path.write_text(experiment_text(design, design.trials), encoding="utf-8")
    read = parselmouth.read(str(path))
    assert read.class_name == "ExperimentMFC"
    read.save(str(tmp_path / "again.txt"))
    again = read_text(tmp_path / "again.txt")
    assert praat_tokens(again)[2:] == praat_tokens(path.read_text(encoding="utf-8"))[2:]


def read_text(path):
    content = path.read_bytes()
    return content.decode("utf-16" if content.startswith((b"\xfe\xff", b"\xff\xfe")) else "utf-8")


@pytest.mark.parametrize("command", ["Save as text file", "Save as short text file"])
def test_results_that_praat_saves_are_read(tmp_path, command):
    parselmouth.praat.call(results(tmp_path, "ts"), command, str(tmp_path / "saved.txt"))
    answers = read_answers(tmp_path / "saved.txt", scale=(1, 5))
    assert answers.table[["rater", "clip", "rating", "seconds"]].to_numpy().tolist() == [
        ["saved", 'say "a".1', 4, 1.25],
        ["saved", "b\u00e92", 5, 0.5],
    ]
    assert answers.problems[["clip", "problem"]].to_numpy().tolist() == [["c3", "unanswered"]]


@pytest.mark.parametrize(
    "command",
    ["Save as tab-separated file", "Save as comma-separated file", "Save as text file", "Save as short text file"],
)
def test_the_table_that_praat_collects_is_read(tmp_path, command):
    both = [results(tmp_path, "ts"), results(tmp_path, "mj")]
    table = parselmouth.praat.call(both, "Collect to Table")
    parselmouth.praat.call(table, command, str(tmp_path / "all.Table"))
    answers = read_answers(tmp_path / "all.Table", scale=(1, 5))
    assert answers.table[["clip", "rating", "seconds"]].to_numpy().tolist() == 2 * [
        ['say "a".1', 4, 1.25],
        ["b\u00e92", 5, 0.5],
    ]
    assert answers.problems.loc[~answers.problems["kept"], ["clip", "problem"]].to_numpy().tolist() == 2 * [
        ["c3", "unanswered"]
    ]


def test_binary_files_of_praat_say_what_to_do(tmp_path):
    parselmouth.praat.call(results(tmp_path, "ts"), "Save as binary file", str(tmp_path / "b.ResultsMFC"))
    with pytest.raises(DataError, match="binary file of Praat: open it there"):
        read_answers(tmp_path / "b.ResultsMFC")
