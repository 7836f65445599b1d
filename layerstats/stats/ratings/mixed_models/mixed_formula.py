"""Reads a formula in lme4's language: fixed terms, and random terms ``(1 + temp | judge)``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from layerstats.errors import ArgumentError, FormulaError
from layerstats.stats.gamm.formula.expression import Call, Name
from layerstats.stats.gamm.formula.parser import parse_formula
from layerstats.stats.gamm.formula.terms import Formula
from layerstats.stats.gamm.formula.tokens import Token, formula_error, r_code, tokenize

# What may stand around the response: R wants a factor, and here it is one whether said or not.
_MAKE_CATEGORIES = ("factor", "as.factor", "ordered", "as.ordered")


@dataclass(frozen=True)
class RandomTerm:
    """One term ``(columns | group)``.

    Attributes
    ----------
    columns
        What varies by level: an intercept, slopes, or both.
    group
        The columns whose combinations are the levels: one, or several of ``(1 | a:b)``.
    correlated
        Whether the columns are correlated: not where ``||`` was written.
    """

    columns: Formula
    group: tuple[str, ...]
    correlated: bool

    @property
    def name(self) -> str:
        """The factor as R names it: ``"judge"``, ``"a:b"``."""
        return ":".join(self.group)

    def __str__(self) -> str:
        bar = "|" if self.correlated else "||"
        return f"({_one_sided(self.columns)} {bar} {self.name})"


@dataclass(frozen=True)
class MixedFormula:
    """A formula with fixed and random terms.

    Attributes
    ----------
    response
        The column on the left side.
    fixed
        The fixed terms.
    scale
        The terms that the logarithm of the scale depends on.
    random
        The random terms, nested ones written out.
    """

    response: str
    fixed: Formula
    scale: Formula
    random: tuple[RandomTerm, ...]

    @property
    def design_columns(self) -> tuple[str, ...]:
        """The columns of fixed and scale effects and of random slopes."""
        formulas = [self.fixed, self.scale, *(term.columns for term in self.random)]
        return tuple(dict.fromkeys(column for formula in formulas for column in formula.predictor_columns))

    @property
    def made_factors(self) -> tuple[str, ...]:
        """The columns that are used as factors alone, as in ``factor(dose)``."""
        formulas = [self.fixed, self.scale, *(term.columns for term in self.random)]
        uses = [(set(formula.predictor_columns), set(formula.made_factors)) for formula in formulas]
        return tuple(
            column for column in self.design_columns if all(column in made for used, made in uses if column in used)
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is used, the response first."""
        groups = [column for term in self.random for column in term.group]
        return tuple(dict.fromkeys([self.response, *self.design_columns, *groups]))

    def check_columns(self, present: Iterable[str]) -> None:
        """Raise `FormulaError` naming a column that is not in `present`, with the nearest names that are."""
        present = list(map(str, present))
        for column in self.columns:
            if column not in present:
                near = difflib.get_close_matches(column, present, n=3, cutoff=0.6)
                suggestion = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
                raise FormulaError(
                    f"The formula uses the column {column!r}, which is not in the data.{suggestion} "
                    f"The columns are: {', '.join(present[:30])}."
                )

    def __str__(self) -> str:
        terms = [*map(str, self.fixed.parametric), *map(str, self.random)]
        return f"{Name(self.response)} ~ {' + '.join(terms) or '1'}"


def parse_mixed_formula(text: str, columns: Iterable[str] | None = None, scale: str | None = None) -> MixedFormula:
    """Parse a formula with random terms in lme4's language.

    Parameters
    ----------
    text : str
        Such as ``"rating ~ temp * contact + (1 + temp | judge) + (1 | clip)"``; ``||`` for uncorrelated columns,
        ``(1 | a/b)`` for nested factors. Only the functions that any formula here may call are allowed.
    columns : iterable of str, optional
        The columns of the data.
    scale : str, optional
        Terms of the scale, ``"~ temp"``.

    Raises
    ------
    FormulaError
        With a caret under the place where the formula stops making sense.

    Examples
    --------
    >>> print(parse_mixed_formula("rating ~ temp * contact + (1 + temp | judge) + (1 | site/room)"))
    rating ~ temp + contact + temp:contact + (1 + temp | judge) + (1 | site) + (1 | site:room)
    """
    if not isinstance(text, str):
        raise ArgumentError(f"The formula must be a string, but got {type(text).__name__} instead.")
    present = None if columns is None else list(map(str, columns))
    tokens = tokenize(text)
    rest, bars = _split(text, tokens)
    fixed = parse_formula(rest, present)
    response = fixed.response
    if isinstance(response, Call) and response.function in _MAKE_CATEGORIES and len(response.arguments) == 1:
        response = response.arguments[0].value
    if not isinstance(response, Name):
        raise FormulaError(
            f"The response must be a column of ordered categories, but got {fixed.response}: categories are not "
            "transformed. Make a column of it first."
        )
    _check_fixed(fixed, text)
    random = tuple(term for inner in bars for term in _random_terms(response.name, inner, text, present))
    return MixedFormula(response.name, fixed, _scale_terms(response, scale, present), random)


def _scale_terms(response: Name, text: str | None, present: list[str] | None) -> Formula:
    if text is None:
        return parse_formula(f"{response} ~ 1", present)
    if not isinstance(text, str) or not text.strip().startswith("~"):
        raise ArgumentError(f"The scale must be a one-sided formula, such as '~ temp', but got {text!r} instead.")
    formula = parse_formula(f"{response} {text.strip()}", present)
    _check_fixed(formula, text)
    return formula


def _check_fixed(formula: Formula, text: str) -> None:
    if formula.smooths:
        raise FormulaError(
            f"{formula.smooths[0]} is a smooth, which this model does not have: use poly(), or a model of "
            "layerstats.fit with family='ocat'."
        )
    if any(term.is_offset for term in formula.parametric):
        raise FormulaError("This model has no offset(): leave it out of the formula.")
    if not formula.intercept:
        raise FormulaError(
            f"The thresholds are the intercepts of this model and cannot be removed: write {text.strip()!r} without "
            "'0 +' or '- 1'."
        )


def _split(text: str, tokens: Sequence[Token]) -> tuple[str, list[list[Token]]]:
    """Return the formula without its random terms, as code, and the tokens inside the parentheses of each."""
    kept: list[Token] = []
    bars: list[list[Token]] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        before = tokens[place - 1] if place else Token("operator", "", 0)
        if token.text == "(" and token.kind == "operator" and before.kind == "operator":
            end = _closing(tokens, place)
            inner = list(tokens[place + 1 : end])
            if any(found.kind == "operator" and found.text == "|" for found in inner):
                if before.text not in ("+", "~"):
                    formula_error(text, token.position, "A random term is added by '+', but here it is not:")
                bars.append(inner)
                if kept and kept[-1].text == "+":
                    kept.pop()
                place = end + 1
                if kept and kept[-1].text == "~" and tokens[place].text == "+":
                    place += 1
                continue
        kept.append(token)
        place += 1
    if len(kept) > 1 and kept[-2].text == "~":
        kept.insert(-1, Token("number", "1", kept[-1].position))
    return r_code(kept), bars


def _closing(tokens: Sequence[Token], opening: int) -> int:
    depth = 0
    for place in range(opening, len(tokens)):
        if tokens[place].kind == "operator":
            depth += (tokens[place].text == "(") - (tokens[place].text == ")")
        if depth == 0:
            return place
    return len(tokens) - 1


def _random_terms(response: str, inner: list[Token], text: str, present: list[str] | None) -> list[RandomTerm]:
    place = next(number for number, token in enumerate(inner) if token.text == "|")
    double = len(inner) > place + 1 and inner[place + 1].text == "|"
    left, right = inner[:place], inner[place + 1 + double :]
    if not left or not right or any(token.text == "|" for token in right):
        formula_error(text, inner[place].position, "A random term has the form (1 + slope | group), but here is:")
    lead = f"{Name(response)} ~ "
    columns = parse_formula(lead + r_code(left), present)
    groups = parse_formula(lead + r_code(right), present)
    if columns.smooths or groups.smooths or any(term.is_offset for term in columns.parametric):
        formula_error(text, inner[0].position, "A random term holds columns, no smooths and no offset:")
    if not columns.intercept and not columns.parametric:
        formula_error(text, inner[0].position, "A random term needs an intercept or a slope:")
    found = []
    for term in groups.parametric:
        if not all(isinstance(factor, Name) for factor in term.factors):
            formula_error(text, right[0].position, "What a random term is grouped by must be columns:")
        found.append(RandomTerm(columns, term.columns, not double))
    if not found:
        formula_error(text, right[0].position, "A random term needs a column that it is grouped by:")
    return found


def _one_sided(formula: Formula) -> str:
    return " + ".join(["1" if formula.intercept else "0", *map(str, formula.parametric)])
