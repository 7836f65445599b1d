"""What a probe reads at each layer, beside untrained networks and the sound alone."""

from __future__ import annotations

import pandas as pd
from plotnine import expand_limits, ggplot

from layerstats.plots.frames import checked, rows
from layerstats.plots.layers_beside import layers_beside

REQUIRED_COLUMNS = ("layer", "measure", "estimate", "conf_low", "conf_high", "chance")
NETWORK_COLUMNS = ("layer", "measure", "network_kind", "trained", "estimate")


def probe_by_layer(
    table: pd.DataFrame, networks: pd.DataFrame | None = None, measure: str | None = "balanced accuracy"
) -> ggplot:
    """Draw how well a probe tells phones apart, layer by layer, with intervals and the level of chance.

    Parameters
    ----------
    table : columns `layer, measure, estimate, conf_low, conf_high, chance`
        As in `PhoneProbe.table`: one row a layer and measure.
    networks : columns `layer, measure, network_kind, trained, estimate`, optional
        As in `PhoneProbe.networks`. Untrained ones are a band from the smallest to the largest of each layer, about
        their median; the sound alone is a dashed line at the height of each of its layers.
    measure
        Which one; None for a panel each.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    given = checked(table, REQUIRED_COLUMNS, "probe_by_layer")
    shown = given if measure is None else checked(rows(given, given["measure"] == measure), (), "probe_by_layer")
    shown = shown.assign(panel=shown["measure"].astype(str))
    if networks is not None and len(networks):
        networks = checked(networks, NETWORK_COLUMNS, "probe_by_layer")
        networks = networks.assign(panel=networks["measure"].astype(str))
    # Chance differs a little between layers where it comes from permutations.
    chance = pd.DataFrame(shown.groupby("panel", sort=False)["chance"].mean()).reset_index()
    title = "Accuracy" if measure is None else measure.capitalize()
    return layers_beside(shown, networks, "estimate", chance, title) + expand_limits(y=1)
