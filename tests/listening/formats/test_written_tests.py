"""Tests written for Mechanical Turk and Praat, and their answers read back."""

import html
import re
import wave
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora.wav_files import write_wav
from layerstats.errors import ArgumentError, DataError
from layerstats.listening import ListeningDesign, ScalePoint, read_answers, read_design, write_mturk, write_praat
from layerstats.listening.formats.praat_text import praat_tokens

POINTS = tuple(ScalePoint(value, label) for value, label in enumerate(["Bad", "Poor", "Fair", "Good", "Fine"], start=1))
HOSTILE = '<script>alert(1)</script> "${clip1}" {{ x }} 50 %'


def design_of(folder, task="opinion", rates=(16000, 16000, 16000), **changes):
    """Return a design of three clips and two sessions, written with its sounds."""
    names = {"opinion": [""], "identification": [""], "preference": ["_a", "_b"], "abx": ["_a", "_b", "_x"]}[task]
    clips = pd.DataFrame(
        {"clip": ["yes, 1", "=2", 'no "3"'], "role": ["test", "test", "catch"], "expected": [None] * 3}
    )
    clips["condition"] = ["clean", "noisy", None]
    clips["prompt"] = [HOSTILE, None, "a_b|c"] if task == "opinion" else [None] * 3
    sounds = {}
    for side in names:
        clips[f"file{side}"] = [f"clips/{place}{side}.wav" for place in range(3)]
        for place, rate in enumerate(rates):
            sounds[f"clips/{place}{side}.wav"] = folder / "source" / f"{place}{side}.wav"
            write_wav(folder / "source" / f"{place}{side}.wav", np.sin(np.arange(800) / 5).astype("float32"), rate)
    trials = pd.DataFrame(
        {"session": [1, 1, 1, 2, 2], "position": [1, 2, 3, 1, 2], "clip": [*clips["clip"], "=2", "yes, 1"]}
    )
    if len(names) > 1:
        trials["swapped"] = [True, False, True, False, True]
    settings = {
        "opinion": {"scale": POINTS},
        "identification": {"alternatives": ("yes", 'n"o', "_x%")},
        "preference": {"alternatives": ("a", "b", "same")},
        "abx": {"alternatives": ("a", "b")},
    }[task]
    made = ListeningDesign(
        f"Title {HOSTILE}", task, f"Which? {HOSTILE}", clips, trials, sounds=sounds, **settings, **changes
    )
    made.write(folder / "design")
    return read_design(folder / "design")


class Page(HTMLParser):
    """Elements of a page, and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.shown = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.shown += data


def filled(template, row):
    """Return a page as Mechanical Turk fills it in: text for every variable, as it stands in the CSV."""
    variables = set(re.findall(r"\$\{(\w+)\}", template))
    assert variables <= set(row)
    for name in variables:
        template = template.replace(f"${{{name}}}", row[name])
    return template


def results(batch, answers):
    """Return the results of a batch: its rows, with a worker and answers each."""
    rows = pd.read_csv(batch.csv, dtype=str, keep_default_na=False)
    table = rows.add_prefix("Input.")
    table.insert(0, "HITId", [f"h{k}" for k in range(len(rows))])
    table.insert(1, "AssignmentId", [f"a{k}" for k in range(len(rows))])
    table.insert(2, "WorkerId", [f"w{k}" for k in range(len(rows))])
    return table.assign(
        **answers, **{"Answer.native_language": "en", "Answer.comment": "", "Approve": "", "Reject": ""}
    )


def test_a_batch_has_a_row_a_session_and_its_results_are_read_with_the_design(tmp_path):
    design = design_of(tmp_path)
    batches = write_mturk(design, tmp_path / "turk", "https://x.org/test/")
    assert [(batch.sessions, batch.trials) for batch in batches] == [(1, 3), (1, 2)]
    rows = pd.read_csv(batches[0].csv, dtype=str, keep_default_na=False).to_dict("records")
    assert rows[0]["clip1"] == "yes, 1"
    assert rows[0]["clip2"] == "'=2"
    assert rows[0]["url3"] == "https://x.org/test/clips/2.wav"
    assert rows[0]["prompt1"] == html.escape(HOSTILE)
    # Nothing tells a worker what a trial is for.
    assert not any("role" in name or "expected" in name or "condition" in name for name in rows[0])
    given = results(batches[0], {f"Answer.rating{place}": str(place) for place in (1, 2, 3)})
    given.to_csv(tmp_path / "results.csv", index=False)
    answers = read_answers(tmp_path / "results.csv", design=design)
    # What the page needed is no part of an answer.
    assert not {"url", "prompt", "first"} & set(answers.table)
    table = answers.table[
        ["rater", "clip", "rating", "role", "session", "position", "assignment_id", "native_language"]
    ]
    assert table.to_numpy().tolist() == [
        ["w0", "yes, 1", 1, "test", "1", 1, "a0", "en"],
        ["w0", "=2", 2, "test", "1", 2, "a0", "en"],
        ["w0", 'no "3"', 3, "catch", "1", 3, "a0", "en"],
    ]


@pytest.mark.parametrize("task", ["opinion", "identification", "preference", "abx"])
def test_text_of_a_design_is_text_on_the_page_of_mechanical_turk(tmp_path, task):
    batch = write_mturk(design_of(tmp_path, task), tmp_path, "https://x.org")[0]
    row = pd.read_csv(batch.csv, dtype=str, keep_default_na=False).to_dict("records")[0]
    page = Page(filled(batch.template.read_text(encoding="utf-8"), row))
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert scripts == [{"src": "https://assets.crowd.aws/crowd-html-elements.js"}]
    assert f"Which? {HOSTILE}" in page.shown
    names = {
        attributes["name"] for tag, attributes in page.elements if tag == "input" and attributes["type"] == "radio"
    }
    assert names == {f"{'rating' if task == 'opinion' else 'response'}{place}" for place in (1, 2, 3)}
    values = [
        attributes["value"] for tag, attributes in page.elements if attributes.get("name") in ("rating1", "response1")
    ]
    expected = {
        "opinion": ["1", "2", "3", "4", "5"],
        "identification": ["yes", 'n"o', "_x%"],
        # The session's first trial is swapped: b is heard first.
        "preference": ["b", "a", "same"],
        "abx": ["b", "a"],
    }
    assert values == expected[task]
    sounds = [attributes["src"] for tag, attributes in page.elements if tag == "audio"]
    heard = {"opinion": ["0.wav"], "identification": ["0.wav"], "preference": ["0_b.wav", "0_a.wav"]}
    assert [sound.rpartition("/")[2] for sound in sounds[: len(sounds) // 3]] == heard.get(
        task, ["0_b.wav", "0_a.wav", "0_x.wav"]
    )
    # Sounds and answers bear the names that the question and the instructions of ABX use.
    assert ("X is A" in page.shown) == (task == "abx")


def test_answers_to_pairs_of_a_batch_are_in_the_names_of_their_sounds(tmp_path):
    design = design_of(tmp_path, "preference")
    batch = write_mturk(design, tmp_path, "https://x.org")[0]
    buttons = {f"Answer.response{place}.{one}": "false" for place in (1, 2, 3) for one in ("a", "b", "same")}
    chosen = {"Answer.response1.b": "true", "Answer.response2.a": "true", "Answer.response3.same": "true"}
    results(batch, {**buttons, **chosen}).to_csv(tmp_path / "results.csv", index=False)
    table = read_answers(tmp_path / "results.csv", design=design).table
    assert table[["clip", "response", "swapped"]].to_numpy().tolist() == [
        ["yes, 1", "b", True],
        ["=2", "a", False],
        ['no "3"', "same", True],
    ]


def test_what_mechanical_turk_refuses_is_refused_before(tmp_path):
    design = design_of(tmp_path)
    with pytest.raises(ArgumentError, match=r"begins with https://, but got 'http://x.org'"):
        write_mturk(design, tmp_path, "http://x.org")
    with pytest.raises(ArgumentError, match=r"at most 65535 bytes, but a session of 3 trials has"):
        write_mturk(design_of(tmp_path / "long", texts={"consent": "x" * 70_000}), tmp_path, "https://x.org")
    clips = design.clips.assign(clip=["\U0001f600", "b", "c"])
    trials = design.trials.assign(clip=["\U0001f600", "b", "c", "b", "\U0001f600"])
    emoji = ListeningDesign("t", "opinion", "q", clips, trials, scale=POINTS)
    with pytest.raises(DataError, match=r"Mechanical Turk takes no '\U0001f600'"):
        write_mturk(emoji, tmp_path, "https://x.org")


def experiment(path):
    """Read an experiment as Praat does: numbers, quoted text and flags in their fixed order; nothing may be left."""
    tokens = iter(praat_tokens(path.read_text(encoding="utf-8")))
    take = lambda count: [next(tokens) for _ in range(count)]  # noqa: E731
    assert take(2) == ["ooTextFile", "ExperimentMFC 7"]
    found = {"blank": take(1), "sounds": take(1), "place": take(2), "carrier": take(2), "silences": take(3)}
    found["stimuli"] = [take(2) for _ in range(int(next(tokens)))]
    found["replications"], found["break"], found["order"] = take(1), take(1), take(1)
    found["texts"] = take(4)
    found["replays"] = take(1)
    found["buttons"] = [take(6) for _ in range(3)]
    found["responses are sounds"] = take(8)
    found["responses"] = [take(8) for _ in range(int(next(tokens)))]
    assert take(1) == [0.0]
    assert next(tokens, None) is None
    return found


def test_an_experiment_of_praat_has_every_part_in_its_order(tmp_path):
    design = design_of(tmp_path)
    paths = write_praat(design, tmp_path / "praat")
    assert [path.name for path in paths] == ["session_1.ExperimentMFC", "session_2.ExperimentMFC"]
    found = experiment(paths[0])
    assert found["place"] == ["Sounds/", ".wav"]
    assert [name for name, _ in found["stimuli"]] == ["yes-1", "-2", "no-3-"]
    # Signs that Praat would draw as italics stand as themselves, and a bar divides no buttons.
    assert found["stimuli"][2][1].endswith("a\\_ b/c")
    assert found["order"] == [b"CyclicNonRandom"]
    assert [one[-1] for one in found["responses"]] == ["1", "2", "3", "4", "5"]
    for left, right, bottom, top, *_ in found["responses"]:
        assert 0 <= left < right <= 1
        assert 0.1 < bottom < top < 0.9
    for name, _ in found["stimuli"]:
        assert (tmp_path / "praat" / "Sounds" / f"{name}.wav").is_file()


def test_results_of_an_experiment_that_was_written_are_read_with_the_design(tmp_path):
    design = design_of(tmp_path)
    stimuli = experiment(write_praat(design, tmp_path / "praat")[0])["stimuli"]
    lines = "".join(f'"{name}"\n"{place}"\n0\n1.5\n' for place, (name, _) in enumerate(stimuli, start=1))
    text = f'File type = "ooTextFile"\nObject class = "ResultsMFC 2"\n\n{len(stimuli)}\n{lines}'
    (tmp_path / "ann.ResultsMFC").write_text(text)
    table = read_answers(tmp_path / "ann.ResultsMFC", design=design).table
    assert table[["rater", "clip", "rating", "role"]].to_numpy().tolist() == [
        ["ann", "yes, 1", 1, "test"],
        ["ann", "=2", 2, "test"],
        ["ann", 'no "3"', 3, "catch"],
    ]


@pytest.mark.parametrize("task", ["preference", "abx"])
def test_pairs_in_praat_are_answered_in_the_names_of_their_sounds(tmp_path, task):
    design = design_of(tmp_path, task)
    found = experiment(write_praat(design, tmp_path / "praat")[0])
    assert found["stimuli"][0][0] == "yes-1_b,yes-1_a" + (",yes-1_x" if task == "abx" else "")
    shown = [one[4] for one in found["responses"]]
    assert shown == (["X is A", "X is B"] if task == "abx" else ["the first", "the second", "no difference"])
    stored = [one[-1] for one in found["responses"]]
    assert stored == (["first", "second", "same"] if task == "preference" else ["first", "second"])
    rows = "".join(
        f"ann\t{name}\t{said}\n" for (name, _), said in zip(found["stimuli"], ["first", "first", "second"], strict=True)
    )
    (tmp_path / "all.Table").write_text("subject\tstimulus\tresponse\n" + rows)
    table = read_answers(tmp_path / "all.Table", design=design).table
    assert table[["clip", "response", "swapped"]].to_numpy().tolist() == [
        ["yes, 1", "b", True],
        ["=2", "a", False],
        ['no "3"', "a", True],
    ]


def test_sounds_for_praat_have_the_rate_of_most_of_them(tmp_path):
    design = design_of(tmp_path, rates=(16000, 16000, 8000))
    write_praat(design, tmp_path / "praat")
    found = {}
    for path in sorted((tmp_path / "praat" / "Sounds").iterdir()):
        with wave.open(str(path)) as sound:
            found[path.stem] = (sound.getframerate(), sound.getnchannels(), sound.getnframes())
    # 800 samples at 8 kHz last as long as 1,600 at 16 kHz.
    assert found == {"yes-1": (16000, 1, 800), "-2": (16000, 1, 800), "no-3-": (16000, 1, 1600)}


def test_what_praat_cannot_do_is_refused(tmp_path):
    words = design_of(tmp_path, "identification")
    typed = ListeningDesign("t", "identification", "q", words.clips, words.trials, sounds=words.sounds)
    with pytest.raises(ArgumentError, match="answers of this design are typed"):
        write_praat(typed, tmp_path)
    many = ListeningDesign(
        "t",
        "identification",
        "q",
        words.clips,
        words.trials,
        alternatives=tuple(map(str, range(61))),
        sounds=words.sounds,
    )
    with pytest.raises(ArgumentError, match="room for 60 buttons, not 61"):
        write_praat(many, tmp_path)
    nowhere = ListeningDesign("t", "opinion", "q", words.clips, words.trials, scale=POINTS)
    with pytest.raises(DataError, match=r"'clips/0.wav' is not there"):
        write_praat(nowhere, tmp_path)
