"""Answers of one task as mixed logistic models take them, and what is common to what is made of these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special, stats

from layerstats.checks import check_columns, check_complete
from layerstats.errors import DataError, FitError
from layerstats.stats.ratings.estimates import LatentModel, scale_means
from layerstats.stats.ratings.estimates.level_counts import level_counts

CROSSED = ("rater", "clip")


def answers_of_task(answers: pd.DataFrame, columns: Sequence[str], tasks: Sequence[str], what: str) -> pd.DataFrame:
    """Return the answers of the role "test" and of some tasks, complete in `columns`, as text.

    Raises
    ------
    DataError
        A column is missing or incomplete, or there are no such answers.
    """
    check_columns(answers, columns, what)
    rows = np.ones(len(answers), dtype=bool)
    if "task" in answers:
        rows &= np.asarray(answers["task"].isin(tasks), dtype=bool)
    if "role" in answers:
        rows &= np.asarray(answers["role"] == "test", dtype=bool)
    table = pd.DataFrame(answers.loc[rows])
    if table.empty:
        raise DataError(f"There are no answers of {' or '.join(tasks)} and of the role 'test' in {what}.")
    check_complete(table, columns, what)
    return table.assign(**{column: table[column].astype(str).str.strip() for column in columns})


def random_terms(table: pd.DataFrame) -> tuple[str, tuple[str, ...]]:
    """Return intercepts of raters and clips as a formula writes them, where these answered or were heard repeatedly."""
    terms, notes = [], []
    for column in CROSSED:
        counts = table[column].value_counts()
        if len(counts) < 2:
            notes.append(f"There is one {column} only, so that the result is about this {column}.")
        elif counts.max() == 1:
            notes.append(f"Every {column} has one answer, so that {column}s have no effect of their own in the model.")
        else:
            terms.append(f"(1 | {column})")
    return " + ".join(terms), tuple(notes)


def without_model(error: FitError) -> str:
    """Return a note that says why there are plain shares only."""
    return f"There are plain shares only, since the mixed model could not be fitted. {error}"


def shares_with_df(model: LatentModel, by: str | None, conf_level: float, distribution: str) -> pd.DataFrame:
    """Return `scale_means` and `df`, the degrees of freedom of intervals and tests; infinite of normal ones."""
    columns = [] if by is None else [by]
    found = scale_means(model, columns, conf_level=conf_level, distribution=distribution)
    return found.assign(df=level_counts(model, columns, found.loc[:, columns], distribution).means)


def logit_test(
    share: np.ndarray, std_error: np.ndarray, against: float, df: np.ndarray | float = np.inf
) -> tuple[np.ndarray, np.ndarray]:
    """Return z (or t) and p of shares against one that is given, on the logit, where the interval is taken too."""
    slope = share * (1 - share)
    statistic = (special.logit(share) - special.logit(against)) * slope / np.where(std_error > 0, std_error, np.nan)
    return statistic, 2 * stats.t.sf(np.abs(statistic), df)
