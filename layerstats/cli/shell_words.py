"""Messages of the library, which name Python's parameters, in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Collection

# What `layerstats gamm` calls the parameters of `fit`, `difference` and `read_table`.
_OPTIONS = {
    "engine": "--engine",
    "method": "--method",
    "rho": "--rho",
    "gaps": "--gaps",
    "family": "--family",
    "weights": "--weights",
    "knots": "--knots",
    "function": "--function",
    "na": "--na",
    "series": "--series",
    "order": "--order",
    "factors": "--factor",
    "ordered": "--ordered",
    "separator": "--separator",
    "decimal": "--decimal",
    "encoding": "--encoding",
    "missing": "--missing",
    "numeric": "--numeric",
    "sheet": "--sheet",
    "at": "--along or --at",
    "factor_columns": "--difference",
}
_VALUE = r"\"[^\"]*\"|'[^']*'|[-+.\w]+"
_QUOTED = r"(?:'([^']*)'|\"([^\"]*)\")"


def in_shell_words(message: str, columns: Collection[str] = ()) -> str:
    """Return `message` with options where it has parameters; names of `columns` stay as they are.

    Examples
    --------
    >>> in_shell_words("Say which: at={'column': grid}. Use rho='auto', or factors={'speaker': None}.")
    'Say which: --along COLUMN. Use --rho auto, or --factor speaker.'
    """
    text = message.replace("at={'column': grid}", "--along COLUMN").replace("missing=[]", "--missing ''")
    text = text.replace("read_table(), or decimal=','", "--decimal ,").replace("verify=True", "--verify")
    text = text.replace("discrete=True", "--discrete").replace("discrete=False", "no --discrete")
    text = re.sub(rf"at=\{{{_QUOTED}: value\}}", lambda found: f"--at {_word(found)}=VALUE", text)
    text = re.sub(rf"factors=\{{{_QUOTED}: None\}}", lambda found: f"--factor {_word(found)}", text)
    text = re.sub(rf"numeric=\[{_QUOTED}\]", lambda found: f"--numeric {_word(found)}", text)
    text = re.sub(r"Invalid value for the 'level of (.+?)' parameter", r"Invalid level of \1 in --difference", text)
    names = "|".join(_OPTIONS)
    text = re.sub(rf"[Tt]he '({names})' parameter", lambda found: _OPTIONS[found[1]], text)
    text = re.sub(rf"(?<![\w.])({names})=({_VALUE})", lambda found: f"{_OPTIONS[found[1]]} {_unquoted(found[2])}", text)
    for name, option in _OPTIONS.items():
        if name not in columns:
            text = re.sub(rf"(?<!olumn ){re.escape(repr(name))}", option, text)
    return text


def _word(found: re.Match[str]) -> str:
    word = found[1] if found[1] is not None else found[2]
    return word if re.fullmatch(r"[\w.]+", word) else f"'{word}'"


def _unquoted(value: str) -> str:
    return value.strip("'\"")
