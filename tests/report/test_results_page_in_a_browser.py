"""The page of results in a real browser: what its first screen says, by keyboard, on paper, and to a screen reader."""

from __future__ import annotations

import base64
import runpy
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.plots import autocorrelation
from layerstats.report import Output, write_page

_MADE = runpy.run_path(str(Path(__file__).with_name("claim_frames.py")))
_DRIVEN = runpy.run_path(str(Path(__file__).parent.parent / "browser.py"))
claim_frames = _MADE["claim_frames"]
Browser, find_browser = (_DRIVEN[name] for name in ("Browser", "find_browser"))

TAB, ENTER = ("Tab", "Tab", 9), ("Enter", "Enter", 13)
EVIL = "<script>document.title = 'broken'</script><b>\u05d3\u05d1\u05e8 & \u0283"
WIDE, PHONE = (1250, 1400), (390, 844)
# Whatever can be reached or jumped to has a name.
NAMED = ("link", "image", "heading", "DisclosureTriangle")
# Whether something is wider than the window; what scrolls in a box of its own is not.
OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
BOTTOM = "document.querySelector('.counts').getBoundingClientRect().bottom"


def long_rows(number):
    return pd.DataFrame(
        {
            "layer": [f"conv{row % 5 + 1}" for row in range(number)],
            **{f"level_{side}": "a word that is longer than others" for side in (1, 2)},
            "joint_statistic": np.linspace(1, 2, number),
            "joint_p_value": 0.01,
            "shape_edf": 2.5,
            "level_difference": np.linspace(0, 1, number),
            "level_std_error": 0.1,
            "joint_p_adjusted": 0.02,
            "level_p_adjusted": 0.02,
            "shape_p_adjusted": 0.02,
            "note": [
                f"a remark of many words on row {row}: " + "more is known of it than fits " * 9 for row in range(number)
            ],
        }
    )


def fill(folder, title, rows=8):
    output = Output(folder, title=title, provenance={"store": "store.zarr"})
    output.text("about", "About", EVIL)
    lags = pd.DataFrame({"lag": np.arange(4), "autocorrelation": [1.0, 0.4, -0.1, 0.05]})
    output.figure(autocorrelation(lags), "figure", "Autocorrelation", EVIL)
    output.table(long_rows(rows), "table", f"Tests of {title}", "What was tested.")
    return output


def claims(number):
    kinds = [
        {},
        {
            "claim_key": "b",
            "verdict": "fails a check",
            "failed_checks": f"residuals are autocorrelated {EVIL}; few speakers",
        },
        {
            "claim_key": "c",
            "verdict": "not shown",
            "p_adjusted": 0.4,
            "null": "",
            "null_low": np.nan,
            "null_high": np.nan,
        },
        {"claim_key": "d", "estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan, "claim": EVIL + " long" * 120},
        {"claim_key": "e", "conf_low": -np.inf, "conf_high": np.inf, "claim": "\u05d0\u05d1\u05d2 " * 10},
    ]
    rows = [{**kinds[row % 5], "claim_key": f"claim {row}"} for row in range(number)]
    return claim_frames(*rows, notes=("Intervals are simultaneous.",))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Four parts, one of which claims more than the page shows at once."""
    folder = tmp_path_factory.mktemp("results")
    for number, name in enumerate(("phones", "words", "checks", "curves")):
        output = fill(folder / name, f"{name} {EVIL}" if number == 0 else name, rows=14_000 if name == "curves" else 8)
        if number < 2:
            # Of the second more than a part shows at once.
            output.claims(claims(14 if number else 8))
    order = ("phones", "words", "checks", "curves")
    return write_page(folder, f"What a network tells apart {EVIL}", sections=order, introduction=f"{EVIL}\n\nMore.")


@pytest.fixture(scope="module")
def program():
    found = find_browser()
    if found is None:
        pytest.skip("no browser is here; apt install chromium")
    return found


@pytest.fixture
def browser(program, page, tmp_path):
    with Browser(program, tmp_path) as opened:
        opened.call(
            "Emulation.setDeviceMetricsOverride", width=WIDE[0], height=WIDE[1], deviceScaleFactor=1, mobile=False
        )
        opened.open(page)
        yield opened
        assert opened.complaints() == []


def open_all(browser):
    browser.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")


def focused(browser):
    return browser.evaluate("document.activeElement.textContent.trim()")


def test_what_holds_stands_on_the_first_screen_and_nothing_is_wider_than_the_window(browser, page):
    assert browser.evaluate("document.querySelector('h2').textContent") == "What was found"
    # A row of each part that claims something, and what is left by part; the claims themselves are folded.
    assert browser.evaluate("document.querySelectorAll('a.words').length") == 2
    assert browser.evaluate(BOTTOM) < WIDE[1] / 2
    assert not browser.evaluate("document.querySelector('details.group .claim-table').checkVisibility()")
    assert browser.evaluate("document.title").startswith("What a network tells apart <script>")
    browser.evaluate(open_all(browser) or "1")
    assert not browser.evaluate(OVERFLOWS)
    # What failed is told in the row of the claim.
    row = "[...document.querySelectorAll('.verdict.fails')][0].closest('tr').textContent"
    assert "But: few speakers" in browser.evaluate(row)
    browser.emulate_phone(*PHONE)
    browser.open(page)
    assert browser.evaluate("document.querySelector('a.words').closest('tr').getBoundingClientRect().bottom") < PHONE[1]
    open_all(browser)
    assert not browser.evaluate(OVERFLOWS)


def test_adjusted_p_is_in_sight_and_no_row_is_tall(browser):
    open_all(browser)
    right = browser.evaluate(
        "Math.max(...[...document.querySelectorAll('.part .scroll thead th')]"
        ".filter((each) => each.textContent.includes('adjusted')).map((each) => each.getBoundingClientRect().right))"
    )
    assert 0 < right <= WIDE[0]
    heights = browser.evaluate(
        "[...document.querySelectorAll('.part .scroll tbody tr')].map((each) => each.getBoundingClientRect().height)"
    )
    assert len(heights) == 8 * 3 + 10
    assert max(heights) < 120


def test_a_keyboard_opens_what_is_folded_and_links_lead_into_it(browser):
    browser.press(*TAB)
    assert focused(browser) == "Skip to the results"
    outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    stops = []
    for _ in range(12):
        browser.press(*TAB)
        stops.append(focused(browser))
    assert stops[0] == "What was analysed, and how"
    assert stops[1::2][:2] == ["[s] and [\u0283] differ at conv3, and the network learned it"] * 2
    assert stops[4] == "words"
    # A row of the short list opens the part that holds the claim, and what is folded in it.
    assert not browser.evaluate("document.querySelector('details.group').open")
    browser.evaluate("document.querySelector('a.words').focus()")
    browser.press(*ENTER)
    browser.wait_for("document.querySelector('details.group').open")
    row = "document.querySelector('.claim-table tr:target')"
    assert browser.evaluate(f"{row}.querySelector('.words').textContent").startswith("[s] and")
    browser.wait_for(f"{row}.getBoundingClientRect().top < innerHeight && {row}.getBoundingClientRect().top >= 0")
    # So does a count of those that fail a check.
    browser.evaluate("document.querySelectorAll('.counts a')[3].focus()")
    assert focused(browser) == "words"
    browser.press(*ENTER)
    browser.wait_for("document.querySelectorAll('details.group')[1].open")
    stops = []
    browser.evaluate("document.querySelector('details.group summary').focus()")
    for _ in range(3):
        browser.press(*TAB)
        stops.append(focused(browser))
    assert stops[:2] == [
        "Tests of phones <script>document.title = 'broken'</script><b>\u05d3\u05d1\u05e8 & \u0283",
        "Autocorrelation",
    ]
    assert stops[2].startswith("3 other choices: 0.40 to 0.78; p at most ")
    # The link to the figure opens the part that holds it.
    assert not browser.evaluate("document.querySelector('details.part').open")
    browser.evaluate("document.querySelectorAll('details.group .claim .links a')[1].focus()")
    browser.press(*ENTER)
    browser.wait_for("document.querySelector('details.part').open")
    browser.wait_for("document.getElementById('phones-figure').getBoundingClientRect().top < innerHeight")
    browser.wait_for("document.querySelector('#phones-figure img').naturalWidth > 0")
    browser.evaluate("document.querySelector('details.table summary').focus()")
    browser.press(*ENTER)
    assert browser.evaluate("document.querySelector('details.table').open")


def test_pictures_are_fetched_when_they_are_looked_at_and_the_first_paint_is_soon(browser, page):
    loaded = "[...document.images].filter((each) => each.naturalWidth > 0).length"
    assert browser.evaluate(loaded) == 0
    painted = "performance.getEntriesByName('first-contentful-paint')"
    browser.wait_for(f"{painted}.length")
    # From disk it is soon; a machine that does other things too gets more time.
    assert browser.evaluate(f"{painted}[0].startTime") < 5000
    assert page.stat().st_size < 3_000_000
    browser.evaluate("document.querySelectorAll('details.part')[1].open = true")
    browser.evaluate("document.getElementById('words-figure').scrollIntoView()")
    browser.wait_for(f"{loaded} === 1")


def test_all_of_it_is_printed(browser, page, tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext is here; apt install poppler-utils")
    before = browser.evaluate("document.querySelectorAll('details[open]').length")
    printed = tmp_path / "page.pdf"
    printed.write_bytes(base64.b64decode(browser.call("Page.printToPDF", printBackground=True)["data"]))
    text = subprocess.run(
        ["pdftotext", "-layout", str(printed), "-"], capture_output=True, text=True, check=True
    ).stdout
    assert before < 5
    assert text.count("What was tested.") == 4
    assert text.count("more of words") == 1
    # It may be broken over two lines.
    assert text.count("R is not") == 22
    assert "The first 10 of 14,000 rows" in text
    pictures = subprocess.run(["pdfimages", "-list", str(printed)], capture_output=True, text=True, check=True).stdout
    assert len([line for line in pictures.splitlines() if " image " in line]) == 4


def tree(browser):
    """Roles and names of the accessibility tree, in the order in which they are read."""
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    return [
        (
            node["role"]["value"],
            node.get("name", {}).get("value", ""),
            {each["name"]: each["value"].get("value") for each in node.get("properties", [])},
        )
        for node in nodes
        if not node["ignored"]
    ]


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_screen_reader_finds_its_way(browser, page, width):
    if width == PHONE:
        browser.emulate_phone(*PHONE)
        browser.open(page)
    open_all(browser)
    told = tree(browser)
    roles = [role for role, _, _ in told]
    assert {"main", "banner", "contentinfo", "navigation"} <= set(roles)
    # Tables of claims stay tables where they are drawn as cards.
    assert {"table", "columnheader", "rowheader", "row", "cell"} <= set(roles)
    levels = [properties["level"] for role, _, properties in told if role == "heading"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [role for role, name, _ in told if role in NAMED and not name] == []
    boxes = "[...document.querySelectorAll('[tabindex=\"0\"]')].filter((each) => !each.ariaLabel).length"
    assert browser.evaluate(boxes) == 0
    pictures = [name for role, name, _ in told if role == "image"]
    drawn = "Autocorrelation. Points: Autocorrelation of residuals by Lag (samples)."
    assert f"{drawn} From 1 at 0 to 0.05 at 3, highest 1 at 0, lowest -0.1 at 2." in pictures
    assert any(
        name.startswith(
            "random structure, speakers (reported): 0.82 [0.55,\u00a01.01]; random structure, speakers and words"
        )
        for name in pictures
    )
    assert any(name.startswith("RMS difference in token SDs: 0.82 [0.61,") for name in pictures)


def test_it_is_read_without_scripts(browser, page):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.call("Page.reload")
    assert "<script" not in page.read_text(encoding="utf-8")


def test_a_page_to_be_mailed_has_its_pictures_inside(program, page, tmp_path):
    folder = tmp_path / "results"
    shutil.copytree(page.parent, folder)
    alone = write_page(folder, "Mailed", single_file=True, links={"Listen": "words/index.html"})
    mailed = tmp_path / "mailed" / "index.html"
    mailed.parent.mkdir()
    shutil.move(alone, mailed)
    shutil.rmtree(folder)
    (tmp_path / "browser").mkdir()
    with Browser(program, tmp_path / "browser") as opened:
        opened.open(mailed)
        open_all(opened)
        # They are drawn when they are looked at, as all others.
        opened.evaluate("[...document.images].forEach((each) => { each.loading = 'eager'; })")
        opened.wait_for("[...document.images].every((each) => each.complete && each.naturalWidth > 0)")
        assert opened.evaluate("document.images.length") == 4
        links = opened.evaluate(
            "[...document.links].map((each) => each.getAttribute('href')).filter((each) => !each.startsWith('#'))"
        )
        assert all(link.startswith("data:text/csv;base64,") for link in links)
        # Of 14,000 rows only those that are shown: claims and their choices of two parts, and three tables.
        assert len(links) == 3 + 4
        assert base64.b64decode(links[-1].partition(",")[2]).startswith(b"layer,level_1")
        assert opened.complaints() == []
