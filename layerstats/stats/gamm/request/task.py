"""The arguments of a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from layerstats.stats.gamm.data.factors import FactorLevels, OrderedCopies
from layerstats.stats.gamm.engine_interface import Engine


@dataclass(frozen=True, eq=False)
class FitTask:
    """The arguments of one `fit`, for `fit_many`.

    Examples
    --------
    >>> data = pd.DataFrame({"x": range(40), "y": range(40)})
    >>> FitTask("y ~ s(x)", data, engine="structured").engine
    'structured'
    """

    formula: str
    data: pd.DataFrame = field(repr=False)
    engine: str | Engine = "auto"
    method: str = "fREML"
    rho: float | Literal["auto", "reml"] | None = None
    series: str | Sequence[str] | None = None
    order: str | None = None
    gaps: str = "adjacent"
    factors: FactorLevels | None = None
    ordered: OrderedCopies | None = None
    weights: str | Sequence[float] | None = None
    knots: Mapping[str, Sequence[float]] | None = None
    family: str = "gaussian"
    function: str = "bam"
    discrete: bool = False
    verify: bool = False
    na: str = "error"
    progress: Callable[[int, int], None] | None = field(default=None, repr=False)
