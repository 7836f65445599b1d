"""The models of the published analysis and their extensions: formula, data and coding for one layer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.series import Series
from layerstats.stats.units import Units, count_units, within_groups

if TYPE_CHECKING:
    from layerstats.stats.gamm import FitTask

SpeakerTerms = Literal["auto", "intercepts", "none"]
SPEAKER_TERMS = ("auto", "intercepts", "none")
# mgcv's default for one covariate, and the published analysis's.
BASIS_FUNCTIONS = 10
# Fewer leave a smooth nothing but its straight line.
LEAST_BASIS_FUNCTIONS = 3
# Duration shifts a curve smoothly: mgcv's default for a margin of an interaction is enough.
DURATION_BASIS = 5


@dataclass(frozen=True, eq=False)
class SeriesModel:
    """What `layerstats.stats.gamm.fit` needs for one model of one layer.

    Attributes
    ----------
    formula, data, factors, ordered
        As `fit` takes them.
    identifier, covariate
        The series and their order, for the AR(1) part.
    units
        What tests of levels count: speakers, or tokens where the model leaves speakers out.
    items
        What else has a factor smooth, for instance ``word``.
    """

    formula: str
    data: pd.DataFrame
    identifier: str
    covariate: str
    factors: dict[str, list[str]]
    ordered: dict[str, tuple[str, str]]
    units: Units
    items: tuple[str, ...] = ()

    def task(self, **options: Any) -> FitTask:
        """Return the model as `fit`, channels and resampling take it, with other options of `fit`."""
        from layerstats.stats.gamm import FitTask

        return FitTask(
            self.formula,
            self.data,
            series=self.identifier,
            order=self.covariate,
            factors=self.factors,
            ordered=self.ordered,
            **options,
        )


def check_groups(frame: pd.DataFrame, group: str, speakers: SpeakerTerms) -> None:
    """Raise `DataError` where a contrast between groups has no basis: one group only, or one speaker only."""
    check_choice("speakers", speakers, SPEAKER_TERMS)
    levels = pd.unique(frame.loc[:, group])
    if len(levels) < 2:
        listed = ", ".join(map(repr, levels)) or "nothing"
        raise DataError(f"A contrast needs two levels of {group!r} or more, but there is {listed} only.")
    people = pd.unique(frame.loc[:, "speaker"])
    if len(people) < 2 and speakers != "none":
        raise DataError(
            f"All series are by one speaker ({people[0]!r}): a difference cannot be told apart from this speaker's "
            "habit. Add speakers, or say with speakers='none' that the result is about this speaker alone."
        )


def check_level_speakers(frame: pd.DataFrame, group: str) -> None:
    """Raise `DataError` where levels are compared between speakers, and one of them is said by one speaker."""
    each = frame.drop_duplicates(["speaker", group])
    counts = each[group].value_counts()
    alone = [str(level) for level, count in counts.items() if count == 1]
    if alone and within_groups(each["speaker"].to_numpy(), each[group].to_numpy()):
        raise DataError(
            f"Speakers are of one level of {group!r} each, and there is one of {', '.join(map(repr, alone))} only: the "
            "level cannot be told apart from this speaker. Add speakers, or say with speakers='none' that the result "
            "is about these speakers alone."
        )


def basis_functions(series: Series, k: int | None = None) -> int:
    """Return the number of basis functions of the smooths, as many as the series bear.

    Parameters
    ----------
    series
        The series of one layer.
    k
        A number that was asked for; by default 10 (mgcv's and the published one), or the median number of points of a
        series where that is less.

    Raises
    ------
    DataError
        There are fewer points than basis functions, or fewer than three basis functions could be used.
    """
    median = series.points
    if k is not None:
        if k < LEAST_BASIS_FUNCTIONS:
            raise ArgumentError(f"The 'k' parameter must be at least {LEAST_BASIS_FUNCTIONS}, but got {k!r} instead.")
        if median < k:
            raise DataError(
                f"Series have fewer points than basis functions: {median} (median) against k = {k}. Choose a smaller "
                "'k' or a layer with more samples."
            )
        return k
    if median < LEAST_BASIS_FUNCTIONS:
        raise DataError(
            f"Series have {median} points (median): fewer than the {LEAST_BASIS_FUNCTIONS} basis functions that a "
            "smooth needs. Choose a layer with more samples."
        )
    return min(BASIS_FUNCTIONS, median)


def level_and_shape_model(
    series: Series,
    group: str,
    levels: Sequence[str],
    *,
    k: int | None = None,
    speakers: SpeakerTerms = "auto",
    duration: bool = False,
    items: Collection[str] = (),
) -> SeriesModel:
    """Return the published model: parametric terms test levels, difference smooths test shapes.

    ``value ~ word + s(sample) + s(sample, by=word_ordered) + s(sample, token, bs="fs", m=1)`` with AR(1) residuals
    (Begus & Zhou 2022, Table 1), and where speakers repeat ``s(sample, speaker, bs="fs", m=1)``, and where they repeat
    within a group a factor smooth for each speaker's version of the group (where each speaker is of one group, as of
    one sex, the speaker's own is that). Likewise one for each of `items` that repeats. With `duration`, also
    ``s(duration_s) + ti(sample, duration_s)``.

    Parameters
    ----------
    series
        The series of one layer.
    group
        The column whose levels are compared.
    levels
        Its levels; the first is the reference.
    k, speakers, duration
        As in `word_contrasts`.
    items
        Columns of what else tokens have in common, such as ``word``: random, so that as many as there are cost little,
        and so that words of one group only are a sample of such words.
    """
    covariate = series.covariate
    k = basis_functions(series, k)
    terms = [group, f"s({covariate}{_k(k)})", f"s({covariate}, by={group}_ordered{_k(k)})"]
    if duration:
        few = min(DURATION_BASIS, len(series.frame["duration_s"].unique()))
        if few < LEAST_BASIS_FUNCTIONS:
            raise DataError(f"Tokens have {few} different durations: too few for a smooth of duration.")
        terms += [f"s(duration_s, k={few})", f"ti({covariate}, duration_s, k={min(few, k)})"]
    fixed = (len(levels) + 2) * k + (DURATION_BASIS**2 + DURATION_BASIS) * duration
    each = series.frame.drop_duplicates(series.identifier)
    used = [item for item in items if is_sample(each, item, group)]
    random, data = _random_terms(series, group, k, speakers, fixed, used)
    labels, who = each[group].to_numpy(), None if speakers == "none" else each["speaker"].to_numpy()
    return SeriesModel(
        formula=f"value ~ {' + '.join([*terms, *random])}",
        data=data,
        identifier=series.identifier,
        covariate=covariate,
        factors={group: list(levels)},
        ordered={f"{group}_ordered": (group, levels[0])},
        units=count_units(labels, who, {f"{item}s": each[item].to_numpy() for item in used}),
        items=tuple(used),
    )


def _random_terms(
    series: Series, group: str, k: int, speakers: SpeakerTerms, fixed: int, items: Sequence[str]
) -> tuple[list[str], pd.DataFrame]:
    """Return factor smooths for tokens, items and, where they repeat, speakers; and the data with their columns.

    A model must not have more coefficients than rows. Where series are short, factor smooths get fewer basis functions,
    and where that would leave them less than three, speakers get random intercepts.
    """
    frame = series.frame
    each = frame.drop_duplicates(series.identifier)
    columns = []
    if speakers != "none" and _repeat(each):
        columns.append("speaker")
        # Where every speaker has one group, speakers' versions of groups are speakers.
        apart = _determines(each, "speaker", group)
        # A speaker's own way with a group is no token's accident: tokens of one speaker are not independent evidence.
        if not apart and any(_repeat(of_group) for _, of_group in each.groupby(group)):
            columns.append(f"speaker_{group}")
            frame = frame.assign(**{f"speaker_{group}": frame["speaker"].astype(str) + "/" + frame[group].astype(str)})
    columns += items
    tokens, levels = len(each), sum(len(set(frame[column])) for column in columns)
    rows = len(frame) - fixed
    size = min(k - 1, rows // (tokens + levels))
    smooth = size >= LEAST_BASIS_FUNCTIONS
    if not smooth:
        size = max(2, min(k - 1, (rows - levels) // tokens))
    # With m=1 the default basis has one function less than that of the common smooth.
    option = "" if size == BASIS_FUNCTIONS - 1 else f", k={size}"
    terms = [f's({series.covariate}, {series.identifier}, bs="fs", m=1{option})']
    for column in columns:
        level = not smooth or (speakers == "intercepts" and column not in items)
        terms.append(f's({column}, bs="re")' if level else f's({series.covariate}, {column}, bs="fs", m=1{option})')
    return terms, frame


def _repeat(each: pd.DataFrame, column: str = "speaker") -> bool:
    """Return whether at least half of the speakers, or of another column's levels, have several series (a row each)."""
    return float(np.mean(each.groupby(column).size().to_numpy() > 1)) >= 0.5


def _determines(each: pd.DataFrame, column: str, other: str) -> bool:
    """Return whether each level of a column goes with one level of the other."""
    return len(each.drop_duplicates([column, other])) == len(set(each[column]))


def is_sample(each: pd.DataFrame, item: str, group: str) -> bool:
    """Return whether an item's levels repeat, and are neither the groups themselves nor the speakers."""
    if len(set(each[item])) < 2 or not _repeat(each, item):
        return False
    return not any(_determines(each, item, other) and _determines(each, other, item) for other in (group, "speaker"))


def _k(k: int) -> str:
    """Write k only where it is not mgcv's own, so that the published formula is what one reads."""
    return "" if k == BASIS_FUNCTIONS else f", k={k}"
