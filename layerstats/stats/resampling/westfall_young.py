"""p-values of many tests by one permutation distribution, adjusted for all of them at once."""

from __future__ import annotations

import numpy as np

from layerstats.errors import ArgumentError

# Statistics of the same assignment may differ in their last digits.
_SAME = 1e-9


def permutation_p_values(statistics: np.ndarray, same: float = _SAME) -> np.ndarray:
    """Return the share of assignments whose statistic is at least the observed one, (test,).

    Parameters
    ----------
    statistics
        (assignment, test), larger against the null hypothesis; the observed assignment first.
    same
        Statistics that differ by no more than this part of them count as equal.

    Examples
    --------
    >>> permutation_p_values(np.array([[3.0], [1.0], [5.0], [2.0]]))
    array([0.5])
    """
    _check(statistics)
    return np.mean(statistics >= statistics[0] * (1 - same), axis=0)


def step_down_p_values(statistics: np.ndarray, same: float = _SAME) -> np.ndarray:
    """Return p-values adjusted by the step-down max-T method of Westfall & Young (1993, algorithm 4.1), (test,).

    The largest statistic is compared with the largest of all tests in every assignment, the second with the largest of
    the others, and so on. Unlike Holm's method it makes use of how the tests hang together: tests that repeat each
    other count as one. Statistics should be on one scale.

    Parameters
    ----------
    statistics, same
        As for `permutation_p_values`.

    Examples
    --------
    >>> step_down_p_values(np.array([[3.0, 2.5], [1.0, 2.7], [2.0, 1.0], [0.5, 1.0]]))
    array([0.25, 0.5 ])
    """
    _check(statistics)
    order = np.argsort(-statistics[0], kind="stable")
    ordered = statistics[:, order]
    # From the least to the greatest: the maximum over a test and all that rank below it.
    remaining = np.maximum.accumulate(ordered[:, ::-1], axis=1)[:, ::-1]
    p_values = np.mean(remaining >= ordered[0] * (1 - same), axis=0)
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate(p_values)
    return adjusted


def _check(statistics: np.ndarray) -> None:
    if statistics.ndim != 2 or len(statistics) < 2:
        raise ArgumentError(f"Statistics must be (assignment, test), the observed first, but have {statistics.shape}.")
