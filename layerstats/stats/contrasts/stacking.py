"""Tables of several layers under each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.stats.gamm.checks.implied_autocorrelation import implied_autocorrelation
from layerstats.stats.series import Series
from layerstats.tables import check_frame

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult


def stacked(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put the layers' tables under each other, the layer in the first column.

    Examples
    --------
    >>> stacked({"conv1": pd.DataFrame({"lag": [1]}), "conv2": pd.DataFrame({"lag": [1]})}).values.tolist()
    [['conv1', 1], ['conv2', 1]]
    """
    parts = [frame.assign(layer=layer).loc[:, ["layer", *frame.columns]] for layer, frame in frames.items()]
    # Empty tables have no dtypes worth keeping, and pandas warns about them.
    filled = [part for part in parts if len(part)]
    return check_frame(pd.concat(filled, ignore_index=True) if filled else parts[0])


def residual_autocorrelation(results: Mapping[str, GammResult], series: Mapping[str, Series]) -> pd.DataFrame:
    """Return the autocorrelation of the residuals at each layer, at lags that most series are twice as long as.

    `implied` is what the model leaves although its errors are independent; see `implied_autocorrelation`.
    """
    tables = {}
    for layer, result in results.items():
        table = result.autocorrelation(max_lag=max(1, series[layer].points // 2))
        lags = table["lag"].to_numpy(dtype=int)
        implied = np.append(1.0, implied_autocorrelation(result.request, result.engine_fit, max(1, int(lags.max()))))
        tables[layer] = table.assign(implied=implied[lags])
    return stacked(tables)
