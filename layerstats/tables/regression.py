"""The regression table of a GAMM: parametric coefficients above, smooth terms below."""

from __future__ import annotations

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
) -> TableFiles:
    """Write both parts of a GAMM's summary as one table, as in Begus & Zhou (2022), Table 1.

    Parameters
    ----------
    parametric : columns `term, estimate, std_error, statistic, p_value`
    smooths : columns `term, edf, ref_df, statistic, p_value`
        Both of one model.
    stem, title, caption
        See `write_table`.

    Returns
    -------
    TableFiles
        LaTeX and HTML in two parts; the CSV file stacks them. Terms are named as R names them, in all three.

    Raises
    ------
    DataError
        If one of the frames lacks a column or disagrees with the glossary.

    Examples
    --------
    >>> import tempfile
    >>> parametric = pd.DataFrame({"term": ["(Intercept)"], "estimate": 1.0, "std_error": 0.1, "statistic": 10.0})
    >>> smooths = pd.DataFrame({"term": ["s(x)"], "edf": 3.1, "ref_df": 3.9, "statistic": 5.2, "p_value": 0.01})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     title = "Ratings by time"
    ...     files = write_regression_table(parametric.assign(p_value=0.001), smooths, f"{folder}/model", title=title)
    ...     files.csv.read_text().splitlines()[0]
    'test,term,estimate,std_error,edf,ref_df,statistic,p_value'
    """
    check_frame(parametric, "parametric")
    check_frame(smooths, "smooths")
    printed = regression_table(parametric, smooths)
    stacked = pd.concat(
        [parametric.assign(test="parametric"), smooths[list(SMOOTHS)].assign(test="smooth")],
        ignore_index=True,
    )
    order = ["test", "term", "estimate", "std_error", "conf_low", "conf_high", "edf", "ref_df", "statistic", "p_value"]
    stacked = check_frame(pd.DataFrame(stacked[[name for name in order if name in stacked]]))
    return write_files(stacked, printed, printed, stem, title=title, caption=caption)


def regression_table(parametric: pd.DataFrame, smooths: pd.DataFrame) -> PrintTable:
    """Lay both parts over each other: five columns, the second heading a row of its own."""
    above = print_table(parametric, columns=list(PARAMETRIC), labels=PARAMETRIC)
    below = print_table(smooths, columns=list(SMOOTHS), labels=SMOOTHS)
    return PrintTable(
        headings=above.headings,
        rows=(*above.rows, below.headings, *below.rows),
        right_aligned=(False, True, True, True, True),
        inner_headings=frozenset([len(above.rows)]),
    )
