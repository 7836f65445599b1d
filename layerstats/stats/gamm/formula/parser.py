"""Reads a formula of mgcv: terms, interactions and smooths."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from layerstats.errors import ArgumentError, FormulaError
from layerstats.stats.gamm.formula.expression import (
    Argument,
    Binary,
    Call,
    Constant,
    Expression,
    Name,
    Parentheses,
    String,
    Unary,
    names_in,
)
from layerstats.stats.gamm.formula.expression_parser import LEVELS, ExpressionParser
from layerstats.stats.gamm.formula.functions import OPERATORS, check_formula_code
from layerstats.stats.gamm.formula.terms import Formula, ParametricTerm, SmoothTerm
from layerstats.stats.gamm.formula.tokens import Token, r_code

_COMMON = ("k", "bs", "m", "xt", "id", "sp", "pc")
SMOOTH_OPTIONS: dict[str, tuple[str, ...]] = {
    "s": (*_COMMON, "fx"),
    "te": (*_COMMON, "fx", "d", "np"),
    "ti": (*_COMMON, "fx", "d", "np", "mc"),
    "t2": (*_COMMON, "d", "full", "ord"),
}

Term = ParametricTerm | SmoothTerm
# What makes one variable of an expression, and no terms.
_COMPARISONS = ("<", ">", "<=", ">=", "==", "!=", "&")


def parse_formula(text: str, columns: Collection[str] | None = None) -> Formula:
    """Parse `text`, a formula in mgcv's language as pasted from R: several lines and comments are allowed.

    Parameters
    ----------
    text
        The formula.
    columns
        The columns of the data, where they are known: ``T``, ``F`` and ``pi`` are R's constants unless among them.

    Raises
    ------
    FormulaError
        With the line and a caret under the place where the formula stops making sense.

    Examples
    --------
    >>> formula = parse_formula("f2 ~ word * sex + s(time, by = word, k = 5) + s(time, traj, bs = 'fs', m = 1)")
    >>> print(formula)
    f2 ~ word + sex + word:sex + s(time, by = word, k = 5) + s(time, traj, bs = "fs", m = 1)
    >>> [smooth.label for smooth in formula.random_smooths]
    ['s(time,traj)']
    """
    if not isinstance(text, str):
        raise ArgumentError(f"The formula must be a string, but got {type(text).__name__} instead.")
    try:
        formula = _FormulaParser(text, columns).formula()
        check_formula_code(text)
    except RecursionError:
        raise FormulaError("The formula has too many brackets or signs in each other to be read.") from None
    return formula


class _FormulaParser(ExpressionParser):
    """The language of terms, on top of the language of expressions."""

    def __init__(self, text: str, columns: Collection[str] | None = None) -> None:
        super().__init__(text, columns)
        # The variables of terms in the order of writing, on which R's names of interactions depend.
        self.variables: list[str] = []

    def formula(self) -> Formula:
        """Read the whole formula."""
        if self.at("~"):
            self.fail("The formula has no response: write it left of '~':")
        response = self._response()
        self.expect("~", "after the response")
        start = self.index
        intercept, terms = self._sum()
        if self.at(*_COMPARISONS):
            intercept, terms = True, self._comparison(start)
        if self.token.kind != "end":
            self.fail(f"Expected '+' before the next term, but found {self.token.text!r}:")
        parametric = [term for term in terms if isinstance(term, ParametricTerm) and term.factors != (response,)]
        self._check_offsets([term for term in parametric if term.is_offset])
        smooths = tuple(term for term in terms if isinstance(term, SmoothTerm))
        return Formula(response, intercept, _as_r_orders(parametric, self.variables), smooths, r_code(self.tokens))

    def _comparison(self, start: int) -> list[Term]:
        """Read once more, as one variable, what turned out to be a comparison."""
        self.index = start
        return [ParametricTerm((self.expression(),))]

    def _check_offsets(self, offsets: list[ParametricTerm]) -> None:
        """Fail where there is not one offset at most, by itself: of several mgcv takes the first alone."""
        inner = [str(argument.value) for term in offsets for one in term.factors for argument in _arguments(one)]
        if len(offsets) > 1:
            self.fail(f"A formula has one offset at most: write offset({' + '.join(inner)}):")
        if any(len(term.factors) > 1 for term in offsets):
            self.fail(f"An offset has no coefficient, and so no interaction ({offsets[0]}):")
        if offsets and len(inner) != 1:
            self.fail(f"offset() takes one variable or expression, but got {offsets[0]} instead:")

    def _response(self) -> Expression:
        start = self.token
        response = self.expression()
        if isinstance(response, Call) and response.function == "cbind":
            self.fail(
                "A response of several columns (cbind) is not supported: fit one model for each; of successes and "
                "failures, give the proportion of successes, and the number of trials as 'weights':",
                start,
            )
        if not list(names_in(response)):
            self.fail("The response must name a column:", start)
        return response

    def _sum(self) -> tuple[bool, list[Term]]:
        intercept = True
        terms: list[Term] = []
        first = True
        while first or self.at("+", "-"):
            remove = self.at("-")
            if self.at("+", "-"):
                self.advance()
            first = False
            start = self.token
            if start.kind == "number":
                intercept = self._intercept(remove)
                continue
            for term in self._crossing():
                if not remove:
                    if isinstance(term, SmoothTerm) or not any(_same(term, other) for other in terms):
                        terms.append(term)
                elif isinstance(term, SmoothTerm):
                    self.fail("'-' removes parametric terms only; leave the smooth out instead:", start)
                else:
                    terms = [other for other in terms if not _same(term, other)]
        return intercept, terms

    def _intercept(self, remove: bool) -> bool:
        token = self.advance()
        if token.text not in ("0", "1") or self.at("*", ":", "/", "^"):
            self.fail("A number among the terms must be 0 (no intercept) or 1 (intercept):", token)
        return (token.text == "1") != remove

    def _crossing(self) -> list[Term]:
        left = self._special()
        while self.at("*", "/"):
            operator = self.advance()
            right = self._special()
            if operator.text == "*":
                # In R nothing times a term is nothing.
                left = left and _union([*left, *right, *self._interact(left, right, operator)])
            else:
                everything: list[Term] = [self._merge(left, operator)]
                left = _union([*left, *self._interact(everything, right, operator)])
        return left

    def _special(self) -> list[Term]:
        left = self._interaction()
        while self.at(*OPERATORS):
            operator = self.advance()
            if operator.text != "%in%" and self.token.kind == "number":
                divisor = ParametricTerm((self.expression(len(LEVELS)),))
                left = [self._one_variable(operator, first, divisor) for first in left]
                continue
            right = self._interaction()
            if operator.text == "%in%":
                left = self._interact(left, [self._merge(right, operator)], operator)
            else:
                left = [self._one_variable(operator, first, second) for first in left for second in right]
        return left

    def _one_variable(self, operator: Token, first: Term, second: Term) -> Term:
        sides = [self._merge([term], operator) for term in (first, second)]
        left, right = (_product(side.factors) for side in sides)
        return ParametricTerm((Binary(operator.text, left, right),))

    def _interaction(self) -> list[Term]:
        left = self._powered()
        while self.at(":"):
            operator = self.advance()
            left = self._interact(left, self._powered(), operator)
        return left

    def _powered(self) -> list[Term]:
        terms = self._atom()
        if not self.at("^", "**"):
            return terms
        operator = self.advance()
        exponent = self.advance()
        if exponent.kind != "number" or not exponent.text.isdigit() or not int(exponent.text[:9]) >= 1:
            self.fail("The power of a term must be a whole number:", exponent)
        result = terms
        for _ in range(int(exponent.text[:9]) - 1):
            higher = self._interact(terms, result, operator)
            if len(higher) == len(result):  # all there are
                break
            result = higher
        return result

    def _atom(self) -> list[Term]:
        token = self.token
        if self.at("("):
            return self._parenthesised()
        if self.at("!"):
            return self._comparison(self.index)
        if token.kind != "name":
            found = "the formula ends" if token.kind == "end" else f"found {token.text!r}"
            self.fail(f"Expected a term, but {found}:")
        expression = self.name_or_call()
        if isinstance(expression, Call) and expression.function in SMOOTH_OPTIONS:
            return [self._smooth(expression, token)]
        if isinstance(expression, Constant) or expression == Name("."):
            self.fail(f"{token.text!r} cannot be a term; name the columns:", token)
        self.variables.append(str(expression))
        return [ParametricTerm((expression,))]

    def _parenthesised(self) -> list[Term]:
        opening = self.advance()
        start = self.index
        intercept, terms = self._sum()
        if self.at(*_COMPARISONS):
            intercept, terms = True, self._comparison(start)
        if self.at("|"):
            self.fail('mgcv has no (1 | group); write s(group, bs = "re") instead:')
        self.expect(")", "to close the parenthesis")
        if not intercept or (not terms and self.tokens[start].kind == "number"):
            self.fail("0 and 1 cannot stand in parentheses:", opening)
        return terms

    def _interact(self, left: list[Term], right: list[Term], operator: Token) -> list[Term]:
        return _union([self._merge([first, second], operator) for first in left for second in right])

    def _merge(self, terms: list[Term], operator: Token) -> ParametricTerm:
        factors: list[Expression] = []
        for term in terms:
            if isinstance(term, SmoothTerm):
                self.fail(f"A smooth cannot interact with another term: {term.label}. Use by = ...:", operator)
            factors += [factor for factor in term.factors if factor not in factors]
        return ParametricTerm(tuple(factors))

    def _smooth(self, call: Call, token: Token) -> SmoothTerm:
        variables = tuple(argument.value for argument in call.arguments if argument.name is None)
        if not variables:
            self.fail(f"{call.function}() needs at least one variable:", token)
        for variable in variables:
            if not list(names_in(variable)):
                self.fail(f"{variable} is not a variable; options of {call.function}() are named, as in k = 10:", token)
            if _is_arithmetic(variable):
                self.fail(
                    f"mgcv takes {variable} in {call.function}() for a formula, in which signs join terms and are no "
                    f"arithmetic. Write I({variable}):",
                    token,
                )
        named = {}
        for argument in call.arguments:
            if argument.name is not None:
                if argument.name in named:
                    self.fail(f"The option {argument.name!r} of {call.function}() is given twice:", token)
                self._check_option(call.function, argument, token)
                named[argument.name] = argument.value
        by = named.pop("by", None)
        if by == Constant("NA") or by == Constant("NULL"):
            by = None
        return SmoothTerm(call.function, variables, by, tuple(named.items()))

    def _check_option(self, function: str, argument: Argument, token: Token) -> None:
        name, value = str(argument.name), argument.value
        if name == "by":
            return
        allowed = SMOOTH_OPTIONS[function]
        if name not in allowed:
            near = difflib.get_close_matches(name, [*allowed, "by"], n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Its options are {', '.join([*allowed, 'by'])}."
            self.fail(f"{function}() has no option {name!r}.{hint}", token)
        outside = [word for word in names_in(value) if word not in ("T", "F")]
        if outside:
            self.fail(f"The option {name} = {value} of {function}() must be written as a value, not a variable:", token)
        if name == "k" and any(isinstance(item, String) for item in _elements(value)):
            self.fail(f"k must be a number or c(...) of numbers, but got {value} instead:", token)
        if name == "bs" and not all(isinstance(item, String | Call) for item in _elements(value)):
            self.fail(f"bs must be a quoted name or c(...) of them, but got {value} instead:", token)


def _as_r_orders(terms: Sequence[ParametricTerm], variables: Sequence[str]) -> tuple[ParametricTerm, ...]:
    """Return terms as R orders them: main effects first, the variables of each as they appear in the formula.

    mgcv writes the terms that are not smooth into a formula of their own, which R orders once more.
    """
    ordered = sorted(terms, key=lambda term: len(term.factors))
    for written in (variables, None):
        seen = written or [str(factor) for term in ordered for factor in term.factors]
        place = {variable: number for number, variable in reversed(list(enumerate(seen)))}
        ordered = [
            ParametricTerm(tuple(sorted(term.factors, key=lambda factor: place.get(str(factor), len(place)))))
            for term in ordered
        ]
    return tuple(ordered)


def _product(factors: Sequence[Expression]) -> Expression:
    product = factors[0]
    for factor in factors[1:]:
        product = Binary(":", product, factor)
    return product


def _arguments(value: Expression) -> tuple[Argument, ...]:
    return value.arguments if isinstance(value, Call) else ()


def _is_arithmetic(value: Expression) -> bool:
    """Return whether an expression is arithmetic that R reads as terms where it stands alone."""
    while isinstance(value, Parentheses):
        value = value.inner
    return isinstance(value, Binary | Unary) and value.operator in ("+", "-", "*", "/", "^")


def _elements(value: Expression) -> list[Expression]:
    if isinstance(value, Call) and value.function == "c":
        return [argument.value for argument in value.arguments]
    return [value]


def _same(term: ParametricTerm, other: Term) -> bool:
    return isinstance(other, ParametricTerm) and set(map(str, term.factors)) == set(map(str, other.factors))


def _union(terms: list[Term]) -> list[Term]:
    kept: list[Term] = []
    for term in terms:
        if isinstance(term, SmoothTerm) or not any(_same(term, other) for other in kept):
            kept.append(term)
    return kept
