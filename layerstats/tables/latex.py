r"""Tables in LaTeX, for `\input` under booktabs."""

from __future__ import annotations

from collections.abc import Sequence

from layerstats.tables.format import PrintTable

# Longer tables break over pages (longtable) instead of running off one.
ROWS_OF_A_PAGE = 45

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
    r"""Write a table environment with booktabs rules.

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
    body = _header(table) + _body(table)
    alignment = "".join("r" if right else "l" for right in table.right_aligned)
    caption_line = rf"\caption{{{escape_latex(caption)}}}\label{{tab:{label}}}"
    if len(table.rows) > ROWS_OF_A_PAGE:
        packages = "booktabs, longtable"
        lines = [rf"\begin{{longtable}}{{{alignment}}}", caption_line + r"\\", *body, r"\end{longtable}"]
    else:
        packages = "booktabs"
        tabular = [rf"\begin{{tabular}}{{{alignment}}}", *body, r"\end{tabular}"]
        lines = [r"\begin{table}", r"\centering", caption_line, *tabular, *_note(table), r"\end{table}"]
    return "\n".join([*_needs(packages, lines), *lines]) + "\n"


def _header(table: PrintTable) -> list[str]:
    repeat = [r"\endhead"] if len(table.rows) > ROWS_OF_A_PAGE else []
    return [r"\toprule", _row(table.headings), r"\midrule", *repeat]


def _body(table: PrintTable) -> list[str]:
    lines = []
    for index, row in enumerate(table.rows):
        if index in table.inner_headings:
            lines += [r"\midrule", _row(row), r"\midrule"]
        else:
            lines.append(_row(row))
    if table.note and len(table.rows) > ROWS_OF_A_PAGE:
        lines += [
            r"\midrule",
            rf"\multicolumn{{{len(table.headings)}}}{{l}}{{\footnotesize {escape_latex(table.note)}}} \\",
        ]
    return [*lines, r"\bottomrule"]


def _note(table: PrintTable) -> list[str]:
    return [rf"\par\smallskip{{\footnotesize {escape_latex(table.note)}}}"] if table.note else []


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(escape_latex, cells)) + r" \\"


def _needs(packages: str, lines: list[str]) -> list[str]:
    needs = [f"% Needs the packages {packages}."]
    # pdflatex knows the letters of Latin-1 but no phonetic letters.
    foreign = sorted({character for line in lines for character in line if ord(character) > 0xFF})
    if foreign:
        needs.append(f"% Needs XeLaTeX or LuaLaTeX and a font with the characters {' '.join(foreign)}.")
    return needs
