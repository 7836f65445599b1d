"""Model formulas in mgcv's language, as values that know their terms and columns."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from layerstats.errors import FormulaError
from layerstats.stats.gamm.formula.expression import (
    Call,
    Constant,
    Expression,
    Name,
    String,
    can_evaluate,
    evaluate,
    names_in,
    names_outside,
)

# Bases that mgcv treats as random effects: each is a penalised deviation of a level from the common curve.
RANDOM_BASES = frozenset({"re", "fs", "mrf"})
# Functions of R whose argument is taken by its levels.
_MAKE_FACTORS = frozenset({"factor", "as.factor", "ordered", "as.ordered", "interaction"})


@dataclass(frozen=True)
class ParametricTerm:
    """A term without smoothing: a variable, or an interaction of several.

    Attributes
    ----------
    factors
        The expressions that are multiplied: one for a main effect, two for ``a:b``.

    Examples
    --------
    >>> from layerstats.stats.gamm import parse_formula
    >>> parse_formula("y ~ word * sex + s(x)").parametric[0]
    ParametricTerm(factors=(Name(name='word'),))
    """

    factors: tuple[Expression, ...]

    @property
    def label(self) -> str:
        """The term as R names it, for instance ``"Word:Sex"``."""
        return ":".join(map(str, self.factors))

    @property
    def is_offset(self) -> bool:
        """Whether the term is an offset, which has no coefficient."""
        return any(isinstance(factor, Call) and factor.function == "offset" for factor in self.factors)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the term uses."""
        return _unique(name for factor in self.factors for name in names_in(factor))

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True)
class SmoothTerm:
    """A smooth: ``s()``, ``te()``, ``ti()`` or ``t2()``.

    Attributes
    ----------
    function
        ``"s"``, ``"te"``, ``"ti"`` or ``"t2"``.
    variables
        What the smooth is a function of.
    by
        The ``by`` variable, or None.
    options
        The other arguments, in the order of writing.

    Examples
    --------
    >>> from layerstats.stats.gamm import parse_formula
    >>> term = parse_formula('y ~ s(time, by=word, bs="cr", k=5)').smooths[0]
    >>> term.function, term.label
    ('s', 's(time):word')
    """

    function: str
    variables: tuple[Expression, ...]
    by: Expression | None = None
    options: tuple[tuple[str, Expression], ...] = ()

    def option(self, name: str) -> Expression | None:
        """Return the value of an option as written, or None where it was not given."""
        return dict(self.options).get(name)

    @property
    def bases(self) -> tuple[str, ...]:
        """The basis, or one basis a margin: mgcv's default is ``tp`` for ``s`` and ``cr`` for tensor products."""
        value = self.option("bs")
        if value is None or isinstance(value, Constant):
            return ("tp" if self.function == "s" else "cr",)
        return tuple(item.value if isinstance(item, String) else "?" for item in _items(value))

    @property
    def basis_dimensions(self) -> tuple[int, ...] | None:
        """The ``k`` that was written, rounded as in R, one value or one a margin; None where mgcv chooses."""
        values = self._numbers("k")
        return None if values is None or any(value < 0 for value in values) else tuple(map(round, values))

    @property
    def rounded_dimensions(self) -> bool:
        """Whether the ``k`` that was written is not whole."""
        return any(value != round(value) for value in self._numbers("k") or ())

    @property
    def penalty_orders(self) -> tuple[float, ...] | None:
        """The ``m`` that was written, or None."""
        return self._numbers("m")

    @property
    def unread(self) -> str | None:
        """What only R can evaluate of the options, such as ``k = c(rep(5, 2))``, or None."""
        for name in ("k", "m"):
            value = self.option(name)
            if not (value is None or isinstance(value, Constant) or self._numbers(name)):
                return f"the argument {name} = {value} of {self}"
        return f"the argument bs = {self.option('bs')} of {self}" if "?" in self.bases else None

    @property
    def random(self) -> bool:
        """Whether the smooth is a random effect."""
        return any(basis in RANDOM_BASES for basis in self.bases)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the smooth uses, the ``by`` variable last."""
        by = () if self.by is None else (self.by,)
        return _unique(name for expression in (*self.variables, *by) for name in names_in(expression))

    @property
    def covariates(self) -> tuple[str, ...]:
        """The columns that the smooth is a function of, without those of the ``by`` variable."""
        return _unique(name for expression in self.variables for name in names_in(expression))

    @property
    def label(self) -> str:
        """mgcv's label, without the level of a factor ``by``: ``"s(Sample)"``, ``"s(Sample):Word"``."""
        return self.name if self.by is None else f"{self.name}:{self.by}"

    @property
    def name(self) -> str:
        """The smooth without its ``by``: ``"s(Sample)"``."""
        return f"{self.function}({','.join(map(str, self.variables))})"

    def fitted_labels(self, levels: Mapping[str, Sequence[str]]) -> frozenset[str]:
        """Return the labels that this term can have in a table of smooths, given the levels of the factors."""
        by_levels = levels.get(self.by.name, ()) if isinstance(self.by, Name) else ()
        return frozenset([self.label, *(f"{self.label}{level}" for level in by_levels)])

    def _numbers(self, name: str) -> tuple[float, ...] | None:
        value = self.option(name)
        if value is None or isinstance(value, Constant):
            return None
        items = _items(value)
        if not all(can_evaluate(item) and not list(names_in(item)) for item in items):
            return None
        return tuple(float(evaluate(item, pd.DataFrame(index=[0]))[0]) for item in items)

    def __str__(self) -> str:
        parts = [str(variable) for variable in self.variables]
        if self.by is not None:
            parts.append(f"by = {self.by}")
        parts += [f"{name} = {value}" for name, value in self.options]
        return f"{self.function}({', '.join(parts)})"


@dataclass(frozen=True)
class Formula:
    """A parsed formula; ``str(formula)`` is R code that means the same.

    Attributes
    ----------
    response
        The left side, possibly a transformation such as ``log(f2)``; None in a formula that is one-sided.
    intercept
        Whether there is an intercept.
    parametric
        Interactions written out, main effects first, as R orders them.
    smooths
        In the order of writing.
    source
        The formula as it was written, as R code on one line; empty where nobody wrote it.
    """

    response: Expression | None
    intercept: bool
    parametric: tuple[ParametricTerm, ...]
    smooths: tuple[SmoothTerm, ...]
    source: str = field(default="", compare=False, repr=False)

    @property
    def random_smooths(self) -> tuple[SmoothTerm, ...]:
        """The smooths that are random effects."""
        return tuple(smooth for smooth in self.smooths if smooth.random)

    @property
    def response_columns(self) -> tuple[str, ...]:
        """The columns on the left side."""
        return () if self.response is None else _unique(names_in(self.response))

    @property
    def predictor_columns(self) -> tuple[str, ...]:
        """The columns of the terms."""
        return _unique(column for term in (*self.parametric, *self.smooths) for column in term.columns)

    @property
    def made_factors(self) -> tuple[str, ...]:
        """The columns that terms use as factors alone: as the argument of ``factor()`` and its like."""
        smooths = [part for smooth in self.smooths for part in (*smooth.variables, smooth.by) if part is not None]
        expressions = [*smooths, *(factor for term in self.parametric for factor in term.factors)]
        otherwise = {name for expression in expressions for name in names_outside(expression, _MAKE_FACTORS)}
        return tuple(column for column in self.predictor_columns if column not in otherwise)

    @property
    def response_only(self) -> tuple[str, ...]:
        """The columns on the left side that no term uses."""
        return tuple(column for column in self.response_columns if column not in self.predictor_columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the formula uses, the response first."""
        return _unique([*self.response_columns, *self.predictor_columns])

    @property
    def fixed_part(self) -> tuple[bool, frozenset[str]]:
        """What must agree between two models before their REML scores can be compared."""
        fixed = {term.label for term in self.parametric}
        return self.intercept, frozenset(fixed | {str(smooth) for smooth in self.smooths if not smooth.random})

    def one_sided(self) -> Formula:
        """Return the formula without its response, as R has ``~ s(x)``."""
        return replace(self, response=None, source="")

    def check_columns(self, present: Iterable[str]) -> None:
        """Raise `FormulaError` naming the columns that are not in `present`, with the nearest names that are."""
        present = list(map(str, present))
        for column in self.columns:
            if column in present:
                continue
            near = difflib.get_close_matches(column, present, n=3, cutoff=0.6)
            lowered = [name for name in present if name.lower() == column.lower() and name not in near]
            suggestion = f" Did you mean {' or '.join(map(repr, lowered + near))}?" if lowered + near else ""
            raise FormulaError(
                f"The formula uses the column {column!r}, which is not in the data.{suggestion} "
                f"The columns are: {', '.join(present[:30])}."
            )

    def __str__(self) -> str:
        terms = [str(term) for term in (*self.parametric, *self.smooths)]
        if not self.intercept:
            terms.insert(0, "0")
        response = "" if self.response is None else f"{self.response} "
        return f"{response}~ {' + '.join(terms) or '1'}"


def _items(value: Expression) -> tuple[Expression, ...]:
    """Return the elements of ``c(...)``, or the one value."""
    if isinstance(value, Call) and value.function == "c":
        return tuple(argument.value for argument in value.arguments)
    return (value,)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
