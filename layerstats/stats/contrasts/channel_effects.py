"""How large the difference between two groups is in each channel, in standard deviations of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.stats.contrasts.curves import POINTS
from layerstats.stats.series import Series

if TYPE_CHECKING:
    from layerstats.stats.gamm.batched.rows import ChannelDesign, ChannelFits


@dataclass(frozen=True, eq=False)
class ChannelEffects:
    """Effect sizes and what they are measured in, (channel,) each; NaN where there is no fit.

    Attributes
    ----------
    effect_size
        Root mean square of the difference curve, corrected for bias, over `token_sd`.
    token_sd
        Standard deviation of tokens about their group's curve.
    """

    effect_size: np.ndarray
    token_sd: np.ndarray


@dataclass(frozen=True, eq=False)
class GroupDifference:
    """The difference curve of a design, and the groups' curves in the rows of the data.

    Attributes
    ----------
    difference
        (time, column) of the dense corner, at equally spaced times.
    fixed
        (unique row, column) of the dense corner, without random terms.
    place
        (row,) the unique row of each row of the design.
    series
        (row,) the number of its series.
    positions
        (row,) where each row of the design stood in the data.
    groups
        How many groups there are.
    """

    difference: np.ndarray
    fixed: np.ndarray
    place: np.ndarray
    series: np.ndarray
    positions: np.ndarray
    groups: int

    @classmethod
    def of(cls, design: ChannelDesign, group: str, levels: Sequence[str], series: Series) -> GroupDifference:
        """Build it for two `levels` of `group`; the sign of the difference does not matter."""
        model = design.model
        fixed = np.ones(design.penalties.columns, dtype=bool)
        for term in model.dense:
            fixed[model.dense_spans[term.label]] = term.null_dimension > 0
        frame = model.rows.frame
        times = np.linspace(frame[series.covariate].min(), frame[series.covariate].max(), POINTS)
        curves = []
        for level in levels:
            rows = frame.iloc[np.zeros(POINTS, dtype=int)].assign(**{series.covariate: times})
            for column in (group, f"{group}_ordered"):
                rows[column] = pd.Categorical([level] * POINTS, dtype=frame[column].dtype)
            curves.append(model.dense_columns(rows) * fixed)
        identifiers = series.frame[series.identifier].to_numpy()[design.positions]
        return cls(
            difference=curves[0] - curves[1],
            fixed=model.dense_columns(frame) * fixed,
            place=model.rows.place,
            series=pd.factorize(identifiers)[0],
            positions=design.positions,
            groups=len(levels),
        )

    def effects(self, fits: ChannelFits, values: np.ndarray) -> ChannelEffects:
        """Measure some channels.

        Parameters
        ----------
        fits
            Of the level-and-shape model.
        values
            (channel, row), rows as in the data.
        """
        mean_square = np.mean((fits.coefficients @ self.difference.T) ** 2, axis=1)
        # The mean over times of the variance of the curve, which its mean square is too large by.
        gram = self.difference.T @ self.difference / len(self.difference)
        excess = np.sum(fits.covariance * gram, axis=(1, 2))
        points = np.bincount(self.series)
        spread = np.empty(len(values))
        for channel, coefficients in enumerate(fits.coefficients):
            distance = values[channel, self.positions] - (self.fixed @ coefficients)[self.place]
            squares = np.bincount(self.series, weights=distance**2) / points
            spread[channel] = squares.sum() / (len(points) - self.groups)
        with np.errstate(invalid="ignore", divide="ignore"):
            effect = np.sqrt(np.maximum(0.0, mean_square - excess) / spread)
        return ChannelEffects(effect, np.sqrt(spread))
