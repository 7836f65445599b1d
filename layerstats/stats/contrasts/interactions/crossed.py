"""A contrast crossed with another column of the same recording: does it differ between men and women?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.curves import GroupCurves, cell_curves, spread_about
from layerstats.stats.contrasts.difference_tests import difference_tests
from layerstats.stats.contrasts.interactions.cell_model import OTHER, Crossing, interaction_model
from layerstats.stats.contrasts.interactions.comparison import LEAST_SERIES, LayerComparison, count_cells
from layerstats.stats.contrasts.models import SeriesModel, SpeakerTerms, check_level_speakers
from layerstats.stats.series import Series

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult
    from layerstats.store import Experiment

# No column of levels has a colon in its name.
CELL = "by:level"


def crossed_series(experiment: Experiment, contrast: Contrast, by: Contrast, layer: str, samples: int | None) -> Series:
    """Return the series of the contrast that also have one of the levels of `by`, labelled by both and by their cell.

    Raises
    ------
    ArgumentError
        `by` is the same column, or one of phones where series are tokens.
    """
    if contrast.group == by.group:
        raise ArgumentError(
            f"Both contrasts are between levels of {contrast.column!r}. Choose another column for 'by'."
        )
    if by.unit == "phone" and contrast.unit == "token":
        raise ArgumentError(
            f"{by.text!r} is a property of phones, and the series of {contrast.text!r} are tokens. Contrast phones."
        )
    one = contrast.series(experiment, layer, samples=samples)
    keys = ["token", "phone_index"] if by.unit == "phone" else ["token"]
    level_of = by.intervals(experiment).loc[:, [*keys, by.group]]
    # Words stand in every series already.
    frame = one.frame.drop(columns=by.group, errors="ignore").merge(level_of, on=keys, how="inner")
    cell = frame[by.group].astype(str) + "\0" + frame[contrast.group].astype(str)
    return replace(one, frame=frame.assign(**{CELL: cell}))


@dataclass(frozen=True, eq=False)
class CrossedPlan:
    """One layer: one model with four cells.

    Attributes
    ----------
    contrast, by
        The contrasts.
    series
        From `crossed_series`.
    k, speakers
        As in `word_contrasts`.
    """

    contrast: Contrast
    by: Contrast
    series: Series
    k: int | None
    speakers: SpeakerTerms

    @property
    def crossing(self) -> Crossing:
        """The columns and levels as the model codes them: the same whichever way round the contrasts are."""
        (a1, a2), (b1, b2) = self.contrast.reference_first, self.by.reference_first
        return Crossing(self.contrast.group, (a1, a2), self.by.group, (b1, b2))

    @cached_property
    def models(self) -> list[SeriesModel]:
        """The model with the double difference, alone."""
        # Words are no sample where either contrast is between them.
        items = self.contrast.items if self.by.items else ()
        return [interaction_model(self.series, self.crossing, k=self.k, speakers=self.speakers, items=items)]

    @property
    def counts(self) -> pd.DataFrame:
        """How many series and speakers each cell has: ``by_level, level, tokens, speakers``."""
        return count_cells(self.series.frame, self.series.identifier, self.contrast.group, self.by.group)

    def check(self) -> None:
        """Raise `DataError` where a cell has too few series, or a level one speaker."""
        least_of_cells(self.counts, self.contrast, self.by.names)
        if self.speakers != "none":
            for column in (self.contrast.group, self.by.group):
                check_level_speakers(self.series.frame, column)

    def compare(self, results: Sequence[GammResult]) -> LayerComparison:
        """Read the double difference from the fitted models."""
        (result,), crossing, model = results, self.crossing, self.models[0]
        sign = self.contrast.sign * self.by.sign
        cells = {f"{b}\0{a}": crossing.cell(a, b) for b in self.by.names for a in self.contrast.names}
        every = cell_curves(result, self.series, cells)
        spread = spread_about(every, self.series, CELL)
        sides = {
            b: _with_matrices(every, {a: every.matrices[f"{b}\0{a}"] for a in self.contrast.names})
            for b in self.by.names
        }
        names = (self.contrast.level_1, self.contrast.level_2)
        double = {b: side.matrices[names[0]] - side.matrices[names[1]] for b, side in sides.items()}
        return LayerComparison(
            tests=difference_tests(result, crossing.column, OTHER, crossing.both, model.units, sign),
            names=names,
            sides={b: (side, spread) for b, side in sides.items()},
            double=_with_matrices(every, double),
            spread=spread,
            note=model.units.note,
        )


def _with_matrices(curves: GroupCurves, matrices: dict[str, np.ndarray]) -> GroupCurves:
    return replace(curves, matrices=matrices)


def least_of_cells(counts: pd.DataFrame, contrast: Contrast, sides: Sequence[str]) -> None:
    """Raise `DataError` where a cell has fewer than three series."""
    found = {(by, level): int(tokens) for by, level, tokens in counts[["by_level", "level", "tokens"]].to_numpy()}
    few = [(by, level) for by in sides for level in contrast.names if found.get((by, level), 0) < LEAST_SERIES]
    if few:
        listed = ", ".join(f"{level} of {by}: {found.get((by, level), 0)}" for by, level in few)
        raise DataError(f"too few series ({listed}; {LEAST_SERIES} are needed)")
