from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.plots import autocorrelation
from layerstats.report import Output, write_page


class Page(HTMLParser):
    """What a reader can follow: ids, links, images, headings; and whether tags are balanced."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.images, self.headings, self.open = [], [], [], [], []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "a":
            self.links.append(attrs["href"])
        if tag == "img":
            self.images.append(attrs)
        if tag in ("h2", "h3"):
            self.headings.append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data
        if self.open and self.open[-1] in ("h2", "h3"):
            self.headings[-1] += data


def fill(folder, title, rows=2):
    output = Output(folder, title=title, provenance={"seed": 1})
    output.table(pd.DataFrame({"estimate": np.arange(float(rows))}), "table", f"Table of {title}", "First.\n\nSecond.")
    lags = pd.DataFrame({"lag": [0, 1], "autocorrelation": [1.0, 0.2]})
    output.figure(autocorrelation(lags), "figure", f"Figure of {title}", alt='Falls & "stays" low', width=3, height=2)


def test_every_link_leads_somewhere_and_every_image_is_described(tmp_path):
    fill(tmp_path / "words", "Words")
    fill(tmp_path / "phones", "[s] & [ʃ] <b>")
    path = write_page(tmp_path, "Results", sections=["words", "phones"])
    assert path == tmp_path / "index.html"
    page = Page(path)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert (tmp_path / unquote(link)).is_file(), link
    assert {link for link in page.links if link.startswith("words/")} == {
        "words/table.csv", "words/table.tex", "words/table.html", "words/figure.png", "words/figure.svg",
    }  # fmt: skip
    assert [image["src"] for image in page.images] == ["words/figure.png", "phones/figure.png"]
    assert page.images[0]["alt"] == 'Falls & "stays" low'
    assert (page.images[0]["width"], page.images[0]["height"]) == ("288", "192")
    assert page.headings == [
        "Words", "Figure of Words", "Table of Words",
        "[s] & [ʃ] <b>", "Figure of [s] & [ʃ] <b>", "Table of [s] & [ʃ] <b>",
        "How this page was made",
    ]  # fmt: skip


def test_the_page_needs_no_network_and_no_script(tmp_path):
    fill(tmp_path / "words", "Words")
    text = write_page(tmp_path, "Results").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "http:" not in text
    assert "https:" not in text


def test_sections_stand_in_the_order_asked_for_and_others_follow(tmp_path):
    for name in ("a", "b", "c"):
        Output(tmp_path / name, title=name.upper()).text("note", f"Note {name}", "Text.")
    page = Page(write_page(tmp_path, "Results", sections=["c"]))
    assert [heading for heading in page.headings if len(heading) == 1] == ["C", "A", "B"]


def test_an_expected_section_without_results_is_named(tmp_path):
    fill(tmp_path / "words", "Words")
    page = Page(write_page(tmp_path, "Results", sections=["words", "phones"]))
    assert "phones" in page.headings
    assert page.text.count("Nothing was made here") == 1


def test_results_of_the_folder_itself_come_first(tmp_path):
    fill(tmp_path, "All")
    fill(tmp_path / "words", "Words")
    page = Page(write_page(tmp_path, "Results"))
    assert page.headings[:4] == ["All", "Figure of All", "Table of All", "Words"]
    assert "table.csv" in page.links


def test_of_tables_to_compute_with_the_page_shows_how_they_begin(tmp_path):
    fill(tmp_path / "long", "Long", rows=200)
    text = write_page(tmp_path, "Results").read_text(encoding="utf-8")
    assert text.count('<th scope="row"') == 200
    fill(tmp_path / "long", "Long", rows=14_000)
    text = write_page(tmp_path, "Results").read_text(encoding="utf-8")
    assert text.count('<th scope="row"') == 10
    assert text.count("The first 10 of 14,000 rows; all are in the CSV file.") == 1
    assert "14,000 rows</span>" in text
    assert "The first 200" not in text


def test_tables_stand_behind_figures_and_are_folded_and_parts_where_there_are_many(tmp_path):
    for number in range(4):
        fill(tmp_path / f"part{number}", f"Part {number}")
        text = write_page(tmp_path, "Results").read_text(encoding="utf-8")
        assert text.count('<details class="table">') == number + 1
        assert text.count('<details class="part" open>') == (number + 1 if number < 3 else 0)
    assert text.index("Figure of Part 0</h3>") < text.index("Table of Part 0</h3>")
    # Its contents are the parts, not what they hold.
    contents = text[text.index("<nav") : text.index("</nav>")]
    assert contents.count("<a ") == 4


def test_the_first_paragraph_stands_above_what_was_found_and_others_are_folded(tmp_path):
    fill(tmp_path / "words", "Words")
    text = write_page(tmp_path, "Results", introduction="TokenSound.\n\nHow.\n\nThird.").read_text(encoding="utf-8")
    folded = text[text.index('<details class="about">') :]
    assert "<p>TokenSound.</p>" in text
    assert "<p>TokenSound.</p>" not in folded
    assert "<p>How.</p>" in folded
    assert '<details class="about">' not in write_page(tmp_path, "R", introduction="One.").read_text(encoding="utf-8")


def test_how_it_was_made_is_on_the_page(tmp_path):
    fill(tmp_path / "words", "Words")
    text = Page(write_page(tmp_path, "R", introduction="One.\n\nTwo & three.", provenance={"corpus": "demo"})).text
    for fact in ("layerstats 0.", "Python 3.", "corpus", "demo", "UTC", "Two & three."):
        assert fact in text


def test_a_result_whose_file_was_deleted_is_left_out(tmp_path):
    fill(tmp_path / "words", "Words")
    (tmp_path / "words" / "figure.svg").unlink()
    page = Page(write_page(tmp_path, "Results"))
    assert "Figure of Words" not in page.headings
    assert "Table of Words" in page.headings


def test_analyses_may_run_at_the_same_time_in_folders_of_their_own(tmp_path):
    def run(name):
        output = Output(tmp_path / name, title=name)
        for number in range(20):
            output.text(f"note{number}", f"{name} {number}", "Text.")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, "abcd"))
    page = Page(write_page(tmp_path, "Results"))
    assert len(page.headings) == 4 * 21 + 1


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(ArgumentError, match="there is no folder"):
        write_page(tmp_path / "none", "Results")


def test_control_characters_of_labels_are_shown_as_replaced(tmp_path):
    Output(tmp_path, title="T").text("note", "a\0b", "c\x1b[31m")
    page = write_page(tmp_path, "T").read_text(encoding="utf-8")
    assert "a\ufffdb" in page
    assert not {"\0", "\x1b"} & set(page)
