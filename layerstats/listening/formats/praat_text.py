"""Praat's text files: what counts in them are numbers, quoted strings and flags, whatever else is written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from layerstats.files import plain_stem

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


def drawn(text: str) -> str:
    """Return text as Praat draws it: its signs for italics and the like, and what divides buttons, stand as themselves.

    Examples
    --------
    >>> print(drawn("100 % a_b"))
    100 \\%  a\\_ b
    """
    text = text.replace("\\", "\\bs").replace("|", "/")
    for sign in "%#^_":
        text = text.replace(sign, f"\\{sign} ")
    return text


def stimulus_names(clips: Iterable[str]) -> dict[str, str]:
    """Return a name of a stimulus for each clip, without what Praat takes for something else.

    Examples
    --------
    >>> stimulus_names(["yes, 1", "yes; 1"])
    {'yes, 1': 'yes-1', 'yes; 1': 'yes-1_2'}
    """
    taken: set[str] = set()
    return {clip: plain_stem(clip, taken=taken) for clip in map(str, clips)}
