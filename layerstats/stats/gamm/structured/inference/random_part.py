"""What the test of a random term is made of: which penalties are noise, and the weights of the statistic.

The test of Wood (2013, Biometrika 100, 1005-1010) asks whether g = 0 by g'Mg / phi, which without the term is a
weighted sum of chi-square variables with the eigenvalues of M Cov(g) / phi as weights. Effects of random levels
(``bs="re"``) other than the tested ones are noise: their penalties describe a distribution, and do not bias the
covariance.

M is the Schur complement for the term in X'VX + S over all columns X that are not noise, with V = I + N R^-1 N' for
the noise columns N with penalties R. (mgcv has V here, not its inverse. Any M gives a valid test; this is mgcv's.) In
the dense corner the noise columns stay in the matrix with -R in place of their square: eliminating them adds X'N R^-1
N'X.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.solution import Solution


@dataclass(frozen=True, eq=False)
class Noise:
    """Which coefficients are noise in the test of one term.

    Attributes
    ----------
    dense
        (column,) in the dense corner.
    block
        (function,) in a random block.
    """

    dense: np.ndarray
    block: np.ndarray

    @property
    def any(self) -> bool:
        """Whether there are such coefficients."""
        return bool(self.dense.any() or self.block.any())

    @classmethod
    def of(cls, model: Model, solution: Solution, label: str) -> Noise:
        """Find the effects of random levels other than `label`."""
        dense = np.zeros(solution.penalties.columns, dtype=bool)
        block = np.zeros(solution.system.functions, dtype=bool)
        for term in model.dense:
            dense[model.dense_spans[term.label]] = term.random and term.label != label
        for grouped in model.blocks:
            block[model.block_spans[grouped.label]] = grouped.random and grouped.label != label
        return cls(dense, block)


@dataclass(frozen=True, eq=False)
class Weights:
    """The arrow matrix of which M is a Schur complement, over the functions of a block that are not noise.

    Attributes
    ----------
    functions
        (function,) which they are.
    block
        (grid, function, function)
    mixed
        For each cluster (pattern, function, column), times the root of the number of levels.
    dense
        (column, column)
    """

    functions: np.ndarray
    block: np.ndarray
    mixed: tuple[np.ndarray, ...]
    dense: np.ndarray

    def eliminated(self, solution: Solution, away: np.ndarray) -> Weights:
        """Eliminate the functions `away` (positions among `functions`) from the blocks."""
        if not len(away):
            return self
        stay = np.setdiff1d(np.arange(len(self.functions)), away)
        inverse = np.linalg.inv(self.block[:, away[:, None], away])
        across = self.block[:, stay[:, None], away] @ inverse
        dense, mixed = self.dense.copy(), []
        for cluster, own in zip(solution.system.clusters, self.mixed, strict=True):
            removed = own[:, away]
            mixed.append(own[:, stay] - across[cluster.grid] @ removed)
            cluster.add_to(dense, -np.tensordot(removed, inverse[cluster.grid] @ removed, axes=([0, 1], [0, 1])))
        block = self.block[:, stay[:, None], stay] - across @ self.block[:, away[:, None], stay]
        return Weights(self.functions[stay], block, tuple(mixed), dense)


def statistic_weights(solution: Solution, noise: Noise) -> Weights:
    """Build the matrix that weighs the coefficients of a random term."""
    system, penalties = solution.system, solution.penalties
    penalty = penalties.block_sum(solution.smoothing)
    functions, other = np.flatnonzero(~noise.block), np.flatnonzero(noise.block)
    block = system.block_gram + np.diag(penalty)
    kept = block[:, functions[:, None], functions]
    # Noise within the blocks enters X'VX block by block.
    across = block[:, functions[:, None], other] / penalty[other]
    kept = kept + across @ block[:, other[:, None], functions]
    dense = system.dense_gram + solution.dense_penalty
    mixed = []
    for cluster in system.clusters:
        inside = ~noise.dense[cluster.columns]
        own = cluster.mixed[:, functions].copy()
        own[:, :, inside] += (across[cluster.grid] @ cluster.mixed[:, other])[:, :, inside]
        mixed.append(own)
        through = cluster.mixed[:, other][:, :, inside]
        columns = cluster.columns[inside]
        scaled = through / penalty[other][:, None]
        dense[np.ix_(columns, columns)] += np.tensordot(scaled, through, axes=([0, 1], [0, 1]))
    dense[np.ix_(noise.dense, noise.dense)] = -solution.dense_penalty[np.ix_(noise.dense, noise.dense)]
    return Weights(functions, kept, tuple(mixed), dense)
