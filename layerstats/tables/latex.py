r"""Tables in LaTeX, for `\input` under booktabs."""

from __future__ import annotations

from collections.abc import Sequence

from layerstats.tables.format import PrintTable
from layerstats.tables.paper import PageLayout, page_layout

# In points: higher tables break over pages (longtable) instead of running off one. A caption and a note need room too.
HEIGHT_OF_A_TABLE = 370.0
BREAK = r"\\"

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    # Square brackets after \\ would be read as its option.
    '"': "''",
    "[": "{[}",
    "]": "{]}",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{GREEK SMALL LETTER RHO}": r"$\rho$",
    "\N{GREEK SMALL LETTER CHI}": r"$\chi$",
    "\N{SUPERSCRIPT TWO}": "$^2$",
    "\N{NO-BREAK SPACE}": "~",
    "\n": " ",
}


def escape_latex(text: str) -> str:
    r"""Write a text so that LaTeX prints it as it is.

    Examples
    --------
    >>> print(escape_latex("s(Sample):Word_1 & 50 %"))
    s(Sample):Word\_1 \& 50 \%
    """
    return "".join(_ESCAPES.get(character, character) for character in text)


def latex_table(table: PrintTable, *, caption: str, label: str) -> str:
    r"""Write a table environment with booktabs rules, no wider than the text of the article class.

    Parameters
    ----------
    table
        What to print.
    caption
        Plain text, escaped here.
    label
        What `\ref` names, as `tab:LABEL`: letters of ASCII, digits and hyphens.

    Returns
    -------
    str
        A fragment. Its first lines, comments, name the packages and the LaTeX engine that it needs.
    """
    # Columns that a caller insists on may be wider than a page: then the smallest type.
    layout = page_layout(table) or PageLayout(r"\scriptsize", 2.0, {}, True, 8.0 * len(table.rows))
    several_pages = layout.height > HEIGHT_OF_A_TABLE
    caption_line = rf"\caption{{{escape_latex(caption)}}}\label{{tab:{label}}}"
    begin = [
        r"\begingroup",
        *([layout.size] if layout.size else []),
        rf"\setlength{{\tabcolsep}}{{{layout.separation:g}pt}}",
    ]
    head = [r"\toprule", _headings(table, layout), r"\midrule"]
    body = [*_body(table), r"\bottomrule"]
    if several_pages:
        environment = rf"\begin{{longtable}}{{{_alignment(table, layout)}}}"
        lines = [
            *begin,
            environment,
            caption_line + r"\\",
            *head,
            r"\endhead",
            *body,
            r"\end{longtable}",
            *_note(table),
        ]
        lines.append(r"\endgroup")
    else:
        tabular = [rf"\begin{{tabular}}{{{_alignment(table, layout)}}}", *head, *body, r"\end{tabular}"]
        inner = [*begin, *tabular, r"\par", r"\endgroup"]
        lines = [r"\begin{table}", r"\centering", caption_line, *inner, *_note(table), r"\end{table}"]
    packages = ["booktabs", *(["longtable"] if several_pages else []), *(["array"] if layout.wrapped else [])]
    return "\n".join([*_needs(", ".join(packages), lines), *lines]) + "\n"


def _alignment(table: PrintTable, layout: PageLayout) -> str:
    letters = ["r" if right else "l" for right in table.right_aligned]
    for column, width in layout.wrapped.items():
        letters[column] = rf">{{\raggedright\arraybackslash}}p{{{width:.0f}pt}}"
    return "".join(letters)


def _headings(table: PrintTable, layout: PageLayout) -> str:
    cells = []
    for column, heading in enumerate(table.headings):
        text = escape_latex(heading)
        if layout.stacked and " " in heading and column not in layout.wrapped:
            side = "r" if table.right_aligned[column] else "l"
            text = rf"\shortstack[{side}]{{{text.replace(' ', BREAK)}}}"
        cells.append(text)
    return " & ".join(cells) + r" \\"


def _body(table: PrintTable) -> list[str]:
    lines = []
    for index, row in enumerate(table.rows):
        if index in table.inner_headings:
            lines += [r"\midrule", _row(row), r"\midrule"]
        else:
            lines.append(_row(row))
    return lines


def _note(table: PrintTable) -> list[str]:
    return [rf"\par\smallskip{{\footnotesize {escape_latex(table.note)}\par}}"] if table.note else []


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(escape_latex, cells)) + r" \\"


def _needs(packages: str, lines: list[str]) -> list[str]:
    needs = [f"% Needs the packages {packages}."]
    # pdflatex knows the letters of Latin-1 but no phonetic letters.
    foreign = sorted({character for line in lines for character in line if ord(character) > 0xFF})
    if foreign:
        needs.append(f"% Needs XeLaTeX or LuaLaTeX and a font with the characters {' '.join(foreign)}.")
    return needs
