"""The regression table of a GAMM: parametric coefficients above, smooth terms below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from layerstats.tables.check import check_frame
from layerstats.tables.format import PrintTable, print_table
from layerstats.tables.write import TableFiles, write_files

PARAMETRIC = {
    "term": "A. parametric coefficients",
    "estimate": "Estimate",
    "std_error": "Std. Error",
    "statistic": "t-value",
    "p_value": "p-value",
}
SMOOTHS = {
    "term": "B. smooth terms",
    "edf": "edf",
    "ref_df": "Ref.df",
    "statistic": "F-value",
    "p_value": "p-value",
}


def write_regression_table(
    parametric: pd.DataFrame,
    smooths: pd.DataFrame,
    stem: str | Path,
    *,
    title: str,
    caption: str = "",
    levels: Mapping[str, Sequence[str]] | None = None,
) -> TableFiles:
    """Write both parts of a GAMM's summary as one table, as in Begus & Zhou (2022), Table 1.

    Parameters
    ----------
    parametric : columns `term, estimate, std_error, statistic, p_value`
    smooths : columns `term, edf, ref_df, statistic, p_value`
        Both of one model.
    stem, title, caption
        See `write_table`.
    levels
        Factors and their levels (`GammResult.levels`): "Worddark" is printed as "Word=dark".

    Returns
    -------
    TableFiles
        LaTeX and HTML in two parts; the CSV file stacks them, with terms as the engine names them.

    Raises
    ------
    DataError
        If one of the frames lacks a column or disagrees with the glossary.
    """
    check_frame(parametric, "parametric")
    check_frame(smooths, "smooths")
    printed = regression_table(parametric, smooths, levels or {})
    stacked = pd.concat(
        [parametric[list(PARAMETRIC)].assign(test="parametric"), smooths[list(SMOOTHS)].assign(test="smooth")],
        ignore_index=True,
    )
    order = ["test", "term", "estimate", "std_error", "edf", "ref_df", "statistic", "p_value"]
    return write_files(check_frame(pd.DataFrame(stacked[order])), printed, stem, title=title, caption=caption)


def regression_table(
    parametric: pd.DataFrame, smooths: pd.DataFrame, levels: Mapping[str, Sequence[str]]
) -> PrintTable:
    """Lay both parts over each other: five columns, the second heading a row of its own."""
    above = print_table(_named(parametric, levels), columns=list(PARAMETRIC), labels=PARAMETRIC)
    below = print_table(_named(smooths, levels), columns=list(SMOOTHS), labels=SMOOTHS)
    return PrintTable(
        headings=above.headings,
        rows=(*above.rows, below.headings, *below.rows),
        right_aligned=(False, True, True, True, True),
        inner_headings=frozenset([len(above.rows)]),
    )


def _named(frame: pd.DataFrame, levels: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    return frame.assign(term=[readable_term(term, levels) for term in frame["term"]])


def readable_term(term: str, levels: Mapping[str, Sequence[str]]) -> str:
    """Write a factor's level with an equals sign, as papers do.

    Parameters
    ----------
    term
        As mgcv names it: a level's name follows its factor's without a space.
    levels
        Factors and their levels.

    Examples
    --------
    >>> readable_term("s(Sample):WordOrddark", {"Word": ["ask", "dark"], "WordOrd": ["ask", "dark"]})
    's(Sample):WordOrd=dark'
    >>> readable_term("Worddark:SexM", {"Word": ["ask", "dark"], "Sex": ["F", "M"]})
    'Word=dark:Sex=M'
    >>> readable_term("(Intercept)", {"Word": ["ask", "dark"]})
    '(Intercept)'
    """
    coefficients = {f"{factor}{level}": f"{factor}={level}" for factor, names in levels.items() for level in names}
    return ":".join(coefficients.get(part, part) for part in term.split(":"))
