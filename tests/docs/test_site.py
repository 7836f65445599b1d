"""The site is built without a warning, its links lead somewhere, and browsers of any width read it from disk."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "docs" / "_build"
SITE = BUILT / "html"
_DRIVEN = runpy.run_path(str(ROOT / "tests" / "browser.py"))
Browser, find_browser = (_DRIVEN[name] for name in ("Browser", "find_browser"))
# Pages of every kind, which are opened in a browser.
OPENED = (
    "index",
    "how-to/relevance",
    "statistics/calibration",
    "gallery/index",
    "gallery/figures/effect_by_layer",
    "reference/python/stats-gamm",
    "reference/shell/commands",
    "statistics/calibration-index",
)
TAB, ENTER = ("Tab", "Tab", 9), ("Enter", "Enter", 13)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


class Page(HTMLParser):
    """What a page points to, what may be pointed to in it, and its pictures' alternative texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.fetched, self.anchors, self.alts = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in ("img", "script", "iframe", "source", "audio") and "src" in given:
            self.fetched.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload"):
            self.fetched.append(given["href"])
        if tag == "img":
            self.alts.append((given.get("src"), given.get("alt")))


@cache
def parsed(file: Path) -> Page:
    return Page(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def site():
    """Build what changed since the last build; `make docs` does the same."""
    pytest.importorskip("sphinx", reason="the site is built by `make docs`, which installs what it needs")
    pytest.importorskip("pydata_sphinx_theme")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    built = subprocess.run(
        [*command, "-d", str(BUILT / "doctrees"), str(ROOT / "docs"), str(SITE)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert built.returncode == 0, built.stderr[-5000:]
    return SITE


@pytest.fixture(scope="module")
def pages(site):
    return {file: parsed(file) for file in sorted(site.rglob("*.html")) if "_static" not in file.parts}


@pytest.fixture
def browser(tmp_path):
    program = find_browser()
    if program is None:
        pytest.skip("no browser is here; apt install chromium")
    with Browser(program, tmp_path) as opened:
        yield opened
        assert opened.complaints() == []


def test_links_and_pictures_of_the_site_are_there(pages):
    lost = []
    for file, page in pages.items():
        for link in {*page.links, *page.fetched}:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            to = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            anchor = unquote(parts.fragment) if to.suffix == ".html" else ""
            if not to.exists() or (anchor and anchor not in parsed(to).anchors):
                lost.append((file.name, link))
    assert lost == []


def test_nothing_is_fetched_from_a_network(pages):
    assert {link for page in pages.values() for link in page.fetched if urlsplit(link).netloc} == set()


def test_pictures_say_what_they_show(pages):
    mute = {src for page in pages.values() for src, alt in page.alts if not alt or len(alt.split()) < 3}
    assert {src for src in mute if "_static" not in src} == set()


@pytest.mark.parametrize("telephone", [False, True])
def test_pages_are_read_without_scrolling_sideways(site, browser, telephone):
    if telephone:
        browser.emulate_phone()
    wide = {}
    for name in OPENED:
        browser.open(site / f"{name}.html")
        wide[name] = browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == dict.fromkeys(OPENED, 0)


def test_search_works_from_disk(site, browser):
    browser.open(site / "search.html", "?q=calibration")
    browser.wait_for("document.querySelectorAll('#search-results li').length > 3")


def test_pages_are_reached_with_the_keyboard(site, browser):
    """The first stop skips to the text, and every link of the head can be reached and followed."""
    browser.open(site / "index.html")
    browser.press(*TAB)
    assert "skip" in browser.evaluate("document.activeElement.textContent").lower()
    for _ in range(30):
        browser.press(*TAB)
        if browser.evaluate("document.activeElement.matches('.bd-header a.nav-link')"):
            break
    browser.evaluate("window.left = false")
    browser.press(*ENTER)
    browser.wait_for("window.left === undefined && document.querySelector('h1') !== null")
