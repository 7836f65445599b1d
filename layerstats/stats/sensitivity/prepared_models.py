"""An analysis of a contrast at one layer: its series, its model, and the numbers that are read of the fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from layerstats.errors import DataError
from layerstats.stats.contrasts.curves import IntervalOptions, difference_effect, group_curves
from layerstats.stats.contrasts.difference_tests import difference_tests
from layerstats.stats.contrasts.models import SeriesModel, check_groups, level_and_shape_model
from layerstats.stats.contrasts.tasks import on_the_same_times
from layerstats.stats.fixed_summary import why_fixed
from layerstats.stats.sensitivity.contrast_analysis import ContrastAnalysis
from layerstats.stats.series import Series
from layerstats.store import Experiment

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult

LEAST_SERIES = 3


@dataclass(frozen=True, eq=False)
class PreparedModel:
    """What is fitted at one layer.

    Attributes
    ----------
    layer, analysis
        Where, and what was chosen.
    series, model
        The series that the model is fitted to, and the model.
    tokens
        The series of single tokens, in whose standard deviations effects are measured whatever the model's unit is.
    """

    layer: str
    analysis: ContrastAnalysis
    series: Series
    model: SeriesModel
    tokens: Series

    def is_as(self, other: PreparedModel) -> bool:
        """Return whether another choice comes to the same model of the same data."""
        fitted = [(one.analysis.rho, one.analysis.engine, one.model.formula) for one in (self, other)]
        return fitted[0] == fitted[1] and self.series.frame.equals(other.series.frame)

    def read(self, result: GammResult, pair: tuple[str, str], options: IntervalOptions) -> dict[str, float]:
        """Return the effect of a pair of levels with its interval, and the joint test of level and shape."""
        contrast, levels = self.analysis.contrast, self.analysis.contrast.reference_first
        shown = contrast.names if len(contrast.levels) == 2 else levels
        curves = group_curves(result, self.series, contrast.group, shown)
        size = difference_effect(curves, self.tokens, contrast.group, pair, options)
        other = pair[0] if pair[1] == levels[0] else pair[1]
        test = difference_tests(result, contrast.group, levels[0], other, self.model.units)
        numbers = {"estimate": size.estimate, "conf_low": size.conf_low, "conf_high": size.conf_high}
        return {**numbers, "conf_level": options.conf_level, "p_value": test["joint_p_value"]}


def prepare(experiment: Experiment, layer: str, analysis: ContrastAnalysis) -> PreparedModel:
    """Return the series and the model of an analysis at one layer.

    Raises
    ------
    DataError
        It cannot be fitted there: too few series, samples or speakers, or what was recorded does not vary.
    """
    contrast = analysis.contrast
    source = experiment if analysis.recording is None else experiment.recording(analysis.recording)
    if not analysis.trimmed:
        tokens = source.tokens
        source = source.select(token=tokens.loc[~tokens["trimmed"].astype(bool), "token"].tolist())
    fixed = why_fixed(source, layer)
    if fixed:
        raise DataError(fixed)
    tokens = contrast.series(source, layer, samples=analysis.samples)
    _check_counts(tokens, contrast.group, contrast.names)
    check_groups(tokens.frame, contrast.group, analysis.speakers)
    series = tokens
    if analysis.unit == "speakers":
        tokens = on_the_same_times(tokens) if tokens.covariate == "time" else tokens
        series = speaker_series(tokens, contrast.group)
    model = level_and_shape_model(
        series,
        contrast.group,
        contrast.reference_first,
        k=analysis.k,
        speakers=analysis.speakers,
        duration=contrast.variant == "duration",
        items=analysis.random_items if analysis.unit == "tokens" else (),
    )
    return PreparedModel(layer, analysis, series, model, tokens)


def speaker_series(tokens: Series, group: str) -> Series:
    """Return the mean series of each speaker's tokens of each level, of series that have the same times."""
    frame, along = tokens.frame, tokens.covariate
    means = frame.groupby(["speaker", group, along], sort=True, as_index=False).agg(
        {"value": "mean", "time_s": "mean", **({} if along == "sample" else {"sample": "mean"})}
    )
    names = means["speaker"].astype(str) + "/" + means[group].astype(str)
    word = means[group].astype(str) if group == "word" else "all"
    whole = means.assign(**{tokens.identifier: names, "token": names, "word": word})
    return replace(tokens, frame=pd.DataFrame(whole.sort_values([tokens.identifier, along], ignore_index=True)))


def _check_counts(series: Series, group: str, levels: Sequence[str]) -> None:
    counts = series.frame.drop_duplicates(series.identifier)[group].value_counts()
    least = int(counts.reindex(list(levels), fill_value=0).min())
    if least < LEAST_SERIES:
        raise DataError(f"there are {least} series with enough samples of a level, {LEAST_SERIES} are needed")
