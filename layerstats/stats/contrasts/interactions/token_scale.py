"""The standard deviation of tokens as a unit, a contrast in this unit, and how much the unit itself is an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerstats.errors import DataError
from layerstats.stats.null import binned_series
from layerstats.stats.series import Series


@dataclass(frozen=True, eq=False)
class TokenScale:
    """A contrast in one recording, in standard deviations of tokens.

    Attributes
    ----------
    sd
        Of tokens about the mean of their group, pooled over groups and over equal bins of time: the unit of
        `layerstats.stats.descriptive_effect_size`.
    difference
        (bin,) the mean of the second group minus that of the first, in `sd`.
    influence
        (unit,) how much each speaker (or token, where speakers are left out) moves the logarithm of `sd`; the sum of
        their products estimates its variance, and with another recording's the covariance.
    """

    sd: float
    difference: np.ndarray
    influence: np.ndarray

    def unscaled(self) -> TokenScale:
        """Return the same contrast as recorded, whose unit is one and no estimate."""
        return TokenScale(1.0, self.difference * self.sd, np.zeros_like(self.influence))


def token_scale(series: Series, group: str, levels: tuple[str, str], by_speakers: bool) -> TokenScale:
    """Measure the unit of a recording at a layer.

    Parameters
    ----------
    series
        With the column `group`.
    group, levels
        The contrast, the reference first.
    by_speakers
        Whether speakers are the units of evidence.

    Raises
    ------
    DataError
        Series do not vary within groups.
    """
    cells = binned_series(series.frame, group=group, identifier=series.identifier, covariate=series.covariate)
    each = series.frame.drop_duplicates(series.identifier).set_index(series.identifier)["speaker"]
    names = cells.index.get_level_values(1)
    units = each.loc[names].to_numpy() if by_speakers else np.asarray(names)
    return scale_of(cells.to_numpy(), cells.index.get_level_values(0).to_numpy() == levels[1], units)


def scale_of(values: np.ndarray, second: np.ndarray, units: np.ndarray) -> TokenScale:
    """Measure the unit of series in bins.

    Parameters
    ----------
    values
        (series, bin)
    second
        (series,) whether it is of the second group.
    units
        (series,) its speaker.

    Examples
    --------
    >>> scale = scale_of(np.array([[1.0], [3.0], [6.0], [8.0]]), np.array([False, False, True, True]), np.arange(4))
    >>> round(scale.sd, 3), scale.difference.round(3).tolist()
    (1.414, [3.536])
    """
    means = [values[second == side].mean(axis=0) for side in (False, True)]
    squares = np.mean((values - np.where(second[:, None], means[1], means[0])) ** 2, axis=1)
    freedom = len(values) - 2
    variance = squares.sum() / freedom
    if not variance > 0:
        raise DataError("Series do not vary within groups: there is no spread to compare a difference with.")
    codes = np.unique(units, return_inverse=True)[1]
    # log sd moves by half of what its square moves by, relatively.
    moved = 0.5 * (squares / freedom / variance - 1 / len(values))
    influence = np.bincount(codes, weights=moved)
    correction = np.sqrt(len(influence) / max(len(influence) - 1, 1))
    sd = float(np.sqrt(variance))
    return TokenScale(sd, (means[1] - means[0]) / sd, influence * correction)


def scale_curves(scales: Sequence[TokenScale], weights: Sequence[float]) -> np.ndarray:
    """Return curves whose summed products are the covariance that estimated units give a weighted sum of contrasts.

    A contrast d in units of an estimated standard deviation moves by -d for each unit that log sd moves by. Recordings
    of the same speakers have units that move together, so that the sum over recordings is taken for each speaker.

    Parameters
    ----------
    scales
        Of each recording, the same tokens in the same bins.
    weights
        1 and -1, or 1 and minus one over the number of untrained networks.

    Returns
    -------
    numpy.ndarray
        (unit, bin)
    """
    terms = [
        weight * np.outer(scale.influence, scale.difference) for scale, weight in zip(scales, weights, strict=True)
    ]
    return -np.sum(terms, axis=0)
