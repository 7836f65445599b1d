"""The columns of parametric terms, with treatment contrasts and R's names, for engines that are not R."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd

from layerstats.stats.gamm.formula.expression import Expression, Name, can_evaluate, evaluate
from layerstats.stats.gamm.formula.terms import Formula


def cannot_code(formula: Formula) -> str | None:
    """Return None where `parametric_columns` can code the parametric part, else why not."""
    labels = {frozenset(map(str, term.factors)) for term in formula.parametric}
    for term in formula.parametric:
        if term.is_offset:
            return f"it has no offset ({term})"
        for factor in term.factors:
            if not can_evaluate(factor):
                return f"it cannot evaluate {factor}; make a column of it first"
        for size in range(1, len(term.factors)):
            for margin in combinations(map(str, term.factors), size):
                if frozenset(margin) not in labels:
                    return f"{term} needs its main effects and lower interactions in the formula"
    if not formula.intercept and formula.parametric:
        return "it codes factors only beside an intercept"
    return None


def parametric_columns(formula: Formula, frame: pd.DataFrame) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Return the parametric part of the model matrix, the names of its columns, and the term of each.

    Returns
    -------
    matrix : numpy.ndarray
        (row, column)
    names : tuple of str
        As R names coefficients: ``"(Intercept)"``, ``"WordB"``, ``"WordB:SexM"``.
    terms : tuple of str
        The label of the term of each column.
    """
    columns = [np.ones(len(frame))] if formula.intercept else []
    names = ["(Intercept)"] if formula.intercept else []
    terms = list(names)
    for term in formula.parametric:
        parts = [_coded(factor, frame) for factor in term.factors]
        # R lets the first factor of an interaction run fastest.
        for reversed_choice in product(*(part.items() for part in reversed(parts))):
            choice = reversed_choice[::-1]
            columns.append(np.prod([values for _, values in choice], axis=0))
            names.append(":".join(name for name, _ in choice))
            terms.append(term.label)
    matrix = np.column_stack(columns) if columns else np.empty((len(frame), 0))
    return matrix, tuple(names), tuple(terms)


def _coded(factor: Expression, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    if isinstance(factor, Name) and isinstance(frame[factor.name].dtype, pd.CategoricalDtype):
        values = frame[factor.name]
        return {f"{factor.name}{level}": (values == level).to_numpy(dtype=float) for level in values.cat.categories[1:]}
    return {str(factor): evaluate(factor, frame)}
