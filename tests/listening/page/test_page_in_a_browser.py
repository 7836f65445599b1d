"""The page of a listening test in a real browser, from consent to the file that comes out."""

from __future__ import annotations

import csv
import io
import json
import runpy
import threading
import time
from pathlib import Path

import pytest

from layerstats.listening.design import read_design
from layerstats.listening.page import SUBMISSION_COLUMNS, PageLinks, parse_submission, submission_rows, write_page
from layerstats.listening.server import ListeningServer, ReceivedAnswers

_DRIVEN = runpy.run_path(str(Path(__file__).parents[2] / "browser.py"))
Browser, find_browser = (_DRIVEN[name] for name in ("Browser", "find_browser"))
written_design = runpy.run_path(str(Path(__file__).with_name("small_designs.py")))["written_design"]

SPACE, ENTER, TAB = (" ", "Space", 32), ("Enter", "Enter", 13), ("Tab", "Tab", 9)
SCREEN = "document.getElementById('screen')?.dataset.screen"
PLAY = "document.querySelectorAll('.play')"
MAIN = "document.querySelector('#screen button[type=submit], #screen button.main')"
MAY_ANSWER = "!document.querySelector('fieldset').disabled"
WHERE = "document.querySelector('.where').textContent"
# The tones of the headphone check last five seconds each; their order is drawn, and so is not known here.
FAST = """
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    const hurry = () => { if (this.duration > 2) this.playbackRate = 12; };
    this.addEventListener("loadedmetadata", hurry);
    hurry();
    return play.call(this);
  };
"""


def digit(number):
    return str(number), f"Digit{number}", 48 + number


@pytest.fixture(scope="module")
def program():
    found = find_browser()
    if found is None:
        pytest.skip("no browser is here; apt install chromium")
    return found


@pytest.fixture
def browser(program, tmp_path):
    folder = tmp_path / "browser"
    (folder / "downloads").mkdir(parents=True)
    with Browser(program, folder) as opened:
        opened.call("Page.addScriptToEvaluateOnNewDocument", source=FAST)
        opened.download_to(folder / "downloads")
        opened.downloads = folder / "downloads"
        yield opened


@pytest.fixture
def served(tmp_path):
    """Return a function that serves a design and gives its address and the folder of the answers."""
    servers = []

    def serve(design, **options):
        links = PageLinks(post_to="answers", assign_from="session")
        page = write_page(design, tmp_path / "page", headphones="none", links=links, overwrite=True)
        received = ReceivedAnswers(tmp_path / "answers", read_design(design))
        server = ListeningServer(page.parent, received, port=0, **options)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return server, tmp_path / "answers"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def at(browser, name):
    browser.wait_for(f"{SCREEN} === '{name}'")


def to_instructions(browser, press=None):
    """Go through consent and language by mouse, or by keyboard alone."""
    at(browser, "consent")
    go_on(browser, press)
    at(browser, "language")
    if press:
        press(*TAB)
    else:
        browser.click("document.getElementById('language')")
    browser.call("Input.insertText", text="Cymraeg, <b>English</b>")
    if press:
        press(*ENTER)
    else:
        browser.click(MAIN)


def go_on(browser, press=None):
    if press is None:
        browser.click(MAIN)
        return
    # The heading has the focus; what is next in the page is the button.
    while not browser.evaluate("document.activeElement.type === 'submit'"):
        press(*TAB)
    press(*ENTER)


def answer_by_mouse(browser, choice, sounds=1):
    at(browser, "trial")
    before = browser.evaluate(WHERE)
    for number in range(sounds):
        browser.click(f"{PLAY}[{number}]")
        browser.wait_for(f"{PLAY}[{number}].classList.contains('heard')")
    browser.click(f"document.querySelectorAll('label.choice')[{choice}]")
    browser.click(MAIN)
    browser.wait_for(f"{SCREEN} !== 'trial' || {WHERE} !== {json.dumps(before)}")


def downloaded(browser, ending):
    until = time.monotonic() + 20
    while not (files := list(browser.downloads.glob(f"*.{ending}"))):
        assert time.monotonic() < until, "nothing was downloaded"
        time.sleep(0.05)
    return files[0].read_bytes()


def nothing_is_wider_than_the_screen(browser):
    return browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def nameless(browser):
    """What a screen reader could not name, of all that can be used."""
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    used = [node for node in nodes if node["role"]["value"] in ("button", "radio", "textbox", "progressbar", "group")]
    assert used
    return [node for node in used if not node.get("name", {}).get("value")]


def contrast(browser, element):
    """Contrast of an element's text with what is behind it, as WCAG has it."""
    return browser.evaluate(
        """(() => {
          const light = (text) => text.match(/[\\d.]+/g).slice(0, 3).map((each) => each / 255)
            .map((each) => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
            .reduce((sum, each, index) => sum + each * [0.2126, 0.7152, 0.0722][index], 0);
          let behind = ELEMENT;
          const text = light(getComputedStyle(behind).color);
          while (/rgba\\(.*, 0\\)/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
          const back = light(getComputedStyle(behind).backgroundColor);
          return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
        })()""".replace("ELEMENT", element)
    )


@pytest.mark.slow
def test_a_rater_answers_all_and_downloads_the_answers(browser, tmp_path):
    design_folder = written_design(tmp_path, "opinion")
    page = write_page(design_folder, tmp_path / "page")
    browser.open(page, "?session=2&rater=ann")
    to_instructions(browser)
    at(browser, "headphones")
    answers = 0
    while browser.evaluate(SCREEN) == "headphones":
        # The wrong tone each time: the check is failed, once and again, and said to be.
        if browser.evaluate("document.querySelector('.play') === null"):
            browser.click(MAIN)
            continue
        where = browser.evaluate(WHERE)
        browser.click(f"{PLAY}[0]")
        browser.wait_for(MAY_ANSWER)
        browser.click("document.querySelectorAll('label.choice')[0]")
        browser.click(MAIN)
        browser.wait_for(f"{SCREEN} !== 'headphones' || !document.querySelector('.where') || {WHERE} !== {where!r}")
        answers += 1
    assert answers == 12
    at(browser, "instructions")
    assert "completely unclear" in browser.evaluate("document.querySelector('.scale').textContent")
    browser.click(MAIN)
    at(browser, "trial")
    assert browser.evaluate(WHERE) == "Practice 1 of 1"
    # No sound before a gesture, and no answer before the sound.
    assert not browser.evaluate(MAY_ANSWER)
    browser.press(*digit(4))
    assert browser.evaluate("document.querySelector('input:checked')") is None
    answer_by_mouse(browser, 3)
    at(browser, "after_practice")
    browser.click(MAIN)
    answer_by_mouse(browser, 0)
    # A reload in the middle, which the page asks about, and then goes on where it was.
    at(browser, "trial")
    assert browser.evaluate(WHERE) == "Trial 2 of 3"
    browser.click(f"{PLAY}[0]")
    browser.wait_for(MAY_ANSWER)
    browser.reload()
    assert browser.dialogs() == ["beforeunload"]
    at(browser, "trial")
    assert browser.evaluate(WHERE) == "Trial 2 of 3"
    assert browser.evaluate(MAY_ANSWER)
    browser.click("document.querySelectorAll('label.choice')[4]")
    browser.click(MAIN)
    answer_by_mouse(browser, 2)
    at(browser, "comment")
    browser.click("document.getElementById('comment')")
    browser.call("Input.insertText", text='=1+1, "ça va"\n<script>alert(1)</script>')
    browser.click(MAIN)
    at(browser, "download")
    assert "code" not in browser.evaluate("document.getElementById('screen').innerHTML").replace("code appears", "")
    browser.click("document.querySelectorAll('#screen button')[1]")
    at(browser, "thanks")
    browser.click("[...document.querySelectorAll('#screen button')].find((each) => each.textContent.includes('CSV'))")
    code = browser.evaluate("document.querySelector('output').textContent")
    submission = parse_submission(downloaded(browser, "json"))
    design = read_design(design_folder)
    asked = design.trials[design.trials["session"] == 2].sort_values("position")
    assert [answer.clip for answer in submission.answers] == asked["clip"].tolist()
    assert [answer.rating for answer in submission.answers] == [4, 1, 5, 3]
    assert [answer.training for answer in submission.answers] == [True, False, False, False]
    assert all(answer.plays >= 1 and answer.seconds > 0.2 for answer in submission.answers)
    assert (submission.design_hash, submission.session, submission.rater) == (design.hash, 2, "ann")
    assert submission.completion_code == code
    assert submission.native_language == "Cymraeg, <b>English</b>"
    assert (submission.headphones.trials, submission.headphones.passed, submission.headphones.attempts) == (6, False, 2)
    assert submission.headphones.correct == 2
    rows = list(csv.DictReader(io.StringIO(downloaded(browser, "csv").decode("utf-8-sig"))))
    expected = [{key: "" if value is None else str(value) for key, value in row.items()}
                for row in submission_rows(submission)]  # fmt: skip
    for row in expected:
        row["comment"] = "'" + row["comment"]  # a formula stays text
    assert [tuple(row) for row in rows] == [SUBMISSION_COLUMNS] * 4
    assert [{**row, "seconds": float(row["seconds"])} for row in rows] == [
        {**row, "seconds": float(row["seconds"])} for row in expected
    ]
    # Once the answers are out, nobody is asked any more.
    browser.reload()
    at(browser, "thanks")
    assert browser.dialogs() == ["beforeunload"]
    assert browser.complaints() == []


def test_the_keyboard_is_enough_and_the_server_gets_it_all(browser, served, tmp_path):
    design_folder = written_design(tmp_path, "opinion")
    done = "https://app.prolific.com/submissions/complete?cc=C0DE"
    server, answers = served(design_folder, completion_code="C0DE", completion_url=done)
    browser.call("Network.enable")
    browser.open(server.address, "?PROLIFIC_PID=5f3&STUDY_ID=s1&SESSION_ID=x9")
    to_instructions(browser, browser.press)
    at(browser, "instructions")
    go_on(browser, browser.press)
    for choice in (2, 5, 1, 4):
        at(browser, "trial")
        where = browser.evaluate(WHERE)
        browser.press(*SPACE)
        browser.wait_for(MAY_ANSWER)
        browser.press(*digit(3))
        browser.press(*digit(choice))
        browser.press(*ENTER)
        browser.wait_for(f"{SCREEN} !== 'trial' || {WHERE} !== {where!r}")
        if browser.evaluate(SCREEN) == "after_practice":
            go_on(browser, browser.press)
    at(browser, "comment")
    browser.press(*TAB)
    browser.call("Input.insertText", text="fine")
    go_on(browser, browser.press)
    at(browser, "thanks")
    assert browser.evaluate("document.querySelector('output').textContent") == "C0DE"
    (file,) = answers.glob("*.json")
    submission = parse_submission(file.read_bytes())
    assert [answer.rating for answer in submission.answers] == [2, 5, 1, 4]
    assert (submission.rater, submission.session, submission.comment) == ("5f3", 1, "fine")
    assert submission.identifiers == {"prolific_pid": "5f3", "prolific_study_id": "s1", "prolific_session_id": "x9"}
    assert browser.evaluate("document.querySelector('#screen a').href") == done
    assert "C0DE" not in browser.evaluate("fetch('/').then((answer) => answer.text())")
    # Nothing was asked of anybody else.
    asked = [event["params"]["request"]["url"] for event in browser.events
             if event.get("method") == "Network.requestWillBeSent"]  # fmt: skip
    assert f"{server.address}answers" in asked
    assert [url for url in asked if not url.startswith((server.address, "data:"))] == []
    # Who comes again, on another machine, is told that the answers are here.
    browser.evaluate("localStorage.clear()")
    browser.open(server.address, "?PROLIFIC_PID=5f3")
    at(browser, "problem")
    assert "handed in already" in browser.evaluate("document.querySelector('.problem').textContent")
    assert browser.complaints() == []


@pytest.mark.parametrize(
    ("task", "sounds", "choices"),
    [("preference", 2, ("a", "b", "same")), ("abx", 3, ("a", "b")), ("identification", 1, ("ask", "wash", "year"))],
)
def test_answers_are_in_the_names_of_the_clips_own_sounds_on_a_telephone(
    browser, served, tmp_path, task, sounds, choices
):
    design_folder = written_design(tmp_path, task)
    server, answers = served(design_folder)
    browser.emulate_phone()
    browser.open(server.address, "?workerId=w1&assignmentId=a1&hitId=h1")
    assert browser.evaluate("window.innerWidth") == 390
    to_instructions(browser)
    at(browser, "instructions")
    browser.click(MAIN)
    design = read_design(design_folder)
    trials = design.trials[design.trials["session"] == 1].sort_values("position")
    for number in range(len(trials)):
        at(browser, "trial")
        assert nothing_is_wider_than_the_screen(browser)
        # A finger hits what it aims at.
        heights = (
            "[...document.querySelectorAll('button:not([hidden]), label.choice')].map((each) => each.offsetHeight)"
        )
        assert min(browser.evaluate(heights)) >= 44
        answer_by_mouse(browser, number % len(choices), sounds)
    at(browser, "comment")
    browser.click(MAIN)
    at(browser, "thanks")
    (file,) = answers.glob("*.json")
    submission = parse_submission(file.read_bytes())
    swapped = trials["swapped"].tolist() if "swapped" in trials else [None] * len(trials)
    assert [answer.swapped for answer in submission.answers] == swapped
    expected = [choices[number % len(choices)] for number in range(len(trials))]
    other = {"a": "b", "b": "a"}
    expected = [other.get(given, given) if swap else given for given, swap in zip(expected, swapped, strict=True)]
    assert [answer.response for answer in submission.answers] == expected
    assert (submission.rater, submission.identifiers["assignment_id"]) == ("w1", "a1")
    assert browser.complaints() == []


def test_what_is_heard_is_typed(browser, served, tmp_path):
    server, answers = served(written_design(tmp_path, "typed"))
    browser.open(server.address)
    to_instructions(browser)
    at(browser, "instructions")
    browser.click(MAIN)
    trials = 0
    while browser.evaluate(SCREEN) == "trial":
        where = browser.evaluate(WHERE)
        browser.press(*SPACE)
        browser.wait_for(MAY_ANSWER)
        browser.press(*ENTER)  # nothing typed: nothing happens
        assert browser.evaluate(WHERE) == where
        browser.click("document.querySelector('fieldset input')")
        browser.call("Input.insertText", text=f" 1 w{trials} ")
        browser.press(*ENTER)
        browser.wait_for(f"{SCREEN} !== 'trial' || {WHERE} !== {where!r}")
        trials += 1
    browser.click(MAIN)
    at(browser, "thanks")
    (file,) = answers.glob("*.json")
    given = [answer.response for answer in parse_submission(file.read_bytes()).answers]
    assert given == [f"1 w{number}" for number in range(trials)]


def test_answers_are_sent_again_until_the_server_has_them(browser, served, tmp_path):
    design_folder = written_design(tmp_path, "opinion")
    server, answers = served(design_folder)
    browser.open(server.address)
    to_instructions(browser)
    at(browser, "instructions")
    browser.click(MAIN)
    while browser.evaluate(SCREEN) != "comment":
        if browser.evaluate(SCREEN) == "after_practice":
            browser.click(MAIN)
        answer_by_mouse(browser, 1)
    browser.set_offline(True)
    browser.click(MAIN)
    at(browser, "sending")
    browser.wait_for("document.querySelector('[role=status]').textContent.includes('Next try in')")
    assert not list(answers.glob("*"))
    # What is downloaded meanwhile is no reason to show the code.
    browser.click("[...document.querySelectorAll('#screen button')].find((each) => each.textContent.includes('CSV'))")
    assert len(downloaded(browser, "csv").splitlines()) == 5
    assert browser.evaluate(SCREEN) == "sending"
    # Still there after the browser was closed and opened.
    browser.set_offline(False)
    browser.reload()
    at(browser, "thanks")
    assert len(list(answers.glob("*.json"))) == 1


def test_a_sound_that_cannot_be_played_is_told_and_may_be_left_out(browser, tmp_path):
    design_folder = written_design(tmp_path, "opinion")
    page = write_page(design_folder, tmp_path / "page", headphones="none")
    browser.open(page, "?session=1")
    to_instructions(browser)
    at(browser, "instructions")
    for sound in (page.parent / "sounds").iterdir():
        sound.write_bytes(b"no sound")
    browser.click(MAIN)
    at(browser, "trial")
    skip = "[...document.querySelectorAll('#screen button')].find((each) => each.textContent.includes('without'))"
    browser.wait_for("document.querySelector('.status').classList.contains('problem')")
    assert browser.evaluate(f"{skip}.hidden")
    for _ in range(2):
        browser.click(f"{PLAY}[0]")
        browser.wait_for(f"!{PLAY}[0].classList.contains('playing')")
        assert not browser.evaluate(MAY_ANSWER)
    browser.wait_for(f"!{skip}.hidden")
    browser.click(skip)
    at(browser, "after_practice")
    state = json.loads(browser.evaluate("Object.values(localStorage).find((each) => each.startsWith('{'))"))
    assert [(answer["rating"], answer["problem"]) for answer in state["answers"]] == [(None, "not played")]


def test_mechanical_turk_shows_a_preview_and_gets_the_answers_as_a_form(browser, served, tmp_path):
    server, answers = served(written_design(tmp_path, "identification"))
    browser.open(server.address, "?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=h1")
    at(browser, "preview")
    assert browser.evaluate("document.querySelector('#screen button')") is None
    browser.open(
        server.address,
        "?assignmentId=a1&hitId=h1&workerId=w1&turkSubmitTo=https%3A%2F%2Fworkersandbox.mturk.com",
    )
    to_instructions(browser)
    at(browser, "instructions")
    browser.click(MAIN)
    while browser.evaluate(SCREEN) == "trial":
        answer_by_mouse(browser, 0)
    browser.click(MAIN)
    at(browser, "thanks")
    form = "document.querySelector('form')"
    assert browser.evaluate(f"{form}.action") == "https://workersandbox.mturk.com/mturk/externalSubmit"
    assert browser.evaluate(f"{form}.assignmentId.value") == "a1"
    posted = parse_submission(browser.evaluate(f"{form}.layerstats_answers.value"))
    (file,) = answers.glob("*.json")
    assert posted == parse_submission(file.read_bytes())


def test_another_address_for_the_form_is_not_followed(browser, served, tmp_path):
    server, _ = served(written_design(tmp_path, "identification"))
    browser.open(server.address, "?assignmentId=a1&workerId=w1&turkSubmitTo=https%3A%2F%2Fevil.example")
    to_instructions(browser)
    at(browser, "instructions")
    browser.click(MAIN)
    while browser.evaluate(SCREEN) == "trial":
        answer_by_mouse(browser, 0)
    browser.click(MAIN)
    at(browser, "thanks")
    assert browser.evaluate("document.querySelector('form')") is None
    assert "evil" not in browser.evaluate("document.body.innerHTML")


def test_nothing_in_a_design_runs_as_a_script(browser, tmp_path):
    evil = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
    page = write_page(written_design(tmp_path, "opinion", evil), tmp_path / "page", headphones="none", embed=True)
    assert not (page.parent / "sounds").exists()
    browser.open(page, "?session=1&rater=%3Cimg%20src%3Dx%20onerror%3D%22window.hacked%3D3%22%3E")
    to_instructions(browser)
    at(browser, "instructions")
    assert evil in browser.evaluate("document.getElementById('screen').textContent")
    browser.click(MAIN)
    answer_by_mouse(browser, 0)
    assert browser.evaluate("window.hacked === undefined")
    # What a script would add is refused by the page's own policy.
    refused = browser.evaluate(
        "(() => { const added = document.createElement('script'); added.textContent = 'window.hacked = 4';"
        " document.body.append(added); return window.hacked === undefined; })()"
    )
    assert refused


def test_a_sound_that_something_else_stopped_can_be_played_again(browser, tmp_path):
    page = write_page(written_design(tmp_path, "opinion"), tmp_path / "page")
    keep = "window.made = []; const own = Audio; window.Audio = function () { const each = new own();"
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=f"{keep} window.made.push(each); return each; }};")
    browser.open(page, "?session=1")
    to_instructions(browser)
    at(browser, "headphones")
    browser.click(f"{PLAY}[0]")
    browser.wait_for("window.made.at(-1).currentTime > 0")
    # As a telephone that rings, or a key for media.
    browser.evaluate("window.made.at(-1).pause()")
    browser.wait_for(f"!{PLAY}[0].classList.contains('playing')")
    assert not browser.evaluate(MAY_ANSWER)
    browser.click(f"{PLAY}[0]")
    browser.wait_for(MAY_ANSWER)


def test_a_browser_that_keeps_nothing_is_told_of(browser, tmp_path):
    page = write_page(written_design(tmp_path, "identification"), tmp_path / "page", headphones="none")
    refuse = "Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError'); };"
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=refuse)
    browser.open(page, "?session=1")
    at(browser, "consent")
    assert not browser.evaluate("document.getElementById('memory').hidden")
    to_instructions(browser)
    at(browser, "instructions")
    browser.click(MAIN)
    while browser.evaluate(SCREEN) == "trial":
        answer_by_mouse(browser, 1)
    browser.click(MAIN)
    at(browser, "download")
    browser.click("document.querySelectorAll('#screen button')[1]")
    at(browser, "thanks")
    assert [answer.response for answer in parse_submission(downloaded(browser, "json")).answers] == ["wash"] * 3


def test_everybody_can_use_the_page(browser, tmp_path):
    page = write_page(written_design(tmp_path, "opinion"), tmp_path / "page")
    media = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.call("Emulation.setEmulatedMedia", features=media)
    browser.open(page, "?session=1")
    assert browser.evaluate("document.documentElement.lang") == "en"
    for screen in ("consent", "language", "headphones"):
        at(browser, screen)
        assert nameless(browser) == []
        # Where one is, is said: the heading has the focus.
        assert browser.evaluate("document.activeElement.tagName") == "H1"
        assert "A small test" in browser.evaluate("document.title")
        if screen == "language":
            browser.click(MAIN)
            assert browser.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
            browser.call("Input.insertText", text="Welsh")
        if screen != "headphones":
            browser.click(MAIN)
    for element in ("h1", ".status", ".where", ".play", "label.choice span", ".keys", "button[type=submit]"):
        assert contrast(browser, f"document.querySelector('{element}')") >= 4.5, element
    assert browser.evaluate(f"getComputedStyle({PLAY}[0]).transitionDuration") == "0s"
    assert browser.evaluate("document.querySelector('.status').getAttribute('role')") == "status"


def test_two_windows_do_not_write_over_each_other(browser, served, tmp_path):
    server, _ = served(written_design(tmp_path, "opinion"))
    browser.open(server.address, "?rater=ann")
    at(browser, "consent")
    with browser.other_window(server.address, "?rater=ann"):
        at(browser, "consent")
        browser.click(MAIN)
        at(browser, "language")
    at(browser, "problem")
    browser.click("document.querySelector('#screen button')")
    at(browser, "language")


def test_a_number_chooses_for_whoever_has_clicked_to_play(browser, served, tmp_path):
    server, _ = served(written_design(tmp_path, "opinion"))
    browser.open(server.address)
    to_instructions(browser)
    at(browser, "instructions")
    browser.click(MAIN)
    at(browser, "trial")
    browser.click(f"{PLAY}[0]")
    browser.wait_for(MAY_ANSWER)
    assert browser.evaluate("document.activeElement.className").startswith("play")
    browser.press(*digit(4))
    assert browser.evaluate("document.querySelector('input:checked').value") == "4"
    browser.press(*ENTER)
    at(browser, "after_practice")


def test_a_page_that_is_shown_as_it_was_left_knows_what_was_answered_since(browser, served, tmp_path):
    server, _ = served(written_design(tmp_path, "identification"))
    browser.open(server.address, "?rater=ann")
    to_instructions(browser)
    at(browser, "instructions")
    key = "Object.keys(localStorage).find((each) => localStorage[each].startsWith('{'))"
    browser.evaluate(f"localStorage[{key}] = localStorage[{key}].replace('instructions', 'comment')")
    browser.evaluate("window.beforeReload = true")
    browser.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    browser.wait_for("window.beforeReload === undefined")
    at(browser, "comment")
    assert browser.dialogs() == []


def test_whoever_has_not_submitted_the_task_is_asked_before_leaving_it(browser, tmp_path):
    page = write_page(written_design(tmp_path, "identification"), tmp_path / "page", headphones="none")
    browser.emulate_phone()
    browser.open(page, "?assignmentId=a1&workerId=w1&turkSubmitTo=https%3A%2F%2Fwww.mturk.com")
    to_instructions(browser)
    at(browser, "instructions")
    browser.click(MAIN)
    while browser.evaluate(SCREEN) == "trial":
        answer_by_mouse(browser, 0)
    browser.click(MAIN)
    at(browser, "thanks")
    assert nothing_is_wider_than_the_screen(browser)
    # There is no code, and closing the page would lose the answers.
    said = browser.evaluate("document.getElementById('screen').textContent")
    assert "reach us only then" in said
    assert "close" not in said
    browser.reload()
    assert browser.dialogs() == ["beforeunload"]
    at(browser, "thanks")
    assert (
        len(parse_submission(browser.evaluate("document.querySelector('form').layerstats_answers.value")).answers) == 3
    )


def test_long_words_and_words_from_right_to_left_have_their_place(browser, tmp_path):
    word = "Unterscheidungsmerkmalsbeschreibung" * 8
    arabic = "\u0643\u0644\u0645\u0629 (A)"
    page = write_page(written_design(tmp_path, "opinion", f"{word}\n\n{arabic}"), tmp_path / "page", headphones="none")
    for width in (1250, 390):
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        browser.open(page, f"?session=1&rater=r{width}")
        to_instructions(browser)
        at(browser, "instructions")
        assert nothing_is_wider_than_the_screen(browser)
        (side,) = browser.evaluate(
            "[...document.querySelectorAll('p')].filter((each) => each.textContent === 'ARABIC').map((each) => {"
            " const range = document.createRange(); range.selectNodeContents(each);"
            " return each.getBoundingClientRect().right - range.getBoundingClientRect().right; })".replace(
                "ARABIC", arabic
            )
        )
        assert abs(side) < 2
        browser.click(MAIN)
        at(browser, "trial")
        assert nothing_is_wider_than_the_screen(browser)
