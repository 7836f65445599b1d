"""Results as text for a console: what a person sees on typing the name of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import ClassVar

import pandas as pd

from layerstats.tables.format import MINUS, MISSING, print_table

# What a console shows of a long table.
MOST_LINES = 20
_CONSOLE = str.maketrans({MINUS: "-", "\N{NO-BREAK SPACE}": " "})


def text_table(
    frame: pd.DataFrame,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    most_rows: int = MOST_LINES,
) -> str:
    """Write a frame as aligned text, numbers as print shows them and missing values as NA.

    Parameters
    ----------
    frame, columns, labels
        See `print_table`.
    most_rows
        Longer tables end in a line that says how many rows there are.

    Examples
    --------
    >>> print(text_table(pd.DataFrame({"term": ["wordB", "wordC"], "estimate": [-67.372, 3.0]})))
    Term   Estimate
    wordB  -67.3720
    wordC    3.0000
    """
    # Names at a console are those to look rows up by.
    table = print_table(frame, columns=columns, labels=labels, most_rows=most_rows, as_words=False)
    lines = [table.headings, *(tuple("NA" if cell == MISSING else cell for cell in row) for row in table.rows)]
    lines = [tuple(cell.translate(_CONSOLE) for cell in line) for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, table.right_aligned, strict=True)
        ).rstrip()
        for line in lines
    ]
    if len(frame) > most_rows:
        text.append(f"... {len(frame)} rows in all")
    return "\n".join(text)


class PrintedResult:
    """A result that prints as its main table, its notes, and the names of its other tables.

    Subclasses are dataclasses without a `repr` of their own that name their main tables in `main_tables`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, repr=False)
    ... class Effects(PrintedResult):
    ...     main_tables = ("table",)
    ...     table: pd.DataFrame
    ...     curves: pd.DataFrame
    >>> Effects(pd.DataFrame({"layer": ["conv1"], "edf": [7.25]}), pd.DataFrame({"edf": [1.0, 2.0]}))
    Effects
    <BLANKLINE>
    table:
    Layer     edf
    conv1  7.2500
    <BLANKLINE>
    Other tables: curves (2 rows)
    """

    main_tables: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        frames = {name: value for name, value in values.items() if isinstance(value, pd.DataFrame)}
        parts = [type(self).__name__]
        for name in self.main_tables:
            shown = frames.pop(name)
            # A column in which nothing is known tells a reader at the console nothing.
            shown = shown.loc[:, ~shown.isna().all()] if len(shown) else shown
            parts.append(f"{name}:\n{text_table(shown)}" if len(shown) else f"{name}: no rows")
        parts += [f"note: {note}" for note in values.get("notes") or ()]
        if frames:
            others = ", ".join(f"{name} ({len(frame)} rows)" for name, frame in frames.items())
            parts.append(f"Other tables: {others}")
        return "\n\n".join(parts)
