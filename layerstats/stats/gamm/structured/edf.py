"""Effective degrees of freedom, and covariances of the coefficients of the dense corner.

With K the penalised cross-product, S the penalties and phi the scale, F = K^-1 X'X = I - K^-1 S takes least squares
coefficients to penalised ones. Their Bayesian covariance is phi K^-1, the frequentist one F phi K^-1 (Wood 2017, 6.10).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import block_diag

from layerstats.stats.gamm.structured.criterion import fit_terms, gather_coefficients, penalised_directions
from layerstats.stats.gamm.structured.full_crossproduct import MOST_COEFFICIENTS, coefficient_count, full_crossproduct
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.optimum import Optimum
from layerstats.stats.gamm.structured.second_order import SecondOrder, second_order


@dataclass(frozen=True, eq=False)
class EffectiveDf:
    """Degrees of freedom at an optimum.

    Attributes
    ----------
    model
        Its terms.
    optimum
        The fitted model.
    method
        The criterion it minimises.
    known_scale
        The scale where it is no parameter.
    """

    model: Model
    optimum: Optimum
    method: str
    known_scale: float | None = None

    @cached_property
    def scale(self) -> float:
        """The residual variance: where REML has it; for ML, as in mgcv, over the residual degrees of freedom.

        So it is with REML that counts what was left out, whose own estimate is another one.
        """
        if self.known_scale is not None:
            return self.known_scale
        solution = self.optimum.solution
        observations = solution.system.observations
        if self.method != "ML" and not solution.penalties.left_out:
            return solution.penalised_square / (observations - solution.penalties.unpenalised)
        residual_square = solution.penalised_square - float(self._fit_terms()[0].sum())
        return residual_square / (observations - self.total)

    def _fit_terms(self) -> tuple[np.ndarray, np.ndarray]:
        return fit_terms(self.optimum.solution)

    def _penalised_directions(self) -> np.ndarray:
        return penalised_directions(self.optimum.solution)

    @cached_property
    def _dense_penalty(self) -> np.ndarray:
        return self.optimum.solution.dense_penalty

    @cached_property
    def _block_penalty(self) -> np.ndarray:
        solution = self.optimum.solution
        return solution.penalties.block_sum(solution.smoothing)

    @cached_property
    def _gathered(self) -> np.ndarray:
        """The sum of W'LW over blocks, (column, column)."""
        return self.optimum.solution.gather(self._block_penalty)

    @cached_property
    def _shrinkage(self) -> np.ndarray:
        """K^-1 S, its corner of dense columns."""
        return self.optimum.solution.inverse @ self._dense_penalty

    @cached_property
    def dense(self) -> np.ndarray:
        """(column,) the diagonal of F over the dense corner."""
        return 1 - np.diag(self._shrinkage)

    @cached_property
    def dense_edf1(self) -> np.ndarray:
        """(column,) the diagonal of 2F - FF over the dense corner: what mgcv calls edf1."""
        inverse = self.optimum.solution.inverse
        kept = np.eye(len(inverse)) - self._shrinkage
        twice = np.sum(kept * kept.T, axis=1)
        twice += np.sum((inverse @ self._gathered) * self._shrinkage.T, axis=1)
        return 2 * self.dense - twice

    @cached_property
    def block(self) -> np.ndarray:
        """(function,) the diagonal of F summed over the random blocks."""
        solution = self.optimum.solution
        count = solution.system.block_count[:, None, None]
        variance = count * solution.block_inverse + solution.spread(solution.inverse)
        shrunk = np.diagonal(variance, axis1=1, axis2=2).sum(axis=0) * self._block_penalty
        return solution.system.block_count.sum() - shrunk

    @cached_property
    def block_edf1(self) -> np.ndarray:
        """(function,) the diagonal of 2F - FF summed over the random blocks."""
        solution, weight = self.optimum.solution, self._block_penalty
        count = solution.system.block_count
        kept = np.eye(len(weight)) - solution.block_inverse * weight
        twice = count @ np.sum(kept * kept.transpose(0, 2, 1), axis=2)
        spread = solution.spread(solution.inverse)
        kept_spread = np.einsum("gij,gji->i", kept, spread) * weight
        between = solution.inverse @ (self._dense_penalty + self._gathered) @ solution.inverse
        twice += np.einsum("gii->i", solution.spread(between)) * weight - 2 * kept_spread
        return 2 * self.block - twice

    @cached_property
    def total(self) -> float:
        """Effective degrees of freedom of the model."""
        return float(self.dense.sum() + self.block.sum())

    @cached_property
    def total_edf1(self) -> float:
        """The sum of edf1."""
        return float(self.dense_edf1.sum() + self.block_edf1.sum())

    @cached_property
    def bayesian(self) -> np.ndarray:
        """(column, column) posterior covariance of the dense coefficients."""
        return self.scale * self.optimum.solution.inverse

    @cached_property
    def frequentist(self) -> np.ndarray:
        """(column, column) sampling covariance of the dense coefficients."""
        inverse = self.optimum.solution.inverse
        return self.scale * (inverse - inverse @ (self._dense_penalty + self._gathered) @ inverse)

    @cached_property
    def _hessian(self) -> np.ndarray:
        """(parameter, parameter) of the criterion, without the scale where it is known."""
        hessian, penalties = self.optimum.derivatives.hessian, self.optimum.solution.penalties.count
        return hessian if self.known_scale is None else hessian[:penalties, :penalties]

    @cached_property
    def smoothing_covariance(self) -> np.ndarray:
        """(penalty, penalty) of the log smoothing parameters: the inverse Hessian, flat directions left out."""
        penalties = self.optimum.solution.penalties.count
        eigenvalues, vectors = np.linalg.eigh(self._hessian)
        inverse = np.zeros_like(eigenvalues)
        inverse[eigenvalues > 0] = 1 / eigenvalues[eigenvalues > 0]
        return ((vectors * inverse) @ vectors.T)[:penalties, :penalties]

    @cached_property
    def sensitivity(self) -> np.ndarray:
        """(column, penalty) derivative of the dense coefficients in the log smoothing parameters."""
        return -self.optimum.solution.inverse @ self._penalised_directions().T

    @property
    def leaves_out_second_order(self) -> bool:
        """Whether mgcv would add the second-order term, and it is too large a computation here or not known."""
        unknown = any(term.aliased for term in self.model.dense)
        return self.method != "fREML" and (unknown or coefficient_count(self.model) > MOST_COEFFICIENTS)

    @cached_property
    def second_order(self) -> SecondOrder | None:
        """What the second-order uncertainty of the smoothing parameters adds; as in mgcv not with fREML."""
        if self.method == "fREML" or self.leaves_out_second_order or not self.optimum.solution.penalties.count:
            return None
        return second_order(
            self.model, self._whole_information(), self._whole_penalties(), self._whole_axes(), self._hessian
        )

    def _whole_penalties(self) -> np.ndarray:
        """Return the diagonals of all weighted penalties, (penalty, axis), as `second_order` takes them."""
        solution, levels = self.optimum.solution, self.model.level_count
        dense, block = solution.dense_penalties, np.tile(solution.block_penalties, (1, levels))
        return block_diag(dense, block)

    def _whole_axes(self) -> np.ndarray | None:
        """Return the axes of the penalties, (axis, coefficient), or None, as `second_order` takes them."""
        penalties = self.optimum.solution.penalties
        if penalties.extra_axes is None:
            return None
        own = penalties.along_axes(np.eye(penalties.columns))
        return block_diag(own, np.eye(coefficient_count(self.model) - penalties.columns))

    def _whole_information(self) -> np.ndarray:
        """Return the cross-product of all columns, (coefficient, coefficient), as `second_order` takes it."""
        return full_crossproduct(self.model, self.optimum.solution.system)

    @cached_property
    def corrected(self) -> np.ndarray:
        """(column, column) Bayesian covariance with the uncertainty of the smoothing parameters.

        Wood, Pya & Säfken (2016, J. Am. Statist. Ass. 111): the first term of their correction, and the second as mgcv
        has it, for REML and ML.
        """
        first = self.bayesian + self.sensitivity @ self.smoothing_covariance @ self.sensitivity.T
        return first if self.second_order is None else first + self.scale * self.second_order.covariance

    @cached_property
    def total_edf2(self) -> float:
        """Degrees of freedom with the uncertainty of the smoothing parameters (edf2), no more than `total_edf1`.

        They exceed `total` by tr(V J'X'XJ) / phi, J the derivative of all coefficients; X'X = K - S and J = -K^-1 S b
        make J'KJ a matter of sums that the Hessian has too, and only J'SJ is left.
        """
        solution = self.optimum.solution
        first = solution.penalties.dense_count
        weight = np.diag(self._block_penalty)
        cross = self._fit_terms()[1]
        cross = cross - self.sensitivity.T @ (self._dense_penalty + self._gathered) @ self.sensitivity
        inner = solution.block_inverse @ weight @ solution.block_inverse
        for number, diagonal in enumerate(solution.block_penalties):
            for other, second in enumerate(solution.block_penalties):
                scaled = inner * diagonal[None, :, None] * second[None, None, :]
                cross[first + number, first + other] -= np.sum(scaled * solution.block_square.transpose(0, 2, 1))
            direction = gather_coefficients(solution, weight @ solution.block_inverse * diagonal[None, None, :])
            mixed = direction @ self.sensitivity
            cross[first + number] -= mixed
            cross[:, first + number] -= mixed
        extra = float(np.sum(self.smoothing_covariance * cross)) / self.scale
        if self.second_order is not None:
            extra += self.second_order.edf
        return min(self.total + extra, self.total_edf1)
