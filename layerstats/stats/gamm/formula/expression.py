"""Expressions of R inside a formula, such as ``log(f2)`` or ``c(10, 5)``: printed as R prints them, evaluated here."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
from scipy import special

from layerstats.errors import FormulaError
from layerstats.stats.gamm.formula.functions import CONTRASTS

_SYNTACTIC = re.compile(r"(?:[^\W\d_]|\.(?!\d))[\w.]*")
RESERVED = {"if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE", "NULL", "Inf"}
RESERVED |= {"NaN", "NA", "NA_integer_", "NA_real_", "NA_character_"}
_CONSTANTS = {"TRUE", "FALSE", "NULL", "Inf", "NaN", "NA"}
_VALUES = {"TRUE": 1.0, "T": 1.0, "FALSE": 0.0, "F": 0.0, "pi": np.pi}
# R's own spacing, so that labels equal those of mgcv.
_SPACED = {"+", "-", "*", "<", ">", "<=", ">=", "==", "!=", "&", "|", "%in%"}


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
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "floor": np.floor,
    "ceiling": np.ceil,
    "trunc": np.trunc,
    "sign": np.sign,
    "plogis": special.expit,
    "qlogis": special.logit,
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
    """A number, printed as R prints it, so that labels equal R's: see `Number.read`."""

    text: str

    @classmethod
    def read(cls, text: str) -> Number:
        """Return the number that is written as `text`.

        Examples
        --------
        >>> [str(Number.read(text)) for text in ("1e3", "0.50", ".1", "2L", "100000", "0.0001", "123456.5")]
        ['1000', '0.5', '0.1', '2L', '1e+05', '1e-04', '123456.5']
        """
        if text.endswith("L"):
            return cls(f"{float(text[:-1]):.0f}L")
        value = float(text)
        if value == 0 or not np.isfinite(value):
            return cls("0" if value == 0 else "Inf")
        # R shows up to 15 digits, with an exponent where that is shorter.
        mantissa, power = f"{value:.14e}".split("e")
        digits, exponent = mantissa.rstrip("0").rstrip("."), int(power)
        fixed = f"{Decimal(digits).scaleb(exponent):f}"
        scientific = f"{digits}e{exponent:+03d}"
        return cls(fixed if len(fixed) <= len(scientific) else scientific)

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
    """A word of R with a value of its own: ``TRUE``, ``NULL``, ``NA``..., or ``T``, ``F``, ``pi`` where no column."""

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


def is_constant_word(word: str, columns: Collection[str] | None = None) -> bool:
    """Return whether R reads `word` as a constant and not as a column.

    Some words are constants unless a column has that name; without `columns` they count as columns.

    Examples
    --------
    >>> is_constant_word("pi", ["x"]), is_constant_word("pi", ["pi"]), is_constant_word("TRUE")
    (True, False, True)
    """
    return word in _CONSTANTS or (columns is not None and word in (_VALUES.keys() | CONTRASTS) - set(columns))


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


def names_outside(expression: Expression, functions: Collection[str]) -> Iterator[str]:
    """Yield the columns that `expression` uses otherwise than as an argument of `functions`."""
    match expression:
        case Name(name):
            yield name
        case Call(function=function, arguments=arguments):
            for argument in arguments:
                if not (function in functions and isinstance(argument.value, Name)):
                    yield from names_outside(argument.value, functions)
        case Unary(operand=inner) | Parentheses(inner=inner):
            yield from names_outside(inner, functions)
        case Binary(left=left, right=right):
            yield from names_outside(left, functions)
            yield from names_outside(right, functions)


def can_evaluate(expression: Expression) -> bool:
    """Return whether `evaluate` knows every function and operator in `expression`."""
    match expression:
        case Name() | Number():
            return True
        case Constant(text=word):
            return word in _VALUES
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
            case Constant(text=word) if word in _VALUES:
                return np.full(len(frame), _VALUES[word])
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
