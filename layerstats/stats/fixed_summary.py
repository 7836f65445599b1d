"""Layers whose summary over channels is one number but for rounding: of these nothing can be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from layerstats.store import Experiment

NAMES = {"mean": "mean", "root_mean_square": "root mean square"}
# Tokens that are looked at, evenly spaced.
_TOKENS = 64
# What rounding in float32 leaves of a mean over channels, in units of the channels' own size; and in halves of it.
_ROUNDING, _HALF_ROUNDING = 1e-5, 2e-3


def why_fixed(view: Experiment, layer: str) -> str:
    """Say why the series of a layer hold nothing but rounding, or nothing where they do.

    A layer that ends in a LayerNorm has the same mean over channels everywhere, unless it has learned weights that
    differ; one that ends in an RMSNorm has the same root mean square. The recorder notes that; where a store is older
    than these notes, the spread of the series is compared with the size of the channels, or, where they were not
    recorded, with what normed channels have.

    Parameters
    ----------
    view
        A recording.
    layer
        One of its layers.

    Returns
    -------
    str
        A reason for notes and messages, with what to do; empty where the series vary.
    """
    summary = view.summary
    attributes = view.layer(layer).attrs
    known = attributes.get(f"fixed_{summary}")
    if known is None and (attributes.get("channel_rms") is not None or not _looks_fixed(view, layer)):
        return ""
    what = f"the {NAMES[summary]} over channels" if summary in NAMES else f"{summary!r}"
    # A LayerNorm fixes both, so the other summary is no way out.
    return (
        f"{what} is fixed{f' by {known}' if known else ''}, so that its series are "
        "rounding; test its channels one by one (record with maps, channel_contrasts), or record a module before the "
        "norm"
    )


def _looks_fixed(view: Experiment, layer: str) -> bool:
    dataset = view.layer(layer)
    # Arrays from elsewhere may be small in their unit, and have no channels behind them.
    if "maps" not in dataset and not view.attrs.get("model_hash"):
        return False
    chosen = np.unique(np.linspace(0, dataset.sizes["token"] - 1, _TOKENS).round().astype(int))
    some = dataset.isel(token=chosen)
    series = some[view.summary].to_numpy().astype(float)
    series = series[~np.isnan(series)] if view.ragged else series
    spread = float(np.std(series))
    if "maps" not in some:
        return 0 < spread <= _ROUNDING * max(1.0, float(np.abs(series).max()))
    half = some["maps"].dtype.itemsize < 4
    size = float(np.sqrt(np.nanmean(np.square(some["maps"].to_numpy().astype(float)))))
    return 0 < spread <= (_HALF_ROUNDING if half else _ROUNDING) * size
