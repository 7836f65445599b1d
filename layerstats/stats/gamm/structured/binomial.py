"""Binomial responses: proportions of successes with the number of trials as prior weights, on the logit scale."""

from __future__ import annotations

import numpy as np
from scipy import special

# Beyond this the logistic function is 0 or 1 to working precision.
_FARTHEST = -np.log(np.finfo(float).eps)


def starting_predictor(response: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return a finite linear predictor near the data: the logit of the proportion with half a success added, (row,)."""
    return special.logit((trials * response + 0.5) / (trials + 1))


def probability(predictor: np.ndarray) -> np.ndarray:
    """Return the probability of success, never quite 0 or 1, (row,).

    Examples
    --------
    >>> probability(np.array([0.0, 800.0])) < 1
    array([ True,  True])
    """
    return special.expit(np.clip(predictor, -_FARTHEST, _FARTHEST))


def working_model(predictor: np.ndarray, response: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the working response and its weights, (row,) each.

    They are those of iterative weighted least squares (McCullagh and Nelder 1989, section 2.5): the log likelihood has
    the gradient and the expected curvature of a weighted sum of squares about them.
    """
    success = probability(predictor)
    slope = success * (1 - success)
    return predictor + (response - success) / slope, trials * slope


def deviance_parts(predictor: np.ndarray, response: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return what each row adds to the deviance, (row,): zero where the probability is the proportion.

    Examples
    --------
    >>> deviance_parts(np.array([0.0]), np.array([0.5]), np.array([4.0]))
    array([0.])
    """
    success = probability(predictor)
    apart = special.rel_entr(response, success) + special.rel_entr(1 - response, 1 - success)
    return 2 * trials * np.maximum(apart, 0.0)


def deviance_residuals(predictor: np.ndarray, response: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return the roots of `deviance_parts` with the sign of response minus probability, (row,)."""
    sign = np.sign(response - probability(predictor))
    return sign * np.sqrt(deviance_parts(predictor, response, trials))


def null_deviance(response: np.ndarray, trials: np.ndarray) -> float:
    """Return the deviance where every row has the mean of all."""
    mean = np.full(len(response), trials @ response / trials.sum())
    return float(deviance_parts(special.logit(mean), response, trials).sum())


def log_likelihood(predictor: np.ndarray, response: np.ndarray, trials: np.ndarray) -> float:
    """Return the binomial log likelihood.

    Weights that are not whole count as the nearest number of trials, and successes likewise, as in R.
    """
    success = probability(predictor)
    whole = np.round(trials)
    successes = np.round(trials * response)
    ways = special.gammaln(whole + 1) - special.gammaln(successes + 1) - special.gammaln(whole - successes + 1)
    each = ways + special.xlogy(successes, success) + special.xlog1py(whole - successes, -success)
    share = np.divide(trials, whole, out=np.zeros_like(trials), where=whole > 0)
    return float(share @ each)
