"""The page to listen to in a real browser, which plays nothing before a gesture of its user."""

from __future__ import annotations

import base64
import runpy
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerstats.report.audition import write_audition

_MADE = runpy.run_path(str(Path(__file__).with_name("draws.py")))
_DRIVEN = runpy.run_path(str(Path(__file__).parent.parent / "browser.py"))
AXES, draws, exemplars = (_MADE[name] for name in ("AXES", "draws", "exemplars"))
Browser, find_browser = (_DRIVEN[name] for name in ("Browser", "find_browser"))

SPACE, RIGHT, DOWN = (" ", "Space", 32), ("ArrowRight", "ArrowRight", 39), ("ArrowDown", "ArrowDown", 40)
HEADING = "document.getElementById('chosen-heading').textContent"
COUNT = "document.getElementById('count').textContent"
VISIBLE = "document.querySelectorAll('#draws tbody button:not([hidden])').length"
PICTURES = "[...document.querySelectorAll('img')].map(image => image.complete && image.naturalWidth)"


def player(name):
    return f"document.querySelector('figure[data-sound={name}] audio')"


def choose(browser, select, value):
    browser.evaluate(
        f"(() => {{ const s = document.getElementById('{select}'); s.value = {value!r};"
        " s.dispatchEvent(new Event('change')); })()"
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audition")
    return write_audition(folder / "page", draws(), exemplars(), axes=AXES, title="What seed0 listens for")


@pytest.fixture(scope="module")
def program():
    found = find_browser()
    if found is None:
        pytest.skip("no browser is here; apt install chromium")
    return found


@pytest.fixture
def browser(program, page, tmp_path):
    with Browser(program, tmp_path) as opened:
        opened.open(page)
        yield opened
        assert opened.complaints() == []


def loudness(browser, page, name):
    """Decode the file that a player names with WebAudio: its seconds and its largest sample."""
    source = browser.evaluate(f"{player(name)}.getAttribute('src')")
    text = base64.b64encode((page.parent / source).read_bytes()).decode()
    return browser.evaluate(
        f"""(async () => {{
          const bytes = Uint8Array.from(atob("{text}"), (each) => each.charCodeAt(0));
          const audio = await new OfflineAudioContext(1, 22050, 22050).decodeAudioData(bytes.buffer);
          return [audio.duration, audio.getChannelData(0).reduce((most, each) => Math.max(most, Math.abs(each)), 0)];
        }})()"""
    )


def test_a_user_hears_and_sees_what_was_drawn(browser, page):
    assert browser.evaluate(HEADING) == "no, decoder, seed0, draw 0"
    # No gesture yet: the browser would refuse.
    refused = browser.evaluate(f"{player('after')}.play().then(() => 'played', (error) => error.name)")
    assert refused == "NotAllowedError"
    browser.press(*SPACE)
    browser.wait_for(f"{player('after')}.currentTime > 0.2")
    assert not browser.evaluate(f"{player('after')}.muted || {player('after')}.paused")
    browser.press(*SPACE)
    assert browser.evaluate(f"{player('after')}.paused")
    for name in ("before", "after", "natural-0"):
        seconds, peak = loudness(browser, page, name)
        assert seconds == pytest.approx(1.0, abs=0.01)
        assert 0.4 < peak <= 0.6
    browser.wait_for(f"{PICTURES}.length === 5 && {PICTURES}.every(width => width === 90)")
    picture = np.asarray(Image.open(BytesIO(browser.screenshot())).convert("RGB"))
    assert picture.shape[1] == 1250
    # Spectrograms are dark and coloured, where the page itself is white.
    assert (picture.max(axis=2) < 60).mean() > 0.02
    assert 0.3 < (picture.min(axis=2) > 250).mean() < 0.97


def test_every_key_does_what_the_page_says(browser):
    browser.press("b", "KeyB", 66)
    browser.wait_for(f"{player('before')}.currentTime > 0.1")
    browser.press("a", "KeyA", 65)
    browser.wait_for(f"{player('after')}.currentTime > 0.1")
    assert browser.evaluate(f"{player('before')}.paused")
    for name in ("natural-0", "natural-1"):
        browser.press("n", "KeyN", 78)
        browser.wait_for(f"{player(name)}.currentTime > 0.1")
    browser.press(*RIGHT)
    assert browser.evaluate(HEADING) == "no, decoder, seed0, draw 1"
    assert browser.evaluate("[...document.querySelectorAll('audio')].every(each => each.paused)")
    browser.press(*RIGHT)
    assert browser.evaluate(HEADING) == "no, none, seed0, draw 0"
    browser.press(*DOWN)
    assert browser.evaluate(HEADING) == "yes, none, seed0, draw 0"
    assert browser.evaluate("document.activeElement.getAttribute('aria-label')").startswith(
        "yes, none, seed0, draw 0, 2 of"
    )
    # The sound that was played last, of the new draw.
    browser.press(*SPACE)
    browser.wait_for(f"{player('natural-1')}.currentTime > 0.1")


def test_a_mouse_chooses_and_plays(browser):
    browser.click("document.querySelectorAll('#draws tbody button')[5]")
    assert browser.evaluate(HEADING) == "yes, decoder, seed0, draw 1"
    assert browser.evaluate("location.hash") == "#decoder.seed0%2Fyes_00001"
    assert "again.zarr --targets yes --prior decoder" in browser.evaluate(
        "document.getElementById('facts').textContent"
    )
    rows = browser.evaluate("[...document.querySelectorAll('#judgements tbody tr')].map((row) => row.innerText)")
    assert [row.split() for row in rows] == [
        ["seed0", "yes", "0.900"], ["seed1", "stop", "0.250"], ["pocketsphinx", "yes", "none"],
    ]  # fmt: skip
    # The left end of a player is its button.
    box = browser.evaluate(
        f"(() => {{ const b = {player('after')}.getBoundingClientRect(); return [b.x, b.y, b.height]; }})()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        place = {"x": box[0] + 0.5 * box[2], "y": box[1] + 0.5 * box[2]}
        browser.call("Input.dispatchMouseEvent", type=kind, **place, button="left", clickCount=1)
    browser.wait_for(f"{player('after')}.currentTime > 0.1")


def test_filters_leave_the_draws_that_were_asked_for(browser):
    assert browser.evaluate(COUNT) == "8 of 8 draws"
    choose(browser, "filter-target", "yes")
    assert (browser.evaluate(VISIBLE), browser.evaluate(COUNT)) == (4, "4 of 8 draws")
    assert browser.evaluate(HEADING) == "yes, decoder, seed0, draw 0"
    choose(browser, "filter-set", "none, seed0")
    assert browser.evaluate(VISIBLE) == 2
    choose(browser, "filter-judge", "seed1")
    choose(browser, "filter-heard", "other")
    assert browser.evaluate(VISIBLE) == 1
    assert browser.evaluate(HEADING) == "yes, none, seed0, draw 1"
    choose(browser, "filter-judge", "seed0")
    assert browser.evaluate(VISIBLE) == 0
    assert browser.evaluate("document.getElementById('chosen').hidden")
    browser.press(*RIGHT)
    choose(browser, "filter-heard", "")
    assert browser.evaluate(HEADING) == "yes, none, seed0, draw 0"
