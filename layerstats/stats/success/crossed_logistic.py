"""Mixed logistic models of counts with crossed random intercepts: the restricted likelihood by Laplace's method.

    successes_i ~ Binomial(trials_i, p_i),    logit p_i = a + sum over k of b_k[level of row i],    b_k ~ N(0, v_k)

Level effects and the intercept a (flat prior: the restricted likelihood) are integrated out about their joint mode,

    -2 log L(v) = -2 log p(successes | mode) + |u|^2 + log |M| - log(2 pi),    b = root(v) u,

with M the curvature in u and a. Bates, Maechler, Bolker and Walker (2015, J. Stat. Softw. 67(1)) have it without the
intercept, Wood (2011, J. R. Statist. Soc. B 73, 3-36) with it. The component with the most levels is diagonal in M and
is eliminated first, so that a level a cell, or a level a start, costs little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse, special

from layerstats.errors import FitError

_MOST_STEPS = 100
_MOST_HALVINGS = 30
# Of Newton's decrement, on the scale of the deviance.
_TOLERANCE = 1e-12
# Elements of a design matrix that is kept with its zeros.
_SMALL = 200_000
# Beyond this a linear predictor is a probability of 0 or 1 for any number of trials there is.
_FARTHEST = 20.0


@dataclass(frozen=True, eq=False)
class LaplaceValue:
    """The criterion at given variances.

    Attributes
    ----------
    value
        Minus twice the log restricted likelihood.
    gradient
        (component,) its derivatives in the variances.
    intercept
        Of the linear predictor, at the mode.
    predictor
        (row,) the linear predictor at the mode.
    """

    value: float
    gradient: np.ndarray
    intercept: float
    predictor: np.ndarray


class CrossedLogistic:
    """Counts and the levels that their rows belong to, with what every evaluation of the likelihood needs.

    Parameters
    ----------
    successes, trials : numpy.ndarray
        (row,) whole numbers; every row has a trial.
    levels : sequence of numpy.ndarray
        For each component, (row,) the number of its level, from 0.

    Examples
    --------
    >>> model = CrossedLogistic(np.array([3, 9]), np.array([10, 10]), [np.array([0, 1])])
    >>> print(f"{model.evaluate(np.zeros(1)).intercept:.4f}")  # without variance it is the logit of 12 of 20
    0.4055
    """

    def __init__(self, successes: np.ndarray, trials: np.ndarray, levels: Sequence[np.ndarray]) -> None:
        self.successes, self.trials = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
        self.counts = np.array([int(codes.max()) + 1 for codes in levels])
        self.diagonal = int(self.counts.argmax())
        rows = np.arange(len(self.trials))
        members = [
            sparse.csr_array((np.ones(len(rows)), (rows, codes)), shape=(len(rows), count))
            for codes, count in zip(levels, self.counts, strict=True)
        ]
        self._own: Any = sparse.csr_array(members[self.diagonal].T)
        self._own_level = np.asarray(levels[self.diagonal])
        others = [number for number in range(len(levels)) if number != self.diagonal]
        intercept = sparse.csr_array(np.ones((len(rows), 1)))
        dense = sparse.csr_array(sparse.hstack([intercept, *(members[number] for number in others)]))
        # Zeros of small models cost less than looking for them.
        columns = 1 + int(self.counts[others].sum())
        self._dense: Any = dense.toarray() if len(rows) * columns <= _SMALL else dense
        # The component of each dense column; the intercept is of none.
        self._column_component = np.repeat([-1, *others], [1, *self.counts[others]])
        self._constant = float(
            np.sum(
                special.gammaln(self.trials + 1)
                - special.gammaln(self.successes + 1)
                - special.gammaln(self.trials - self.successes + 1)
            )
        )
        mean = np.clip(self.successes.sum() / self.trials.sum(), 1e-6, 1 - 1e-6)
        self._mode = np.r_[special.logit(mean), np.zeros(columns - 1)], np.zeros(self.counts.max())
        self._start = self._mode

    def evaluate(self, variances: np.ndarray) -> LaplaceValue:
        """Return the criterion and its gradient.

        Raises
        ------
        FitError
            The mode was not found.
        """
        deviations = np.sqrt(variances)
        dense_scale = np.where(self._column_component < 0, 1.0, deviations[self._column_component])
        own_scale = deviations[self.diagonal]
        dense, own = self._find_mode(dense_scale, own_scale)
        predictor = self._predictor(dense, own, dense_scale, own_scale)
        curvature = _Curvature(self, predictor, dense_scale, own_scale)
        value = -2 * self._log_likelihood(predictor) + self._square(dense, own) + curvature.log_determinant
        gradient = self._gradient(curvature, predictor)
        return LaplaceValue(float(value - np.log(2 * np.pi)), gradient, float(dense[0]), predictor)

    def dispersion(self, predictor: np.ndarray) -> float:
        """Return Pearson's chi-square a row about `predictor`; near 1 where counts vary as binomial ones do."""
        success = special.expit(predictor)
        expected, spread = self.trials * success, self.trials * success * (1 - success)
        return float(np.mean((self.successes - expected) ** 2 / spread))

    def _predictor(self, dense: np.ndarray, own: np.ndarray, dense_scale: np.ndarray, own_scale: float) -> np.ndarray:
        return self._dense @ (dense_scale * dense) + own_scale * own[self._own_level]

    def _log_likelihood(self, predictor: np.ndarray) -> float:
        return self._constant + float(self.successes @ predictor - self.trials @ np.logaddexp(0.0, predictor))

    @staticmethod
    def _square(dense: np.ndarray, own: np.ndarray) -> float:
        return float(dense[1:] @ dense[1:] + own @ own)

    def _find_mode(self, dense_scale: np.ndarray, own_scale: float) -> tuple[np.ndarray, np.ndarray]:
        """Find the mode by Newton's method, from the last one, and from nothing where that leads nowhere."""
        for start in (self._mode, self._start):
            found = self._newton(start, dense_scale, own_scale)
            if found is not None:
                self._mode = found
                return found
        raise FitError(
            "The level effects of the mixed logistic model did not converge: is success nearly certain, or nearly "
            "impossible, everywhere?"
        )

    def _newton(
        self, start: tuple[np.ndarray, np.ndarray], dense_scale: np.ndarray, own_scale: float
    ) -> tuple[np.ndarray, np.ndarray] | None:
        dense, own = start
        predictor = self._predictor(dense, own, dense_scale, own_scale)
        objective = self._log_likelihood(predictor) - self._square(dense, own) / 2
        for _ in range(_MOST_STEPS):
            score = self.successes - self.trials * special.expit(predictor)
            prior = np.r_[0.0, dense[1:]]
            dense_score = dense_scale * (self._dense.T @ score) - prior
            own_score = own_scale * (self._own @ score) - own
            dense_step, own_step = _Curvature(self, predictor, dense_scale, own_scale).solve(dense_score, own_score)
            decrement = float(dense_step @ dense_score + own_step @ own_score)
            if not np.isfinite(decrement):
                return None
            for halving in range(_MOST_HALVINGS):
                next_dense, next_own = dense + dense_step * 0.5**halving, own + own_step * 0.5**halving
                predictor = self._predictor(next_dense, next_own, dense_scale, own_scale)
                reached = self._log_likelihood(predictor) - self._square(next_dense, next_own) / 2
                if reached >= objective - 1e-10 * (1 + abs(objective)):
                    break
            else:
                return None
            dense, own, objective = next_dense, next_own, reached
            if decrement < _TOLERANCE:
                return (dense, own) if np.abs(predictor).max() < _FARTHEST else None
        return None

    def _gradient(self, curvature: _Curvature, predictor: np.ndarray) -> np.ndarray:
        """Return the derivatives in the variances: of fit, penalty and determinant, and of that through the mode."""
        success = special.expit(predictor)
        score = self.successes - self.trials * success
        # The derivative of the log determinant in each row's linear predictor.
        through = curvature.leverage() * curvature.weights * (1 - 2 * success)
        through = through - curvature.weights * curvature.smooth(through)
        dense_terms, own_terms = curvature.traces()
        totals = self._dense.T @ score, self._own @ score
        dense_terms = dense_terms + (self._dense.T @ through - totals[0]) * totals[0]
        own_terms = own_terms + (self._own @ through - totals[1]) * totals[1]
        gradient = np.bincount(self._column_component + 1, dense_terms, minlength=len(self.counts) + 1)[1:]
        gradient[self.diagonal] = own_terms.sum()
        return gradient


class _Curvature:
    """The curvature M of the penalised likelihood at a linear predictor, with the diagonal component eliminated."""

    def __init__(
        self, model: CrossedLogistic, predictor: np.ndarray, dense_scale: np.ndarray, own_scale: float
    ) -> None:
        success = special.expit(predictor)
        self.weights = model.trials * success * (1 - success)
        self._model, self._dense_scale, self._own_scale = model, dense_scale, own_scale
        dense, own = model._dense, model._own
        weighted = _times(dense, self.weights[:, None])
        self._mixed = own @ weighted
        own_weight = own @ self.weights
        self._own_curvature = 1 + own_scale**2 * own_weight
        self._own_weight = own_weight
        self._shrink = own_scale**2 / self._own_curvature
        shrunk = _times(self._mixed, self._shrink[:, None])
        # What the rows say of the dense columns once the diagonal component is integrated out.
        cross = dense.T @ weighted - self._mixed.T @ shrunk
        self._cross = cross.toarray() if sparse.issparse(cross) else cross
        self._shrunk = shrunk
        system = dense_scale[:, None] * self._cross * dense_scale
        system[np.diag_indices_from(system)] += np.r_[0.0, np.ones(len(system) - 1)]
        try:
            self._factor = linalg.cholesky(system, lower=True, check_finite=False)
        except linalg.LinAlgError as error:
            raise FitError("The mixed logistic model is singular: success is certain, or impossible.") from error
        self.log_determinant = float(2 * np.log(np.diag(self._factor)).sum() + np.log(self._own_curvature).sum())

    def solve(self, dense_score: np.ndarray, own_score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the inverse of M times a score."""
        scaled = own_score / self._own_curvature
        reduced = dense_score - self._dense_scale * (self._mixed.T @ (self._own_scale * scaled))
        dense = linalg.cho_solve((self._factor, True), reduced, check_finite=False)
        own = scaled - self._own_scale * (self._mixed @ (self._dense_scale * dense)) / self._own_curvature
        return dense, own

    def smooth(self, values: np.ndarray) -> np.ndarray:
        """Return Z H^-1 Z' times values of the rows, (row,), Z H^-1 Z' the covariance of the linear predictor."""
        model = self._model
        dense_score = self._dense_scale * (model._dense.T @ values)
        dense, own = self.solve(dense_score, self._own_scale * (model._own @ values))
        return model._predictor(dense, own, self._dense_scale, self._own_scale)

    def leverage(self) -> np.ndarray:
        """Return the diagonal of Z H^-1 Z', (row,): the variance of the linear predictor given the variances."""
        model = self._model
        left = model._dense - self._shrunk[model._own_level]
        left = _times(left, self._dense_scale[None, :])
        return self._shrink[model._own_level] + _squares(left, self._inverse())

    def traces(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the diagonal of Z'PZ, of the dense columns and of the diagonal component.

        P is the inverse of the covariance of the working responses, less what the intercept takes.
        """
        scaled = self._dense_scale[:, None] * self._cross
        through = linalg.solve_triangular(self._factor, scaled, lower=True, check_finite=False)
        dense = np.diag(self._cross) - np.einsum("ij,ij->j", through, through)
        spread = _squares(_times(self._mixed, self._dense_scale[None, :]), self._inverse())
        own = self._own_weight / self._own_curvature - spread / self._own_curvature**2
        return dense, own

    def _inverse(self) -> np.ndarray:
        if not hasattr(self, "_inverted"):
            root = linalg.solve_triangular(self._factor, np.eye(len(self._factor)), lower=True, check_finite=False)
            self._inverted = root.T @ root
        return self._inverted


def _times(matrix: Any, values: np.ndarray) -> Any:
    """Return a matrix times values of its rows or columns, sparse where it is."""
    return sparse.csr_array(matrix.multiply(values)) if sparse.issparse(matrix) else matrix * values


def _squares(matrix: Any, inner: np.ndarray) -> np.ndarray:
    """Return the diagonal of M A M', (row,)."""
    if sparse.issparse(matrix):
        return np.asarray(matrix.multiply(matrix @ inner).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", matrix @ inner, matrix)
