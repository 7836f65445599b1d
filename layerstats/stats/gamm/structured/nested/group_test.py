"""The test of a random term of the groups, and of one in the dense corner, where blocks are nested in groups.

What is not tested can be eliminated first: with K the penalised cross-product and S the penalties, M and V (see
`block_determinant`) depend on them through K* = K_ee - K_ef K_ff^-1 K_fe and S* = N'SN alone, N = [1, -K_fe' K_ff^-1].
Blocks, and other terms of the groups, are taken out in this way. In coordinates where the rest of each group is 1 in K*
and diagonal in S*, the groups are then eliminated from S* + z(K* - S*), and two copies of the dense corner are left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.inference.block_determinant import UNSEEN, log_pivots, shared_directions
from layerstats.stats.gamm.structured.inference.random_test import ROUNDING
from layerstats.stats.gamm.structured.inference.smooth_test import TermTest
from layerstats.stats.gamm.structured.inference.spectrum import Spectrum
from layerstats.stats.gamm.structured.nested.arrow import Arrow, gram
from layerstats.stats.gamm.structured.nested.nested_edf import NestedEffectiveDf
from layerstats.stats.gamm.structured.nested.nested_solution import NestedSolution


def group_random_test(edf: NestedEffectiveDf, span: slice, residual: float) -> TermTest:
    """Test the term whose functions of a group are `span`."""
    solution = edf.solution
    pencil = _Pencil.of(solution, edf.raw_penalty, np.arange(solution.group_inverse.shape[1])[span])
    used = solution.system.used
    statistic = pencil.statistic(solution.group_coefficients[used, span], solution.system.group_kind[used])
    return pencil.spectrum(_shared(solution, span)).test(statistic / edf.scale, residual)


def _shared(solution: NestedSolution, span: slice) -> int:
    system, free = solution.system, ~solution.penalties.penalised
    inverse = np.linalg.pinv(system.group_gram[:, span, span], rcond=UNSEEN, hermitian=True)
    mixed = system.group_mixed[:, span][:, :, free]
    explained = gram(system.kind_count[:, None, None] * mixed, inverse @ mixed)
    return shared_directions(system.dense_gram[np.ix_(free, free)], explained)


def dense_random_test(edf: NestedEffectiveDf, span: slice, residual: float) -> TermTest:
    """Test the random term of the dense corner with the columns `span`."""
    solution = edf.solution
    coefficients, across = solution.coefficients[span], solution.inverse[:, span]
    weights = np.linalg.inv(across[span])
    root = np.linalg.cholesky((weights + weights.T) / 2)
    covariance = root.T @ (edf.frequentist / edf.scale)[span, span] @ root
    values = np.linalg.eigvalsh((covariance + covariance.T) / 2)
    statistic = float(coefficients @ weights @ coefficients) / edf.scale
    return Spectrum(values, np.ones(len(values))).test(statistic, residual, ROUNDING)


@dataclass(frozen=True, eq=False)
class _Pencil:
    """K* and S* over the dense corner and the tested functions of each kind of group.

    Attributes
    ----------
    whole, penalty
        K* and S*.
    count
        (kind,) groups of each kind.
    """

    whole: Arrow
    penalty: Arrow
    count: np.ndarray

    @classmethod
    def of(cls, solution: NestedSolution, found: Arrow, tested: np.ndarray) -> _Pencil:
        """Eliminate the other functions of the groups; `found` is the penalty after elimination of the blocks."""
        count = solution.system.kind_count
        other = np.setdiff1d(np.arange(solution.group_inverse.shape[1]), tested)
        border = count[:, None, None] * solution.group_border
        whole = _part(
            Arrow(
                solution.information + gram(border, solution.elimination),
                solution.group_border,
                solution.group_information,
            ),
            tested,
        )
        penalty = _part(found, tested)
        if not len(other):
            return cls(whole, penalty, count)
        own = solution.group_information[:, other[:, None], other]
        beside = solution.group_information[:, other[:, None], tested]
        outside = solution.group_border[:, other]
        inner, outer = -np.linalg.solve(own, beside), -np.linalg.solve(own, outside)
        weighted = count[:, None, None] * outer
        whole = Arrow(
            whole.corner + gram(weighted, outside),
            whole.border + beside.transpose(0, 2, 1) @ outer,
            whole.block + beside.transpose(0, 2, 1) @ inner,
        )
        rest, across = found.block[:, other[:, None], other], found.block[:, other[:, None], tested]
        down = found.border[:, other]
        half = gram(weighted, down)
        twice = across.transpose(0, 2, 1) @ inner
        turned = inner.transpose(0, 2, 1)
        penalty = Arrow(
            penalty.corner + half + half.T + gram(weighted, rest @ outer),
            penalty.border + across.transpose(0, 2, 1) @ outer + turned @ (down + rest @ outer),
            penalty.block + twice + twice.transpose(0, 2, 1) + turned @ rest @ inner,
        )
        return cls(whole, penalty, count)

    def statistic(self, coefficients: np.ndarray, kind: np.ndarray) -> float:
        """Return u'Mu, for (group, function) coefficients of groups of these kinds."""
        own = float(np.einsum("sf,sfg,sg->", coefficients, self.whole.block[kind], coefficients))
        through = np.einsum("sf,sfc->c", coefficients, self.whole.border[kind])
        return own - float(through @ np.linalg.solve(self.whole.corner, through))

    def spectrum(self, lost: int) -> Spectrum:
        """Return the eigenvalues of the product of covariance and weights over all groups, `lost` of them zero."""
        inverse = np.linalg.inv(np.linalg.cholesky(self.whole.block))
        shares = inverse @ self.penalty.block @ inverse.transpose(0, 2, 1)
        share, vectors = np.linalg.eigh((shares + shares.transpose(0, 2, 1)) / 2)
        turn = vectors.transpose(0, 2, 1) @ inverse
        size = len(self.whole.corner)
        rows = np.concatenate([turn @ self.whole.border, turn @ self.penalty.border], axis=2).reshape(-1, 2 * size)
        share, count = share.ravel(), np.repeat(self.count, share.shape[1])
        reduced = self.whole.corner - (rows[:, :size].T * count) @ rows[:, :size]
        constant = np.linalg.slogdet(reduced)[1] + np.linalg.slogdet(self.whole.corner)[1]

        def correction(point: complex) -> tuple[np.ndarray, np.ndarray]:
            along = 1 - 2 * point
            weights = count / (share + along * (1 - share))
            square = (rows.T * weights.real) @ rows + 1j * ((rows.T * weights.imag) @ rows)
            # The rows of the first copy are along z, 1 - z of the two parts; of the second, i (1 - z) of the penalty.
            other = 1j * (1 - along)
            turn = np.zeros((2 * size, 2 * size), dtype=complex)
            diagonal = np.arange(size)
            turn[diagonal, diagonal] = along
            turn[size + diagonal, diagonal] = 1 - along
            turn[size + diagonal, size + diagonal] = other
            total, penalty = self.whole.corner, self.penalty.corner
            both = np.block(
                [
                    [along * total + (1 - along) * penalty, other * penalty],
                    [other * penalty, along * total - (1 - along) * penalty],
                ]
            )
            both = both - turn.T @ square @ turn
            both[size:] /= along
            both[:, size:] /= along
            return np.append(log_pivots(both), -constant), np.ones(2 * size + 1)

        return Spectrum(np.maximum(1 - share, 0), count, correction, lost)


def _part(arrow: Arrow, functions: np.ndarray) -> Arrow:
    return Arrow(arrow.corner, arrow.border[:, functions], arrow.block[:, functions[:, None], functions])
