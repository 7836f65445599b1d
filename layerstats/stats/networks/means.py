"""Means over networks whose errors are shared: seeds and speakers both vary, and every network hears every speaker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Estimate:
    """A mean over networks, or a difference of two, with its standard error.

    Attributes
    ----------
    value, std_error, df
        The estimate; its standard error over other seeds and other speakers; Satterthwaite's degrees of freedom.
    seed_std_error, speaker_std_error
        The parts of the standard error that more seeds and more speakers would make smaller.
    """

    value: float
    std_error: float
    df: float
    seed_std_error: float
    speaker_std_error: float

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the value being zero; missing where there is no error to compare it with."""
        return float(2 * stats.t.sf(abs(self.value) / self.std_error, self.df)) if self.std_error > 0 else np.nan

    def interval(self, conf_level: float) -> tuple[float, float]:
        """Return the ends of the t interval."""
        reach = stats.t.ppf((1 + conf_level) / 2, self.df) * self.std_error if self.std_error > 0 else 0.0
        return self.value - float(reach), self.value + float(reach)


def mean_of_networks(values: np.ndarray, covariance: np.ndarray, speakers: int) -> Estimate:
    """Estimate the mean effect of a kind of network.

    The model is `effect = mean + network + sampling error`, with the covariance of the sampling errors known. Networks
    of a kind are exchangeable, so that it has one variance and one covariance; then the plain mean is the generalised
    least squares estimate, and REML has a closed form. The variance of the mean is ``s2 / n + c``: `s2` is the variance
    between the networks' estimates, but at least what sampling alone gives, and `c` the covariance between two
    networks, which no number of seeds makes smaller (Obuchowski & Rockette 1995, with networks for readers and speakers
    for cases). Degrees of freedom are Satterthwaite's, n - 1 for the first part and speakers - 1 for the second.

    Parameters
    ----------
    values
        (network,) effects, two or more.
    covariance
        (network, network) of their sampling errors.
    speakers
        Number of speakers.

    Examples
    --------
    >>> estimate = mean_of_networks(np.array([1.0, 2.0, 3.0]), np.zeros((3, 3)), speakers=16)
    >>> round(estimate.value, 2), round(estimate.std_error, 3), round(estimate.df, 1)
    (2.0, 0.577, 2.0)
    """
    between, shared = _spread(values, covariance)
    return _estimate(float(values.mean()), [(between / len(values), len(values) - 1)], shared, speakers)


def difference_of_networks(
    first: np.ndarray, second: np.ndarray, covariance: np.ndarray, speakers: int, *, paired: bool
) -> Estimate:
    """Estimate the difference between the mean effects of two kinds of network, which heard the same speakers.

    As `mean_of_networks`; each kind has a variance between networks of its own, as in Welch's test, and covariances
    between networks of different kinds count too. Paired networks come from the same training: their differences are
    one sample.

    Parameters
    ----------
    first, second
        (network,) effects; where `paired`, of the same trainings in the same order.
    covariance
        (network, network) of the sampling errors of all of them, the first kind first.
    speakers
        Number of speakers.
    paired
        Whether the networks of both kinds share their trainings.
    """
    size = len(first)
    if paired:
        contrast = np.hstack([np.eye(size), -np.eye(size)])
        return mean_of_networks(first - second, contrast @ covariance @ contrast.T, speakers)
    between_1, shared_1 = _spread(first, covariance[:size, :size])
    between_2, shared_2 = _spread(second, covariance[size:, size:])
    parts = [(between_1 / size, size - 1), (between_2 / len(second), len(second) - 1)]
    shared = shared_1 + shared_2 - 2 * float(covariance[:size, size:].mean())
    return _estimate(float(first.mean() - second.mean()), parts, shared, speakers)


def variance_between_networks(values: np.ndarray, covariance: np.ndarray) -> float:
    """Return the REML estimate of the variance of true effects between networks, sampling error taken off."""
    alone, shared = _sampling(covariance)
    return max(0.0, float(np.var(values, ddof=1)) - (alone - shared))


def _spread(values: np.ndarray, covariance: np.ndarray) -> tuple[float, float]:
    """Return the variance between networks' estimates, not below what sampling gives, and their shared covariance."""
    alone, shared = _sampling(covariance)
    return max(float(np.var(values, ddof=1)), alone - shared), shared


def _sampling(covariance: np.ndarray) -> tuple[float, float]:
    """Return the mean variance of a network's sampling error and the mean covariance between two networks."""
    size = len(covariance)
    alone = float(np.trace(covariance)) / size
    return alone, (float(covariance.sum()) - size * alone) / (size * (size - 1))


def _estimate(value: float, seeds: list[tuple[float, int]], shared: float, speakers: int) -> Estimate:
    # An estimated covariance may come out below zero; a variance is not.
    parts = [*seeds, (max(0.0, shared), speakers - 1)]
    variance = sum(part for part, _ in parts)
    spent = sum(part**2 / df for part, df in parts)
    return Estimate(
        value=value,
        std_error=float(np.sqrt(variance)),
        df=float(variance**2 / spent) if spent > 0 else float(speakers - 1),
        seed_std_error=float(np.sqrt(sum(part for part, _ in seeds))),
        speaker_std_error=float(np.sqrt(parts[-1][0])),
    )
