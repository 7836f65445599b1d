"""One number of a whole map: its largest statistic, the mass of its largest cluster, or its largest enhanced one.

Only the first may claim a place. Where a cluster, or what it enhances, begins and ends is what noise and threshold make
of it (Sassenhagen & Draschkow 2019).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import ndimage, stats

MapStatistic = Literal["max", "cluster_mass", "tfce"]
LARGEST, CLUSTER_MASS, ENHANCED = "max", "cluster_mass", "tfce"
MAP_STATISTICS = (LARGEST, CLUSTER_MASS, ENHANCED)
# Heights of the sum that stands for the integral, and the powers of extent and height (Smith & Nichols 2009).
_STEP = 0.2
_EXTENT_POWER, _HEIGHT_POWER = 0.5, 2.0


def largest_of_maps(maps: np.ndarray, statistic: MapStatistic, threshold: float) -> np.ndarray:
    """Return the statistic of each map, (...,), 0 or more.

    Parameters
    ----------
    maps
        Normal deviates of differences, (..., band, lag), missing where there are none.
    statistic
        "max": the largest absolute value. "cluster_mass": the largest sum of absolute values of neighbouring places of
        one sign beyond the threshold. "tfce": the largest value after threshold-free cluster enhancement.
    threshold
        Of clusters.

    References
    ----------
    Maris & Oostenveld (2007), Nonparametric statistical testing of EEG- and MEG-data; Smith & Nichols (2009),
    Threshold-free cluster enhancement.

    Examples
    --------
    >>> maps = np.array([[[0.0, 2.5, 3.0, 0.0, -4.0]]])
    >>> [largest_of_maps(maps, one, 2.0).tolist() for one in ("max", "cluster_mass")]
    [[4.0], [5.5]]
    """
    if statistic == LARGEST:
        return np.nan_to_num(np.abs(maps)).max(axis=(-2, -1))
    flat = maps.reshape(-1, *maps.shape[-2:])
    if statistic == ENHANCED:
        return np.abs(enhanced(flat)).max(axis=(1, 2)).reshape(maps.shape[:-2])
    _, masses, of_map = clusters_of_maps(flat, threshold)
    largest = np.zeros(len(flat))
    np.maximum.at(largest, of_map, np.abs(masses))
    return largest.reshape(maps.shape[:-2])


def cluster_threshold(alpha: float) -> float:
    """Return the normal deviate whose two-sided p-value is `alpha`.

    Examples
    --------
    >>> round(cluster_threshold(0.05), 2)
    1.96
    """
    return float(stats.norm.isf(alpha / 2))


def clusters_of_maps(maps: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find neighbouring places of one sign beyond a threshold; neighbours share a side.

    Parameters
    ----------
    maps
        (map, band, lag)
    threshold
        What an absolute value must exceed.

    Returns
    -------
    tuple of ndarray
        The number of the cluster of each place, (map, band, lag), 0 where there is none; the sum of values of each
        cluster; and the map that each is of.
    """
    numbers = np.zeros(maps.shape, np.int64)
    for sign in (1, -1):
        beyond = maps * sign > threshold
        numbers[beyond] = _connected(beyond)[beyond] + numbers.max(initial=0)
    places = np.flatnonzero(numbers)
    own = numbers.ravel()[places]
    masses = np.bincount(own, weights=maps.ravel()[places].astype(float))[1:]
    of_map = np.zeros(len(masses), np.int64)
    of_map[own - 1] = places // (maps.shape[1] * maps.shape[2])
    return numbers, masses, of_map


def enhanced(maps: np.ndarray) -> np.ndarray:
    """Return maps after threshold-free cluster enhancement, with their signs; 0 where there is no value.

    At each place the sum over heights h = 0.2, 0.4, ... that its absolute value exceeds, of e^0.5 h^2 0.2, where e is
    how many places its cluster at that height has.

    Parameters
    ----------
    maps
        (map, band, lag)
    """
    found = np.zeros(maps.shape)
    flat = found.reshape(len(maps), -1)
    values = np.nan_to_num(maps)
    peaks = np.abs(values).max(axis=(1, 2), initial=0)
    for height in np.arange(0, peaks.max(initial=0), _STEP)[1:]:
        reaching = np.flatnonzero(peaks > height)
        for sign in (1, -1):
            beyond = values[reaching] * sign > height
            places = np.flatnonzero(beyond)
            own = _connected(beyond).ravel()[places]
            added = np.bincount(own) ** _EXTENT_POWER * (height**_HEIGHT_POWER * _STEP)
            # Few places are beyond most heights.
            inside = places % (maps.shape[1] * maps.shape[2])
            flat[reaching[places // (maps.shape[1] * maps.shape[2])], inside] += sign * added[own]
    return found


def _connected(beyond: np.ndarray) -> np.ndarray:
    """Return numbers of connected places of all maps at once; those of different maps are never connected."""
    structure = np.zeros((3, 3, 3), bool)
    structure[1] = ndimage.generate_binary_structure(2, 1)
    numbers = np.empty(beyond.shape, np.int32)
    ndimage.label(beyond, structure, output=numbers)
    return numbers
