"""Columns of a formula's terms as R codes them: numbers, factors by treatment contrasts, polynomials, interactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from layerstats.errors import DataError, FormulaError
from layerstats.stats.gamm.data.factors import level_names
from layerstats.stats.gamm.formula.expression import Call, Expression, Name, Number, can_evaluate, evaluate
from layerstats.stats.gamm.formula.terms import Formula, ParametricTerm

INTERCEPT = "(Intercept)"
_FACTORS = ("factor", "as.factor")
# Of a column's length, what is left beside the columns before it.
_DEPENDENT = 1e-7


@dataclass(frozen=True, eq=False)
class CodedVariable:
    """One variable of a formula: a number, a factor or a polynomial.

    Attributes
    ----------
    label
        As R writes it: ``"temp"``, ``"factor(dose)"``, ``"poly(age, 2)"``.
    expression
        What is evaluated, or the column of a factor.
    levels
        Of a factor, the reference first; None of numbers.
    powers
        Of a polynomial: (2, degree + 1) the centres and squared norms of its recursion, as R's ``poly`` has them.
    """

    label: str
    expression: Expression
    levels: tuple[str, ...] | None = None
    powers: np.ndarray | None = None

    def names(self, in_full: bool) -> list[str]:
        """Return the names of its columns: of a factor all levels, or those after the reference."""
        if self.levels is not None:
            return [f"{self.label}{level}" for level in (self.levels if in_full else self.levels[1:])]
        if self.powers is not None:
            return [f"{self.label}{power + 1}" for power in range(self.powers.shape[1] - 1)]
        return [self.label]

    def columns(self, frame: pd.DataFrame, in_full: bool) -> list[np.ndarray]:
        """Return its columns, each (row,)."""
        if self.levels is not None:
            names = level_names(pd.Series(frame[_column(self.expression)]))
            self._check_levels(names)
            values = names.to_numpy()
            return [(values == level).astype(float) for level in (self.levels if in_full else self.levels[1:])]
        values = evaluate(self.expression, frame)
        _check_finite(values, self.label)
        return [values] if self.powers is None else _polynomial(values, self.powers)

    def _check_levels(self, names: pd.Series) -> None:
        unknown = sorted(set(names) - set(self.levels or ()))
        if unknown:
            raise DataError(
                f"Column {_column(self.expression)!r} holds {', '.join(map(repr, unknown[:10]))}, which is not "
                f"among the levels of the model ({', '.join((self.levels or ())[:12])})."
            )


@dataclass(frozen=True, eq=False)
class CodedColumns:
    """The columns of a formula, frozen at the fit so that new data get the same.

    Attributes
    ----------
    names
        Of the columns, as R names coefficients.
    terms
        (column) the term of each.
    parts
        (column) what is multiplied: the variable, the position of its column, and whether it is coded in full.
    """

    names: tuple[str, ...]
    terms: tuple[str, ...]
    parts: tuple[tuple[tuple[CodedVariable, int, bool], ...], ...]

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the columns for the rows of a table, (row, column).

        Raises
        ------
        DataError
            A column is missing, a level is unknown, or a value is not finite.
        """
        made: dict[tuple[str, bool], list[np.ndarray]] = {}
        found = np.ones((len(frame), len(self.names)))
        for place, parts in enumerate(self.parts):
            for variable, position, in_full in parts:
                if (variable.label, in_full) not in made:
                    made[variable.label, in_full] = variable.columns(frame, in_full)
                found[:, place] *= made[variable.label, in_full][position]
        return found

    def keep(self, columns: Sequence[int]) -> CodedColumns:
        """Return only some of the columns."""
        return CodedColumns(*(tuple(values[place] for place in columns) for values in self._fields()))

    def variables(self) -> dict[str, CodedVariable]:
        """Return the variables of all columns by their labels."""
        return {variable.label: variable for parts in self.parts for variable, _, _ in parts}

    def _fields(self) -> tuple[tuple, ...]:
        return self.names, self.terms, self.parts


def code_columns(formula: Formula, frame: pd.DataFrame) -> CodedColumns:
    """Return the columns of `formula`, with its intercept where it has one.

    Parameters
    ----------
    formula : Formula
        Its fixed part is coded.
    frame : DataFrame
        Factors are Categoricals.

    Raises
    ------
    FormulaError
        It calls a function that is not evaluated here.
    """
    variables = {str(factor): _variable(factor, frame) for term in formula.parametric for factor in term.factors}
    names, terms, parts = ([INTERCEPT], [INTERCEPT], [()]) if formula.intercept else ([], [], [])
    whole = None if formula.intercept else _first_factor(formula.parametric, variables)
    for number, term in enumerate(formula.parametric):
        choices = []
        for factor in term.factors:
            variable = variables[str(factor)]
            in_full = (number, str(factor)) == whole or not _by_contrasts(term, factor, formula.parametric[:number])
            own = enumerate(variable.names(in_full))
            choices.append([(name, (variable, position, in_full)) for position, name in own])
        # The levels of the first factor vary fastest.
        for combination in product(*reversed(choices)):
            names.append(":".join(name for name, _ in reversed(combination)))
            terms.append(term.label)
            parts.append(tuple(part for _, part in reversed(combination)))
    return CodedColumns(tuple(names), tuple(terms), tuple(parts))


def independent_columns(matrix: np.ndarray) -> list[int]:
    """Return the columns that do not depend on those before them, in their order.

    Examples
    --------
    >>> independent_columns(np.array([[1.0, 2, 0], [1, 2, 1], [1, 2, 0]]))
    [0, 2]
    """
    size = np.linalg.norm(matrix, axis=0)
    kept = [int(place) for place in np.flatnonzero(size > 0)]
    while kept:
        triangle = np.linalg.qr(matrix[:, kept] / size[kept], mode="r")
        dependent = np.flatnonzero(np.abs(np.diag(triangle)) < _DEPENDENT)
        extra = kept[len(triangle) :]
        if not len(dependent) and not extra:
            return kept
        kept.remove(kept[dependent[0]] if len(dependent) else extra[0])
    return kept


def _variable(expression: Expression, frame: pd.DataFrame) -> CodedVariable:
    label = str(expression)
    if isinstance(expression, Call) and expression.function in _FACTORS and _one_name(expression):
        values = pd.Series(frame[expression.arguments[0].value.name])  # type: ignore[union-attr]
        categorical = isinstance(values.dtype, pd.CategoricalDtype)
        # A column that is a number elsewhere in the formula.
        levels = values.cat.categories if categorical else level_names(pd.Series(np.unique(values)))
        return CodedVariable(label, expression.arguments[0].value, tuple(map(str, levels)))
    if isinstance(expression, Call) and expression.function == "poly":
        return _poly_variable(expression, frame)
    if isinstance(expression, Name) and isinstance(frame[expression.name].dtype, pd.CategoricalDtype):
        return CodedVariable(expression.name, expression, tuple(map(str, frame[expression.name].cat.categories)))
    if not can_evaluate(expression):
        raise FormulaError(
            f"{label} is not evaluated here: numbers may be transformed by log, exp, sqrt, I() and the like, factors "
            "made by factor(), polynomials by poly(x, degree); for anything else make a column of it first."
        )
    return CodedVariable(label, expression)


def _poly_variable(call: Call, frame: pd.DataFrame) -> CodedVariable:
    arguments = [argument.value for argument in call.arguments]
    named = [argument.name for argument in call.arguments]
    right = len(arguments) == 2 and named[0] is None and named[1] in (None, "degree")
    degree = arguments[1].value if right and isinstance(arguments[1], Number) else 0.0
    if not right or not can_evaluate(arguments[0]) or degree != round(degree) or degree < 1:
        raise FormulaError(f"A polynomial is written as poly(x, 2), with its degree as a number, but got {call}.")
    values = evaluate(arguments[0], frame)
    _check_finite(values, str(arguments[0]))
    if len(np.unique(values)) <= degree:
        raise DataError(f"{call} needs more than {degree:g} different values of {arguments[0]}.")
    return CodedVariable(str(call), arguments[0], powers=_recursion(values, int(degree)))


def _recursion(values: np.ndarray, degree: int) -> np.ndarray:
    """Return the centres and squared norms of orthogonal polynomials of `values` (Kennedy and Gentle 1980)."""
    centres, norms = np.zeros(degree + 1), np.zeros(degree + 1)
    before, current = np.zeros_like(values), np.ones_like(values)
    for power in range(degree + 1):
        norms[power] = current @ current
        centres[power] = (current * values) @ current / norms[power]
        ratio = norms[power] / norms[power - 1] if power else 0.0
        before, current = current, (values - centres[power]) * current - ratio * before
    return np.array([centres, norms])


def _polynomial(values: np.ndarray, powers: np.ndarray) -> list[np.ndarray]:
    centres, norms = powers
    before, current = np.zeros_like(values), np.ones_like(values)
    found = []
    for power in range(len(norms) - 1):
        ratio = norms[power] / norms[power - 1] if power else 0.0
        before, current = current, (values - centres[power]) * current - ratio * before
        found.append(current / np.sqrt(norms[power + 1]))
    return found


def _by_contrasts(term: ParametricTerm, variable: Expression, earlier: Sequence[ParametricTerm]) -> bool:
    """Return whether a factor is coded by contrasts: R's rule, where an earlier term holds what else the term has."""
    rest = {str(factor) for factor in term.factors} - {str(variable)}
    return not rest or any(rest <= {str(factor) for factor in other.factors} for other in earlier)


def _first_factor(terms: Sequence[ParametricTerm], variables: dict[str, CodedVariable]) -> tuple[int, str] | None:
    """Return the number of the term, and the factor, that takes the place of a missing intercept."""
    found = (
        (number, str(factor))
        for number, term in enumerate(terms)
        for factor in term.factors
        if variables[str(factor)].levels is not None
    )
    return next(found, None)


def _one_name(call: Call) -> bool:
    return len(call.arguments) == 1 and isinstance(call.arguments[0].value, Name)


def _column(expression: Expression) -> str:
    return expression.name if isinstance(expression, Name) else str(expression)


def _check_finite(values: np.ndarray, label: str) -> None:
    bad = int(np.sum(~np.isfinite(values)))
    if bad:
        raise DataError(f"{label} is missing or not a finite number in {bad} of {len(values)} rows.")
