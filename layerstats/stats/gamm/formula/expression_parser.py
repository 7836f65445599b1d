"""Reads R expressions by recursive descent, one method for each level of R's operator precedence."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

from layerstats.stats.gamm.formula.expression import (
    Argument,
    Binary,
    Call,
    Constant,
    Expression,
    Name,
    Number,
    Parentheses,
    String,
    Unary,
    is_constant_word,
)
from layerstats.stats.gamm.formula.functions import OPERATORS
from layerstats.stats.gamm.formula.tokens import Token, formula_error, tokenize

# From the loosest to the tightest; ^ and signs are tighter still and written out below.
LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"|"}),
    frozenset({"&"}),
    frozenset({"<", ">", "<=", ">=", "==", "!="}),
    frozenset({"+", "-"}),
    frozenset({"*", "/"}),
    OPERATORS,
    frozenset({":"}),
)


class ExpressionParser:
    """A position in a list of tokens, and the ways to move on from it.

    Parameters
    ----------
    text
        What to read.
    columns
        The columns of the data, where they are known: words such as ``pi`` are constants unless they are among them.
    """

    def __init__(self, text: str, columns: Collection[str] | None = None) -> None:
        self.text = text
        self.columns = columns
        self.tokens = tokenize(text)
        self.index = 0

    @property
    def token(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.index]

    def fail(self, problem: str, token: Token | None = None) -> NoReturn:
        """Raise `FormulaError` that points at `token` (by default the next)."""
        formula_error(self.text, (token or self.token).position, problem)

    def advance(self) -> Token:
        """Return the next token and move past it."""
        token = self.token
        if token.kind != "end":
            self.index += 1
        return token

    def at(self, *operators: str) -> bool:
        """Return whether the next token is one of `operators`."""
        return self.token.kind == "operator" and self.token.text in operators

    def expect(self, operator: str, purpose: str) -> Token:
        """Move past `operator`, or raise `FormulaError`."""
        if not self.at(operator):
            found = "the formula ends" if self.token.kind == "end" else f"there is {self.token.text!r}"
            self.fail(f"Expected {operator!r} {purpose}, but {found}:")
        return self.advance()

    def expression(self, level: int = 0) -> Expression:
        """Read an expression whose operators bind at least as tightly as `level`."""
        if level == len(LEVELS):
            return self._signed()
        left = self.expression(level + 1)
        while self.at(*LEVELS[level]):
            operator = self.advance().text
            left = Binary(operator, left, self.expression(level + 1))
        return left

    def _signed(self) -> Expression:
        if self.at("-", "+", "!"):
            operator = self.advance().text
            return Unary(operator, self._signed())
        return self._power()

    def _power(self) -> Expression:
        base = self._primary()
        if self.at("^", "**"):
            self.advance()
            return Binary("^", base, self._signed())
        return base

    def _primary(self) -> Expression:
        token = self.token
        if token.kind == "number":
            return Number.read(self.advance().text)
        if token.kind == "string":
            return String(_unquote(self.advance().text))
        if self.at("("):
            self.advance()
            inner = self.expression()
            self.expect(")", "to close the parenthesis")
            return Parentheses(inner)
        if token.kind == "name":
            return self.name_or_call()
        found = "the formula ends" if token.kind == "end" else f"found {token.text!r}"
        self.fail(f"Expected a column, a number or a function, but {found}:")

    def name_or_call(self) -> Expression:
        """Read a column, a constant or a call."""
        token = self.advance()
        quoted = token.quoted
        package = ""
        if self.at("::"):
            self.advance()
            package, token = f"{token.text}::", self.advance()
        if self.at("(") and (package or not quoted):
            function = token.text if package == "mgcv::" else package + token.text
            return Call(function, self.arguments(token))
        if not quoted and is_constant_word(token.text, self.columns):
            return Constant(token.text)
        if self.at("[", "$", "@", "{"):
            self.fail("Columns cannot be subset inside a formula. Make a column of it first:")
        return Name(token.text)

    def arguments(self, function: Token) -> tuple[Argument, ...]:
        """Read the parenthesised arguments of `function`."""
        self.expect("(", f"after {function.text}")
        arguments: list[Argument] = []
        while not self.at(")"):
            if arguments:
                self.expect(",", f"between the arguments of {function.text}(), or ')' after them")
                if self.at(")"):
                    self.fail(f"An argument of {function.text}() is empty:")
            arguments.append(self._argument())
        self.advance()
        return tuple(arguments)

    def _argument(self) -> Argument:
        following = self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        if self.token.kind == "name" and following.kind == "operator" and following.text == "=":
            name = self.advance().text
            self.advance()
            return Argument(name, self.expression())
        return Argument(None, self.expression())


def _unquote(text: str) -> str:
    return text[1:-1].replace("\\" + text[0], text[0]).replace("\\\\", "\\")
