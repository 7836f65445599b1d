"""Effect sizes of one contrast in many networks at once, and how they vary together over speakers."""

from __future__ import annotations

import numpy as np

from layerstats.errors import DataError

# Draws whose sums are in memory together.
_BLOCK = 64
# Fewer usable draws than this say nothing about a covariance.
_LEAST_DRAWS = 100


def draw_speakers(speakers: int, draws: int, seed: int) -> np.ndarray:
    """Return how often each speaker is in each bootstrap sample: (draw, speaker)."""
    return np.random.default_rng(seed).multinomial(speakers, np.full(speakers, 1 / speakers), size=draws)


def effect_sizes(
    values: np.ndarray, groups: np.ndarray, speakers: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the effect size of a contrast between groups of series, corrected for its bias: (draw,).

    The square of the effect size is the mean square difference between the groups' mean curves, over all pairs of
    groups and time bins, less what the chance of which speakers were heard adds to it on average, over the variance of
    series within groups. The excess is taken from how far speakers' own sums lie from their expectation, so that
    series of one speaker do not count as independent. Where less than nothing remains, the effect size is 0.

    Parameters
    ----------
    values
        (series, bin).
    groups, speakers
        (series,) numbers from 0.
    weights
        (draw, speaker) how often each speaker counts; by default once. Draws without two series of every group are NaN.

    Examples
    --------
    >>> values = np.array([[0.0], [2.0], [10.0], [12.0]])
    >>> effect_sizes(values, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])).round(2)  # 10 / sqrt(2)
    array([7.07])
    """
    people, sets, bins = speakers.max() + 1, groups.max() + 1, values.shape[1]
    weights = np.ones((1, people)) if weights is None else weights
    centred = values - values.mean(axis=0)
    cell = speakers * sets + groups
    counts = np.bincount(cell, minlength=people * sets).reshape(people, sets).astype(float)
    sums = np.zeros((people * sets, bins))
    np.add.at(sums, cell, centred)
    squares = np.bincount(speakers, weights=(centred**2).sum(axis=1), minlength=people)
    blocks = [weights[start : start + _BLOCK] for start in range(0, len(weights), _BLOCK)]
    return np.concatenate([_block(block, counts, sums.reshape(people, sets, bins), squares) for block in blocks])


def _block(weights: np.ndarray, counts: np.ndarray, sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
    people, sets = counts.shape
    totals = weights @ counts
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.einsum("rs,sgb->rgb", weights, sums) / totals[:, :, None]
        # How much each speaker moves each group's mean curve, (draw, speaker, group, bin).
        moves = (sums - counts[:, :, None] * means[:, None]) / totals[:, None, :, None]
        moves -= moves.mean(axis=2, keepdims=True)
        excess = np.einsum("rs,rsgb->r", weights, moves**2) * people / (people - 1)
        between = ((means - means.mean(axis=1, keepdims=True)) ** 2).sum(axis=(1, 2))
        within = weights @ squares - (totals[:, :, None] * means**2).sum(axis=(1, 2))
        within /= totals.sum(axis=1) - sets
        # Sums over groups of squared distances from their mean, times 2 / (groups - 1), are means over pairs of groups.
        size = np.sqrt(2 / (sets - 1) * np.clip(between - excess, 0, None) / within)
    size[(totals < 2).any(axis=1) | ~(within > 0)] = np.nan
    return size


def sampling_covariance(draws: np.ndarray, speakers: int) -> np.ndarray:
    """Return the covariance of networks' effect sizes over samples of speakers: (network, network).

    Parameters
    ----------
    draws
        (network, draw) effect sizes of the same bootstrap samples; samples in which one is NaN are left out.
    speakers
        Number of speakers. A bootstrap sample of n speakers varies by (n - 1) / n of what n new speakers would.

    Raises
    ------
    DataError
        Too few samples can be used.
    """
    usable = np.isfinite(draws).all(axis=0)
    if usable.sum() < min(_LEAST_DRAWS, draws.shape[1]) or usable.mean() < 0.5:
        raise DataError(
            f"Only {int(usable.sum())} of {draws.shape[1]} samples of the {speakers} speakers hold two series of every "
            "group. Add speakers, or leave rare words and phones out."
        )
    return np.atleast_2d(np.cov(draws[:, usable])) * speakers / (speakers - 1)
