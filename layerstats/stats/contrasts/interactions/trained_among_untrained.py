"""Is a contrast another one after training than random weights give? A test whose units are networks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from layerstats.stats.contrasts.interactions.token_scale import TokenScale
from layerstats.stats.null import compare_with_untrained
from layerstats.tables import check_frame

TESTS = ("joint", "level", "shape")


def network_distances(layer: str, scales: Mapping[str, TokenScale], trained: str) -> pd.DataFrame:
    """Return how far each network's contrast is from the mean contrast of all networks.

    Were the trained network one more draw of random weights, whoever of the networks is called trained, its distance
    would be like the others'. Distances are in standard deviations of tokens: of levels (the mean over time), of shapes
    (root mean square over time of what is left) and of both jointly.

    Parameters
    ----------
    layer
        Name of the layer.
    scales
        By recording.
    trained
        The recording of the trained network.

    Returns
    -------
    pandas.DataFrame
        ``layer, recording, trained, test, level_difference, effect_size``: the contrast in level, and the distance.
    """
    curves = np.stack([scale.difference for scale in scales.values()])
    apart = curves - curves.mean(axis=0)
    level = apart.mean(axis=1, keepdims=True)
    sizes = {
        "joint": np.sqrt(np.mean(apart**2, axis=1)),
        "level": np.abs(level[:, 0]),
        "shape": np.sqrt(np.mean((apart - level) ** 2, axis=1)),
    }
    names = list(scales)
    common = {"layer": layer, "recording": names, "trained": [name == trained for name in names]}
    contrasts = curves.mean(axis=1)
    tables = [
        pd.DataFrame({**common, "test": test, "level_difference": contrasts, "effect_size": size})
        for test, size in sizes.items()
    ]
    return pd.concat(tables, ignore_index=True)


def rank_trained(distances: pd.DataFrame) -> pd.DataFrame:
    """Rank the trained network's distance among all networks', for each test; see `compare_with_untrained`.

    Returns
    -------
    pandas.DataFrame
        ``layer, test, effect_size, null_effect_median, null_effect_low, null_effect_high, null_p_value,
        null_p_adjusted, null_recordings``; adjusted over layers.
    """
    tables = []
    for test in TESTS:
        own = distances.loc[distances["test"] == test]
        observed = own.loc[own["trained"].to_numpy(dtype=bool), ["layer", "test", "effect_size"]]
        tables.append(observed.merge(compare_with_untrained(own), on="layer"))
    return check_frame(pd.concat(tables, ignore_index=True))
