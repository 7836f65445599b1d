"""Error rates of ABX over pairs of phones, and what they are without each speaker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from layerstats.stats.representations.abx_counting import PairErrors

# With fewer there is no spread between speakers.
LEAST_SPEAKERS = 2


@dataclass(frozen=True, eq=False)
class JackknifedRates:
    """Error rates, and the same without each speaker (the delete-one jackknife of clusters).

    Attributes
    ----------
    estimate
        (rate,)
    without
        (speaker, rate) leaving out the cells that a speaker has a part in; missing where there are none, or no others.

    Examples
    --------
    >>> rates = JackknifedRates(np.array([0.2]), np.array([[0.1], [0.2], [0.3]]))
    >>> rates.std_error.round(4).tolist(), rates.df.tolist()
    ([0.1155], [2.0])
    """

    estimate: np.ndarray
    without: np.ndarray

    @property
    def speakers(self) -> np.ndarray:
        """How many speakers have a part in each rate, (rate,); none where it is one speaker's alone."""
        return np.isfinite(self.without).sum(axis=0)

    @property
    def df(self) -> np.ndarray:
        """Speakers - 1, (rate,); missing with one speaker."""
        return np.where(self.speakers >= LEAST_SPEAKERS, self.speakers - 1.0, np.nan)

    @property
    def std_error(self) -> np.ndarray:
        """For other speakers, (rate,); missing with one speaker."""
        count = self.speakers
        enough = count >= LEAST_SPEAKERS
        used = np.where(np.isfinite(self.without), self.without, 0.0)
        mean = used.sum(axis=0) / np.maximum(count, 1)
        squares = np.sum(np.where(np.isfinite(self.without), self.without - mean, 0.0) ** 2, axis=0)
        error = np.sqrt(squares * (count - 1) / np.maximum(count, 1))
        # Rounding is no spread.
        return np.where(enough, np.where(error > 1e-12, error, 0.0), np.nan)

    def minus(self, other: JackknifedRates) -> JackknifedRates:
        """Return the differences of rates on the same phones."""
        return JackknifedRates(self.estimate - other.estimate, self.without - other.without)

    def test(self, against: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Return Student's t against a value, and its two-sided p, (rate,)."""
        error = self.std_error
        with np.errstate(invalid="ignore", divide="ignore"):
            statistic = np.where(error > 0, (self.estimate - against) / error, np.nan)
        return statistic, 2 * stats.t.sf(np.abs(statistic), self.df)

    def interval(self, conf_level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of Student's intervals, (rate,)."""
        reach = stats.t.ppf((1 + conf_level) / 2, self.df) * self.std_error
        return self.estimate - reach, self.estimate + reach

    def mean_with(self, others: list[JackknifedRates]) -> JackknifedRates:
        """Return the mean of these rates and others."""
        every = [self, *others]
        return JackknifedRates(
            np.mean([one.estimate for one in every], axis=0), np.mean([one.without for one in every], axis=0)
        )


def pair_groups(pairs: np.ndarray) -> np.ndarray:
    """Return which unordered pair each ordered pair of phones belongs to, (A, B); -1 for a phone with itself.

    Parameters
    ----------
    pairs
        (A, B) whether there are triplets of the ordered pair.

    Examples
    --------
    >>> pair_groups(np.array([[False, True], [True, False]])).tolist()
    [[-1, 0], [0, -1]]
    """
    either = pairs | pairs.T
    number = np.full(pairs.shape, -1)
    first, second = np.nonzero(np.triu(either, 1))
    number[first, second] = number[second, first] = np.arange(len(first))
    return np.where(either, number, -1)


def class_groups(pairs: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Return which unordered pair of classes each ordered pair of phones belongs to, (A, B), and the pairs of classes.

    Examples
    --------
    >>> pairs = ~np.eye(3, dtype=bool)
    >>> class_groups(pairs, np.array(["stop", "stop", "nasal"]))[1]
    [('nasal', 'stop'), ('stop', 'stop')]
    """
    names, code = np.unique(classes, return_inverse=True)
    low, high = np.minimum(code[:, None], code), np.maximum(code[:, None], code)
    key = np.where(pairs, low * len(names) + high, -1)
    there = np.unique(key[key >= 0])
    number = np.full(pairs.shape, -1)
    number[pairs] = np.searchsorted(there, key[pairs])
    return number, [(str(names[one // len(names)]), str(names[one % len(names)])) for one in there]


def jackknifed_rates(errors: PairErrors, groups: np.ndarray) -> JackknifedRates:
    """Average error rates over the ordered pairs of each group, with every speaker and without each.

    The rate of an ordered pair is the mean over its cells, a group's the mean over its ordered pairs. Without a
    speaker, pairs that no other speaker says are no part of the mean.

    Parameters
    ----------
    errors
        As `count_errors` gives them.
    groups
        (A, B) number of the group of each ordered pair, from 0; -1 for none.

    Examples
    --------
    >>> total, cells = np.array([[0, 0.6], [0.2, 0]]), np.array([[0, 2], [2, 0]])
    >>> own = np.array([[[0, 0.2], [0.2, 0]], [[0, 0.4], [0.0, 0]]])
    >>> errors = PairErrors(total, cells, own, np.ones((2, 2, 2)), 8)
    >>> rates = jackknifed_rates(errors, np.array([[-1, 0], [0, -1]]))
    >>> rates.estimate.round(2).tolist(), rates.without.round(2).tolist()
    ([0.2], [[0.2], [0.2]])
    """
    inside = groups >= 0
    count = int(groups.max(initial=-1)) + 1
    group = groups[inside]
    total, cells = errors.total[inside], errors.cells[inside]
    means = _group_means(total, cells, group, count)
    without = np.full((len(errors.with_speaker), count), np.nan)
    for row, own, own_cells in zip(without, errors.with_speaker, errors.cells_with, strict=True):
        takes_part = np.bincount(group, own_cells[inside], minlength=count) > 0
        row[takes_part] = _group_means(total - own[inside], cells - own_cells[inside], group, count)[takes_part]
    return JackknifedRates(means, without)


def _group_means(total: np.ndarray, cells: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    there = cells > 0
    rate = total[there] / cells[there]
    pairs = np.bincount(group[there], minlength=count)
    sums = np.bincount(group[there], rate, minlength=count)
    return np.where(pairs > 0, sums / np.maximum(pairs, 1), np.nan)
