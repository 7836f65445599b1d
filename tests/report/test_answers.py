"""What stands above the claims of several parts: one row of each, and what is left, by part."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from layerstats.report import Output, write_page
from layerstats.report.page.answers import MOST_ANSWERS

claim_frames = runpy.run_path(str(Path(__file__).with_name("claim_frames.py")))["claim_frames"]
ROW = re.compile(r"<a class=\"words\" href=\"#(?P<row>[^\"]+)\">(?P<claim>[^<]+)</a>(?P<rest>.*?)</tr>", re.DOTALL)
COUNTS = re.compile(r"<li><b>(?P<verdict>[^<]+):</b> (?P<parts>.*?)</li>")


def page_of(folder, **parts):
    """Return a page whose parts claim so: verdict, adjusted p, and the word for it, of each."""
    for name, (claims, notes) in parts.items():
        changes = [
            {"claim": claim, "claim_key": claim, "verdict": verdict, "p_adjusted": p_value}
            for claim, verdict, p_value in claims
        ]
        Output(folder / name, title=name.capitalize()).claims(claim_frames(*changes, choices=(), notes=notes))
    return write_page(folder, "Results", sections=tuple(parts)).read_text(encoding="utf-8")


def answers(text):
    return [(found["claim"], found["rest"], found["row"]) for found in ROW.finditer(text)]


def counted(text):
    return {found["verdict"]: re.findall(r"([A-Z]\w*)</a> (\d+)", found["parts"]) for found in COUNTS.finditer(text)}


def test_of_each_part_the_clearest_that_holds_is_said_in_the_order_of_the_page(tmp_path):
    text = page_of(
        tmp_path,
        words=([("w failing", "fails a check", 1e-30), ("w open", "not shown", 0.3)], ()),
        phones=([("p weak", "holds", 0.04), ("p clear", "holds", 1e-9), ("p open", "not shown", 0.9)], ()),
        codes=([("c unknown", "holds", np.nan), ("c clear", "holds", 0.01), ("c second", "holds", 0.01)], ()),
    )
    assert [claim for claim, _, _ in answers(text)] == ["p clear", "c clear"]
    rest = answers(text)[0][1]
    for said in ("<b>0.82</b> [0.61,\u00a01.03]", ">&lt;\u00a00.0001<", "RMS difference in token SDs", ">Phones</a>"):
        assert said in rest, said
    assert ">0.0100<" in answers(text)[1][1]
    assert counted(text) == {
        "More that holds": [("Phones", "1"), ("Codes", "2")],
        "Fails a check": [("Words", "1")],
        "Lacks evidence": [("Words", "1"), ("Phones", "1")],
    }
    assert "the one with the smallest adjusted p" in text


def test_every_link_leads_to_what_it_says(tmp_path):
    held = [("one", "holds", 0.01), ("other", "holds", 0.02), ("failing", "fails a check", 0.01)]
    text = page_of(tmp_path, phones=(held, ()), words=(held[::-1], ()))
    for target in re.findall(r'href="#([^"]+)"', text):
        assert text.count(f'id="{target}"') == 1, target
    (_, _, first), (_, _, second) = answers(text)
    for row in (first, second):
        assert re.search(rf'id="{row}">\n<th[^>]*>\n<span class="words">one</span>', text)
    assert text.count('<details class="group">') == 2


def test_of_many_parts_the_first_have_a_line_and_the_others_are_counted(tmp_path):
    number = MOST_ANSWERS + 3
    text = page_of(tmp_path, **{f"part{n:02d}": ([("it differs", "holds", 0.01)], ()) for n in range(number)})
    assert len(answers(text)) == MOST_ANSWERS
    assert counted(text) == {"More that holds": [(f"Part{n}", "1") for n in range(MOST_ANSWERS, number)]}


def test_where_nothing_holds_the_page_says_so_and_counts(tmp_path):
    text = page_of(tmp_path, phones=([("a", "not shown", 0.2)], ()), words=([("b", "not shown", 0.4)], ()))
    assert answers(text) == []
    assert "Of 2 claims 2 lack evidence." in text
    assert counted(text) == {"Lacks evidence": [("Phones", "1"), ("Words", "1")]}
    assert "the clearest" not in text


@pytest.mark.parametrize(("parts", "told"), [(("phones", "words"), 1), (("phones",), 1)])
def test_what_several_parts_say_of_their_claims_is_said_once(tmp_path, parts, told):
    shared = "Permuting whole speakers does not rely on the model."
    text = page_of(tmp_path, **{name: ([("a", "holds", 0.01)], (shared, f"Of {name}.")) for name in parts})
    assert text.count(shared) == told
    assert (f'{shared} <span class="count">(Phones, Words)</span>' in text) == (len(parts) == 2)
    assert all(text.count(f"Of {name}.") == 1 for name in parts)


def test_a_page_of_one_part_has_its_claims_open_and_no_list(tmp_path):
    text = page_of(tmp_path, phones=([("a", "holds", 0.01)], ()))
    assert answers(text) == []
    assert 'class="counts"' not in text
    assert '<details class="group"' not in text


def test_commands_in_notes_are_set_as_code_and_nothing_else_is_read_as_html(tmp_path):
    text = page_of(
        tmp_path, phones=([("a", "holds", 0.01)], ("See `layerstats resampling`, not <b>this</b> or ` alone.",))
    )
    assert "See <code>layerstats resampling</code>, not &lt;b&gt;this&lt;/b&gt; or ` alone." in text
