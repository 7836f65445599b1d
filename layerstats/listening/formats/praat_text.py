"""Praat's text files: what counts in them are numbers, quoted strings and flags, whatever else is written."""

from __future__ import annotations

import re

# Praat reads a number where it stands free, text between quotes (doubled inside), and flags between angle brackets.
_TOKEN = re.compile(
    r'"((?:[^"]|"")*)"|<([A-Za-z0-9]+)>|(?<![^\s])([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|--undefined--)(?![^\s])'
)


def praat_tokens(text: str) -> list[str | float | bytes]:
    """Return what counts in a text file of Praat: text as str, numbers as float, flags as bytes.

    Examples
    --------
    >>> praat_tokens('stimulus = "a ""b"" c" result [2]: goodness = 4 randomize = <PermuteAll>')
    ['a "b" c', 4.0, b'PermuteAll']
    """
    found: list[str | float | bytes] = []
    for match in _TOKEN.finditer(text):
        if match[1] is not None:
            found.append(match[1].replace('""', '"'))
        elif match[2] is not None:
            found.append(match[2].encode())
        else:
            found.append(float("nan") if match[3].startswith("--") else float(match[3]))
    return found


def quoted(text: str) -> str:
    """Return text as Praat's text files have it.

    Examples
    --------
    >>> print(quoted('a "b" c'))
    "a ""b"" c"
    """
    return '"' + text.replace('"', '""') + '"'
