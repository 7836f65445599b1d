"""Intervals and tests of mean success: of starts within class, of networks, and of classes where these are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.stats.proportions import effective_wilson
from layerstats.stats.success.rate_estimates import RateEstimate

# With fewer, how networks differ is not known.
FEWEST_NETWORKS = 3
Sampling = Literal["drawn", "fixed"]


@dataclass(frozen=True)
class Inference:
    """What is drawn anew in an interval, and how wide it is.

    Parameters
    ----------
    networks, classes
        "drawn": other networks of the kind, other classes; "fixed": these. With fewer than three networks they are
        fixed whatever is asked, which the column `drawn` says. Starts are always drawn.
    conf_level
        Of intervals.
    """

    networks: Sampling = "drawn"
    classes: Sampling = "fixed"
    conf_level: float = 0.95

    def __post_init__(self) -> None:
        for name in ("networks", "classes"):
            check_choice(name, getattr(self, name), ("drawn", "fixed"))
        if not 0 < self.conf_level < 1:
            raise ArgumentError(f"The 'conf_level' parameter must be between 0 and 1, but got {self.conf_level!r}.")

    def variance(self, estimate: RateEstimate) -> tuple[float, float, str]:
        """Return the variance of an estimate, its degrees of freedom, and what is drawn in it.

        Networks come in by the jackknife (without each in turn, as row and as column of the matrix), which is exact
        where what is heard is a sum of what target and judge bring, and on the safe side otherwise; starts and classes
        in closed form, which is what resampling them would give without its noise. Starts of one name are the same in
        several networks and count once (two-way clusters: Cameron, Gelbach & Miller 2011). Where a judge is three
        people or more, other people are meant too.
        """
        variance, freedom, drawn = self._without_raters(estimate)
        if not estimate.raters.is_enough():
            return variance, freedom, drawn
        return *estimate.raters.added_to(variance, freedom), f"{drawn}, raters"

    def _without_raters(self, estimate: RateEstimate) -> tuple[float, float, str]:
        within, across = _sums_of_squares(estimate)
        starts = across + estimate.degenerate
        parts, drawn = [], ["starts"]
        if self.networks == "drawn":
            parts += [_jackknife(one) for one in estimate.left_out.values() if _is_enough(one)]
            drawn += ["networks"] if parts else []
        if self.classes == "drawn" and len(estimate.by_class) > 1:
            values = np.array(list(estimate.by_class.values()))
            parts.append((float(values.var(ddof=1)) / len(values), len(values) - 1))
            drawn.append("classes")
        if not parts:
            return starts, np.inf, "starts"
        larger = sum(variance for variance, _ in parts)
        # Satterthwaite's, of independent parts; where none varies, the fewest.
        freedom = min(own for _, own in parts)
        if larger > 0:
            freedom = larger**2 / sum(variance**2 / own for variance, own in parts)
        if "classes" not in drawn:
            # Starts that several networks share vary together; what is each network's own is in the jackknife.
            larger += max(across - within, 0.0)
        return max(larger, starts), float(freedom), ", ".join(drawn)

    def rate(self, estimate: RateEstimate) -> dict[str, Any]:
        """Return `conf_low, conf_high, conf_level, drawn` of a rate, by `effective_wilson`."""
        variance, freedom, drawn = self.variance(estimate)
        low, high = effective_wilson(estimate.value, variance, freedom, estimate.starts, self.conf_level)
        return {"conf_low": low, "conf_high": high, "conf_level": self.conf_level, "drawn": drawn}

    def difference(self, estimate: RateEstimate) -> dict[str, Any]:
        """Return `difference, conf_low, conf_high, conf_level, statistic, df, p_value, drawn`."""
        variance, freedom, drawn = self.variance(estimate)
        error = float(np.sqrt(variance))
        width = stats.t.isf((1 - self.conf_level) / 2, freedom) * error
        statistic = estimate.value / error if error > 0 else np.nan
        return {
            "difference": estimate.value,
            "conf_low": max(estimate.value - width, -1.0),
            "conf_high": min(estimate.value + width, 1.0),
            "conf_level": self.conf_level,
            "statistic": statistic,
            "df": freedom if np.isfinite(freedom) else np.nan,
            "p_value": float(2 * stats.t.sf(abs(statistic), freedom)),
            "drawn": drawn,
        }


def _is_enough(left_out: Mapping[str, float]) -> bool:
    return len(left_out) >= FEWEST_NETWORKS and bool(np.isfinite(list(left_out.values())).all())


def _jackknife(left_out: Mapping[str, float]) -> tuple[float, int]:
    """Return the jackknife's variance and its degrees of freedom."""
    values = np.array(list(left_out.values()))
    return float((len(values) - 1) * np.mean((values - values.mean()) ** 2)), len(values) - 1


def _sums_of_squares(estimate: RateEstimate) -> tuple[float, float]:
    """Return the sum of squares of what each start of each network moves, and of what each start moves in all."""
    if not len(estimate.moves):
        return 0.0, 0.0
    place = estimate.names * (int(estimate.networks.max()) + 1) + estimate.networks
    # Both sides of a difference first, so that reversing them turns signs and no order of adding.
    places, row = np.unique(place, return_inverse=True)
    own = np.bincount(row, estimate.moves)
    _, start = np.unique(places // (int(estimate.networks.max()) + 1), return_inverse=True)
    return float(np.sum(own**2)), float(np.sum(np.bincount(start, own) ** 2))
