"""What a screen has room for: which columns of a table stand first, and which are said below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from layerstats.tables.format import PrintTable, format_value, in_words, print_table
from layerstats.tables.glossary import Column, glossary
from layerstats.tables.paper import interval_labels, joined_intervals, text_width

# Of a window of 1250 pixels: what is wider than this, in points of 10-point type, is read by scrolling.
SCREEN_WIDTH = 1110.0
# What a column takes beside its text: the space about it, and what letters of a screen are wider than those of print.
SEPARATION = 32.0
# Long text breaks over lines of this width.
LONGEST = 190.0


def screen_table(
    frame: pd.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    most_rows: int | None = None,
) -> PrintTable:
    """Turn a checked frame into what is read on a screen: every column, those that are needed most first.

    Columns that are the same in all rows and say how they were made move to the note below the table, empty ones are
    named there, both ends of an interval share a column, and where the rest is wider than a window the columns that the
    glossary calls least needed stand behind the others. Adjusted p-values are the last to be moved there.

    Parameters
    ----------
    frame, columns, labels, most_rows
        See `print_table`. `columns` are kept as they are.

    Examples
    --------
    >>> table = screen_table(pd.DataFrame({"term": ["wordB", "wordC"], "conf_level": [0.95, 0.95], "note": ["", None]}))
    >>> table.headings, table.note
    (('Term',), 'Confidence level: 0.95. Empty: Note.')
    """
    if columns is not None:
        return print_table(frame, columns=columns, labels=labels, most_rows=most_rows)
    kept, remarks = _without_constants(frame, labels or {})
    shown, order = joined_intervals(frame, kept, labels or {})
    named = interval_labels(shown, order, labels)
    printed = print_table(shown, columns=order, labels=named, most_rows=most_rows)
    table = print_table(shown, columns=_needed_first(printed, order), labels=named, most_rows=most_rows)
    note = " ".join([*remarks, *([table.note] if table.note else [])])
    return PrintTable(table.headings, table.rows, table.right_aligned, table.inner_headings, note)


def _without_constants(frame: pd.DataFrame, labels: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the columns that differ between rows or say what a row is, and sentences about the others."""
    known = glossary().columns
    kept, same, empty = [], [], []
    for name in map(str, frame.columns):
        column = known.get(name)
        label = labels.get(name) or (column.label if column is not None else name)
        # Text that is missing is no text.
        values = frame[name].where(frame[name].notna(), "" if column is not None and column.kind == "text" else None)
        different = values.drop_duplicates()
        # Of a single row everything is the same: how it was made is said below, the rest is its result.
        if column is None or len(different) != 1:
            kept.append(name)
        elif pd.isna(different.iloc[0]) or different.iloc[0] == "":
            empty.append(label)
        elif column.paper == "setting" or (column.kind == "text" and column.paper != "always" and len(frame) > 1):
            same.append(f"{label}: {in_words(name, format_value(different.iloc[0], column.style))}.")
        else:
            kept.append(name)
    if not kept:
        return list(map(str, frame.columns)), []
    return kept, same + ([f"Empty: {', '.join(empty)}."] if empty else [])


def _needed_first(table: PrintTable, order: Sequence[str]) -> list[str]:
    """Return the columns in their order as far as a window is wide, then those that are needed least."""
    known = glossary().columns
    widths = {
        name: SEPARATION
        + min(LONGEST, max(map(text_width, [_longest_word(heading), *(row[index] for row in table.rows)])))
        for index, (name, heading) in enumerate(zip(order, table.headings, strict=True))
    }
    first = list(order)
    while sum(widths[name] for name in first) > SCREEN_WIDTH and len(first) > 1:
        # From the right; the first column says what a row is.
        first.remove(min(reversed(first[1:]), key=lambda name: _need(known.get(name))))
    return [*first, *(name for name in order if name not in first)]


def _need(column: Column | None) -> int:
    """Return how much a reader needs a column: adjusted p-values most, and how it was made least."""
    if column is None:
        return 1
    if column.style == "p" and "adjusted" in column.label and column.paper != "last":
        return 3
    return {"always": 2, "ends": 2, "if room": 1}.get(column.paper, 0)


def _longest_word(heading: str) -> str:
    return max(heading.split(" "), key=text_width)
