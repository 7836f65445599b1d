"""What stands on the page of a listening test, and what does not."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import runpy
import wave
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from layerstats.errors import ArgumentError, AudioError, MissingFileError
from layerstats.listening.design import read_design
from layerstats.listening.page import SUBMISSION_COLUMNS, PageLinks, write_page
from layerstats.listening.page.headphone_check import KINDS, PITCH_HZ, RATE_HZ, headphone_trials, wav_bytes
from layerstats.listening.page.texts import TEXTS

written_design = runpy.run_path(str(Path(__file__).with_name("small_designs.py")))["written_design"]
EVIL = "</script><script>window.hacked = 1</script><!-- \u2028 \" ' & <img src=x onerror=alert(1)>"


def data_of(page: Path) -> dict:
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def test_the_page_knows_what_it_asks_and_not_what_is_right(tmp_path):
    folder = written_design(tmp_path, "opinion")
    page = write_page(folder, tmp_path / "page")
    told, text = data_of(page), page.read_text("utf-8")
    design = read_design(folder)
    assert (told["design_hash"], told["question"]) == (design.hash, design.question)
    assert told["columns"] == list(SUBMISSION_COLUMNS)
    assert [clip["training"] for clip in told["clips"]] == [True, False, False, False]
    assert [clip["prompt"] for clip in told["clips"]] == ["yes", "no ", "yes", None]
    assert told["sessions"] == {"1": [[0, 0], [1, 0], [2, 0], [3, 0]], "2": [[0, 0], [2, 0], [3, 0], [1, 0]]}
    assert [set(clip) for clip in told["clips"]] == [{"clip", "sounds", "prompt", "training"}] * 4
    # Neither a condition nor a catch trial shows, nor do names of files.
    for secret in ("secret", "natural", '"catch"', "expected", "clips/"):
        assert secret not in json.dumps({key: told[key] for key in told if key not in ("texts", "columns")})
    for clip in told["clips"]:
        (sound,) = clip["sounds"]
        source = design.clips.set_index("clip").loc[clip["clip"], "file"]
        assert (page.parent / sound).read_bytes() == (folder / source).read_bytes()
    assert len(told["headphones"]["trials"]) == 6
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?https?:", text)


def test_sounds_may_stand_in_the_page_itself(tmp_path):
    folder = written_design(tmp_path, "abx")
    page = write_page(folder, tmp_path / "page", embed=True, headphones="none")
    told = data_of(page)
    assert sorted(file.name for file in page.parent.iterdir()) == ["index.html"]
    assert told["headphones"] is None
    row = read_design(folder).clips.iloc[0]
    for key, column in zip(told["clips"][0]["sounds"], ("file_a", "file_b", "file_x"), strict=True):
        kind, _, content = told["embedded"][key].partition(";base64,")
        assert kind == "data:audio/wav"
        assert base64.b64decode(content) == (folder / row[column]).read_bytes()
    # X is the same sound as A here, which its name does not tell.
    assert row["file_x"] == row["file_a"]
    assert len(set(told["clips"][0]["sounds"])) == 3


def test_texts_cannot_end_the_script_or_the_title(tmp_path):
    page = write_page(written_design(tmp_path, "opinion", EVIL), tmp_path / "page")
    text = page.read_text("utf-8")
    assert EVIL in data_of(page)["question"]
    assert len(re.findall("<script", text)) == 2
    assert "<img" not in text
    # The browser runs the one script that the policy names, by its content.
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1).replace("&#39;", "'")
    assert f"script-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "connect-src 'self';" in policy


def test_the_policy_allows_the_address_that_takes_the_answers(tmp_path):
    links = PageLinks(post_to="https://example.org:8443/x/answers?y=1", completion_url="https://app.example.com/done")
    page = write_page(written_design(tmp_path, "opinion"), tmp_path / "page", links=links)
    assert "connect-src &#39;self&#39; https://example.org:8443;" in page.read_text("utf-8")
    assert data_of(page)["post_to"] == "https://example.org:8443/x/answers?y=1"


@pytest.mark.parametrize(
    "options",
    [
        {"post_to": "javascript:alert(1)"},
        {"post_to": "https://a.example; script-src *"},
        {"post_to": ""},
        {"post_to": "file:///etc/passwd"},
        {"post_to": "http://[::1"},
        {"post_to": "//example.org/answers"},
        {"post_to": "https:answers"},
        {"post_to": "https://ann:secret@example.org/answers"},
        {"assign_from": "https://bücher.example/session"},
        {"completion_url": "javascript:alert(1)"},
        {"completion_url": "done.html"},
        {"completion_code": ""},
        {"completion_code": "a\nb"},
    ],
)
def test_addresses_that_are_none_are_refused(options):
    with pytest.raises(ArgumentError, match=re.escape(repr(next(iter(options.values()))))):
        PageLinks(**options)


def test_only_a_page_is_ever_replaced(tmp_path):
    folder = written_design(tmp_path, "opinion")
    page = write_page(folder, tmp_path / "page")
    with pytest.raises(ArgumentError, match="--overwrite"):
        write_page(folder, tmp_path / "page")
    assert write_page(folder, tmp_path / "page", overwrite=True) == page
    with pytest.raises(ArgumentError, match="no page of a listening test"):
        write_page(folder, folder, overwrite=True)
    with pytest.raises(ArgumentError, match="headphones"):
        write_page(folder, tmp_path / "other", headphones="loud")
    with pytest.raises(MissingFileError):
        write_page(tmp_path / "nothing", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_texts_of_the_page_are_those_of_the_design(tmp_path):
    folder = written_design(tmp_path, "opinion")
    stored = json.loads((folder / "design.json").read_text("utf-8"))

    def rewrite(texts):
        (folder / "design.json").write_text(json.dumps({**stored, "texts": texts}), "utf-8")

    rewrite({"next": "Weiter", "language_code": "de"})
    page = write_page(folder, tmp_path / "page")
    assert data_of(page)["texts"] == {**TEXTS, "next": "Weiter", "language_code": "de"}
    assert '<html lang="de">' in page.read_text("utf-8")
    rewrite({"nxt": "Weiter"})
    with pytest.raises(ArgumentError, match="no place for the text 'nxt'"):
        write_page(folder, tmp_path / "page", overwrite=True)


def test_every_text_that_the_scripts_say_is_there():
    scripts = Path(write_page.__code__.co_filename).parent / "script"
    text = "".join(file.read_text("utf-8") for file in scripts.glob("*.js"))
    said = set(re.findall(r'say\("(\w+)"', text)) | set(re.findall(r'"((?:play|first|second|third)\w*)"', text))
    said |= {"sound_problem", "may_answer", "listen_first", "keys", "keys_typed", "thanks", "thanks_mturk"}
    assert said >= {"next", "play_x", "first_is_x"}
    assert said - set(TEXTS) == {"playing"}  # a class of the style
    assert set(TEXTS) - said == {"language_code", "no_script", "no_memory"}


def test_sounds_that_browsers_do_not_play_are_refused(tmp_path):
    folder = written_design(tmp_path, "opinion")
    text = (folder / "design.json").read_text("utf-8")
    (folder / "clips" / "0.aiff").write_bytes((folder / "clips" / "0.wav").read_bytes())
    (folder / "design.json").write_text(text.replace("clips/0.wav", "clips/0.aiff"), "utf-8")
    with pytest.raises(AudioError, match=r"clips/0\.aiff"):
        write_page(folder, tmp_path / "page")
    (folder / "design.json").write_text(text, "utf-8")
    outside = tmp_path / "outside.wav"
    (folder / "clips" / "0.wav").rename(outside)
    (folder / "clips" / "0.wav").symlink_to(outside)
    with pytest.raises(AudioError, match="no sound"):
        write_page(folder, tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_the_tones_cancel_over_loudspeakers_only():
    trials = headphone_trials()
    assert sorted(quietest for _, quietest in trials) == [1, 1, 2, 2, 3, 3]
    wrong = []
    for samples, quietest in trials:
        assert np.abs(samples).max() <= 0.25
        tones = np.stack([samples[start : start + RATE_HZ] for start in (8000, 32000, 56000)])
        levels = np.sqrt((tones**2).mean(axis=(1, 2)))
        assert levels.argmin() + 1 == quietest
        assert np.ptp(np.delete(levels, quietest - 1)) < 1e-12
        assert 20 * np.log10(levels.max() / levels.min()) == pytest.approx(6.0)
        # Over one loudspeaker the two channels add up: another tone is the quietest there.
        mixed = np.sqrt((tones.sum(axis=2) ** 2).mean(axis=1))
        assert mixed.min() < 1e-12
        wrong.append(mixed.argmin() + 1 != quietest)
        spectrum = np.abs(np.fft.rfft(tones[0, :, 0]))
        assert spectrum.argmax() == PITCH_HZ
    assert all(wrong)
    assert len(KINDS) == 3
    with wave.open(BytesIO(wav_bytes(trials[0][0], RATE_HZ))) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, RATE_HZ)
        read = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2) / 32767
    np.testing.assert_allclose(read, trials[0][0], atol=2e-5)
