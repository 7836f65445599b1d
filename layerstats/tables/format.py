"""Numbers as a paper prints them. Files of data keep full precision; only LaTeX and HTML come by here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.tables.glossary import glossary
from layerstats.tables.readable_names import readable_name, readable_term

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EN DASH}"
DECIMALS = {"estimate": 4, "seconds": 4, "score": 2}
# Less than this is what rounding left of zero.
ROUNDING = 1e-12
# Names under which something is found again, in a corpus, a store or a folder, and whatever somebody said or wrote.
FOUND_AGAIN = {
    *(
        "token",
        "word",
        "speaker",
        "split",
        "sex",
        "dialect",
        "sentence",
        "label",
        "phone",
        "letter",
        "utterance",
        "code",
    ),
    *("layer", "layer_1", "layer_2", "recording", "recording_1", "recording_2", "activation", "feature", "formula"),
    *("clip", "rater", "session", "target", "expected", "comment", "source_file", "start_name", "stored"),
}


@dataclass(frozen=True)
class PrintTable:
    """A table as print shows it: plain Unicode text, not yet LaTeX or HTML.

    `inner_headings` are the indices of rows that are headings themselves, above a second part of the table.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right_aligned: tuple[bool, ...]
    inner_headings: frozenset[int] = field(default_factory=frozenset)
    note: str = ""


def format_value(value: object, style: str) -> str:
    r"""Write one value as print shows it.

    Parameters
    ----------
    value
        A number, a text, True or False, or a missing value.
    style : {"estimate", "p", "score", "integer", "seconds", "place", "general", "text"}
        As in the glossary: estimates have 4 decimals, p-values are "< 0.0001" below that, scores have 2 decimals,
        places 4 digits.

    Examples
    --------
    >>> format_value(31.71384, "estimate"), format_value(2e-16, "p"), format_value(0.0093, "p")
    ('31.7138', '<\xa00.0001', '0.0093')
    >>> format_value(0.00002, "estimate"), format_value(185.0848, "place")
    ('2.0e-05', '185.1')
    """
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if not isinstance(value, (int, float, np.integer, np.floating)):
        return str(value)
    return _format_number(float(value), style).replace("-", MINUS, 1 if value < 0 else 0)


def _format_number(number: float, style: str) -> str:
    if style == "p":
        # No line breaks within it.
        return "<\N{NO-BREAK SPACE}0.0001" if number < 0.0001 else f"{number:.4f}"
    if style == "integer":
        return f"{number:.0f}"
    if style == "place":
        return f"{number:.4g}"
    if style not in DECIMALS or math.isinf(number):
        return f"{number:.6g}"
    decimals = DECIMALS[style]
    # An estimate that is not zero never prints as zero: activations of late layers are small.
    if ROUNDING < abs(number) < 0.5 * 10**-decimals:
        return f"{number:.1e}"
    return f"{number if abs(number) > ROUNDING else 0.0:.{decimals}f}"


def print_table(
    frame: pd.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    most_rows: int | None = None,
    as_words: bool = True,
) -> PrintTable:
    """Turn a checked frame into what print shows.

    Parameters
    ----------
    frame
        Columns of the glossary; others are the user's and keep their names.
    columns
        The columns to show, in this order; all by default.
    labels
        Headings that differ from the glossary's, for instance `{"statistic": "t-value"}`.
    most_rows
        Print no more than this many rows, and say so in a note.
    as_words
        Whether identifiers are read as words; see `in_words`.

    Raises
    ------
    ArgumentError
        If `columns` or `labels` name a column that is not there.

    Examples
    --------
    >>> table = print_table(pd.DataFrame({"null": ["zero_steps"], "estimate": [-67.372]}))
    >>> table.headings, table.rows
    (('Null', 'Estimate'), (('zero steps', '−67.3720'),))
    """
    labels = labels or {}
    shown = list(frame.columns) if columns is None else list(columns)
    for name in (*shown, *labels):
        if name not in frame.columns:
            present = ", ".join(map(repr, frame.columns))
            raise ArgumentError(f"Cannot print column {name!r}: the table has only {present}.")
    known = glossary().columns
    part = frame[shown] if most_rows is None else frame[shown].head(most_rows)
    cells = [_column_cells(str(name), pd.Series(part[name]), as_words) for name in shown]
    left_out = len(frame) - len(part)
    note = f"The first {len(part)} of {len(frame)} rows; all are in the CSV file." if left_out else ""
    return PrintTable(
        headings=tuple(labels.get(name) or (known[name].label if name in known else name) for name in shown),
        rows=tuple(zip(*cells, strict=True)),
        right_aligned=tuple(pd.api.types.is_numeric_dtype(frame[name]) for name in shown),
        note=note if len(frame) else "There is none.",
    )


def _column_cells(name: str, values: pd.Series, as_words: bool) -> list[str]:
    style = _style(values)
    cells = [format_value(value, style) for value in values.tolist()]
    return [in_words(name, cell) for cell in cells] if as_words else cells


def in_words(column: str, text: str) -> str:
    """Return what a column of the glossary says as people read it; names that are looked up elsewhere stay as they are.

    Examples
    --------
    >>> in_words("null", "random_direction"), in_words("token", "f1_ask"), in_words("options", '{"most_share": 0.25}')
    ('random direction', 'f1_ask', 'most share 0.25')
    """
    if column not in glossary().columns or column in FOUND_AGAIN:
        return text
    if column == "term":
        return readable_term(text)
    if column == "options" and text.startswith("{"):
        return ", ".join(f"{readable_name(name)} {value}" for name, value in json.loads(text).items())
    return readable_name(text)


def _style(values: pd.Series) -> str:
    column = glossary().columns.get(str(values.name))
    if column is None:
        return "general"
    if column.units == "degrees of freedom" and pd.api.types.is_numeric_dtype(values):
        # "Speakers, less one" is a count.
        present = values.dropna().to_numpy(dtype=float)
        present = present[np.isfinite(present)]
        return "integer" if present.size and np.all(np.mod(present, 1) == 0) else column.style
    return column.style
