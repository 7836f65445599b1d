"""The models of a contrast at each layer, fitted, and the tables that are read from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from layerstats.checks import check_choice
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.curves import (
    GroupCurves,
    IntervalOptions,
    curve_table,
    difference_effect,
    difference_tables,
    group_curves,
)
from layerstats.stats.contrasts.difference_tests import TESTS, difference_tests
from layerstats.stats.contrasts.fits import FitOptions, fit_models
from layerstats.stats.contrasts.model_checks import check_models, verdicts, warn_of
from layerstats.stats.contrasts.models import SeriesModel, SpeakerTerms, level_and_shape_model
from layerstats.stats.contrasts.stacking import residual_autocorrelation, stacked
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.series import Series
from layerstats.stats.units import describe_units

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult
    from layerstats.store import Experiment


@dataclass(frozen=True, eq=False)
class FittedLayers:
    """A contrast at several layers: one model each, which all numbers come from.

    Attributes
    ----------
    contrast, options
        What is compared, and how intervals are made.
    reference
        The level that models take for theirs.
    series, models, results, curves
        By layer: the series, the model as it was asked for and as it was fitted, and the curve of each level.
    residual_checks
        By layer, the checks of the residuals.
    models_pass
        By layer, in words, which checks its model fails.
    """

    contrast: Contrast
    options: IntervalOptions
    reference: str
    series: Mapping[str, Series]
    models: Mapping[str, SeriesModel]
    results: Mapping[str, GammResult]
    curves: Mapping[str, GroupCurves]
    residual_checks: Mapping[str, pd.DataFrame]
    models_pass: Mapping[str, str]

    def tests(self, layer: str, level_1: str, level_2: str) -> dict[str, float]:
        """Return the three tests of two levels, one of which is the model's reference; see `difference_tests`."""
        other, sign = (level_1, 1.0) if level_2 == self.reference else (level_2, -1.0)
        units = self.models[layer].units
        return difference_tests(self.results[layer], self.contrast.group, self.reference, other, units, sign)

    def effect(self, layer: str, pair: tuple[str, str]) -> dict[str, float]:
        """Return the effect size of the difference between two levels with its interval."""
        size = difference_effect(self.curves[layer], self.series[layer], self.contrast.group, pair, self.options)
        return {
            "effect_size": size.estimate,
            "effect_conf_low": size.conf_low,
            "effect_conf_high": size.conf_high,
            "conf_level": self.options.conf_level,
        }

    def stacked(self, table: str) -> pd.DataFrame:
        """Return a table of the results (``parametric, smooths, glance``) of all layers."""
        return stacked({layer: getattr(result, table) for layer, result in self.results.items()})

    def tables(
        self, pairs: Sequence[tuple[str, str]], curve_column: str, untested: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Return what every result of contrasts holds, by the names of its attributes.

        Parameters
        ----------
        pairs
            The differences to draw, each the first minus the second.
        curve_column
            What the column of levels is called in the table of curves.
        untested
            By layer that has no model, why, where its model's warning is to say so.
        """
        differences = {layer: difference_tables(one, pairs, self.options) for layer, one in self.curves.items()}
        seed = self.options.seed
        return {
            "curves": stacked({i: curve_table(one, self.options, curve_column) for i, one in self.curves.items()}),
            "difference": stacked({layer: tables[0] for layer, tables in differences.items()}),
            "regions": stacked({layer: tables[1] for layer, tables in differences.items()}),
            "checks": stacked({layer: result.k_check(seed=seed) for layer, result in self.results.items()}),
            "autocorrelation": residual_autocorrelation(self.results, self.series),
            "residual_checks": stacked(self.residual_checks),
            "model_warning": warn_of(self.models_pass, untested),
            "level_units": describe_units(model.units for model in self.models.values()),
            "series": self.series,
            "results": self.results,
        }


def fit_layers(
    contrast: Contrast,
    series: Mapping[str, Series],
    *,
    levels: Sequence[str] | None = None,
    k: int | None,
    speakers: SpeakerTerms,
    items: Collection[str] = (),
    options: IntervalOptions,
    fits: FitOptions,
) -> FittedLayers:
    """Fit the model of a contrast to the series of each layer.

    Parameters
    ----------
    contrast, series
        The contrast and its series by layer, which have every level.
    levels
        In the order that models take them, the reference first; by default `Contrast.reference_first`.
    k, speakers, items
        As `level_and_shape_model` takes them.
    options, fits
        How intervals are made and models are fitted.
    """
    group = contrast.group
    # Tables have two levels in the order they were asked for, and of more the reference first.
    shown = levels or (contrast.names if len(contrast.levels) == 2 else contrast.reference_first)
    levels = levels or contrast.reference_first
    models = {
        layer: level_and_shape_model(
            one, group, levels, k=k, speakers=speakers, duration=contrast.variant == "duration", items=items
        )
        for layer, one in series.items()
    }
    results = dict(zip(series, fit_models(list(models.values()), fits), strict=True))
    checked = check_models(results)
    curves = {layer: group_curves(result, series[layer], group, shown) for layer, result in results.items()}
    return FittedLayers(contrast, options, levels[0], series, models, results, curves, checked, verdicts(checked))


def layers_of(source: Experiment | pd.DataFrame, layers: Collection[str] | None) -> list[str]:
    """Return the layers to test: those asked for, or all that the source has.

    Raises
    ------
    ArgumentError
        A layer does not exist.
    """
    if isinstance(source, pd.DataFrame):
        known = list(pd.unique(source.loc[:, "layer"])) if "layer" in source.columns else ["layer"]
    else:
        known = list(source.layers)
    for layer in layers or ():
        check_choice("layers", layer, known)
    return list(layers) if layers else known


def adjust_tests(table: pd.DataFrame, family: str, adjust: AdjustMethod) -> pd.DataFrame:
    """Add the adjusted p-values of the three tests, each a family of its own over the rows."""
    for test in TESTS:
        table = adjust_p_values(table, family, method=adjust, column=f"{test}_p_value", adjusted=f"{test}_p_adjusted")
    return table
