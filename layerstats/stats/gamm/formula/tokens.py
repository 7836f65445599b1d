"""The words and signs of an R formula, each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from layerstats.errors import FormulaError

_PATTERN = re.compile(
    r"""
    (?P<skip>[\s\u00a0]+|\#[^\n]*)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?L?)
  | (?P<name>(?:[^\W\d_]|\.(?!\d))[\w.]*)
  | (?P<quoted_name>`[^`\n]+`)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<operator>%[^%\n]*%|<-|<=|>=|==|!=|::|\*\*|[-~+*/^:(),=|<>!&\[\]{}$@])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """One word or sign: `kind` is ``number``, ``name``, ``string``, ``operator`` or ``end``; names may be `quoted`."""

    kind: str
    text: str
    position: int
    quoted: bool = False


def formula_error(text: str, position: int, problem: str) -> NoReturn:
    """Raise `FormulaError` with the line at fault and a caret under the place."""
    before = text[:position]
    row = before.count("\n")
    column = position - (before.rfind("\n") + 1)
    line = text.split("\n")[row]
    raise FormulaError(f"{problem}\n  {line}\n  {' ' * column}^")


def tokenize(text: str) -> list[Token]:
    """Split `text` into tokens; the last one is of kind ``end``.

    Raises
    ------
    FormulaError
        Where a character cannot start any word of the language.

    Examples
    --------
    >>> [token.text for token in tokenize("f2 ~ s(x, k=5)  # a comment")]
    ['f2', '~', 's', '(', 'x', ',', 'k', '=', '5', ')', '']
    """
    tokens = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            opened = text[position]
            problem = "This quotation is never closed" if opened in "\"'`" else f"Unexpected character {opened!r}"
            formula_error(text, position, f"{problem} in the formula:")
        kind = str(match.lastgroup)
        found = match.group()
        if kind == "quoted_name":
            tokens.append(Token("name", found[1:-1], position, quoted=True))
        elif kind != "skip":
            tokens.append(Token(kind, found, position))
        position = match.end()
    tokens.append(Token("end", "", len(text.rstrip())))
    return tokens


def r_code(tokens: Sequence[Token], names: Mapping[str, str] | None = None) -> str:
    """Return tokens as R code with the same meaning, on one line.

    Parameters
    ----------
    tokens
        As from `tokenize`.
    names
        Other names for columns.

    Examples
    --------
    >>> r_code(tokenize("y ~ mgcv::s(`my time`)  # a comment"), {"my time": "column_1"})
    'y ~ s ( column_1 )'
    """
    known = names or {}
    words = []
    for place, token in enumerate(tokens):
        following = tokens[place + 1].text if place + 1 < len(tokens) else ""
        # mgcv knows its smooths by their bare names only.
        if (token.text == "mgcv" and following == "::") or (token.text == "::" and words and words[-1] == ""):
            words.append("")
        elif token.kind == "name" and following not in ("(", "=", "::"):
            name = known.get(token.text, token.text)
            words.append(f"`{name}`" if token.quoted and name == token.text else name)
        else:
            words.append(token.text)
    return " ".join(filter(None, words))
