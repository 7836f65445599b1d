"""Tables as a page shows them: without the style sheet that each file of a table has for itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from layerstats.tables.paper import text_width

# A table with more rows than print shows is one to compute with: a page shows how it begins.
WHOLE_ROWS = 200
FIRST_ROWS = 10
# In points of 10-point type: a cell of this width breaks over lines, one that is much longer over longer lines.
LONG_TEXT, VERY_LONG_TEXT = 200.0, 800.0
# A name of some words, which is not squeezed to a word a line.
SOME_WORDS = 65.0
# Of a sheet of paper, in the type that tables have in print.
PAPER_WIDTH = 640.0


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and the classes of the page's style sheet that it belongs to."""

    text: str
    classes: str


@dataclass(frozen=True)
class ShownTable:
    """A table whose first cell of a row names it; a row that has one cell is a heading inside the table."""

    headings: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...]


class _TableParser(HTMLParser):
    """Reads headings, rows and the note of a table that great-tables wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[tuple[str, bool]] = []
        self.rows: list[list[str]] = []
        self.inner: set[int] = set()
        self.note = ""
        self._text: str | None = None
        self._right, self._part = False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("thead", "tbody", "tfoot"):
            self._part = tag
        if tag == "tr" and self._part == "tbody":
            self.rows.append([])
        if tag in ("th", "td"):
            self._text, self._right = "", "gt_right" in (given.get("class") or "")
            if self._part == "tbody" and "bold" in (given.get("style") or ""):
                self.inner.add(len(self.rows) - 1)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("th", "td") or self._text is None:
            return
        text = self._text.strip(" \n\t")
        if self._part == "thead":
            self.headings.append((text, self._right))
        elif self._part == "tbody":
            self.rows[-1].append(text)
        else:
            self.note = f"{self.note} {text}".strip()
        self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text += data


def shown_table(fragment: str, rows: int) -> ShownTable:
    """Return what a page shows of a table.

    Parameters
    ----------
    fragment
        HTML, as `layerstats.tables` writes it.
    rows
        How many rows the table has, of which the HTML may have the first only.
    """
    some = rows > WHOLE_ROWS
    parser = _TableParser()
    parser.feed(_beginning(fragment) if some else fragment.rpartition("</style>")[2])
    parser.close()
    body = parser.rows
    classes = _classes(parser.headings, body)
    notes = [re.sub(r"The first \d+ of \d+ rows; all are in the CSV file\.$", "", parser.note).strip()]
    notes += [f"The first {len(body)} of {rows:,} rows; all are in the CSV file."] if len(body) < rows and some else []
    return ShownTable(
        tuple(Cell(text, name) for (text, _), name in zip(parser.headings, classes, strict=True)),
        tuple(_row(row, classes, index in parser.inner) for index, row in enumerate(body)),
        tuple(note for note in notes if note),
    )


def _beginning(fragment: str) -> str:
    """Return a table with its first rows only: to read the others takes longer than the rest of the page."""
    head, _, body = fragment.rpartition("</style>")[2].partition("<tbody")
    rows, _, foot = body.partition("</tbody>")
    return f"{head}<tbody{'</tr>'.join(rows.split('</tr>', FIRST_ROWS)[:FIRST_ROWS])}</tr></tbody>{foot}"


def _row(texts: list[str], classes: list[str], inner: bool) -> tuple[Cell, ...]:
    return tuple(
        Cell(text, f"{name} {_length(text)}{' inner' if inner else ''}".strip())
        for text, name in zip(texts, classes, strict=True)
    )


def _length(text: str) -> str:
    width = text_width(text)
    if width > LONG_TEXT:
        return "longest" if width > VERY_LONG_TEXT else "long"
    return "words" if width > SOME_WORDS and " " in text and not text.startswith("[") else ""


def _classes(headings: list[tuple[str, bool]], rows: list[list[str]]) -> list[str]:
    """Return the classes of each column: numbers to the right, and what paper has no room for."""
    classes, used = [], 0.0
    for index, (heading, right) in enumerate(headings):
        texts = [max(heading.split(" "), key=text_width), *(row[index] for row in rows)]
        used += 10 + min(LONG_TEXT, max(map(text_width, texts)))
        kinds = (["number"] if right else []) + (["off-paper"] if used > PAPER_WIDTH and index else [])
        classes.append(" ".join(kinds))
    return classes
