"""What a script writes is read out of it without running it, so that its help cannot go stale."""

import pytest

from layerstats.cli.written_outputs import written_outputs
from layerstats.resources import bundled

SCRIPTS = sorted(bundled("analyses").glob("*.py"))
TEXT = """
TITLES = {"signed": "Shares", "absolute": "All"}

def main(output, letters, by):
    output.table(frame, "tests", "Tests of words")
    output.text("notes", "Notes", "...")
    output.claims(found)
    for sign, title in TITLES.items():
        output.figure(figure, f"{sign}_shares", title)
    for name, heading in {"first": "The first", "second": "The second"}.items():
        output.table(frame, name, heading, spreadsheet=True)
    for letter in letters:
        draw(output, f"letter_{letter}")
    output.figure(figure, "one" if by else "other", f"{by} at each layer")

def draw(output, place):
    output.figure(figure, place, "Where it comes from")
"""


def test_names_titles_and_patterns(tmp_path):
    file = tmp_path / "script.py"
    file.write_text(TEXT, encoding="utf-8")
    found = {one.name: one for one in written_outputs([file])}
    assert set(found) == {
        "tests", "notes", "claims", "sensitivity", "signed_shares", "absolute_shares", "letter_LETTER", "one", "other",
        "first", "second",
    }  # fmt: skip
    assert found["tests"].title == "Tests of words"
    assert found["tests"].kind == "table"
    assert found["one"].title == "… at each layer"
    assert (found["first"].title, found["second"].title) == ("The first", "The second")
    assert found["letter_LETTER"].is_name("letter_a")
    assert not found["signed_shares"].is_name("shares")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_say_what_they_write(script):
    """A name of which nothing is known before it is run would be any name."""
    found = written_outputs([script])
    assert {one.kind for one in found} & {"table", "figure"}
    assert [one.name for one in found if one.pattern == "*" and one.name != "TASK"] == []
