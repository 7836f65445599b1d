"""The model of a contrast for all channels of a layer, in one of two ways: by curves, or by rows.

Where every series has the same times, and only tokens and speakers have random terms, a channel is a data set of
curves, as for resampling: the random coefficients are integrated out, and the cost depends neither on the number of
tokens nor on that of speakers. Otherwise it is the structured engine's system of equations with many
right-hand sides. The numbers are the same, but for tables of more than 10,000 rows: the rows that bases are built from
then depend in a small way on the response (see `structured.setup_rows`), and channels share theirs, which moves the
fourth digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from layerstats.errors import DataError
from layerstats.parallel import RunOptions
from layerstats.stats.contrasts.channel_effects import GroupDifference
from layerstats.stats.contrasts.curves import POINTS
from layerstats.stats.contrasts.models import SeriesModel
from layerstats.stats.one_thread import run_on_one_thread_each
from layerstats.stats.series import Series

if TYPE_CHECKING:
    from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
    from layerstats.stats.gamm.batched.curves.summaries import Summaries
    from layerstats.stats.gamm.batched.rows import ChannelDesign, ChannelFits

# Channels fitted side by side: of fewer, Python takes more of the time; more do not stay in the processor's cache.
_BATCH = 128
# Channels whose curves are copied at a time, in each thread.
_SUMMED = 16


class ChannelModel(Protocol):
    """A model of all channels."""

    def with_rho(self, rho: float) -> ChannelModel:
        """Return the same with another AR(1) parameter."""
        ...

    def autocorrelation(self, values: np.ndarray) -> float:
        """Return the mean lag-1 autocorrelation of residuals without AR(1) over channels, (channel, row)."""
        ...

    def fit(self, values: np.ndarray, joint: tuple[str, str], run: RunOptions) -> ChannelFits:
        """Fit channels, (channel, row); see `layerstats.stats.gamm.batched.rows.fit_channels`."""
        ...

    def difference(self, series: Series) -> GroupDifference:
        """Return the difference curve."""
        ...


def channel_model(model: SeriesModel, series: Series, group: str, rho: float) -> ChannelModel:
    """Return the faster of the two ways that this model can be fitted in."""
    # Curves know tokens and speakers, not words that go across speakers.
    if not model.items and _same_times(series):
        return CurveModel.of(model, group, rho)
    return RowModel.of(model, group, rho)


def _same_times(series: Series) -> bool:
    own = series.frame[series.identifier].factorize()[0]
    counts = np.bincount(own)
    if len(set(counts)) != 1:
        return False
    times = series.frame[series.covariate].to_numpy()
    times = times[np.lexsort((times, own))].reshape(len(counts), -1)
    return bool(np.all(times == times[0]))


@dataclass(frozen=True, eq=False)
class RowModel:
    """By rows; see `layerstats.stats.gamm.batched.rows`."""

    design: ChannelDesign
    group: str
    levels: tuple[str, ...]

    @classmethod
    def of(cls, model: SeriesModel, group: str, rho: float) -> RowModel:
        """Build the design."""
        from layerstats.stats.gamm.batched.rows import channel_design

        design = channel_design(model.task(rho=rho))
        return cls(design, group, tuple(model.factors[group]))

    def with_rho(self, rho: float) -> RowModel:
        """See `ChannelModel`."""
        return replace(self, design=self.design.with_rho(rho))

    def autocorrelation(self, values: np.ndarray) -> float:
        """See `ChannelModel`."""
        from layerstats.stats.gamm.batched.rows import mean_autocorrelation

        return mean_autocorrelation(self.design, values)

    def fit(self, values: np.ndarray, joint: tuple[str, str], run: RunOptions) -> ChannelFits:
        """See `ChannelModel`."""
        from layerstats.stats.gamm.batched.rows import fit_channels

        return fit_channels(self.design, values, joint=joint, run=run)

    def difference(self, series: Series) -> GroupDifference:
        """See `ChannelModel`."""
        return GroupDifference.of(self.design, self.group, self.levels, series)


@dataclass(frozen=True, eq=False)
class CurveModel:
    """By curves; see `layerstats.stats.resampling`."""

    design: CurveDesign

    @classmethod
    def of(cls, model: SeriesModel, group: str, rho: float) -> CurveModel:
        """Build the design."""
        from layerstats.stats.gamm.batched.curves.curve_design_building import curve_design

        return cls(curve_design(model.task(rho=rho), group, "speaker", response=False))

    def with_rho(self, rho: float) -> CurveModel:
        """See `ChannelModel`."""
        return CurveModel(self.design.with_noise(rho))

    def autocorrelation(self, values: np.ndarray) -> float:
        """See `ChannelModel`."""
        from layerstats.stats.gamm.batched.curves.curve_criterion import estimate
        from layerstats.stats.gamm.batched.curves.refit import refit
        from layerstats.stats.gamm.batched.curves.residual_sums import lag_one
        from layerstats.stats.gamm.batched.rows.channel_fits import FITTED, response_status

        values = values[response_status(values) == FITTED]
        if not len(values):
            raise DataError("Every channel is dead (its values never vary) or holds values that are not finite.")
        plain = self.design.with_noise(0.0)
        data = summarised(plain, values)[1]
        found = lag_one(plain, data, estimate(plain, data, refit(plain, data).log_smoothing))
        found = found[np.isfinite(found)]
        return float(np.clip(found.mean(), -0.99, 0.99)) if len(found) else 0.0

    def fit(self, values: np.ndarray, joint: tuple[str, str], run: RunOptions) -> ChannelFits:
        """See `ChannelModel`."""
        from layerstats.stats.gamm.batched.rows import stack_fits

        pieces = [values[begin : begin + _BATCH] for begin in range(0, len(values), _BATCH)]
        return stack_fits(run_on_one_thread_each(partial(self._fit, joint), pieces, run))

    def _fit(self, joint: tuple[str, str], values: np.ndarray) -> ChannelFits:
        from layerstats.stats.gamm.batched.curves.refit import refit
        from layerstats.stats.gamm.batched.curves.residual_sums import gram_of
        from layerstats.stats.gamm.batched.rows import JOINT
        from layerstats.stats.gamm.batched.rows.channel_edf import ChannelEdf
        from layerstats.stats.gamm.batched.rows.channel_fits import (
            FITTED,
            NOT_CONVERGED,
            empty_fits,
            response_status,
            tables_of,
        )

        design = self.design
        own = design.columns_of(joint[1])
        columns = {joint[1]: own, JOINT: np.append(design.names.index(joint[0]), own)}
        parametric = tuple(name for name in design.names if name not in design.penalty_terms)
        status = response_status(values)
        result = empty_fits(parametric, tuple(columns), len(design.names), status)
        alive = np.flatnonzero(status == FITTED)
        if not len(alive):
            return result
        offset, data = summarised(design, values if len(alive) == len(values) else values[alive])
        fits = refit(design, data)
        status[alive[~fits.converged]] = NOT_CONVERGED
        coefficients = fits.coefficients.copy()
        coefficients[:, 0] += offset
        tables = tables_of(
            coefficients,
            fits.covariance,
            len(parametric),
            {name: (own, gram_of(design, own), design.written[np.ix_(own, own)]) for name, own in columns.items()},
            ChannelEdf(fits.edf, fits.edf1, data.observations - fits.residual_freedom),
            fits.residual_freedom,
        )
        tables |= {"coefficients": coefficients, "covariance": fits.covariance, "scale": fits.scale}
        tables |= {name: getattr(fits, name) for name in ("score", "gradient_norm", "iterations")}
        for name, numbers in tables.items():
            getattr(result, name)[alive] = numbers
        return result

    def difference(self, series: Series) -> GroupDifference:
        """See `ChannelModel`."""
        design = self.design
        times = np.linspace(series.frame[series.covariate].min(), series.frame[series.covariate].max(), POINTS)
        first, second = design.columns_at(times)
        tokens = np.arange(len(design.label_of))
        return GroupDifference(
            difference=first - second,
            fixed=design.columns.reshape(-1, design.columns.shape[2]),
            place=(design.label_of[:, None] * design.points + np.arange(design.points)).ravel(),
            series=np.repeat(tokens, design.points),
            positions=design.positions,
            groups=len(design.labels),
        )


def summarised(design: CurveDesign, values: np.ndarray) -> tuple[np.ndarray, Summaries]:
    """Return the means of channels and their sums, less these means."""
    from layerstats.stats.gamm.batched.curves.summaries import stacked, summarise

    offsets, parts = [], []
    for begin in range(0, len(values), _SUMMED):
        # A copy, in the order of the model.
        curves = values[begin : begin + _SUMMED, design.positions].astype(np.float64, copy=False)
        offsets.append(curves.mean(axis=1))
        curves -= offsets[-1][:, None]
        curves = curves.reshape(len(curves), -1, design.points)
        parts.append(summarise(design, np.tile(design.label_of, (len(curves), 1)), curves))
    return np.concatenate(offsets), stacked(parts)
