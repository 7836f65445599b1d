"""Which tokens of a contrast are worth listening to: the most typical of each group, and those farthest from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_count
from layerstats.errors import DataError
from layerstats.stats.contrasts.curves import distances, group_curves
from layerstats.tables import check_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layerstats.stats.contrasts.contrast import Contrast
    from layerstats.stats.gamm.inference.result import GammResult
    from layerstats.stats.series import Series

TYPICAL, FARTHEST = "most typical", "largest residual"


class _Fitted(Protocol):
    """What `LayerContrasts` and `WordContrasts` share."""

    @property
    def contrast(self) -> Contrast: ...

    @property
    def series(self) -> Mapping[str, Series]: ...

    @property
    def results(self) -> Mapping[str, GammResult]: ...


def tokens_of_interest(
    result: _Fitted, *, layer: str | None = None, typical: int = 1, farthest: int = 4
) -> pd.DataFrame:
    """Return the tokens that one would want to hear: the most typical of each group, and those farthest from theirs.

    The distance of a series is the root mean square, over its points, of what is left of it when the fitted curve of
    its group is taken off (random terms excluded), in standard deviations of tokens: 1 is as far as tokens usually lie.

    Parameters
    ----------
    result
        A contrast of words, phones or any other column.
    layer
        Which layer's model; by default the last that has one.
    typical
        How many of each group, the nearest first.
    farthest
        How many of all groups together, the farthest first.

    Returns
    -------
    pandas.DataFrame
        ``layer, token, word, speaker, group, why, distance``, and for phones ``phone, phone_index``. A token that is
        both stands there once, as the typical one.

    Raises
    ------
    DataError
        No layer could be fitted.
    ArgumentError
        The layer has no model, or `typical` or `farthest` is no positive whole number.

    Examples
    --------
    >>> from layerstats.stats import FitOptions, word_contrasts
    >>> rng = np.random.default_rng(0)
    >>> tokens = [(f"{word}_{n}", word, f"s{n}") for word in ("ask", "wash") for n in range(5)]
    >>> frame = pd.DataFrame([
    ...     (*token, "conv1", i, i / 40, np.sin(i / 6) + rng.normal() + 9 * (token[0] == "wash_2"))
    ...     for token in tokens for i in range(20)
    ... ], columns=["token", "word", "speaker", "layer", "sample", "time_s", "value"])
    >>> result = word_contrasts(frame, speakers="none", fits=FitOptions(engine="structured"))
    >>> heard = tokens_of_interest(result, farthest=1)
    >>> heard[["group", "why"]].values.tolist(), heard["token"].iloc[-1]
    ([['ask', 'most typical'], ['wash', 'most typical'], ['wash', 'largest residual']], 'wash_2')
    """
    check_count("typical", typical)
    check_count("farthest", farthest)
    if not result.results:
        raise DataError("No layer of this contrast could be fitted: there are no curves to measure tokens from.")
    layer = list(result.results)[-1] if layer is None else layer
    check_choice("layer", layer, list(result.results))
    series, group = result.series[layer], result.contrast.group
    curves = group_curves(result.results[layer], series, group, sorted(set(series.frame[group])))
    table = distances(curves, series, group)
    wide = float(np.sqrt(np.sum(table["distance"] ** 2) / max(1, len(table) - table["group"].nunique())))
    table = table.assign(layer=layer, distance=table["distance"] / wide if wide else 0.0)
    near = table.sort_values(["group", "distance"], kind="stable").groupby("group", sort=False).head(typical)
    others = table.drop(index=near.index).sort_values("distance", ascending=False, kind="stable").head(farthest)
    found = pd.concat([near.assign(why=TYPICAL), others.assign(why=FARTHEST)], ignore_index=True)
    columns = ["layer", "token", "word", "speaker", "group", "why", "distance"]
    found = found.loc[:, [*columns, *(name for name in ("phone", "phone_index") if name in found.columns)]]
    check_frame(found, "tokens_of_interest")
    return found
