"""A test of a pair of levels that does not rely on residuals: speakers' labels are exchanged, every model refitted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layerstats.stats.contrasts.models import level_and_shape_model
from layerstats.stats.contrasts.tasks import on_the_same_times
from layerstats.stats.resampling import permutation_test

if TYPE_CHECKING:
    from layerstats.stats.contrasts.contrast import Contrast
    from layerstats.stats.sensitivity.prepared_models import PreparedModel

# The smallest p-value is then .001, and a layer takes a few seconds.
REPLICATES = 999


def exchanged_p_value(prepared: PreparedModel, pair: tuple[str, str]) -> float:
    """Return the p-value of level and shape of a pair under exchanges of whole speakers' labels.

    The model holds the two levels only, so that the null hypothesis is of this pair; phones are interpolated to the
    same times, as `contrast_tasks` has it.

    Parameters
    ----------
    prepared
        The model whose series, random structure and autocorrelation are taken.
    pair
        The levels.

    Raises
    ------
    DataError
        No speaker has both levels and levels cannot be exchanged between speakers either, or a model cannot be fitted.
    """
    analysis, frame = prepared.analysis, prepared.series.frame
    contrast: Contrast = analysis.contrast
    levels = [level for level in contrast.reference_first if level in pair]
    own = frame.loc[frame[contrast.group].astype(str).isin(levels)].reset_index(drop=True)
    series = replace(prepared.series, frame=own)
    if series.covariate == "time":
        series = on_the_same_times(series)
    items = analysis.random_items if analysis.unit == "tokens" else ()
    model = level_and_shape_model(series, contrast.group, levels, k=analysis.k, speakers=analysis.speakers, items=items)
    found = permutation_test(
        {prepared.layer: model.task(rho=analysis.rho)}, contrast.group, exchange="speakers", replicates=REPLICATES
    )
    return float(found.table["p_value"].iloc[0])
