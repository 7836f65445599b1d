"""The penalties of a model, all diagonal, and the determinant of their weighted sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from layerstats.stats.gamm.structured.model import Model


@dataclass(frozen=True, eq=False)
class PenaltyDeterminant:
    """The log determinant of the weighted sum of penalties, over the coefficients that are penalised.

    Attributes
    ----------
    value
        It.
    gradient, hessian
        (penalty,) and (penalty, penalty), in the log smoothing parameters.
    """

    value: float
    gradient: np.ndarray
    hessian: np.ndarray


@dataclass(frozen=True, eq=False)
class Penalties:
    """All penalties of a model: of the dense smooths in order, of the random blocks, and of the outer terms.

    Attributes
    ----------
    dense
        (penalty, column) diagonals in the dense corner.
    block
        (penalty, function) diagonals in a random block.
    outer
        (penalty, function) diagonals in the coefficients of a group.
    levels, groups
        Number of random blocks and of groups with data.
    labels
        The smooth that each penalty belongs to.
    restricted_offset, full_offset
        What likelihoods in mgcv's coefficients have in addition, for REML and ML.
    shear
        (column, column) what is added to the penalised axes for ML; see `Coordinates`.
    left_out
        Coefficients that were left out and still count as estimated.
    collinear
        Whether the data let smooths take each other's place.
    """

    dense: np.ndarray
    block: np.ndarray
    outer: np.ndarray
    levels: int
    groups: int
    labels: tuple[str, ...]
    restricted_offset: float
    full_offset: float
    shear: np.ndarray
    left_out: int = 0
    collinear: bool = False

    @classmethod
    def of(cls, model: Model, levels: int, groups: int = 0) -> Penalties:
        """Collect the penalties of `model`."""
        columns = len(model.parametric.coefficients) + sum(term.size for term in model.dense)
        dense, labels = [np.zeros((0, columns))], []
        block = [np.zeros((0, sum(term.functions for term in model.blocks)))]
        outer = [np.zeros((0, sum(term.functions for term in model.outer)))]
        shear = np.zeros((columns, columns))
        linked: dict[tuple[str, int], int] = {}
        for term in model.dense:
            span = model.dense_spans[term.label]
            for number, penalty in enumerate(term.penalties):
                place = len(dense)
                if term.smoothing_id is not None:
                    place = linked.setdefault((term.smoothing_id, number), place)
                if place < len(dense):
                    # Terms that share a smoothing parameter are as one with a penalty on all of them.
                    dense[place] = dense[place] + _placed(penalty, span, columns)
                else:
                    dense.append(_placed(penalty, span, columns))
                    labels.append(term.label)
            if term.shear is not None:
                place = np.arange(columns)[span]
                shear[np.ix_(place[~term.penalised], place[term.penalised])] = term.shear
        for terms, spans, found in ((model.blocks, model.block_spans, block), (model.outer, model.outer_spans, outer)):
            size = found[0].shape[1]
            for grouped in terms:
                found += [_placed(penalty, spans[grouped.label], size) for penalty in grouped.penalties]
                labels += [grouped.label] * len(grouped.penalties)
        return cls(
            dense=np.vstack(dense),
            block=np.vstack(block),
            outer=np.vstack(outer),
            levels=levels,
            groups=groups,
            labels=tuple(labels),
            restricted_offset=sum(term.restricted_offset for term in model.dense),
            full_offset=sum(term.full_offset for term in model.dense),
            shear=shear,
            left_out=model.aliased.counted,
            collinear=model.aliased.of_smooths,
        )

    @property
    def columns(self) -> int:
        """Number of columns of the dense corner."""
        return self.dense.shape[1]

    @property
    def dense_count(self) -> int:
        """The number of penalties in the dense corner; those after them are of the random blocks."""
        return len(self.dense)

    @property
    def inner_count(self) -> int:
        """The number of penalties before those of the outer terms."""
        return len(self.dense) + len(self.block)

    @property
    def count(self) -> int:
        """The number of penalties."""
        return len(self.labels)

    @cached_property
    def penalised(self) -> np.ndarray:
        """(column,) whether any penalty sees it."""
        return np.asarray(self.dense.sum(axis=0) > 0)

    @property
    def unpenalised(self) -> int:
        """The number of columns that no penalty sees."""
        return int(np.sum(~self.penalised))

    @property
    def compete(self) -> bool:
        """Whether penalties, or the smooths they belong to, can take each other's place."""
        return self.collinear or bool(np.any(np.sum(self.dense > 0, axis=0) > 1))

    @property
    def counted_as_estimated(self) -> int:
        """The number of unpenalised columns that the restricted likelihood counts."""
        return self.unpenalised + self.left_out

    def range_basis(self) -> np.ndarray:
        """Return (column, direction): what in mgcv's coefficients is orthogonal to the unpenalised directions."""
        return (np.eye(self.columns) + self.shear)[:, self.penalised]

    def dense_sum(self, smoothing: np.ndarray) -> np.ndarray:
        """Return the diagonal of the weighted sum of the dense penalties, (column,)."""
        return smoothing[: self.dense_count] @ self.dense

    def block_sum(self, smoothing: np.ndarray) -> np.ndarray:
        """Return the diagonal of the weighted sum of the penalties of a random block, (function,)."""
        return smoothing[self.dense_count : self.inner_count] @ self.block

    def outer_sum(self, smoothing: np.ndarray) -> np.ndarray:
        """Return the diagonal of the weighted sum of the penalties of a group, (function,)."""
        return smoothing[self.inner_count :] @ self.outer

    def determinant(self, log_smoothing: np.ndarray) -> PenaltyDeterminant:
        """Return the log determinant at these log smoothing parameters."""
        smoothing = np.exp(log_smoothing)
        total = self.dense_sum(smoothing)[self.penalised]
        shares = smoothing[: self.dense_count, None] * self.dense[:, self.penalised] / total
        gradient, hessian = np.zeros(self.count), np.zeros((self.count, self.count))
        own = slice(0, self.dense_count)
        gradient[own] = shares.sum(axis=1)
        hessian[own, own] = np.diag(gradient[own]) - shares @ shares.T
        # The penalties of a block do not overlap: each adds its rank for every level.
        gradient[self.dense_count : self.inner_count] = self.levels * np.sum(self.block > 0, axis=1)
        gradient[self.inner_count :] = self.groups * np.sum(self.outer > 0, axis=1)
        value = float(np.log(total).sum() + self.levels * np.log(self.block_sum(smoothing)).sum())
        value += float(self.groups * np.log(self.outer_sum(smoothing)).sum())
        return PenaltyDeterminant(value, gradient, hessian)


def _placed(diagonal: np.ndarray, span: slice, size: int) -> np.ndarray:
    row = np.zeros((1, size))
    row[0, span] = diagonal
    return row
