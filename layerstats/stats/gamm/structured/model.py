"""A model as the engine has it: which terms stand in the dense corner, which in the blocks, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.smooths import DenseTerm, GroupedTerm, ParametricPart
from layerstats.stats.gamm.structured.system import System
from layerstats.stats.gamm.structured.unique_rows import UniqueRows, pieces


@dataclass(frozen=True)
class Aliased:
    """The coefficients that were left out.

    Attributes
    ----------
    names
        What they are.
    arbitrary
        Whether mgcv may have left out others in their place.
    counted
        How many of them the criterion counts as estimated, as mgcv does with REML.
    of_smooths
        Whether smooths can take each other's place: there may be several optima.
    """

    names: tuple[str, ...] = ()
    arbitrary: bool = False
    counted: int = 0
    of_smooths: bool = False


@dataclass(frozen=True, eq=False)
class Model:
    """The terms of a model and where their coefficients stand.

    Attributes
    ----------
    parametric
        The first columns of the dense corner.
    dense
        The smooths in the dense corner, in the order of their columns.
    blocks
        The random terms that are solved level by level; all have the same grouping factor.
    outer
        The random terms of a factor in which that one is nested (speakers, where the blocks are tokens), solved group
        by group. Where they are few they stand in the dense corner.
    labels
        The labels of all smooths in the order of the formula.
    rows
        The different rows of the data under this model.
    level
        (row,) the level of the grouping factor in each row of the data; all zero where there is none.
    group
        (row,) the level of the outer factor.
    factor_smooths
        The smooths with ``bs = "fs"`` and how many penalties each has.
    aliased
        Coefficients that were left out, since the data cannot tell them from others.
    summed
        A request whose data are summed up already, and these sums; None for most.
    """

    parametric: ParametricPart
    dense: tuple[DenseTerm, ...]
    blocks: tuple[GroupedTerm, ...]
    outer: tuple[GroupedTerm, ...]
    labels: tuple[str, ...]
    rows: UniqueRows
    level: np.ndarray
    group: np.ndarray
    factor_smooths: tuple[tuple[SmoothTerm, int], ...]
    aliased: Aliased = field(default_factory=Aliased)
    summed: tuple[FitRequest, System] | None = None

    @property
    def dense_spans(self) -> dict[str, slice]:
        """The columns of each dense smooth in the dense corner."""
        ends = np.cumsum([len(self.parametric.coefficients), *(term.size for term in self.dense)])
        return {term.label: slice(ends[i], ends[i + 1]) for i, term in enumerate(self.dense)}

    @property
    def dense_count(self) -> int:
        """The number of columns of the dense corner."""
        return len(self.parametric.coefficients) + sum(term.size for term in self.dense)

    @property
    def width(self) -> int:
        """The number of columns of the dense corner, a block and a group together."""
        return self.dense_count + sum(term.functions for term in (*self.blocks, *self.outer))

    @property
    def block_spans(self) -> dict[str, slice]:
        """The columns of each grouped term in a random block."""
        return _spans(self.blocks)

    @property
    def outer_spans(self) -> dict[str, slice]:
        """The columns of each outer term in those of a group."""
        return _spans(self.outer)

    @property
    def group_count(self) -> int:
        """The number of groups; 0 where the model has none."""
        return self.outer[0].level_count if self.outer else 0

    @property
    def level_count(self) -> int:
        """The number of random blocks; 0 where the model has none."""
        return self.blocks[0].level_count if self.blocks else 0

    def dense_columns(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the columns of the dense corner, (row, coefficient)."""
        return np.hstack([self.parametric.columns(frame), *(term.columns(frame) for term in self.dense)])

    def block_columns(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the columns of a random block, (row, function)."""
        return np.hstack([np.zeros((len(frame), 0)), *(term.basis(frame) for term in self.blocks)])

    def outer_columns(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the columns of a group, (row, function)."""
        return np.hstack([np.zeros((len(frame), 0)), *(term.basis(frame) for term in self.outer)])

    def predictor(
        self, coefficients: np.ndarray, level_coefficients: np.ndarray, group_coefficients: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the linear predictor of the data, (row,).

        Parameters
        ----------
        coefficients
            (column,) of the dense corner.
        level_coefficients
            (level, function) of the random blocks.
        group_coefficients
            (group, function) of the outer terms.
        """
        frame, place = self.rows.frame, self.rows.place
        fixed = [self.dense_columns(frame.iloc[piece]) @ coefficients for piece in pieces(len(frame), self.width)]
        values = np.concatenate(fixed)[place]
        if self.blocks:
            functions = self.block_columns(frame)
            for piece in pieces(len(place), self.width):
                own = functions[place[piece]]
                values[piece] += np.einsum("rf,rf->r", own, level_coefficients[self.level[piece]])
        if group_coefficients is not None and self.outer:
            functions = self.outer_columns(frame)
            for piece in pieces(len(place), self.width):
                own = functions[place[piece]]
                values[piece] += np.einsum("rf,rf->r", own, group_coefficients[self.group[piece]])
        return values


def _spans(terms: tuple[GroupedTerm, ...]) -> dict[str, slice]:
    ends = np.cumsum([0, *(term.functions for term in terms)])
    return {term.label: slice(ends[i], ends[i + 1]) for i, term in enumerate(terms)}
