"""Where the series of a contrast lie in a layer: the same places in every network."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.null import BINS
from layerstats.stats.series import MIN_SAMPLES, Variant
from layerstats.store import Experiment

# Of each group; fewer have no spread worth the name.
LEAST_SERIES = 3
LEAST_SPEAKERS = 3
VARIANTS = ("word", "padded")


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the points of the series of one contrast are in a layer's array, and what the series are.

    Attributes
    ----------
    tokens, samples
        (point,) row and column of each point.
    cells
        (point,) its series and time bin as one number, ``series * bins + bin``.
    bins
        Number of time bins of a series.
    groups, speakers
        (series,) numbers from 0.
    dropped
        Number of series that have too few points at this layer.
    summed
        Whether values are shares of a score, which are added up under a series: means of its bins are multiplied by its
        number of points, as in `phone_series`.
    """

    tokens: np.ndarray
    samples: np.ndarray
    cells: np.ndarray
    bins: int
    groups: np.ndarray
    speakers: np.ndarray
    dropped: int
    summed: bool = False

    def means(self, values: np.ndarray) -> np.ndarray:
        """Average a layer's values (token, sample) over the points of each time bin: (series, bin)."""
        size = len(self.groups) * self.bins
        sums = np.bincount(self.cells, weights=values[self.tokens, self.samples], minlength=size)
        counts = np.bincount(self.cells, minlength=size).reshape(-1, self.bins)
        factor = counts.sum(axis=1, keepdims=True) if self.summed else 1.0
        return sums.reshape(-1, self.bins) / counts * factor


def list_contrasts(
    view: Experiment,
    words: Sequence[Sequence[str]] | None,
    phones: Sequence[str],
    variant: str,
    contrasts: Sequence[str | Contrast] = (),
) -> list[Contrast]:
    """Return the contrasts that were asked for.

    Parameters
    ----------
    view
        The recording of one of the networks.
    words
        Sets of two words or more; None is one set of all words, where there are two and nothing else is asked for.
    phones
        Contrasts such as ``"s:sh"``.
    variant
        "word": the samples inside the word; "padded": all samples of the clip.
    contrasts
        Others, as `Contrast.read` takes them.
    """
    check_choice("variant", variant, VARIANTS)
    samples = cast("Variant", variant)
    every = sorted(set(view.tokens["word"]))
    chosen = ([every] if len(every) > 1 and not contrasts else []) if words is None else list(words)
    found = [_word_contrast(each, every, samples) for each in chosen]
    found += [Contrast.of_phones(each) for each in phones]
    for each in map(Contrast.read, contrasts):
        found.append(replace(each, variant=samples) if each.unit == "token" else each)
    names = [contrast.name for contrast in found]
    if not names or len(set(names)) < len(names):
        raise ArgumentError(
            f"The parameters 'words', 'phones' and 'contrasts' must give at least one contrast, none twice: {names}"
        )
    return found


def _word_contrast(words: Collection[str], every: Sequence[str], variant: Variant) -> Contrast:
    if isinstance(words, str):
        raise ArgumentError(f"A contrast of words needs two different ones or more, but got {words!r}.")
    for word in words:
        check_choice("words", word, every)
    return Contrast.of_words(*words, variant=variant)


def layout(
    intervals: pd.DataFrame, group: str, tokens: Sequence[str], times: np.ndarray, *, summed: bool = False
) -> Layout:
    """Find the points of a contrast's series at a layer, cut into equal time bins as in `descriptive_effect_size`.

    Parameters
    ----------
    intervals, group
        Of a contrast, and the column of its levels' names; see `Contrast.intervals`.
    tokens
        Ids of the tokens in the order of the layer's rows.
    times
        (sample,) of the layer, seconds on the clip's axis.
    summed
        Whether the layer's values are shares of a score.

    Raises
    ------
    DataError
        A group has too few series with four points, or too few speakers are left.
    """
    table = intervals
    # Half-open, as in the store: a sample on the boundary of two phones belongs to one of them.
    start, stop = (np.searchsorted(times, table[name].to_numpy(dtype=float)) for name in ("onset_s", "offset_s"))
    points = stop - start
    kept = points >= MIN_SAMPLES
    table, start, points = table.loc[kept], start[kept], points[kept]
    groups = {name: int((table[group] == name).sum()) for name in sorted(set(intervals[group]))}
    speakers = len(set(table["speaker"]))
    if len(groups) < 2 or min(groups.values()) < LEAST_SERIES or speakers < LEAST_SPEAKERS:
        counts = ", ".join(f"{count} of {name}" for name, count in groups.items())
        raise DataError(
            f"{counts} have {MIN_SAMPLES} samples or more here, by {speakers} speakers; two groups of {LEAST_SERIES} "
            f"and {LEAST_SPEAKERS} speakers are needed"
        )
    bins = min(BINS, int(points.min()))
    series = np.repeat(np.arange(len(points)), points)
    rank = np.arange(len(series)) - np.repeat(np.cumsum(points) - points, points)
    return Layout(
        tokens=pd.Index(list(tokens)).get_indexer(pd.Index(table["token"]))[series],
        samples=start[series] + rank,
        cells=series * bins + rank * bins // points[series],
        bins=bins,
        groups=pd.factorize(table[group], sort=True)[0],
        speakers=pd.factorize(table["speaker"], sort=True)[0],
        dropped=int((~kept).sum()),
        summed=summed,
    )
