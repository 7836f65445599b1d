"""Do words differ in level and shape at a layer, and where (Begus & Zhou 2022, Table 1 and Figs. 3 and 5)?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import pandas as pd

from layerstats.checks import check_choice, check_columns, check_complete
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.curves import IntervalOptions
from layerstats.stats.contrasts.fits import FitOptions
from layerstats.stats.contrasts.fitted_layers import FittedLayers, adjust_tests, fit_layers, layers_of
from layerstats.stats.contrasts.models import SpeakerTerms, check_groups
from layerstats.stats.contrasts.stacking import stacked
from layerstats.stats.fixed_summary import why_fixed
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.series import MIN_SAMPLES, SAMPLES, Series, Variant
from layerstats.tables import PrintedResult, check_frame

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult
    from layerstats.store import Experiment

Pairs = Literal["all", "reference"] | Sequence[tuple[str, str]]


@dataclass(frozen=True, eq=False, repr=False)
class WordContrasts(PrintedResult):
    """Word levels and shapes at each layer.

    Attributes
    ----------
    tests
        A row a layer and word, against the reference: the joint test of level and shape, which is the one to rely on
        for "is there any difference", then the level (by the degrees of freedom of `level_units`) and the shape.
        ``layer, level_1, level_2, joint_statistic, joint_df, joint_p_value, ..._p_adjusted, model_checks, note``; see
        `difference_tests`.
    parametric
        Levels as the model has them, by residual degrees of freedom: ``layer, term, estimate, std_error, statistic,
        p_value, p_adjusted, adjust_method, family, tests``.
    smooths
        Shapes: ``layer, term, edf, ref_df, statistic, p_value`` and the adjusted p-values.
    curves
        Predicted curve of each word: ``layer, word, time_ms`` (``time`` where normalised), ``fit, std_error, conf_low,
        conf_high, interval, conf_level``.
    difference, regions
        Differences between words, always ``level_1 - level_2``, and the stretches where their intervals exclude zero,
        in units of the curve's axis (ms, or proportion of the word).
    effects
        ``layer, level_1, level_2, effect_size, effect_conf_low, effect_conf_high, conf_level, model_checks``.
    checks
        The k-index of every smooth: ``layer, term, k, edf, k_index, p_value``.
    autocorrelation
        Of the residuals within series: ``layer, lag, autocorrelation, limit, pairs``.
    glance
        One row a layer.
    dropped
        Series that are too short to be used.
    residual_checks
        Checks of the residuals: ``layer, check, estimate, implied, statistic, p_value, passed, note``.
    model_warning
        Which layers' models fail them, in a sentence for captions; empty where none does.
    level_units
        What tests of levels count, for instance "16 speakers, less one".
    series, results
        By layer: the series that were analysed, and the fitted model.
    """

    main_tables = ("tests",)
    tests: pd.DataFrame
    parametric: pd.DataFrame
    smooths: pd.DataFrame
    curves: pd.DataFrame
    difference: pd.DataFrame
    regions: pd.DataFrame
    effects: pd.DataFrame
    checks: pd.DataFrame
    autocorrelation: pd.DataFrame
    glance: pd.DataFrame
    dropped: pd.DataFrame
    residual_checks: pd.DataFrame
    model_warning: str
    level_units: str
    series: Mapping[str, Series]
    results: Mapping[str, GammResult]

    @property
    def contrast(self) -> Contrast:
        """What was compared: the reference is its last level."""
        result, series = next(iter(self.results.values())), next(iter(self.series.values()))
        reference, *others = result.levels["word"]
        with_duration: Variant = "duration" if "s(duration_s" in result.formula else "padded"
        return Contrast.of_words(*others, reference, variant="word" if series.covariate == "time" else with_duration)


def word_contrasts(
    source: Experiment | pd.DataFrame,
    *,
    layers: Collection[str] | None = None,
    words: Collection[str] | None = None,
    reference: str | None = None,
    variant: Variant = "padded",
    pairs: Pairs = "all",
    speakers: SpeakerTerms = "auto",
    samples: int | None = SAMPLES,
    k: int | None = None,
    adjust: AdjustMethod = "holm",
    intervals: IntervalOptions | None = None,
    fits: FitOptions | None = None,
) -> WordContrasts:
    """Fit the published model to each layer and compare words in level, shape, and along time.

    The model is ``value ~ word + s(sample) + s(sample, by=word_ordered) + s(sample, token, bs="fs", m=1)`` with AR(1)
    residuals (Begus & Zhou 2022, Table 1), which `speakers="none"` and `samples=None` reproduce. Where speakers repeat
    we add ``s(sample, speaker, bs="fs", m=1)``, and where they repeat a word a factor smooth for each speaker's version
    of it: without them tokens of one speaker count as independent evidence.

    Parameters
    ----------
    source
        An experiment, or a tidy table as from its ``to_frame()``.
    layers, words
        Which; all by default, except layers in which no series has four points. A layer of which only rounding is
        recorded, since a LayerNorm fixes the mean over its channels, is not tested: `tests` has a note.
    reference
        The word that others are compared with in the tables; the first in alphabetical order by default.
    variant
        "padded" as published; "word": only the samples inside the word, in normalised time; "duration": padded, with
        ``s(duration_s) + ti(sample, duration_s)`` in the model. See `word_series`.
    pairs
        The words to subtract from each other: "all" pairs, the later one minus the earlier in the order of the words,
        so that all are minus the reference; each word minus the "reference" alone; or a list of pairs.
    speakers
        "auto" for factor smooths of speakers, and of their versions of words, where these repeat; "intercepts" for
        random intercepts in their place; or "none" for the published model.
    samples
        Longer series are averaged into so many bins, see `bin_series`.
    k
        Number of basis functions; by default 10, or fewer where series have fewer points. With 10 on the 16 points of a
        Conv5 series the smooth is nearly saturated: see `checks`.
    adjust
        How p-values are adjusted. Families go over all layers: each of `tests`, levels of the reference, differences in
        level, shape of the reference, differences in shape, and the other smooths.
    intervals, fits
        How intervals are made and models are fitted.

    Raises
    ------
    DataError
        One word or one speaker only, fewer points than basis functions, missing or duplicated rows.
    ArgumentError
        A layer or word does not exist.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> contrasts = word_contrasts(open_store("results/demo/store.zarr"), words=["ask", "wash"], layers=["conv3"])
    >>> contrasts.tests[["layer", "level_1", "level_2"]].values.tolist()
    [['conv3', 'wash', 'ask']]
    """
    fits = fits or FitOptions()
    names = layers_of(source, layers)
    fixed = {} if isinstance(source, pd.DataFrame) else {layer: why_fixed(source, layer) for layer in names}
    untested = {layer: reason for layer, reason in fixed.items() if reason}
    contrast = _contrast(source, words, variant)
    every = {layer: contrast.series(source, layer, samples=samples) for layer in names if layer not in untested}
    # Logits, for instance, are no series: `dropped` lists them. A layer that was asked for is not left out in silence.
    series = {layer: one for layer, one in every.items() if layers is not None or len(one.frame)}
    if not series:
        reasons = "".join(f" {layer}: {reason}." for layer, reason in untested.items())
        raise DataError(f"No layer has series with {MIN_SAMPLES} samples or more that vary.{reasons}")
    levels = _levels(series, words, reference)
    wanted = _pairs(pairs, levels)
    for layer, one in series.items():
        _check_layer(layer, one, levels, speakers)
    fitted = fit_layers(
        contrast, series, levels=levels, k=k, speakers=speakers, options=intervals or IntervalOptions(), fits=fits
    )
    return WordContrasts(
        tests=_tests(fitted, levels, adjust, untested),
        parametric=_adjusted(fitted.stacked("parametric"), levels[0], adjust),
        smooths=_adjusted(fitted.stacked("smooths"), levels[0], adjust),
        effects=_effects(fitted, wanted),
        glance=fitted.stacked("glance"),
        dropped=stacked({layer: one.dropped for layer, one in every.items()}),
        **fitted.tables(wanted, "word", untested),
    )


def _contrast(source: Experiment | pd.DataFrame, words: Collection[str] | None, variant: Variant) -> Contrast:
    """Return the contrast between all words or those asked for."""
    if isinstance(source, pd.DataFrame):
        check_columns(source, ["word"], "the series")
        check_complete(source, ["word"], "the series")
    table = source if isinstance(source, pd.DataFrame) else source.tokens
    chosen = sorted(set(table["word"].astype(str))) if words is None else list(dict.fromkeys(words))
    if len(chosen) < 2:
        listed = ", ".join(map(repr, chosen)) or "nothing"
        raise DataError(f"A contrast needs two levels of 'word' or more, but there is {listed} only.")
    return Contrast.of_words(*chosen, variant=variant)


def _levels(series: Mapping[str, Series], words: Collection[str] | None, reference: str | None) -> list[str]:
    present = sorted({str(word) for one in series.values() for word in set(one.frame["word"])})
    levels = [word for word in words if word in present] if words is not None else present
    if reference is not None:
        check_choice("reference", reference, levels)
        levels = [reference, *(word for word in levels if word != reference)]
    return levels


def _check_layer(layer: str, series: Series, levels: Sequence[str], speakers: SpeakerTerms) -> None:
    missing = set(levels) - set(series.frame["word"])
    if missing or series.frame.empty:
        which = f" of {', '.join(sorted(missing))}" if missing else ""
        raise DataError(
            f"At layer {layer!r} no series{which} has {MIN_SAMPLES} samples or more. Leave this layer or these words "
            "out."
        )
    check_groups(series.frame, "word", speakers)


def _pairs(pairs: Pairs, levels: Sequence[str]) -> list[tuple[str, str]]:
    if isinstance(pairs, str):
        check_choice("pairs", pairs, ("all", "reference"))
        if pairs == "all":
            # In the direction of the tests and of the model's coefficients: each word minus the reference.
            return [(second, first) for first, second in combinations(levels, 2)]
        return [(word, levels[0]) for word in levels[1:]]
    for first, second in pairs:
        check_choice("pairs", first, levels)
        check_choice("pairs", second, levels)
        if first == second:
            raise ArgumentError(f"A pair needs two words, but got {first!r} twice.")
    return [(first, second) for first, second in pairs]


def _tests(
    fitted: FittedLayers, levels: Sequence[str], adjust: AdjustMethod, untested: Mapping[str, str]
) -> pd.DataFrame:
    reference, *others = levels
    rows = [
        {"layer": layer, "level_1": word, "level_2": reference}
        | fitted.tests(layer, word, reference)
        | {"model_checks": fitted.models_pass[layer], "note": model.units.note}
        for layer, model in fitted.models.items()
        for word in others
    ]
    rows += [
        {"layer": layer, "level_1": word, "level_2": reference, "model_checks": "", "note": f"not tested: {reason}"}
        for layer, reason in untested.items()
        for word in others
    ]
    family = f"against {reference}, over words and layers; each test by itself"
    return check_frame(adjust_tests(pd.DataFrame(rows), family, adjust))


def _adjusted(frame: pd.DataFrame, reference: str, adjust: AdjustMethod) -> pd.DataFrame:
    return check_frame(adjust_p_values(frame, [_family(term, reference) for term in frame["term"]], method=adjust))


def _family(term: str, reference: str) -> str:
    """Name the family of a term: what is asked, over all layers."""
    if term == "(Intercept)":
        return f"level of {reference} against zero, over layers"
    if not term.startswith(("s(", "ti(")):
        return f"levels against {reference}, over words and layers"
    if ":word_ordered" in term:
        return f"shapes against {reference}, over words and layers"
    if term in ("s(sample)", "s(time)"):
        return f"shape of {reference}, over layers"
    return f"{term}, over layers"


def _effects(fitted: FittedLayers, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    rows = [
        {"layer": layer, "level_1": pair[0], "level_2": pair[1]}
        | fitted.effect(layer, pair)
        | {"model_checks": fitted.models_pass[layer]}
        for layer in fitted.results
        for pair in pairs
    ]
    return check_frame(pd.DataFrame(rows))
