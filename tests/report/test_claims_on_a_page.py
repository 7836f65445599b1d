"""What a page says of claims: rows in words and numbers, and pictures that say in words what they show."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from layerstats.report import Output, write_page

_MADE = runpy.run_path(str(Path(__file__).with_name("claim_frames.py")))
claim_frames = _MADE["claim_frames"]
ROW = re.compile(r'<tr role="row" id=[^>]+>\n<th role="rowheader".*?\n</tr>', re.DOTALL)


def rows_of(folder, claims, name="phones"):
    Output(folder / name, title=name).claims(claims)
    text = write_page(folder, "Results").read_text(encoding="utf-8")
    return text, ROW.findall(text)


def test_a_row_says_what_was_found_how_surely_and_against_what(tmp_path):
    text, (row,) = rows_of(tmp_path, claim_frames({}))
    assert "One claim: 1 holds." in text
    for said in ("holds", "0.82", "[0.61,\u00a01.03]", "RMS difference in token SDs; 95\u00a0% interval", "0.0004"):
        assert f">{said}<" in row or f"> {said}<" in row or f"</b> {said}" in row, said
    for said in ("5 layers, Holm", "0.10 to 0.32", "20 untrained networks; adjusted p 0.0480"):
        assert f">{said}<" in row, said
    assert (
        'aria-label="RMS difference in token SDs: 0.82 [0.61,\u00a01.03]; 20 untrained networks: 0.10 to 0.32"' in row
    )
    # The table of claims stands on the first screen, and nowhere else.
    assert text.count("[s] and [ʃ] differ at conv3, and the network learned it</span>") == 1
    assert '<details class="table">' not in text


def test_what_failed_is_told_in_the_row_whatever_the_verdict(tmp_path):
    failed = {"failed_checks": "residuals are autocorrelated; <few> speakers"}
    changes = [{**failed, "verdict": verdict, "claim_key": verdict} for verdict in ("fails a check", "not shown")]
    text, rows = rows_of(tmp_path, claim_frames(*changes))
    assert "Of 2 claims 1 fails a check, 1 lacks evidence." in text
    for row in rows:
        assert "But: residuals are autocorrelated</span>" in row
        assert "But: &lt;few&gt; speakers</span>" in row
        assert 'class="estimate open"' in row


def test_other_choices_are_points_and_a_table_and_words(tmp_path):
    _, (row,) = rows_of(tmp_path, claim_frames({}))
    assert row.count('class="chosen"') == 1
    assert row.count('class="other"') == 2
    assert row.count('class="zero"') == 2
    assert "<summary>3 other choices: 0.40 to 0.78; p at most 0.0010; 1 not computed</summary>" in row
    assert "engine, mgcv: not computed" in row
    assert "<td>speakers (reported)</td>" in row
    assert "R is not there." in row
    _, (row,) = rows_of(tmp_path, claim_frames({}, choices=()))
    assert "none tried" in row


def test_comparable_claims_share_an_axis(tmp_path):
    halves = {"estimate": 0.41, "conf_low": 0.3, "conf_high": 0.5, "claim_key": "half"}
    other = {"estimate": 41.0, "conf_low": 30.0, "conf_high": 50.0, "claim_key": "other", "effect": "steps"}
    _, rows = rows_of(tmp_path, claim_frames({}, halves, other, choices=()))
    places = [float(re.search(r'class="estimate[^"]*" cx="([^"]+)"', row).group(1)) for row in rows]
    zeros = {re.search(r'class="zero" x1="([^"]+)"', row).group(1) for row in rows}
    assert zeros == {"8.0"}
    assert places[1] - 8 == pytest.approx((places[0] - 8) / 2, abs=0.1)
    assert places[2] > places[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan}, "<b>not computed</b>"),
        ({"estimate": np.inf}, "<b>∞</b>"),
        ({"conf_low": -np.inf, "conf_high": np.inf}, "[\N{MINUS SIGN}∞,\u00a0∞]"),
        ({"null": "", "null_low": np.nan, "null_high": np.nan, "null_p_adjusted": np.nan}, ">none<"),
        ({"p_adjusted": np.nan}, ">\N{EN DASH}<"),
        ({"claim": "<script>alert(1)</script>"}, "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ({"sources": "nothing, of, that"}, ">5 layers, Holm<"),
    ],
)
def test_what_is_not_known_or_strange_is_said(tmp_path, change, said):
    text, (row,) = rows_of(tmp_path, claim_frames({**change}))
    assert said in row
    assert "nan" not in row
    assert "<script" not in text


def test_of_many_claims_the_page_begins_with_some(tmp_path):
    many = claim_frames(*({"claim_key": str(number)} for number in range(200)))
    text, rows = rows_of(tmp_path, many)
    assert len(rows) == 200
    assert "<summary>188 more of phones</summary>" in text
    # Beside others it is folded, with its counts: a short list stands above.
    for name in ("words", "zebras"):
        text, _ = rows_of(tmp_path, many, name)
    assert text.count('<details class="group">') == 3
    assert text.count("200 hold</span>") == 3


def test_without_claims_the_page_has_no_place_for_them(tmp_path):
    text, rows = rows_of(tmp_path, claim_frames())
    assert rows == []
    assert "What was found" not in text


def test_what_holds_comes_first_and_the_rest_keeps_its_order(tmp_path):
    verdicts = {"a": "not shown", "b": "fails a check", "c": "holds", "d": "fails a check"}
    changes = [{"claim": f"Claim {key}", "claim_key": key, "verdict": verdict} for key, verdict in verdicts.items()]
    text, rows = rows_of(tmp_path, claim_frames(*changes, choices=()))
    assert [re.search(r"Claim (\w)</span>", row).group(1) for row in rows] == ["c", "b", "d", "a"]
    assert text.count("an interval may leave out 0 where a claim is not shown") == 1
