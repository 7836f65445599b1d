"""Expressions of R inside a formula, such as ``log(f2)`` or ``c(10, 5)``: printed as R prints them, evaluated here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.errors import FormulaError

_SYNTACTIC = re.compile(r"(?:[^\W\d_]|\.(?!\d))[\w.]*")
RESERVED = {"if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE", "NULL", "Inf"}
RESERVED |= {"NaN", "NA", "NA_integer_", "NA_real_", "NA_character_"}
_CONSTANTS = {"TRUE", "FALSE", "NULL", "Inf", "NaN", "NA"}
# R's own spacing, so that labels equal those of mgcv.
_SPACED = {"+", "-", "*", "<", ">", "<=", ">=", "==", "!=", "&", "|"}


def _identity(values: np.ndarray) -> np.ndarray:
    return values


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "exp": np.exp,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "I": _identity,
}
_OPERATIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}


@dataclass(frozen=True)
class Name:
    """A column (or, in an option, a word of R)."""

    name: str

    def __str__(self) -> str:
        if _SYNTACTIC.fullmatch(self.name) and self.name not in RESERVED:
            return self.name
        return f"`{self.name}`"


@dataclass(frozen=True)
class Number:
    """A number as written, so that nothing is lost in printing."""

    text: str

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text.rstrip("L"))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class String:
    """A quoted string, without its quotation marks."""

    value: str

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'


@dataclass(frozen=True)
class Constant:
    """``TRUE``, ``FALSE``, ``NULL``, ``Inf``, ``NaN`` or ``NA``."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Argument:
    """One argument of a call, named or not."""

    name: str | None
    value: Expression

    def __str__(self) -> str:
        return str(self.value) if self.name is None else f"{self.name} = {self.value}"


@dataclass(frozen=True)
class Call:
    """A function call."""

    function: str
    arguments: tuple[Argument, ...]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True)
class Unary:
    """A sign before an expression."""

    operator: str
    operand: Expression

    def __str__(self) -> str:
        return f"{self.operator}{self.operand}"


@dataclass(frozen=True)
class Binary:
    """Two expressions and the operator between them."""

    operator: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        space = " " if self.operator in _SPACED else ""
        return f"{self.left}{space}{self.operator}{space}{self.right}"


@dataclass(frozen=True)
class Parentheses:
    """An expression in parentheses."""

    inner: Expression

    def __str__(self) -> str:
        return f"({self.inner})"


Expression = Name | Number | String | Constant | Call | Unary | Binary | Parentheses


def is_constant_word(word: str) -> bool:
    """Return whether R reads `word` as a constant and not as a column."""
    return word in _CONSTANTS


def names_in(expression: Expression) -> Iterator[str]:
    """Yield the columns that `expression` uses, in the order of writing, with repetitions."""
    match expression:
        case Name(name):
            yield name
        case Call(arguments=arguments):
            for argument in arguments:
                yield from names_in(argument.value)
        case Unary(operand=inner) | Parentheses(inner=inner):
            yield from names_in(inner)
        case Binary(left=left, right=right):
            yield from names_in(left)
            yield from names_in(right)


def can_evaluate(expression: Expression) -> bool:
    """Return whether `evaluate` knows every function and operator in `expression`."""
    match expression:
        case Name() | Number():
            return True
        case Call(function=function, arguments=arguments):
            return function in FUNCTIONS and len(arguments) == 1 and can_evaluate(arguments[0].value)
        case Unary(operator=operator, operand=inner):
            return operator in "+-" and can_evaluate(inner)
        case Parentheses(inner=inner):
            return can_evaluate(inner)
        case Binary(operator=operator, left=left, right=right):
            return operator in _OPERATIONS and can_evaluate(left) and can_evaluate(right)
    return False


def evaluate(expression: Expression, frame: pd.DataFrame) -> np.ndarray:
    """Evaluate `expression` in the columns of `frame`; values outside a function's domain become NaN.

    Raises
    ------
    FormulaError
        Where a function is not among those that are evaluated here.

    Examples
    --------
    >>> evaluate(Call("sqrt", (Argument(None, Name("x")),)), pd.DataFrame({"x": [4.0, 9.0]}))
    array([2., 3.])
    """
    with np.errstate(all="ignore"):
        match expression:
            case Name(name):
                return frame[name].to_numpy(dtype=float)
            case Number():
                return np.full(len(frame), expression.value)
            case Call(function=function, arguments=(Argument(name=None, value=value),)) if function in FUNCTIONS:
                return FUNCTIONS[function](evaluate(value, frame))
            case Unary(operator="-", operand=inner):
                return -evaluate(inner, frame)
            case Unary(operator="+", operand=inner) | Parentheses(inner=inner):
                return evaluate(inner, frame)
            case Binary(operator=operator, left=left, right=right) if operator in _OPERATIONS:
                return _OPERATIONS[operator](evaluate(left, frame), evaluate(right, frame))
    raise FormulaError(
        f"{expression} cannot be evaluated here. Allowed functions are {', '.join(FUNCTIONS)} and arithmetic; "
        "for anything else make a column of it first."
    )
