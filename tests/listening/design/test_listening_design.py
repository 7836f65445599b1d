from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora.decoding import decoded
from layerstats.errors import ArgumentError, AudioError, DataError, MissingFileError
from layerstats.listening import make_design, read_design

RATE_HZ = 16000


@pytest.fixture
def design(tmp_path, clip_table, write_tones):
    table = clip_table({"natural": 4, "maximized": 4}).assign(number=[1, 2, 3, None] * 2, kept=[True, False] * 4)
    write_tones(table, tmp_path)
    return make_design(table, raters_per_clip=2, trials_per_session=4, contrasts=["maximized - natural"],
                       equivalence_margin=0.5, rules=[{"rule": "catch_missed", "most_share": 0.25}],
                       folder=tmp_path)  # fmt: skip


def test_what_is_written_is_read_again(design, tmp_path):
    written = design.write(tmp_path / "design")
    again = read_design(tmp_path / "design")
    assert again.hash == written.hash
    assert again.hashes == written.hashes
    assert again.scale == design.scale
    assert again.rules == design.rules == ({"rule": "catch_missed", "most_share": 0.25},)
    assert again.contrasts == ("maximized - natural",)
    assert again.equivalence_margin == 0.5
    assert again.notes == design.notes
    pd.testing.assert_frame_equal(again.trials, design.trials, check_dtype=False)
    assert again.clips["clip"].tolist() == design.clips["clip"].tolist()
    assert again.clips["number"].dropna().tolist() == [1, 2, 3] * 2
    assert again.changes().empty
    assert [entry["by"] for entry in again.history] == ["layerstats"]


def test_odd_texts_survive(design, tmp_path):
    odd = ['=1+1"', "naïve <b>ß</b>", "1", "a, b", "None", "a  b", "☃", "\\"]
    names = dict(zip(design.clips.query("role == 'test'")["clip"], odd, strict=True))
    clips = design.clips.assign(clip=design.clips["clip"].replace(names))
    trials = design.trials.assign(clip=design.trials["clip"].replace(names))
    replace(design, clips=clips, trials=trials, title="\u2028 é").write(tmp_path / "design")
    again = read_design(tmp_path / "design")
    assert again.clips["clip"].tolist()[:8] == odd
    assert again.title == "\u2028 é"
    assert again.changes().empty


def test_sounds_are_equally_loud(design, tmp_path):
    written = design.write(tmp_path / "design")
    tones = [decoded(tmp_path / "design" / file)[:, 0] for file in written.clips.query("role == 'test'")["file"]]
    levels = [np.sqrt(np.square(tone).mean()) for tone in tones]
    assert levels == pytest.approx([10 ** (-26 / 20)] * 8, rel=0.01)
    peaks = replace(design, loudness="peak").write(tmp_path / "peaks")
    for file in peaks.sound_files:
        assert np.abs(decoded(tmp_path / "peaks" / file)).max() == pytest.approx(0.5, abs=0.001)


def test_silence_around_a_word_does_not_make_it_louder(tmp_path):
    from layerstats.corpora.wav_files import write_wav

    tone = np.sin(np.arange(RATE_HZ // 5) / 3) * 0.3
    write_wav(tmp_path / "short.wav", tone, RATE_HZ)
    write_wav(tmp_path / "padded.wav", np.concatenate([np.zeros(RATE_HZ), tone, np.zeros(RATE_HZ)]), RATE_HZ)
    table = pd.DataFrame({"clip": ["short", "padded"], "file": ["short.wav", "padded.wav"]})
    made = make_design(table, trials_per_session=2, catch=0, folder=tmp_path).write(tmp_path / "design")
    peaks = [np.abs(decoded(tmp_path / "design" / file)).max() for file in made.clips["file"]]
    assert peaks[0] == pytest.approx(peaks[1], rel=0.03)


def test_a_sound_that_would_not_fit_lowers_all(tmp_path):
    from layerstats.corpora.wav_files import write_wav

    click = np.full(RATE_HZ // 5, 0.01)
    click[::2] = -0.01
    click[100] = 0.9
    write_wav(tmp_path / "click.wav", click, RATE_HZ)
    write_wav(tmp_path / "tone.wav", np.sin(np.arange(RATE_HZ // 5) / 3) * 0.3, RATE_HZ)
    table = pd.DataFrame({"clip": ["click", "tone"], "file": ["click.wav", "tone.wav"]})
    made = make_design(table, trials_per_session=2, catch=0, folder=tmp_path).write(tmp_path / "design")
    click, tone = (decoded(tmp_path / "design" / file)[:, 0] for file in made.clips["file"])
    assert np.abs(click).max() == pytest.approx(0.99, abs=0.001)
    assert np.sqrt(np.square(tone).mean()) < 10 ** (-26 / 20)


def test_rules_that_change_afterwards_are_found_with_the_time(design, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    first = design.write(tmp_path / "design")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1100000000")
    later = replace(read_design(tmp_path / "design"), rules=(), equivalence_margin=1.0)
    with pytest.raises(ArgumentError, match="holds a design already"):
        later.write(tmp_path / "design")
    later.write(tmp_path / "design", overwrite=True)
    changes = read_design(tmp_path / "design").changes(first.hash)
    assert changes["part"].tolist() == ["rules", "equivalence_margin"]
    assert changes["written_before"].unique().tolist() == ["2001-09-09T01:46:40Z"]
    assert changes["written_after"].unique().tolist() == ["2004-11-09T11:33:20Z"]
    assert read_design(tmp_path / "design").changes(first)["part"].tolist() == ["rules", "equivalence_margin"]
    assert later.write(tmp_path / "elsewhere").changes()["part"].tolist() == ["rules", "equivalence_margin"]
    with pytest.raises(ArgumentError, match="another design"):
        later.changes("0" * 64)


def test_a_new_design_in_the_place_of_another_keeps_its_history(design, tmp_path):
    first = design.write(tmp_path / "design")
    second = replace(design, contrasts=()).write(tmp_path / "design", overwrite=True)
    assert second.changes(first.hash)["part"].tolist() == ["contrasts"]


def test_a_replaced_design_leaves_no_sounds_and_its_history_is_not_lost(design, tmp_path):
    first = design.write(tmp_path / "design")
    (tmp_path / "design" / "clips" / "mine.txt").write_text("stays")
    elsewhere = replace(design, contrasts=()).write(tmp_path / "other")
    fewer = replace(elsewhere, clips=elsewhere.clips.query("role == 'test'"), trials=elsewhere.trials.loc[
        elsewhere.trials["clip"].isin(elsewhere.clips.query("role == 'test'")["clip"])])  # fmt: skip
    fewer = replace(fewer, sound_hashes={file: fewer.sound_hashes[file] for file in fewer.sound_files})
    fewer.write(tmp_path / "design", overwrite=True)
    again = read_design(tmp_path / "design")
    left = {f"clips/{file.name}" for file in (tmp_path / "design" / "clips").iterdir()}
    assert left == {*again.sound_files, "clips/mine.txt"}
    assert [entry["hashes"] for entry in again.history] == [first.hashes, elsewhere.hashes, again.hashes]


def test_sounds_are_not_overwritten_before_they_are_read(design, tmp_path):
    written = design.write(tmp_path / "design")
    again = pd.DataFrame({"clip": ["a", "b"], "file": written.sound_files[:2]})
    other = make_design(again, trials_per_session=2, catch=0, folder=tmp_path / "design")
    with pytest.raises(ArgumentError, match="another folder"):
        other.write(tmp_path / "design", overwrite=True)
    assert read_design(tmp_path / "design").hash == written.hash


def test_what_is_changed_by_hand_is_said(design, tmp_path):
    written = design.write(tmp_path / "design")
    file = tmp_path / "design" / "design.json"
    file.write_text(file.read_text().replace('"most_share": 0.25', '"most_share": 0.5'))
    again = read_design(tmp_path / "design")
    assert again.changes(written.hash)["part"].tolist() == ["rules"]
    assert again.history[-1]["by"] == "hand"
    assert "by hand" in again.notes[-1]
    assert "rules" in again.notes[-1]


def test_sounds_that_are_gone_or_others_are_said(design, tmp_path):
    written = design.write(tmp_path / "design")
    file = tmp_path / "design" / written.sound_files[0]
    other = tmp_path / "design" / written.sound_files[1]
    whole = file.read_bytes()
    file.write_bytes(other.read_bytes())
    with pytest.raises(AudioError, match="not the one"):
        read_design(tmp_path / "design")
    file.unlink()
    with pytest.raises(AudioError, match="There is no sound file"):
        read_design(tmp_path / "design")
    file.write_bytes(whole)
    assert read_design(tmp_path / "design").hash == written.hash


def test_a_design_is_copied_sound_by_sound(design, tmp_path):
    written = design.write(tmp_path / "design")
    copied = read_design(tmp_path / "design").write(tmp_path / "copy")
    assert copied.hash == written.hash
    assert read_design(tmp_path / "copy").hash == written.hash


@pytest.mark.parametrize("text", ["", "{", "[]", '{"task": "opinion"}', '{"schema": 99, "task": "opinion"}',
                                  '{"schema": 1, "task": "opinion", "clips": 3}'])  # fmt: skip
def test_a_file_that_is_no_design_is_refused(text, tmp_path):
    with pytest.raises(MissingFileError, match="no design"):
        read_design(tmp_path)
    (tmp_path / "design.json").write_text(text)
    with pytest.raises(DataError):
        read_design(tmp_path)


@pytest.mark.parametrize("file", ["../secret.wav", "/etc/passwd", "clips\\..\\..\\x.wav", "C:/x.wav", ""])
def test_no_sound_lies_outside_of_the_folder(design, file):
    with pytest.raises(DataError, match="below the design's folder"):
        replace(design, clips=design.clips.assign(file=file))


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x00b", " a", "a ", "a" * 301])
def test_names_that_answers_could_not_carry_are_refused_before_anyone_is_asked(design, name):
    clips = design.clips.assign(clip=[name, *design.clips["clip"].tolist()[1:]])
    trials = design.trials.assign(clip=design.trials["clip"].replace(design.clips["clip"].iloc[0], name))
    with pytest.raises(DataError, match=r"^The clip "):
        replace(design, clips=clips, trials=trials)
    with pytest.raises(ArgumentError, match=r"^The alternative "):
        replace(design, task="identification", scale=(), alternatives=("yes", name))


def test_trials_that_contradict_are_refused(design):
    twice = pd.concat([design.trials, design.trials.iloc[:1].assign(position=99)])
    with pytest.raises(DataError, match="hears a clip twice"):
        replace(design, trials=twice)
    with pytest.raises(DataError, match="two trials at one position"):
        replace(design, trials=design.trials.assign(position=1))
    with pytest.raises(DataError, match="not in its clips"):
        replace(design, trials=design.trials.assign(clip=[f"new {row}" for row in range(len(design.trials))]))
    with pytest.raises(DataError, match="whole numbers"):
        replace(design, trials=design.trials.assign(session=design.trials["session"] - 1))


def test_the_file_can_be_read_by_people(design, tmp_path):
    design.write(tmp_path / "design")
    text = (tmp_path / "design" / "design.json").read_text()
    contents = json.loads(text)
    assert len(contents["trials"]["rows"]) == len(design.trials)
    assert any(line.strip().startswith('["natural_00"') for line in text.splitlines())


def test_a_design_says_how_many_trials_a_whole_session_has(tmp_path, clip_table, write_tones):
    table = clip_table({"natural": 5, "maximized": 5})
    write_tones(table, tmp_path)
    rules = ["session_incomplete", "catch_missed"]
    design = make_design(table, raters_per_clip=2, trials_per_session=4, training=2, rules=rules, folder=tmp_path)
    counted = design.trials.merge(design.clips, on="clip").query("role != 'training'").groupby("session").size()
    assert design.rules[0] == {"rule": "session_incomplete", "trials": counted.min(), "least_share": 1.0}
    assert 4 < counted.min() < design.trials.groupby("session").size().min()
    assert design.complete_rules(rules) == design.rules
    assert design.complete_rules([{"rule": "session_incomplete", "trials": 3}])[0]["trials"] == 3
