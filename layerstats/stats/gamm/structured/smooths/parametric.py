"""The parametric part as R builds it: an intercept, numbers, factors by treatment contrasts, and interactions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from layerstats.stats.gamm.expression import Expression, Name
from layerstats.stats.gamm.formula import Formula, ParametricTerm
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
    Refusal
        It has an expression that is not evaluated here.
    """
    coefficients = [Coefficient(INTERCEPT, INTERCEPT, ())] if formula.intercept else []
    for term in formula.parametric:
        if term.is_offset:
            check_offset(term, frame)
            continue
        coefficients += _term_coefficients(term, formula, frame)
    return ParametricPart(tuple(coefficients), tuple(coefficients))


def _term_coefficients(term: ParametricTerm, formula: Formula, frame: pd.DataFrame) -> list[Coefficient]:
    choices: list[list[tuple[str, Expression, str | None]]] = []
    for variable in term.factors:
        if isinstance(variable, Name) and is_factor(frame, variable):
            levels = list(map(str, frame[variable.name].cat.categories))
            if _by_contrasts(term, variable, formula, frame):
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


def _by_contrasts(term: ParametricTerm, variable: Expression, formula: Formula, frame: pd.DataFrame) -> bool:
    """Return whether a factor of a term is coded by contrasts, and not by all its levels.

    R's rule: by contrasts where the model also has the term without this factor. Without an intercept, the first factor
    takes its place.
    """
    rest = {str(factor) for factor in term.factors if str(factor) != str(variable)}
    if rest:
        return any({str(factor) for factor in other.factors} == rest for other in formula.parametric)
    if formula.intercept:
        return True
    main_effects = [other for other in formula.parametric if len(other.factors) == 1]
    return next(other for other in main_effects if is_factor(frame, other.factors[0])) is not term
