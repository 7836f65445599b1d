"""The same answers, collected by our page, by Mechanical Turk and by Praat, are the same table."""

import json

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora.wav_files import write_wav
from layerstats.listening import (
    RaterWorld,
    make_design,
    read_answers,
    read_design,
    simulate_answers,
    write_mturk,
    write_praat,
)
from layerstats.listening.formats.praat_text import praat_tokens, quoted
from layerstats.stats.ratings.cleaning import clean
from layerstats.tables import check_ratings

TIME = "2026-01-01T10:00:00Z"


@pytest.fixture(scope="module", params=["opinion", "preference", "abx", "identification"])
def collected(request, tmp_path_factory):
    """A design, and answers of simulated raters to it."""
    folder = tmp_path_factory.mktemp("collected")
    task = request.param
    rows = []
    for place in range(8):
        name = f"{'old' if place % 2 else 'new'}, {place // 2}"
        write_wav(folder / f"{place}.wav", np.sin(np.arange(1600) / (5 + place)).astype("float32"), 16000)
        word = f"w{place // 2}"
        rows.append((name, str(folder / f"{place}.wav"), "old" if place % 2 else "new", word, word))
    clips = pd.DataFrame(rows, columns=["clip", "file", "condition", "target", "expected"])
    if task != "identification":
        clips = clips.drop(columns="expected")
    paired = {"contrasts": ("new - old",), "match": ("target",)} if task in ("preference", "abx") else {}
    if task == "preference":
        paired["alternatives"] = ("a", "b", "same")
    if task == "identification":
        paired = {"alternatives": ("w0", "w1", "w2", "w3")}
    made = make_design(
        clips,
        task=task,
        raters_per_clip=4,
        trials_per_session=4,
        catch=int(task in ("opinion", "identification")),
        seed=3,
        rules=(),
        **paired,
    )
    made.write(folder / "design")
    design = read_design(folder / "design")
    effects = {} if task == "abx" else {"new": 1.0}
    return design, simulate_answers(design, RaterWorld(effects), seed=5).table, folder


def same(design, table, read):
    """Compare answers with those that were given: who said what to which clip of which condition, in which order."""
    answer = "rating" if design.task == "opinion" else "response"
    names = ["rater", "clip", "task", "role", answer, "position"]
    names += [name for name in ("condition", "target", "expected", "swapped") if name in table and name in read]
    sides = []
    for one in (table, read):
        shown = one.assign(**({"rating": one["rating"].astype(float)} if answer == "rating" else {}))
        shown = shown[names].sort_values(["rater", "position"], ignore_index=True).astype(object)
        sides.append(shown.where(shown.notna(), None).astype(str))
    pd.testing.assert_frame_equal(*sides)
    assert "taken_from" not in read
    assert read["condition"].notna().any()


def submissions(design, table, folder):
    """Write what the page would hand out, and return where."""
    for number, (rater, own) in enumerate(table.groupby("rater"), start=1):
        answers = []
        for row in own.to_dict("records"):
            given = {
                "clip": row["clip"],
                "position": int(row["position"]),
                "training": False,
                "seconds": 2.0,
                "plays": 1,
            }
            if design.task == "opinion":
                given["rating"] = int(row["rating"])
            else:
                given["response"] = str(row["response"])
            if "swapped" in row:
                given["swapped"] = bool(row["swapped"])
            answers.append({**given, "answered_at": TIME})
        whole = {"format": "layerstats listening answers 1", "design_hash": design.hash, "submission": f"{number:08d}"}
        whole |= {"task": design.task, "session": int(own["session"].iloc[0]), "rater": rater, "answers": answers}
        whole |= {"started_at": TIME, "finished_at": TIME}
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.json").write_text(json.dumps(whole))
    return folder


def test_submissions_of_the_page(collected):
    design, table, folder = collected
    read = read_answers(submissions(design, table, folder / "page"), design=design)
    same(design, table, read.table)
    assert read.problems.empty
    assert not any("changed" in note for note in read.notes)


def test_results_of_mechanical_turk(collected):
    design, table, folder = collected
    parts = []
    for batch in write_mturk(design, folder / "turk", "https://x.org"):
        rows = pd.read_csv(batch.csv, dtype=str, keep_default_na=False)
        part = rows.add_prefix("Input.")
        for row, session in enumerate(rows["session"]):
            own = table.loc[table["session"].astype(str) == session].sort_values("position")
            part.loc[row, ["WorkerId", "AssignmentId", "HITId"]] = [own["rater"].iloc[0], f"a{session}", f"h{session}"]
            for place, answer in enumerate(own["rating" if design.task == "opinion" else "response"], start=1):
                part.loc[row, f"Answer.{'rating' if design.task == 'opinion' else 'response'}{place}"] = str(answer)
        parts.append(part)
    pd.concat(parts).to_csv(folder / "results.csv", index=False)
    read = read_answers(folder / "results.csv", design=design)
    same(design, table, read.table)
    assert read.problems.empty


def test_results_of_praat(collected):
    design, table, folder = collected
    (folder / "results").mkdir()
    for number, path in enumerate(write_praat(design, folder / "praat"), start=1):
        tokens = praat_tokens(path.read_text(encoding="utf-8"))
        count = int(tokens[11])
        stimuli = tokens[12 : 12 + 2 * count : 2]
        own = table.loc[table["session"] == number].sort_values("position")
        lines = [f'File type = "ooTextFile"\nObject class = "ResultsMFC 2"\n\n{count}']
        for stimulus, row in zip(stimuli, own.to_dict("records"), strict=True):
            said = str(row["rating" if design.task == "opinion" else "response"])
            if design.task in ("preference", "abx") and said != "same":
                said = "second" if (said == "b") != bool(row["swapped"]) else "first"
            lines.append(f"{quoted(stimulus)}\n{quoted(said)}\n0\n1.5")
        (folder / "results" / f"{own['rater'].iloc[0]}.ResultsMFC").write_text("\n".join(lines) + "\n")
    read = read_answers(folder / "results", design=design)
    same(design, table, read.table)
    assert read.problems.empty


@pytest.mark.parametrize("collected", ["opinion"], indirect=True)
def test_what_was_read_is_what_statistics_and_cleaning_take(collected):
    design, table, folder = collected
    answers = read_answers(submissions(design, table, folder / "again"), design=design)
    tested = check_ratings(answers.table, answers.scale, by=("condition",))
    assert set(tested["condition"]) == {"new", "old"}
    assert len(tested) == (table["role"] == "test").sum()
    cleaned = clean(answers.table, ["catch_missed"])
    missed = table.loc[(table["role"] == "catch") & (table["rating"].astype(str) != table["expected"]), "rater"]
    assert set(cleaned.raters.loc[cleaned.raters["removed"], "rater"]) == set(missed)
