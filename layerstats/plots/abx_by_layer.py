"""How often phones are confused at each layer, beside untrained networks and the sound alone."""

from __future__ import annotations

import pandas as pd
from plotnine import ggplot

from layerstats.plots.frames import checked
from layerstats.plots.layers_beside import layers_beside

REQUIRED_COLUMNS = ("layer", "abx_mode", "error_rate", "conf_low", "conf_high")
NETWORK_COLUMNS = ("layer", "abx_mode", "network_kind", "trained", "error_rate")
CHANCE = 0.5


def abx_by_layer(table: pd.DataFrame, networks: pd.DataFrame | None = None) -> ggplot:
    """Draw ABX error rates with their intervals, layer by layer, a panel for within and one for across speakers.

    Parameters
    ----------
    table : columns `layer, abx_mode, error_rate, conf_low, conf_high`
        As `layerstats.stats.abx` gives it: one row a layer and mode. A rate without an interval is a point.
    networks : columns `layer, abx_mode, network_kind, trained, error_rate`, optional
        One row a network, layer and mode. Untrained ones are a band from the smallest to the largest of each layer,
        about their median; the sound alone is a dashed line at the height of each of its layers.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = _panels(checked(table, REQUIRED_COLUMNS, "abx_by_layer"))
    if networks is not None and len(networks):
        networks = _panels(checked(networks, NETWORK_COLUMNS, "abx_by_layer"))
    chance = table.loc[:, ["panel"]].drop_duplicates().assign(chance=CHANCE)
    return layers_beside(table, networks, "error_rate", chance, "ABX error rate")


def _panels(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(panel=frame["abx_mode"].astype(str) + " speakers")
