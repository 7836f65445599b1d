"""What is measured of single maps: one frame, whatever is measured and against whatever baseline."""

from __future__ import annotations

import pandas as pd

from layerstats.checks import check_choice, check_columns
from layerstats.errors import ArgumentError
from layerstats.store import Experiment
from layerstats.tables import check_frame

# In this order; the middle ones may be absent.
NAMES = ("token", "utterance", "speaker", "phone_index", "phone", "phone_class")
MEASURED = ("measure", "map", "condition", "baseline", "value", "baseline_value", "null_variance", "null_covariance")


def measurement_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return measurements of maps with their columns in order, those that are not known filled in.

    Parameters
    ----------
    frame
        A row a token (or a phone of one), measure, condition and baseline: ``token, speaker`` and, where known,
        ``utterance, phone_index, phone, phone_class``; ``measure`` (what), ``map`` ("R" unless it says "R/x"),
        ``condition`` (under what: a part of the map, another rule, what was put in place of speech, a layer with random
        weights), ``baseline`` (what it is compared with), ``value, baseline_value``, and ``null_variance,
        null_covariance`` (of `value - baseline_value` where chance alone decides, see `cluster_mean`; 0 where that is
        not known).

    Raises
    ------
    DataError
        A column is missing.
    """
    check_columns(frame, ["token", "speaker", "measure", "condition", "baseline", "value", "baseline_value"])
    missing = {"map": "R", "null_variance": 0.0, "null_covariance": 0.0}
    full = frame.assign(**{name: value for name, value in missing.items() if name not in frame.columns})
    full = full.loc[:, [name for name in (*NAMES, *MEASURED) if name in full.columns]]
    return check_frame(full.reset_index(drop=True), "map_measurements")


def chosen_layer(experiment: Experiment, layer: str | None) -> str:
    """Return the layer whose maps are meant: the one named, else "input", else the only one.

    Raises
    ------
    ArgumentError
        There is no such layer, or several and none was named.
    """
    layers = experiment.layers
    if layer is not None:
        check_choice("layer", layer, layers)
        return layer
    if "input" in layers or len(layers) == 1:
        return "input" if "input" in layers else layers[0]
    raise ArgumentError(f"Say which layer's maps are meant (layer=...). There are: {', '.join(layers)}.")
