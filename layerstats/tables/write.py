"""One frame, three files: CSV to compute with, LaTeX and HTML to read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from layerstats.files import replacing
from layerstats.spreadsheets import safe_for_spreadsheets
from layerstats.tables.check import check_frame
from layerstats.tables.format import PrintTable
from layerstats.tables.html import html_page, html_table
from layerstats.tables.latex import latex_table
from layerstats.tables.paper import paper_table
from layerstats.tables.screen import screen_table

# What print shows of a long table; the CSV file has all rows.
MOST_ROWS = 200


@dataclass(frozen=True)
class TableFiles:
    """Where a table was written.

    Examples
    --------
    >>> TableFiles(Path("effects.csv"), Path("effects.tex"), Path("effects.html")).latex.name
    'effects.tex'
    """

    csv: Path
    latex: Path
    html: Path


def write_table(
    frame: pd.DataFrame,
    stem: str | Path,
    *,
    title: str,
    caption: str = "",
    kind: str | None = None,
    user_columns: Collection[str] = (),
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    spreadsheet: bool = False,
) -> TableFiles:
    """Check a frame against the glossary and write it as CSV, LaTeX and HTML.

    Parameters
    ----------
    frame
        A tidy result.
    stem
        Path without suffix; its folder is made. Files of that name are replaced.
    title, caption
        What the table is, and what the reader should know.
    kind, user_columns
        See `check_frame`.
    columns
        The columns that LaTeX and HTML show, in this order. The CSV file always has all of them. By default HTML shows
        all, those that are needed most first (see `screen_table`), and LaTeX those that a page has room for (see
        `paper_table`).
    labels
        Headings for LaTeX and HTML that differ from the glossary's.
    spreadsheet
        Whether text of the CSV file that a spreadsheet would take for a formula is made safe, see `write_csv`.

    Returns
    -------
    TableFiles
        CSV at full precision, p-values as numbers; LaTeX (booktabs) and HTML with 4 decimals and "< 0.0001".

    Raises
    ------
    DataError
        If the frame does not agree with the glossary.
    FileError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> frame = pd.DataFrame({"layer": ["conv1", "conv2"], "effect_size": [0.4, 0.9]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = write_table(frame, f"{folder}/effects", title="Effect sizes")
    ...     print(files.csv.read_text())
    layer,effect_size
    conv1,0.4
    conv2,0.9
    """
    frame = check_frame(frame, kind, user_columns=user_columns)
    page = screen_table(frame, columns=columns, labels=labels, most_rows=MOST_ROWS)
    paper = paper_table(frame, columns=columns, labels=labels, most_rows=MOST_ROWS)
    return write_files(frame, page, paper, stem, title=title, caption=caption, spreadsheet=spreadsheet)


def write_files(
    frame: pd.DataFrame,
    page: PrintTable,
    paper: PrintTable,
    stem: str | Path,
    *,
    title: str,
    caption: str,
    spreadsheet: bool = False,
) -> TableFiles:
    """Write the files of a frame that was checked, and of what HTML and LaTeX show of it."""
    stem = Path(stem)
    name = stem.name
    files = TableFiles(*(stem.with_name(f"{name}.{suffix}") for suffix in ("csv", "tex", "html")))
    write_csv(frame, files.csv, spreadsheet=spreadsheet)
    sentence = one_sentence(title, caption)
    # Two folders of one page may hold a table of the same name.
    identifier = re.sub(r"[^A-Za-z0-9]+", "-", f"{stem.parent.name} {name}")
    with replacing(files.latex) as partial:
        partial.write_text(latex_table(paper, caption=sentence, label=identifier), encoding="utf-8")
    with replacing(files.html) as partial:
        partial.write_text(html_page(html_table(page, identifier=f"table-{identifier}"), title), encoding="utf-8")
    return files


def one_sentence(title: str, caption: str) -> str:
    """Return a title with its caption after it.

    Examples
    --------
    >>> one_sentence("Levels", "Per layer."), one_sentence("Did it learn?", "")
    ('Levels. Per layer.', 'Did it learn?')
    """
    ended = title if title.endswith(("?", "!")) else f"{title.rstrip('.')}."
    return f"{ended} {caption}".strip()


def write_csv(frame: pd.DataFrame, path: str | Path, *, spreadsheet: bool = False) -> None:
    """Write a table as CSV at full precision; whole numbers are written as such, 16 and not 16.0.

    Parameters
    ----------
    frame
        The table.
    path
        The file, which is replaced whole or not at all; its folder is made. One that ends in ``.gz`` is compressed.
    spreadsheet
        Put an apostrophe before text that a spreadsheet would take for a formula; for whatever strangers wrote.

    Raises
    ------
    FileError
        It cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv(pd.DataFrame({"df": [15.0, 14.25], "rho": [0.1, None]}), Path(folder) / "a.csv")
    ...     print((Path(folder) / "a.csv").read_text())
    df,rho
    15,0.1
    14.25,
    <BLANKLINE>
    """
    path = Path(path)
    if spreadsheet:
        frame = safe_for_spreadsheets(frame)
    with replacing(path) as partial:
        frame.to_csv(partial, index=False, lineterminator="\n", float_format=_shortest, compression=_compression(path))


def _compression(path: Path) -> Literal["gzip"] | None:
    return "gzip" if path.suffix == ".gz" else None


def _shortest(number: float) -> str:
    return repr(float(number)).removesuffix(".0")
