"""Expressions in formulas that R would stumble over, refused with what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from layerstats.errors import FormulaError
from layerstats.stats.gamm.formula.expression import Binary, Call, Expression, Name, Parentheses, Unary
from layerstats.stats.gamm.formula.terms import Formula

# Of text alone; others of R's functions take a factor's labels.
_OF_TEXT = ("nchar", "startsWith", "endsWith")
_TRUE_OR_FALSE = ("==", "!=", "<", "<=", ">", ">=", "&", "|", "!", "%in%")


def check_expressions(formula: Formula, frame: pd.DataFrame) -> None:
    """Refuse functions of text that a formula applies to a factor, and ``by`` variables that are TRUE or FALSE.

    Raises
    ------
    FormulaError
        With what to write instead.

    Examples
    --------
    >>> from layerstats.stats.gamm.formula.parser import parse_formula
    >>> frame = pd.DataFrame({"x": [1.0], "y": [2.0]})
    >>> check_expressions(parse_formula("y ~ s(x, by = as.numeric(x > 2))"), frame)
    >>> check_expressions(parse_formula("y ~ s(x, by = x > 2)"), frame)
    Traceback (most recent call last):
    layerstats.errors.FormulaError: s(x, by = x > 2): 'by' is TRUE or FALSE. Write by = as.numeric(x > 2).
    """
    for smooth in formula.smooths:
        by = smooth.by
        while isinstance(by, Parentheses):
            by = by.inner
        if isinstance(by, (Binary, Unary)) and by.operator in _TRUE_OR_FALSE:
            raise FormulaError(f"{smooth}: 'by' is TRUE or FALSE. Write by = as.numeric({by}).")
    written = [factor for term in formula.parametric for factor in term.factors]
    written += [one for smooth in formula.smooths for one in (*smooth.variables, smooth.by) if one is not None]
    for call in (call for expression in written for call in _calls(expression)):
        first = call.arguments[0].value if call.arguments else None
        if call.function not in _OF_TEXT or not isinstance(first, Name):
            continue
        if isinstance(frame[first.name].dtype, pd.CategoricalDtype):
            raise FormulaError(
                f"{call} is of text, and {first.name!r} is a factor in the model. Write "
                f"{str(call).replace(str(first), f'as.character({first})', 1)}."
            )


def _calls(expression: Expression) -> Iterator[Call]:
    """Yield the function calls inside an expression."""
    if isinstance(expression, Call):
        yield expression
    for inner in _parts(expression):
        yield from _calls(inner)


def _parts(expression: Expression) -> tuple[Expression, ...]:
    if isinstance(expression, Call):
        return tuple(argument.value for argument in expression.arguments)
    if isinstance(expression, Binary):
        return expression.left, expression.right
    if isinstance(expression, Unary):
        return (expression.operand,)
    return (expression.inner,) if isinstance(expression, Parentheses) else ()
