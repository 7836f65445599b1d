"""The penalties of a model, all diagonal, and the determinant of their weighted sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from scipy.linalg import qr

from layerstats.stats.gamm.smoothing_selection import penalties_compete
from layerstats.stats.gamm.structured.model import Model


@dataclass(frozen=True, eq=False)
class PenaltyDeterminant:
    """The log determinant of the weighted sum of penalties, over the coefficients that are penalised.

    Attributes
    ----------
    value
        The log determinant.
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
        (penalty, axis) diagonals in the dense corner, over its columns and after them over `extra_axes`.
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
    extra_axes
        (axis, column) of smooths that no coordinates make all penalties diagonal of; None where there are none.
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
    extra_axes: np.ndarray | None = None

    @classmethod
    def of(cls, model: Model, levels: int, groups: int = 0) -> Penalties:
        """Collect the penalties of `model`."""
        columns = len(model.parametric.coefficients) + sum(term.size for term in model.dense)
        rooted = {term.label: term.roots for term in model.dense if term.roots is not None}
        axes = columns + sum(len(roots) for roots in rooted.values())
        extra, first = np.zeros((axes - columns, columns)), columns
        dense, labels = [np.zeros((0, axes))], []
        block = [np.zeros((0, sum(term.functions for term in model.blocks)))]
        outer = [np.zeros((0, sum(term.functions for term in model.outer)))]
        shear = np.zeros((columns, columns))
        linked: dict[tuple[str, int], int] = {}
        for term in model.dense:
            span = own = model.dense_spans[term.label]
            if term.roots is not None:
                own = slice(first, first + len(term.roots))
                extra[first - columns : own.stop - columns, span] = term.roots
                first = own.stop
            for number, penalty in enumerate(term.penalties):
                place = len(dense)
                if term.smoothing_id is not None:
                    place = linked.setdefault((term.smoothing_id, number), place)
                if place < len(dense):
                    # Terms that share a smoothing parameter are as one with a penalty on all of them.
                    dense[place] = dense[place] + _placed(penalty, own, axes)
                else:
                    dense.append(_placed(penalty, own, axes))
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
            extra_axes=extra if rooted else None,
        )

    @property
    def columns(self) -> int:
        """Number of columns of the dense corner."""
        return self.dense.shape[1] if self.extra_axes is None else self.extra_axes.shape[1]

    def along_axes(self, columns: np.ndarray) -> np.ndarray:
        """Return values of columns, (column, ...), along the axes of the penalties, (axis, ...)."""
        return columns if self.extra_axes is None else np.concatenate([columns, self.extra_axes @ columns])

    def from_axes(self, axes: np.ndarray) -> np.ndarray:
        """Return the transpose of `along_axes`: from (..., axis) to (..., column)."""
        if self.extra_axes is None:
            return axes
        return axes[..., : self.columns] + axes[..., self.columns :] @ self.extra_axes

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
        used = self.dense.sum(axis=0) > 0
        if self.extra_axes is None:
            return np.asarray(used)
        return used[: self.columns] | np.any(self.extra_axes[used[self.columns :]] != 0, axis=0)

    @property
    def unpenalised(self) -> int:
        """The number of columns that no penalty sees."""
        return int(np.sum(~self.penalised))

    @property
    def compete(self) -> bool:
        """Whether penalties, or the smooths they belong to, can take each other's place."""
        return self.collinear or self.extra_axes is not None or penalties_compete(self.dense)

    @property
    def counted_as_estimated(self) -> int:
        """The number of unpenalised columns that the restricted likelihood counts."""
        return self.unpenalised + self.left_out

    def range_basis(self) -> np.ndarray:
        """Return (column, direction): what in mgcv's coefficients is orthogonal to the unpenalised directions."""
        return (np.eye(self.columns) + self.shear)[:, self.penalised]

    def dense_sum(self, smoothing: np.ndarray) -> np.ndarray:
        """Return the weighted sum of the dense penalties along the axes, (axis,)."""
        return smoothing[: self.dense_count] @ self.dense

    def dense_matrix(self, smoothing: np.ndarray) -> np.ndarray:
        """Return the weighted sum of the dense penalties, (column, column)."""
        total = self.dense_sum(smoothing)
        matrix = np.diag(total[: self.columns])
        if self.extra_axes is not None:
            matrix += (self.extra_axes.T * total[self.columns :]) @ self.extra_axes
        return matrix

    def block_sum(self, smoothing: np.ndarray) -> np.ndarray:
        """Return the diagonal of the weighted sum of the penalties of a random block, (function,)."""
        return smoothing[self.dense_count : self.inner_count] @ self.block

    def outer_sum(self, smoothing: np.ndarray) -> np.ndarray:
        """Return the diagonal of the weighted sum of the penalties of a group, (function,)."""
        return smoothing[self.inner_count :] @ self.outer

    def determinant(self, log_smoothing: np.ndarray) -> PenaltyDeterminant:
        """Return the log determinant at these log smoothing parameters."""
        smoothing = np.exp(log_smoothing)
        alone = self._alone
        total = self.dense_sum(smoothing)[alone]
        shares = smoothing[: self.dense_count, None] * self.dense[:, alone] / total
        gradient, hessian = np.zeros(self.count), np.zeros((self.count, self.count))
        own = slice(0, self.dense_count)
        gradient[own] = shares.sum(axis=1)
        hessian[own, own] = -shares @ shares.T
        value = float(np.log(total).sum())
        if self.extra_axes is not None:
            value += self._add_oblique(smoothing, gradient[own], hessian[own, own])
        hessian[own, own] += np.diag(gradient[own])
        # The penalties of a block do not overlap: each adds its rank for every level.
        gradient[self.dense_count : self.inner_count] = self.levels * np.sum(self.block > 0, axis=1)
        gradient[self.inner_count :] = self.groups * np.sum(self.outer > 0, axis=1)
        value += float(self.levels * np.log(self.block_sum(smoothing)).sum())
        value += float(self.groups * np.log(self.outer_sum(smoothing)).sum())
        return PenaltyDeterminant(value, gradient, hessian)

    @cached_property
    def _alone(self) -> np.ndarray:
        """The penalised columns that are axes themselves."""
        return np.flatnonzero(self.dense.sum(axis=0)[: self.columns] > 0)

    def _add_oblique(self, smoothing: np.ndarray, gradient: np.ndarray, hessian: np.ndarray) -> float:
        """Add what axes that are no columns contribute, and return their part of the log determinant.

        With Q orthonormal for the weighted axes, QQ' has all traces. The rows are sorted by size, so that an orthogonal
        decomposition with pivoting keeps the digits of small ones next to large ones.
        """
        assert self.extra_axes is not None
        used = np.setdiff1d(np.flatnonzero(self.penalised), self._alone)
        weighted = np.sqrt(self.dense_sum(smoothing)[self.columns :, None]) * self.extra_axes[:, used]
        order = np.argsort(-np.abs(weighted).max(axis=1), kind="stable")
        directions, root, _ = cast(
            "tuple[np.ndarray, np.ndarray, np.ndarray]", qr(weighted[order], mode="economic", pivoting=True)
        )
        leverage = np.empty((len(order), len(order)))
        leverage[np.ix_(order, order)] = directions @ directions.T
        of_penalty = (self.dense[:, self.columns :] > 0).astype(float)
        gradient += of_penalty @ np.diag(leverage)
        hessian -= of_penalty @ leverage**2 @ of_penalty.T
        return 2 * float(np.log(np.abs(np.diag(root))).sum())


def _placed(diagonal: np.ndarray, span: slice, size: int) -> np.ndarray:
    row = np.zeros((1, size))
    row[0, span] = diagonal
    return row
