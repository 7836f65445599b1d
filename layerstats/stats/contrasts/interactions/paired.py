"""A contrast in two layers or recordings of the same tokens: is it larger at conv5 than at conv3, or after training?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.curves import GroupCurves, group_curves, spread_about
from layerstats.stats.contrasts.difference_tests import difference_terms, difference_tests
from layerstats.stats.contrasts.interactions.comparison import LayerComparison, count_cells
from layerstats.stats.contrasts.interactions.crossed import least_of_cells
from layerstats.stats.contrasts.interactions.paired_series import on_one_axis, scaled, weighted_sum
from layerstats.stats.contrasts.interactions.projection import added_covariance
from layerstats.stats.contrasts.interactions.token_scale import TokenScale, scale_curves, token_scale
from layerstats.stats.contrasts.models import (
    SeriesModel,
    SpeakerTerms,
    check_groups,
    check_level_speakers,
    level_and_shape_model,
)
from layerstats.stats.effect_sizes import TokenSpread
from layerstats.stats.series import Series

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult

Scale = Literal["tokens", "none"]
SCALES = ("tokens", "none")
# The unit is a standard deviation already; that it is an estimate is part of the covariance.
_ONE = TokenSpread(1.0, 10**9)


@dataclass(frozen=True, eq=False)
class PairedPlan:
    """One layer (or pair of layers): the contrast on each side, and in the paired differences of tokens.

    Attributes
    ----------
    contrast
        The contrast.
    sides
        By the name of each side, in the order that was asked for: the series of its recordings, all on one axis.
    scale, k, speakers
        As in `contrast_of_contrasts`.
    """

    contrast: Contrast
    sides: Mapping[str, tuple[Series, ...]]
    scale: Scale
    k: int | None
    speakers: SpeakerTerms

    @classmethod
    def of(
        cls,
        contrast: Contrast,
        sides: Mapping[str, Sequence[Series]],
        scale: Scale,
        k: int | None,
        speakers: SpeakerTerms,
    ) -> PairedPlan:
        """Put the series of both sides on one axis of time.

        Raises
        ------
        DataError
            No token is in all recordings.
        """
        aligned = iter(on_one_axis([one for own in sides.values() for one in own]))
        return cls(
            contrast, {side: tuple(next(aligned) for _ in own) for side, own in sides.items()}, scale, k, speakers
        )

    @property
    def sign(self) -> float:
        """1 where the model subtracts the second side.

        Models always subtract the later one in the alphabet, so that a comparison that is turned round changes its sign
        and nothing else.
        """
        return 1.0 if list(self.sides) == sorted(self.sides) else -1.0

    @property
    def weights(self) -> np.ndarray:
        """(recording,) what each is multiplied by in the double difference of the model, in the order of `sides`."""
        first, second = (len(own) for own in self.sides.values())
        return self.sign * np.append(np.full(first, 1 / first), np.full(second, -1 / second))

    @cached_property
    def scales(self) -> tuple[TokenScale, ...]:
        """The unit of each recording; one without uncertainty where values are taken as they are."""
        reference, other = self.contrast.reference_first
        every = [one for own in self.sides.values() for one in own]
        by_speakers = self.speakers != "none"
        found = tuple(token_scale(one, self.contrast.group, (reference, other), by_speakers) for one in every)
        return found if self.scale == "tokens" else tuple(one.unscaled() for one in found)

    @cached_property
    def _in_units(self) -> dict[str, list[Series]]:
        scales = iter(self.scales)
        return {side: [scaled(one, next(scales)) for one in own] for side, own in self.sides.items()}

    @cached_property
    def series(self) -> Series:
        """The paired differences."""
        return weighted_sum([one for own in self._in_units.values() for one in own], self.weights.tolist())

    @property
    def counts(self) -> pd.DataFrame:
        """How many series and speakers each cell has: ``by_level, level, tokens, speakers``."""
        frame, identifier = self.series.frame, self.series.identifier
        parts = [count_cells(frame.assign(_side=side), identifier, self.contrast.group, "_side") for side in self.sides]
        return pd.concat(parts, ignore_index=True)

    def check(self) -> None:
        """Raise `DataError` where a cell has too few series, or there is one speaker."""
        least_of_cells(self.counts, self.contrast, list(self.sides))
        check_groups(self.series.frame, self.contrast.group, self.speakers)
        if self.speakers != "none":
            check_level_speakers(self.series.frame, self.contrast.group)

    @cached_property
    def _means(self) -> dict[str, Series]:
        return {side: weighted_sum(own, [1 / len(own)] * len(own)) for side, own in self._in_units.items()}

    @cached_property
    def models(self) -> list[SeriesModel]:
        """Of the contrast on each side, and of the paired differences, which holds the double difference."""
        levels, items = self.contrast.reference_first, self.contrast.items
        return [
            level_and_shape_model(one, self.contrast.group, levels, k=self.k, speakers=self.speakers, items=items)
            for one in (*self._means.values(), self.series)
        ]

    def compare(self, results: Sequence[GammResult]) -> LayerComparison:
        """Read the double difference from the fitted models."""
        group, names = self.contrast.group, (self.contrast.level_1, self.contrast.level_2)
        reference, other = self.contrast.reference_first
        sides = {}
        for (side, series), result in zip(self._means.items(), results[:2], strict=True):
            curves = group_curves(result, series, group, names)
            sides[side] = (curves, _ONE if self.scale == "tokens" else spread_about(curves, series, group))
        result, units = results[-1], self.models[-1].units
        curves = group_curves(result, self.series, group, names)
        columns, added = self._added(result, curves, other, reference)
        covariance = curves.covariance.copy()
        covariance[np.ix_(columns, columns)] += added
        # The differences of tokens are a side's own; the other side's contrast in them is nothing.
        matrix = self.sign * (curves.matrices[names[0]] - curves.matrices[names[1]])
        first, second = self.sides
        double = {first: matrix, second: np.zeros_like(matrix)}
        sign = self.contrast.sign * self.sign
        scaled_by_tokens = self.scale == "tokens"
        tests = difference_tests(result, group, reference, other, units, sign, added if scaled_by_tokens else None)
        pooled = np.sqrt(np.mean([spread.sd**2 for _, spread in sides.values()]))
        return LayerComparison(
            tests=tests,
            names=names,
            sides=sides,
            double=replace(curves, matrices=double, covariance=covariance),
            spread=_ONE if scaled_by_tokens else TokenSpread(float(pooled), min(one.df for _, one in sides.values())),
            note=units.note,
        )

    def _added(
        self, result: GammResult, curves: GroupCurves, other: str, reference: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns of the double difference and what estimated units add to their covariance."""
        from layerstats.stats.gamm.inference.joint_test import columns_under_test

        request = result.request
        design = result.design(request.frame.head(1), exclude=result.random_terms)
        columns = columns_under_test(result, *difference_terms(result, self.contrast.group, other), design)
        own = scale_curves(self.scales, self.weights.tolist())
        matrix = curves.matrices[other] - curves.matrices[reference]
        return columns, added_covariance(matrix[:, columns], own)
