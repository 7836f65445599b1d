"""Random terms as columns of their factors' levels, and the triangular roots of their covariances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.gamm.data.factors import level_names
from layerstats.stats.ratings.mixed_models.coded_columns import CodedColumns, code_columns
from layerstats.stats.ratings.mixed_models.mixed_formula import RandomTerm


@dataclass(frozen=True, eq=False)
class RandomFactor:
    """A factor whose levels have random effects: an intercept, slopes, or both.

    Attributes
    ----------
    name
        As R names it: ``"judge"``, ``"a:b"``.
    group
        Its columns in the data.
    levels
        The names of its levels, in the order of `codes`.
    codes
        (row,) the level of each row.
    design
        What makes `columns` of new data, one for each term in the formula.
    columns
        (row, effect) what the effects of a row's level are multiplied by.
    effects
        The names of the effects, as R names coefficients.
    free
        (parameter, 2) row and column of each free element of the lower triangular root of the covariance.
    """

    name: str
    group: tuple[str, ...]
    levels: tuple[str, ...]
    codes: np.ndarray
    design: tuple[CodedColumns, ...]
    columns: np.ndarray
    effects: tuple[str, ...]
    free: np.ndarray

    @property
    def width(self) -> int:
        """How many effects a level has."""
        return self.columns.shape[1]

    def root(self, parameters: np.ndarray) -> np.ndarray:
        """Return the lower triangular root of the covariance of a level's effects, (effect, effect)."""
        root = np.zeros((self.width, self.width))
        root[self.free[:, 0], self.free[:, 1]] = parameters
        return root

    def start(self) -> np.ndarray:
        """Return parameters of independent effects with a standard deviation of 1 where columns are about 1."""
        size = np.sqrt(np.mean(self.columns**2, axis=0))
        return np.where(self.free[:, 0] == self.free[:, 1], 1 / size[self.free[:, 0]], 0.0)

    def parameter_names(self) -> tuple[str, ...]:
        """Return a name for each free element of the root."""
        names = []
        for row, column in self.free:
            pair = self.effects[row] if row == column else f"{self.effects[row]}.{self.effects[column]}"
            names.append(f"root {self.name} {pair}")
        return tuple(names)


def level_codes(group: Sequence[str], frame: pd.DataFrame) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the level of each row and the names of the levels, sorted; combinations have R's names, ``"a:b"``."""
    names = [level_names(pd.Series(frame[column])) for column in group]
    text = names[0] if len(names) == 1 else names[0].str.cat(names[1:], sep=":")
    codes, levels = pd.factorize(text, sort=True)
    return codes, tuple(map(str, levels))


def build_factors(terms: Sequence[RandomTerm], frame: pd.DataFrame) -> list[RandomFactor]:
    """Return the random factors of a model, terms of one factor together, the one with most levels first."""
    by_group: dict[tuple[str, ...], list[RandomTerm]] = {}
    for term in terms:
        by_group.setdefault(term.group, []).append(term)
    found = [_build_factor(group, own, frame) for group, own in by_group.items()]
    return sorted(found, key=lambda factor: -len(factor.levels) * factor.width)


def _build_factor(group: tuple[str, ...], terms: Sequence[RandomTerm], frame: pd.DataFrame) -> RandomFactor:
    codes, levels = level_codes(group, frame)
    designs = [code_columns(term.columns, frame) for term in terms]
    free: list[tuple[int, int]] = []
    start = 0
    for term, design in zip(terms, designs, strict=True):
        for row in range(start, start + len(design.names)):
            free += [(row, column) for column in range(start if term.correlated else row, row + 1)]
        start += len(design.names)
    return RandomFactor(
        name=":".join(group),
        group=group,
        levels=levels,
        codes=codes,
        design=tuple(designs),
        columns=np.column_stack([design.matrix(frame) for design in designs]),
        effects=tuple(name for design in designs for name in design.names),
        free=np.array(free),
    )
