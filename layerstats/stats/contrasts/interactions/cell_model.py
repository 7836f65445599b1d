"""The model of two contrasts crossed in one recording: four cells, and how they differ in level and in shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.contrasts.models import (
    BASIS_FUNCTIONS,
    LEAST_BASIS_FUNCTIONS,
    SeriesModel,
    SpeakerTerms,
    basis_functions,
    is_sample,
)
from layerstats.stats.series import Series
from layerstats.stats.units import count_interaction_units

OTHER = "other"
# What numeric copies of the factors are called: half a unit to each side of zero.
CODE = "_code"


@dataclass(frozen=True)
class Crossing:
    """Two columns of series, crossed; the names of their levels as the model codes them, the reference first.

    Attributes
    ----------
    group, levels
        The column of the contrast, and its two levels.
    by, by_levels
        The column of the other contrast, and its two levels.
    """

    group: str
    levels: tuple[str, str]
    by: str
    by_levels: tuple[str, str]

    @property
    def column(self) -> str:
        """The column that is the cell of both second levels, or "other"."""
        return f"{self.group}_by_{self.by}"

    @property
    def both(self) -> str:
        """The level of `column` in that cell."""
        return f"{self.levels[1]}:{self.by_levels[1]}"

    def cell(self, level: str, by_level: str) -> dict[str, str]:
        """Return the value of every factor in a cell."""
        both = (level, by_level) == (self.levels[1], self.by_levels[1])
        return {self.group: level, self.by: by_level, self.column: self.both if both else OTHER}


def interaction_model(
    series: Series,
    crossing: Crossing,
    *,
    k: int | None = None,
    speakers: SpeakerTerms = "auto",
    items: Collection[str] = (),
) -> SeriesModel:
    """Return the model whose last coefficient and last difference smooth are the difference of differences.

    ``value ~ a + b + a_by_b + s(time) + s(time, by=a_ordered) + s(time, by=b_ordered) + s(time, by=a_by_b_ordered)``,
    ``a_by_b`` the cell in which both contrasts have their second level: ``a*b`` in R. Level, shape and joint test of
    the double difference are then those of one coefficient and one difference smooth, as of a single contrast. Random
    terms are factor smooths of tokens, of speakers, and where speakers are heard in both levels of a contrast, several
    times in each, of how each speaker differs between these levels: ``s(time, speaker, by=a_code, bs="fs", m=1)``, with
    -1/2 and 1/2. The same for the double difference, where speakers are heard several times in all four cells.

    Parameters
    ----------
    series
        The series of one layer, with the columns of both contrasts.
    crossing
        The columns and their levels.
    k, speakers
        As in `word_contrasts`.
    items
        As for `level_and_shape_model`: words, say, where neither contrast is between them.

    Raises
    ------
    DataError
        Too few speakers to compare, or too few points.
    """
    covariate, group, by, both = series.covariate, crossing.group, crossing.by, crossing.column
    k = basis_functions(series, k)
    first, second = (series.frame[column].to_numpy() for column in (group, by))
    inside = (first == crossing.levels[1]) & (second == crossing.by_levels[1])
    codes = [np.where(first == crossing.levels[1], 0.5, -0.5), np.where(second == crossing.by_levels[1], 0.5, -0.5)]
    data = series.frame.assign(
        **{
            both: np.where(inside, crossing.both, OTHER),
            f"{group}{CODE}": codes[0],
            f"{by}{CODE}": codes[1],
            f"{both}{CODE}": codes[0] * codes[1],
        }
    )
    size = "" if k == BASIS_FUNCTIONS else f", k={k}"
    smooths = [f"s({covariate}{size})", *(f"s({covariate}, by={name}_ordered{size})" for name in (group, by, both))]
    each = series.frame.drop_duplicates(series.identifier)
    people = None if speakers == "none" else each["speaker"].to_numpy()
    used = [item for item in items if is_sample(each, item, group) and is_sample(each, item, by)]
    others = {f"{item}s": each[item].to_numpy() for item in used}
    units = count_interaction_units(each[group].to_numpy(), each[by].to_numpy(), people, others)
    if units.count <= units.spent:
        raise DataError(
            f"A contrast of contrasts with {units}, leaves nothing to judge it by. Add {units.kind}"
            f"{', or leave speakers out with speakers=' + repr('none') if units.kind == 'speakers' else ''}."
        )
    slopes = _slopes(each, crossing) if speakers != "none" else []
    random = _random_terms(series, slopes, used, k, intercepts=speakers == "intercepts")
    return SeriesModel(
        formula=f"value ~ {' + '.join([group, by, both, *smooths, *random])}",
        data=data,
        identifier=series.identifier,
        covariate=covariate,
        factors={group: list(crossing.levels), by: list(crossing.by_levels), both: [OTHER, crossing.both]},
        ordered={
            f"{group}_ordered": (group, crossing.levels[0]),
            f"{by}_ordered": (by, crossing.by_levels[0]),
            f"{both}_ordered": (both, OTHER),
        },
        units=units,
        items=tuple(used),
    )


def _slopes(each: pd.DataFrame, crossing: Crossing) -> list[str]:
    """Return what speakers differ in, of one row a series: "" for their own curve, and contrasts, or none of these."""
    if _most(each, ["speaker"]) <= 1:
        return []
    slopes = [""]
    for column in (crossing.group, crossing.by):
        in_both = each.groupby("speaker")[column].nunique().to_numpy() > 1
        # With one series of each, series stand for it.
        if in_both.mean() >= 0.5 and _most(each, ["speaker", column]) > 1:
            slopes.append(column)
    cells = each.drop_duplicates(["speaker", crossing.group, crossing.by]).groupby("speaker").size().to_numpy()
    if np.mean(cells == 4) >= 0.5 and _most(each, ["speaker", crossing.group, crossing.by]) > 1:
        slopes.append(crossing.column)
    return slopes


def _random_terms(
    series: Series, slopes: Sequence[str], items: Sequence[str], k: int, *, intercepts: bool
) -> list[str]:
    """Return factor smooths of tokens, speakers and items with no more coefficients than rows; see `models`."""
    frame, covariate = series.frame, series.covariate
    tokens, people = len(set(frame[series.identifier])), len(set(frame["speaker"]))
    levels = people * len(slopes) + sum(len(set(frame[item])) for item in items)
    rows = len(frame) - 4 * k
    size = min(k - 1, rows // (tokens + levels))
    smooth = size >= LEAST_BASIS_FUNCTIONS
    if not smooth:
        # Series are short: what speakers and items have of their own is a level then.
        size = max(2, min(k - 1, (rows - levels) // tokens))
    option = "" if size == BASIS_FUNCTIONS - 1 else f", k={size}"
    terms = [f's({covariate}, {series.identifier}, bs="fs", m=1{option})']
    for slope in slopes:
        code = f"{slope}{CODE}" if slope else ""
        by = f", by={code}" if slope else ""
        level = f's(speaker{f", {code}" if slope else ""}, bs="re")'
        along = smooth and not intercepts
        terms.append(f's({covariate}, speaker{by}, bs="fs", m=1{option})' if along else level)
    for item in items:
        terms.append(f's({covariate}, {item}, bs="fs", m=1{option})' if smooth else f's({item}, bs="re")')
    return terms


def _most(each: pd.DataFrame, columns: list[str]) -> float:
    """Return how many series the median combination of these columns has, of one row a series."""
    return float(np.median(list(Counter(map(tuple, each[columns].to_numpy())).values())))
