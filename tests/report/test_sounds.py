"""Sounds of tokens on a page: what is copied, what is said where nothing is, and odd tokens and names."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from layerstats.corpora import Corpus
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import phones_table
from layerstats.corpora.sharing import BUILT_IN, TIMIT
from layerstats.errors import DataError
from layerstats.report import Output, write_page

_DRIVEN = runpy.run_path(str(Path(__file__).parent.parent / "browser.py"))
Browser, find_browser = (_DRIVEN[name] for name in ("Browser", "find_browser"))

RATE_HZ = 8000
PHONE_COLUMNS = ["token", "label", "onset_s", "offset_s"]
TOKENS = ("a/b", "a b", 'say "no"<b>', "silent", "long")


@pytest.fixture
def corpus():
    seconds = {token: 5.0 if token == "long" else 0.4 for token in TOKENS}
    tone = {token: np.sin(np.arange(int(RATE_HZ * length)) / 4) / 3 for token, length in seconds.items()}
    tone["silent"] = np.zeros(RATE_HZ)
    seconds["silent"] = 1.0
    samples = {token: sound.astype(np.float32) for token, sound in tone.items()}
    tokens = pd.DataFrame({"token": TOKENS, "word": "w", "speaker": "s", "split": "test"})
    tokens["duration_s"] = [seconds[token] for token in TOKENS]
    phones = phones_table(pd.DataFrame([("long", "e", 4.0, 4.2), ("a/b", "<i>", 0.0, 0.4)], columns=PHONE_COLUMNS))
    return Corpus("own", tokens, phones, RATE_HZ, MemoryAudio(samples), sharing=BUILT_IN)


def wanted(*tokens, **columns):
    frame = {"token": list(tokens), "word": "w", "speaker": "s", "why": "most typical", "distance": 0.5}
    return pd.DataFrame({**frame, **columns})


def made(folder, frame, corpus, **options):
    Output(folder, title="T").sounds(frame, corpus, "heard", "To hear", **options)
    return sorted(path.name for path in folder.glob("*.flac"))


def test_names_are_plain_and_no_two_the_same(tmp_path, corpus):
    files = made(tmp_path, wanted(*TOKENS[:3]), corpus)
    assert files == ["heard_a-b.flac", "heard_a-b_2.flac", "heard_say-no-b-.flac"]
    page = write_page(tmp_path, "T").read_text(encoding="utf-8")
    assert page.count("<audio") == 3
    assert BUILT_IN.said in page
    assert "&lt;i&gt;" in page
    assert "<i>" not in page


def test_a_silent_and_a_missing_token_say_so_and_a_long_one_is_cut_about_its_phone(tmp_path, corpus):
    frame = wanted("silent", "nowhere", "long", phone_index=[np.nan, np.nan, 0])
    assert made(tmp_path, frame, corpus) == ["heard_long.flac"]
    samples, rate_hz = soundfile.read(tmp_path / "heard_long.flac")
    assert (rate_hz, len(samples)) == (RATE_HZ, round(1.2 * RATE_HZ))
    assert np.abs(samples).max() == pytest.approx(0.9, abs=0.01)
    page = write_page(tmp_path, "T").read_text(encoding="utf-8")
    assert page.count("<audio") == 1
    assert "own at hand does not have it" in page
    assert "From 3.50 to 4.70 s" in page


def test_where_a_licence_forbids_it_nothing_is_copied_and_earlier_sounds_go(tmp_path, corpus):
    assert len(made(tmp_path, wanted("a b"), corpus)) == 1
    assert made(tmp_path, wanted("a b"), replace(corpus, sharing=TIMIT), share=True) == []
    page = write_page(tmp_path, "T").read_text(encoding="utf-8")
    assert "<audio" not in page
    assert TIMIT.said in page
    assert "Waveform of w by s" in page


def test_of_an_unknown_corpus_sounds_are_copied_on_ones_word(tmp_path, corpus):
    own = Corpus("own", corpus.tokens, corpus.phones, RATE_HZ, corpus.source)
    assert made(tmp_path, wanted("a b"), own) == []
    assert made(tmp_path, wanted("a b"), own, share=True) == ["heard_a-b.flac"]


def test_another_corpus_is_refused(tmp_path, corpus):
    with pytest.raises(DataError, match="has none of these 2 tokens"):
        made(tmp_path, wanted("x", "y"), corpus)


@pytest.mark.slow
@pytest.mark.skipif(find_browser() is None, reason="there is no browser")
@pytest.mark.parametrize("single_file", [False, True])
def test_a_player_plays_in_a_browser_on_a_telephone(tmp_path, corpus, single_file):
    folder = tmp_path / "page"
    made(folder, wanted("a b", "a/b"), corpus)
    page = write_page(folder, "T", single_file=single_file)
    with Browser(find_browser(), tmp_path) as browser:
        browser.emulate_phone()
        browser.open(page)
        assert not browser.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert browser.evaluate("document.querySelector('audio').preload") == "none"
        assert "w by s" in browser.evaluate("document.querySelector('audio').ariaLabel")
        browser.evaluate("document.body.addEventListener('click', () => document.querySelector('audio').play())")
        browser.click("document.querySelector('h1')")
        browser.wait_for("document.querySelector('audio').ended")
        assert browser.evaluate("document.querySelector('audio').duration") == pytest.approx(0.4, abs=0.01)
        assert browser.complaints() == []
