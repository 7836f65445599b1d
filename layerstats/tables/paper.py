"""What a printed page has room for: which columns of a table, in which size of type, on lines of which width."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from layerstats.tables.format import PrintTable, format_value, in_words, print_table
from layerstats.tables.glossary import Column, glossary

# Of the article class at 10 pt, on A4 and on letter paper alike.
TEXT_WIDTH = 345.0
# Widths of Computer Modern at 10 pt; what is not here counts as a wide letter.
_WIDTHS = {
    **dict.fromkeys("0123456789", 5.0),
    **dict.fromkeys(" \N{NO-BREAK SPACE}.,:;!'()ijlI[]|", 3.9),
    **dict.fromkeys("abcdeghknopquvxyz?$*/-\N{EN DASH}", 5.6),
    **dict.fromkeys("rsft", 4.0),
}
_WIDE, _WIDER = 7.9, 10.3
# Size, width against 10 pt, half the space between columns, height of a line.
SIZES = (
    ("", 1.0, 6.0, 12.0),
    (r"\small", 0.93, 4.0, 11.0),
    (r"\footnotesize", 0.86, 3.0, 9.5),
    (r"\scriptsize", 0.81, 2.0, 8.0),
)
# Text in cells wider than this may break over lines.
_BREAKABLE = 70.0
_NARROWEST = 55.0


@dataclass(frozen=True)
class PageLayout:
    """How a table is set so that it fits the page.

    Attributes
    ----------
    size
        The command for the size of type, empty for the normal one.
    separation
        Half the space between columns, in points.
    wrapped
        By index of column: the width, in points, at which its text breaks.
    stacked
        Whether the words of headings stand above each other.
    height
        Of the rows, in points.
    """

    size: str
    separation: float
    wrapped: Mapping[int, float]
    stacked: bool
    height: float


def text_width(text: str) -> float:
    """Return the width of a text in points, at 10 pt, rather too wide than too narrow.

    Examples
    --------
    >>> round(text_width("0.0123"), 1)
    28.9
    """
    return sum(_WIDTHS.get(character, _WIDER if character in "mwMW%@&" else _WIDE) for character in text)


def page_layout(table: PrintTable) -> PageLayout | None:
    """Return the largest type in which a table is no wider than the text, or None where none is small enough."""
    rows = table.rows
    bodies = [max((text_width(row[column]) for row in rows), default=0.0) for column in range(len(table.headings))]
    whole = [max(pair) for pair in zip(bodies, map(text_width, table.headings), strict=True)]
    heads = [_longest_word(heading) for heading in table.headings]
    needed = [max(pair) for pair in zip(bodies, heads, strict=True)]
    tried = [(SIZES[0], whole, False), *((size, needed, True) for size in SIZES)]
    for (size, factor, separation, line), widths, stacked in tried:
        if factor * sum(widths) <= TEXT_WIDTH - 2 * separation * len(widths):
            return PageLayout(size, separation, {}, stacked, line * len(rows))
    for size, factor, separation, line in SIZES[-2:]:
        wrapped = _wrapped(
            table,
            factor,
            [factor * width for width in bodies],
            [factor * width for width in heads],
            TEXT_WIDTH - 2 * separation * len(needed),
        )
        if wrapped is not None:
            lines = sum(
                max(
                    [1.0, *(1 + factor * text_width(row[column]) // (0.8 * width) for column, width in wrapped.items())]
                )
                for row in rows
            )
            return PageLayout(size, separation, wrapped, True, line * lines)
    return None


def _wrapped(
    table: PrintTable, factor: float, bodies: list[float], heads: list[float], room: float
) -> dict[int, float] | None:
    """Share out the room that is left among the columns of long texts."""
    breakable = [i for i, width in enumerate(bodies) if width > _BREAKABLE and not table.right_aligned[i]]
    fixed = sum(max(bodies[i], heads[i]) for i in range(len(bodies)) if i not in breakable)
    if not breakable or room - fixed < factor * _NARROWEST * len(breakable):
        return None
    # The longest word of a cell cannot break.
    least = {
        i: max([factor * _NARROWEST, heads[i], *(factor * _longest_word(row[i]) for row in table.rows)])
        for i in breakable
    }
    spare = room - fixed - sum(least.values())
    if spare < 0:
        return None
    wanted = {i: max(bodies[i] - least[i], 0.0) for i in breakable}
    total = sum(wanted.values()) or 1.0
    # Whole points, as they are written: rounded up, several columns are wider than the page together.
    return {i: float(math.floor(least[i] + min(wanted[i], spare * wanted[i] / total))) for i in breakable}


def _longest_word(text: str) -> float:
    # Not at no-break spaces, at which split() without an argument breaks too.
    return max(map(text_width, text.split(" ")))


def paper_table(
    frame: pd.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    most_rows: int | None = None,
) -> PrintTable:
    r"""Turn a checked frame into what a page has room for.

    Columns that say how all rows were made (the level and kind of intervals, the adjustment of p-values) move to the
    note below the table where they are the same in all rows; both ends of an interval share a column; and where the
    rest is too wide, the columns that the glossary calls least needed are left to the CSV file, and named in the note.

    Parameters
    ----------
    frame, columns, labels, most_rows
        See `print_table`. `columns` are kept whatever their width.

    Examples
    --------
    >>> frame = pd.DataFrame({"term": ["wordB"], "conf_low": [-75.0], "conf_high": [-60.0], "conf_level": [0.95]})
    >>> table = paper_table(frame)
    >>> table.headings, table.rows, table.note
    (('Term', 'Interval'), (('wordB', '[−75.0000,\xa0−60.0000]'),), 'Confidence level: 0.95.')
    """
    known = glossary().columns
    chosen = list(frame.columns) if columns is None else list(columns)
    kept, remarks = (chosen, []) if columns is not None else _without_settings(frame, chosen)
    left_out: list[str] = []
    while True:
        shown, order = joined_intervals(frame, kept, labels or {})
        table = print_table(shown, columns=order, labels=interval_labels(shown, order, labels), most_rows=most_rows)
        least = least_needed(kept, known) if columns is None else None
        if least is None or page_layout(table) is not None:
            break
        kept.remove(least)
        left_out.append(least)
    if left_out:
        named = [known[name].label if name in known else name for name in reversed(left_out)]
        remarks.append(f"The CSV file has {', '.join(named) if len(named) < 5 else f'{len(named)} columns'} more.")
    note = " ".join([*remarks, *([table.note] if table.note else [])])
    return PrintTable(table.headings, table.rows, table.right_aligned, table.inner_headings, note)


def _without_settings(frame: pd.DataFrame, columns: list[str]) -> tuple[list[str], list[str]]:
    known = glossary().columns
    kept, remarks = [], []
    for name in columns:
        column = known.get(name)
        if column is None or column.paper != "setting":
            if column is None or column.paper != "never":
                kept.append(name)
            continue
        values = frame[name].dropna().unique()
        if len(values) == 1 and len(frame[name].dropna()) == len(frame):
            remarks.append(f"{column.label}: {in_words(name, format_value(values[0], column.style))}.")
    return kept, remarks


def least_needed(columns: Sequence[str], known: Mapping[str, Column]) -> str | None:
    """Return the next column to leave out, from the right, or None where there is only one."""
    ranks = {"last": 0, "if room": 1}
    if len(columns) == 1:
        return None
    return min(reversed(columns), key=lambda name: ranks.get(known[name].paper, 2) if name in known else 1)


def joined_intervals(
    frame: pd.DataFrame, columns: Sequence[str], labels: Mapping[str, str]
) -> tuple[pd.DataFrame, list[str]]:
    """Put both ends of each interval into one column of text, beside what it is the interval of."""
    known = glossary().columns
    frame, order = frame.copy(), list(columns)
    for low, high in glossary().ordered:
        if low not in order or high not in order or {low, high} & set(labels) or known[low].paper != "ends":
            continue
        style = known[low].style
        joined = [
            format_value(None, style)
            if pd.isna(a) or pd.isna(b)
            else f"[{format_value(a, style)},\N{NO-BREAK SPACE}{format_value(b, style)}]"
            for a, b in zip(frame[low].tolist(), frame[high].tolist(), strict=True)
        ]
        frame[low] = pd.Series(joined, index=frame.index, dtype=object)
        order.remove(high)
    return frame, order


def interval_labels(frame: pd.DataFrame, order: Sequence[str], labels: Mapping[str, str] | None) -> dict[str, str]:
    """Return the headings of intervals whose ends were joined, beside the given ones."""
    known = glossary().columns
    joined = {
        low: known[low].joined_label
        for low, high in glossary().ordered
        if low in order and high not in order and known[low].joined_label and frame[low].dtype == object
    }
    return {**joined, **(labels or {})}
