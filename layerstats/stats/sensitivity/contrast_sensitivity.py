"""Does a contrast depend on what was chosen? Each other option refitted, one at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from layerstats.errors import LayerstatsError
from layerstats.stats.claims.claim_tables import sensitivity_table
from layerstats.stats.claims.contrast_wording import claim_key
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.curves import IntervalOptions
from layerstats.stats.contrasts.fits import FitOptions, fit_models
from layerstats.stats.contrasts.fitted_layers import layers_of
from layerstats.stats.sensitivity.contrast_analysis import ContrastAnalysis
from layerstats.stats.sensitivity.defensible_choices import CHOICES, Option, options_of
from layerstats.stats.sensitivity.exchanged_labels import exchanged_p_value
from layerstats.stats.sensitivity.prepared_models import PreparedModel, prepare
from layerstats.store import Experiment

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult

Pair = tuple[str, str]
# All but the engine, whose other one needs R and the most time, and gives the same numbers.
AFFORDABLE = tuple(choice for choice in CHOICES if choice != "engine")
NUMBERS = ("estimate", "conf_low", "conf_high", "conf_level", "p_value")


def sensitivity_of(
    experiment: Experiment,
    contrast: str | Contrast | ContrastAnalysis,
    *,
    layers: Collection[str] | None = None,
    choices: Collection[str] = AFFORDABLE,
    pairs: Mapping[str, Sequence[Pair]] | None = None,
    intervals: IntervalOptions | None = None,
    fits: FitOptions | None = None,
) -> pd.DataFrame:
    """Return a contrast's effect and test under the other choices that one could defend.

    One choice at a time is changed from the reported analysis, and the model is fitted again: not all combinations of
    all choices, as a multiverse analysis has them (Steegen, Tuerlinckx, Gelman & Vanpaemel 2016, Perspectives on
    Psychological Science 11, 702-712), but a specification curve of the analyses that differ from the reported one in
    one thing (Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour 4, 1208-1214). Nothing is tested over options:
    that a result holds under each of them is what a reader should see, and the smallest p-value among them is no
    result. Effects are measured alike under all options, in standard deviations of single tokens about their level's
    curve, also where the model is of speakers' means; of another summary of channels, these are its own.

    Parameters
    ----------
    experiment
        The store, or a selection of it.
    contrast
        As for `layer_contrasts`, or all that is chosen of the reported analysis.
    layers
        All by default.
    choices
        What is chosen otherwise: "random structure" (smooths or intercepts of speakers, and smooths of words), "series"
        (the padded clip or the word alone), "duration" (a covariate or not), "samples" (how many a series is averaged
        into), "autocorrelation" (AR(1) of the residuals or not), "unit" (single tokens or means of speakers), "summary"
        (of the channels, where both were recorded), "trimmed tokens" (kept or left out, where there are some), "test"
        (of the model, or by exchanges of whole speakers' labels, beside the model's effect), "engine" (mgcv and ours).
        All but the last by default. A choice that a contrast does not have is no row.
    pairs
        By layer, the pairs of levels ``level_1, level_2``, one of which is the contrast's last level; by default all.
    intervals, fits
        As in `layer_contrasts`; engine and AR(1) of `fits` are those of the reported analysis where `contrast` is none.

    Returns
    -------
    pandas.DataFrame
        ``claim_key`` (as in `claims_of`), ``choice, option, reported, estimate, conf_low, conf_high, conf_level,
        p_value`` (of the joint test, unadjusted) and ``note``: why there are no numbers, or that the model is the same.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> store = open_store("results/demo/store.zarr")
    >>> table = sensitivity_of(store, "s:sh", layers=["conv3"], choices=["samples"])  # for claims_of(..., sensitivity=)
    >>> table["option"].tolist()
    ['32', '16', '48']
    """
    fits, intervals = fits or FitOptions(), intervals or IntervalOptions()
    if isinstance(contrast, ContrastAnalysis):
        reported = contrast
    else:
        reported = ContrastAnalysis(Contrast.read(contrast), rho=fits.rho, engine=fits.engine)
    asked = {choice: options_of(choice, reported, experiment) for choice in choices}
    refits = _Refits(experiment, reported, {})
    names = [] if layers is not None and not layers else layers_of(experiment, layers)
    for layer in names:
        refits.prepare(layer, [option for options in asked.values() for option in options])
    fitted = _fit_each(refits.to_fit(), fits)
    rows = []
    for layer in names:
        for pair in _pairs(reported.contrast, layer, pairs):
            for choice, options in asked.items():
                for option in options:
                    numbers = refits.numbers(layer, option, pair, fitted, intervals)
                    about = {"claim_key": claim_key(layer, *pair), "choice": choice, "option": option.name}
                    rows.append({**about, "reported": option.analysis == reported, **numbers})
    return sensitivity_table(rows)


def _pairs(contrast: Contrast, layer: str, pairs: Mapping[str, Sequence[Pair]] | None) -> Sequence[Pair]:
    if pairs is not None:
        return pairs.get(layer, ())
    return [(name, contrast.level_2) for name in contrast.names[:-1]]


@dataclass(frozen=True, eq=False)
class _Refits:
    """The models of all options at all layers, each once."""

    experiment: Experiment
    reported: ContrastAnalysis
    models: dict[tuple[str, ContrastAnalysis], PreparedModel | str]

    def prepare(self, layer: str, options: Sequence[Option]) -> None:
        """Make the models of a layer; where one cannot be made, keep the reason."""
        for analysis in dict.fromkeys([self.reported, *(one.analysis for one in options if one.analysis)]):
            try:
                self.models[layer, analysis] = prepare(self.experiment, layer, analysis)
            except LayerstatsError as error:
                self.models[layer, analysis] = _reason(error)

    def to_fit(self) -> list[PreparedModel]:
        """Return the models that are fitted: not those that are the reported one again."""
        return [
            model
            for (layer, analysis), model in self.models.items()
            if isinstance(model, PreparedModel) and not self.again(layer, analysis)
        ]

    def again(self, layer: str, analysis: ContrastAnalysis) -> bool:
        """Return whether an option comes to the reported model of the same data at a layer."""
        model, reported = self.models[layer, analysis], self.models[layer, self.reported]
        if isinstance(model, str) or isinstance(reported, str):
            return False
        return analysis != self.reported and model.is_as(reported)

    def numbers(
        self,
        layer: str,
        option: Option,
        pair: Pair,
        fitted: Mapping[PreparedModel, GammResult | str],
        intervals: IntervalOptions,
    ) -> dict[str, Any]:
        """Return effect, interval, test and note of a pair of levels under an option."""
        none: dict[str, Any] = dict.fromkeys(NUMBERS, float("nan"))
        if option.analysis is None:
            return {**none, "note": option.note}
        again = self.again(layer, option.analysis)
        model = self.models[layer, self.reported if again else option.analysis]
        result = model if isinstance(model, str) else fitted[model]
        if isinstance(model, str) or isinstance(result, str):
            return {**none, "note": result}
        numbers = model.read(result, pair, intervals)
        if option.analysis.test == "exchange":
            return self._exchanged(layer, option.analysis, pair, {**none, "estimate": numbers["estimate"]})
        return {**numbers, "note": "the model is the same" if again else ""}

    def _exchanged(self, layer: str, analysis: ContrastAnalysis, pair: Pair, numbers: dict[str, Any]) -> dict[str, Any]:
        """Return the test of exchanged labels beside the effect of the model, which has no interval by exchanges."""
        model = self.models[layer, analysis]
        if isinstance(model, str):
            return {**numbers, "note": model}
        try:
            return {**numbers, "p_value": exchanged_p_value(model, pair), "note": "the effect is that of the model"}
        except LayerstatsError as error:
            return {**numbers, "note": _reason(error)}


def _fit_each(models: Sequence[PreparedModel], fits: FitOptions) -> dict[PreparedModel, GammResult | str]:
    """Fit models side by side, those of one engine and autocorrelation together; of those that fail the reason."""
    kinds: dict[tuple[Any, str], list[PreparedModel]] = {}
    for model in models:
        kinds.setdefault((model.analysis.rho, model.analysis.engine), []).append(model)
    found: dict[PreparedModel, GammResult | str] = {}
    for number, ((rho, engine), own) in enumerate(kinds.items()):
        told = _share(fits, number, len(kinds))
        found |= _fit_together(own, replace(told, rho=rho, engine=engine))
    return found


def _share(fits: FitOptions, number: int, parts: int) -> FitOptions:
    told = fits.progress
    if told is None:
        return fits
    return replace(fits, progress=lambda done, total: told(round(100 * (number + done / total)), 100 * parts))


def _fit_together(models: Sequence[PreparedModel], fits: FitOptions) -> dict[PreparedModel, GammResult | str]:
    try:
        return dict(zip(models, fit_models([one.model for one in models], fits), strict=True))
    except LayerstatsError as error:
        if len(models) == 1:
            return {models[0]: _reason(error)}
    # One that cannot be fitted is no reason to leave the others out.
    return {model: result for one in models for model, result in _fit_together([one], fits).items()}


def _reason(error: LayerstatsError) -> str:
    """Return the first sentence of an error, as a note has it."""
    return str(error).splitlines()[0].partition(". ")[0].rstrip(".")
