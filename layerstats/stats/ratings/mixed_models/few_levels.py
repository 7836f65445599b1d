"""Random factors with too few levels for a variance: two become a fixed effect, one is left out."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.gamm.formula.expression import Name
from layerstats.stats.gamm.formula.terms import ParametricTerm
from layerstats.stats.ratings.mixed_models.mixed_formula import MixedFormula, RandomTerm
from layerstats.stats.ratings.mixed_models.random_factors import level_codes

_FEWEST = 3


def without_few_levels(formula: MixedFormula, frame: pd.DataFrame) -> tuple[MixedFormula, pd.DataFrame, list[str]]:
    """Return a model whose random factors have three levels or more, its table, and notes on what was changed.

    A standard deviation of two levels is hardly determined, and R's ``clmm`` refuses it.

    Raises
    ------
    DataError
        A factor has a level for every row, so that it cannot be told from what is left.
    """
    kept: list[RandomTerm] = []
    added: list[ParametricTerm] = []
    notes = []
    table = frame
    for term in formula.random:
        codes, levels = level_codes(term.group, frame)
        if len(levels) == len(frame):
            raise DataError(
                f"Every row is a level of {term.name} of its own, so that its effects cannot be told from the rest: "
                f"leave {term} out of the formula."
            )
        if len(levels) >= _FEWEST:
            kept.append(term)
        elif len(levels) == 1:
            notes.append(f"{term} was left out: {term.name} has one level, {levels[0]!r}.")
        else:
            table = table.assign(**{term.name: pd.Categorical.from_codes(codes, categories=list(levels))})
            written = _as_fixed(term)
            added += [new for new in written if new not in added]
            notes.append(
                f"{term.name} has two levels ({', '.join(levels)}), too few for a standard deviation: it is a fixed "
                f"effect ({' + '.join(map(str, written))})."
            )
    present = [set(term.factors) for term in formula.fixed.parametric]
    new = [term for term in added if set(term.factors) not in present]
    ordered = sorted([*formula.fixed.parametric, *new], key=lambda term: len(term.factors))
    fixed = replace(formula.fixed, parametric=tuple(ordered))
    return replace(formula, fixed=fixed, random=tuple(kept)), table, notes


def _as_fixed(term: RandomTerm) -> list[ParametricTerm]:
    group = Name(term.name)
    main = [ParametricTerm((group,))] if term.columns.intercept else []
    return main + [ParametricTerm((*slope.factors, group)) for slope in term.columns.parametric]
