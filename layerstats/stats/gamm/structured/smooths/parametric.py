"""The parametric part as R builds it: an intercept, numbers, factors by treatment contrasts, and interactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from layerstats.stats.gamm.formula.expression import Expression, Name
from layerstats.stats.gamm.formula.terms import Formula, ParametricTerm
from layerstats.stats.gamm.structured.offsets import check_offset
from layerstats.stats.gamm.structured.smooths.options import check_number, is_factor, numbers

INTERCEPT = "(Intercept)"


@dataclass(frozen=True)
class Coefficient:
    """One column of the parametric part.

    Attributes
    ----------
    name
        As R names it, for instance ``"Worddark:age"``.
    term
        The term it belongs to.
    parts
        What is multiplied: a variable, and the level it must have, or None for its value.
    """

    name: str
    term: str
    parts: tuple[tuple[Expression, str | None], ...]

    def column(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the values, (row,)."""
        values = np.ones(len(frame))
        for variable, level in self.parts:
            if level is None:
                values = values * numbers(variable, frame)
            elif isinstance(variable, Name):
                values = values * (frame[variable.name] == level).to_numpy()
        return values


@dataclass(frozen=True)
class ParametricPart:
    """The unpenalised columns that are written out in a formula.

    Attributes
    ----------
    coefficients
        In the order of R.
    written
        With those that were left out, since the data cannot tell them from others, and that count as zero.
    """

    coefficients: tuple[Coefficient, ...]
    written: tuple[Coefficient, ...]

    @property
    def aliased(self) -> bool:
        """Whether coefficients were left out."""
        return len(self.coefficients) < len(self.written)

    @property
    def has_intercept(self) -> bool:
        """Whether the first column is the intercept."""
        return bool(self.coefficients) and self.coefficients[0].term == INTERCEPT

    def columns(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the model matrix, (row, coefficient)."""
        if not self.coefficients:
            return np.zeros((len(frame), 0))
        return np.column_stack([coefficient.column(frame) for coefficient in self.coefficients])


def build_parametric(formula: Formula, frame: pd.DataFrame) -> ParametricPart:
    """Return the parametric part of `formula`.

    Raises
    ------
    Unsupported
        It has an expression that is not evaluated here.
    """
    coefficients = [Coefficient(INTERCEPT, INTERCEPT, ())] if formula.intercept else []
    for term in formula.parametric:
        if term.is_offset:
            check_offset(term, frame)
    terms = [term for term in formula.parametric if not term.is_offset]
    whole = None if formula.intercept else _first_factor(terms, frame)
    for number, term in enumerate(terms):
        in_full = [
            str(factor)
            for factor in term.factors
            if (number, str(factor)) == whole or not _by_contrasts(term, factor, terms[:number])
        ]
        coefficients += _term_coefficients(term, in_full, frame)
    return ParametricPart(tuple(coefficients), tuple(coefficients))


def _term_coefficients(term: ParametricTerm, in_full: Sequence[str], frame: pd.DataFrame) -> list[Coefficient]:
    """Return the coefficients of a term, of which the factors `in_full` are coded by all their levels."""
    choices: list[list[tuple[str, Expression, str | None]]] = []
    for variable in term.factors:
        if isinstance(variable, Name) and is_factor(frame, variable):
            levels = list(map(str, frame[variable.name].cat.categories))
            if str(variable) not in in_full:
                levels = levels[1:]
            choices.append([(f"{variable}{level}", variable, level) for level in levels])
        else:
            check_number(frame, variable)
            choices.append([(str(variable), variable, None)])
    return [
        Coefficient(
            name=":".join(name for name, _, _ in reversed(combination)),
            term=term.label,
            parts=tuple((variable, level) for _, variable, level in combination),
        )
        # The levels of the first factor vary fastest.
        for combination in product(*reversed(choices))
    ]


def _by_contrasts(term: ParametricTerm, variable: Expression, earlier: Sequence[ParametricTerm]) -> bool:
    """Return whether a factor of a term is coded by contrasts, and not by all its levels.

    R's rule: by contrasts where an earlier term contains what the term has beside this factor.
    """
    rest = {str(factor) for factor in term.factors} - {str(variable)}
    return not rest or any(rest <= {str(factor) for factor in other.factors} for other in earlier)


def _first_factor(terms: Sequence[ParametricTerm], frame: pd.DataFrame) -> tuple[int, str] | None:
    """Return the first factor of all terms, and the number of its term: it takes the place of a missing intercept."""
    found = (
        (number, str(factor))
        for number, term in enumerate(terms)
        for factor in term.factors
        if is_factor(frame, factor)
    )
    return next(found, None)
