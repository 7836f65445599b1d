"""A basis by its name in mgcv."""

from __future__ import annotations

from collections.abc import Callable

from layerstats.stats.gamm.structured.bases.basis import Basis, Values
from layerstats.stats.gamm.structured.bases.cubic import CubicBasis
from layerstats.stats.gamm.structured.bases.p_spline import PSplineBasis
from layerstats.stats.gamm.structured.bases.shrinkage import shrunken_cubic, shrunken_thin_plate
from layerstats.stats.gamm.structured.bases.thin_plate import ThinPlateBasis, default_order, null_space_dimension
from layerstats.stats.gamm.structured.unsupported import Unsupported


def _thin_plate(values: Values, dimension: int, orders: tuple[int, ...] | None) -> Basis:
    covariates = values.unique[:1].size
    order = default_order(covariates) if orders is None else orders[0]
    if not 1 <= order <= 4 or 2 * order <= covariates or dimension <= null_space_dimension(covariates, order):
        raise Unsupported(f"a thin plate basis with m = {order} and k = {dimension}")
    return ThinPlateBasis.build(values, dimension, order)


def _cubic(values: Values, dimension: int, orders: tuple[int, ...] | None) -> Basis:
    if dimension < 3:
        raise Unsupported(f"a cubic basis with k = {dimension}; it needs 3 or more")
    return CubicBasis.build(values, dimension)


def _p_spline(values: Values, dimension: int, orders: tuple[int, ...] | None) -> Basis:
    order, difference = (2, 2) if orders is None else (orders[0], orders[-1])
    if order < 0 or difference < 1 or dimension - order < 2 or dimension <= difference:
        raise Unsupported(f"a P-spline basis with m = c({order}, {difference}) and k = {dimension}")
    return PSplineBasis.build(values, dimension, order, difference)


BASES: dict[str, Callable[[Values, int, tuple[int, ...] | None], Basis]] = {
    "tp": _thin_plate,
    "cr": _cubic,
    "ps": _p_spline,
    "ts": lambda values, dimension, orders: shrunken_thin_plate(_thin_plate(values, dimension, orders)),
    "cs": lambda values, dimension, orders: shrunken_cubic(_cubic(values, dimension, orders)),
}


def build_basis(name: str, values: Values, dimension: int, orders: tuple[int, ...] | None = None) -> Basis:
    """Build the basis that mgcv calls `name` with `dimension` functions; `orders` is its ``m``.

    Raises
    ------
    Unsupported
        The engine does not have this basis.
    """
    if name not in BASES:
        raise Unsupported(f"the basis {name!r}; it has {', '.join(BASES)}")
    return BASES[name](values, dimension, orders)
