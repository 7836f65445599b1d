"""What is wrong with rows, collected: nothing is dropped without standing here."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.tables.answers import PROBLEM_COLUMNS


class RowProblems:
    """Problems of the rows of a table, and the rows that are left."""

    def __init__(self, table: pd.DataFrame, found: pd.DataFrame) -> None:
        self.table = table
        self._found = [found]

    def report(self, rows: np.ndarray, problem: str, value: str = "answer", kept: bool = False) -> None:
        """Note that rows have a problem; leave them out unless they are kept.

        Parameters
        ----------
        rows : ndarray of bool (row,)
            Which rows of the table.
        problem : str
            What is wrong.
        value : str
            The column that shows it.
        kept : bool
            Whether they stay in the table.
        """
        if not rows.any():
            return
        bad = self.table.loc[rows]
        self._found.append(bad.assign(problem=problem, value=bad[value].astype(str), kept=kept))
        if not kept:
            self.table = self.table.loc[~rows].reset_index(drop=True)

    def all(self) -> pd.DataFrame:
        """Return every problem, in the order of files and rows."""
        parts = [part.reindex(columns=list(PROBLEM_COLUMNS)) for part in self._found if len(part)]
        if not parts:
            return pd.DataFrame({column: pd.Series(dtype=object) for column in PROBLEM_COLUMNS})
        every = pd.concat(parts, ignore_index=True)
        every = every.assign(kept=every["kept"].astype(bool), source_row=every["source_row"].astype("int64"))
        return every.sort_values(["source_file", "source_row"], kind="stable", ignore_index=True)


def told(count: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> told(1, "row"), told(2, "row"), told(0, "answer of", "answers of")
    ('1 row', '2 rows', '0 answers of')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def problem_notes(problems: pd.DataFrame) -> list[str]:
    """Return a sentence a kind of problem: how many rows, of how many raters, and whether they are kept."""
    notes = []
    for problem, kept in problems[["problem", "kept"]].drop_duplicates().itertuples(index=False):
        own = problems.loc[(problems["problem"] == problem) & (problems["kept"] == kept)]
        raters = set(own["rater"].dropna())
        whose = f" of {told(len(raters), 'rater')}" if raters else ""
        notes.append(f"{told(len(own), 'row')}{whose}: {problem}, {'kept' if kept else 'left out'}.")
    return notes
