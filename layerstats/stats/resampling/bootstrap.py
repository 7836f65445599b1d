"""How certain are a curve, a difference and its effect size? Speakers are drawn again, or data from the model."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.parallel import Progress, RunOptions
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.fitted import FittedDesign, fit_design
from layerstats.stats.gamm.batched.curves.refit import SMOOTHING, Refits, Smoothing, refit
from layerstats.stats.gamm.batched.curves.row_refits import RowData
from layerstats.stats.gamm.batched.curves.summaries import Summaries, replicates_of
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.resampling.bands import band_of, pointwise_critical
from layerstats.stats.resampling.blocks import check_replicates, in_blocks
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.simulation import simulate
from layerstats.stats.resampling.statistics import difference_matrices, differences
from layerstats.tables import PrintedResult, check_frame

Source = Literal["speakers", "model"]


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapResult(PrintedResult):
    """Bands of curves and of their difference, and an interval of the effect size.

    Attributes
    ----------
    curves
        ``smooth, group, <time>, fit, std_error, conf_low, conf_high, interval, conf_level``.
    difference
        ``smooth, level_1, level_2, <time>, diff, std_error, conf_low, conf_high, interval, conf_level``.
    effect
        One row: ``level_1, level_2, effect_size, effect_conf_low, effect_conf_high, conf_level, replicates``.
    draws
        (replicate, label, time) the bootstrapped curves.
    """

    main_tables = ("effect",)
    curves: pd.DataFrame
    difference: pd.DataFrame
    effect: pd.DataFrame
    draws: np.ndarray


def bootstrap(
    task: FitTask,
    label: str,
    level_1: str,
    level_2: str,
    *,
    speaker: str = "speaker",
    source: Source = "speakers",
    interval: str = "simultaneous",
    conf_level: float = 0.95,
    replicates: int = 1999,
    smoothing: Smoothing = "refit",
    seed: int = 0,
    workers: int = 1,
    client: Any = None,
    progress: Progress | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> BootstrapResult:
    """Bootstrap the curves of two labels, and the first less the second.

    Parameters
    ----------
    task, label
        The model, see `curve_design`. Curves are those of the labels, at the time points of the data.
    source
        ``"speakers"``: whole speakers are drawn with replacement; a speaker that is drawn twice is two speakers to the
        model. Where no speaker has both labels, they are drawn within labels. It trusts nothing of the model but needs
        some twenty speakers. ``"model"``: data are drawn from the fitted model, which is trusted in full.
    interval, conf_level
        ``"pointwise"`` or ``"simultaneous"``; see `band_of`.
    replicates, seed
        At least 19 at the usual level.
    workers, client, progress, keep
        See `layerstats.parallel.run_tasks`; `workers` are threads. Numbers depend on none of them.
    smoothing
        Whether smoothing parameters are estimated anew in each replicate, or held.

    Raises
    ------
    DataError
        There is one speaker only.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame([(s, label, t / 8) for s in range(4) for label in "ab" for t in range(9)])
    >>> data = data.set_axis(["speaker", "label", "time"], axis=1)
    >>> data["token"], data["is_b"] = data["speaker"].astype(str) + data["label"], 1.0 * (data["label"] == "b")
    >>> data["value"] = data["is_b"] + np.sin(3 * data["time"]) + 0.3 * rng.normal(size=len(data))
    >>> formula = 'value ~ s(time, k=4) + s(time, by=is_b, k=4) + s(time, token, bs="fs", m=1, k=4)'
    >>> task = FitTask(formula, data, engine="structured", rho=0.3, series="token", order="time")
    >>> found = bootstrap(task, "label", "b", "a", replicates=19, smoothing="held")
    >>> found.effect[["level_1", "level_2", "replicates"]].values.tolist()
    [['b', 'a', 19]]
    """
    check_choice("source", source, ("speakers", "model"))
    check_choice("interval", interval, ("pointwise", "simultaneous"))
    check_choice("smoothing", smoothing, SMOOTHING)
    if not 0 < conf_level < 1:
        raise ArgumentError(f"The 'conf_level' parameter must be between 0 and 1, but got {conf_level!r} instead.")
    # With fewer the end of an interval lies beyond all of them.
    check_replicates(replicates, least=max(2, math.ceil(round(1 / (1 - conf_level), 6)) - 1))
    fitted = fit_design(task, label, speaker)
    design = fitted.design
    contrast = difference_matrices(design, level_1, level_2)
    people = len(np.unique(design.speaker_of))
    if people < 2 and source == "speakers":
        raise DataError(
            "All tokens are by one speaker: drawing speakers anew says nothing. Permute labels within this speaker, or "
            "use source='model'."
        )
    means = _curves(design, fitted.fit)[0]

    how = _Bootstrap(fitted, means, contrast.joint, source, smoothing, seed)
    run = RunOptions(workers, client, threads=True, progress=progress, keep=keep)
    computed = in_blocks(how.replicates, replicates, run)
    draws = computed[:, :-1].reshape(replicates, len(design.labels), design.points)
    clusters = people if source == "speakers" else None
    bands = [_Band(draws[:, number], means[number], clusters, interval, conf_level) for number in range(len(draws[0]))]
    first, second = design.labels.index(level_1), design.labels.index(level_2)
    gap = _Band(draws[:, first] - draws[:, second], means[first] - means[second], clusters, interval, conf_level)
    time = str(task.order)
    axis = design.times
    curves = [
        band.frame(axis, time, "fit", {"smooth": time, "group": name}, design.offset)
        for name, band in zip(design.labels, bands, strict=True)
    ]
    effect = _effects(design, fitted.data, fitted.fit, contrast.joint, excesses=1)[0]
    tail = (1 - conf_level) / 2
    low, high = np.quantile(computed[:, -1], [tail, 1 - tail])
    names = {"level_1": level_1, "level_2": level_2}
    return BootstrapResult(
        curves=check_frame(pd.concat(curves, ignore_index=True), user_columns=[time]),
        difference=check_frame(
            gap.frame(axis, time, "diff", {"smooth": time, **names}), "difference", user_columns=[time]
        ),
        effect=check_frame(
            pd.DataFrame(
                {
                    **{name: [value] for name, value in names.items()},
                    "effect_size": effect,
                    "effect_conf_low": low,
                    "effect_conf_high": high,
                    "conf_level": conf_level,
                    "replicates": replicates,
                }
            )
        ),
        draws=draws + design.offset,
    )


@dataclass(frozen=True, eq=False)
class _Bootstrap:
    """How replicates are drawn, and what is kept of them."""

    fitted: FittedDesign
    means: np.ndarray
    joint: np.ndarray
    source: Source
    smoothing: Smoothing
    seed: int

    def replicates(self, numbers: range) -> np.ndarray:
        """Return the curves of the labels and then the effect size, (replicate, number)."""
        fitted, design = self.fitted, self.fitted.design
        if self.source == "speakers":
            drawn = np.stack([_draw(design, replicate_generator(self.seed, number)) for number in numbers])
            data = replicates_of(design, np.tile(design.label_of, (len(drawn), 1)), multiplicity=drawn)
        else:
            values = simulate(fitted, design, self.means, self.seed, numbers)
            data = replicates_of(design, np.tile(design.label_of, (len(values), 1)), values)
        again = refit(design, data, fitted.log_smoothing if self.smoothing == "held" else None)
        curves = _curves(design, again)
        effects = _effects(design, data, again, self.joint, excesses=2)
        return np.column_stack([curves.reshape(len(curves), -1), effects])


class _Band:
    """A curve with its band."""

    def __init__(
        self, draws: np.ndarray, curve: np.ndarray, clusters: int | None, interval: str, conf_level: float
    ) -> None:
        self.curve, self.interval, self.conf_level = curve, interval, conf_level
        self.error, simultaneous = band_of(draws, clusters, conf_level)
        self.critical = simultaneous if interval == "simultaneous" else pointwise_critical(clusters, conf_level)

    def frame(
        self, axis: np.ndarray, time: str, value: str, names: dict[str, str], offset: float = 0.0
    ) -> pd.DataFrame:
        """Return it as a table."""
        half = self.critical * self.error
        return pd.DataFrame(
            {
                **names,
                time: axis,
                value: self.curve + offset,
                "std_error": self.error,
                "conf_low": self.curve + offset - half,
                "conf_high": self.curve + offset + half,
                "interval": self.interval,
                "conf_level": self.conf_level,
            }
        )


def _curves(design: CurveDesign, refits: Refits) -> np.ndarray:
    """Return the curves of the labels, (replicate, label, time), less the offset."""
    return np.stack([differences(refits, columns)[0] for columns in design.columns], axis=1)


def _draw(design: CurveDesign, generator: np.random.Generator) -> np.ndarray:
    """Return how often each speaker is drawn; within labels where every speaker has one only."""
    people = int(design.speaker_of.max()) + 1
    table = np.zeros((people, len(design.labels)), dtype=bool)
    table[design.speaker_of, design.label_of] = True
    if np.all(table.sum(axis=1) == 1):
        times = np.zeros(people, dtype=np.int64)
        for label in range(len(design.labels)):
            own = np.flatnonzero(table[:, label])
            times += np.bincount(generator.choice(own, size=len(own)), minlength=people)
        return times
    while True:
        times = np.bincount(generator.integers(people, size=people), minlength=people)
        # A sample in which a label is nobody's has no difference to estimate.
        if np.all(table[times > 0].any(axis=0)):
            return times


def _effects(
    design: CurveDesign, data: Summaries | RowData, refits: Refits, matrix: np.ndarray, excesses: int
) -> np.ndarray:
    """Return effect sizes as `layerstats.stats.effect_size` defines them, (replicate,).

    A bootstrapped mean square carries the excess of the estimate and its own: `excesses` times it is taken off.
    """
    curve, error = differences(refits, matrix)
    square = np.mean(curve**2, axis=1) - excesses * np.mean(error**2, axis=1)
    spread = refits.token_variance if isinstance(data, RowData) else _token_variance(design, data, refits)
    return np.sqrt(np.maximum(square, 0) / spread)


def _token_variance(design: CurveDesign, data: Summaries, refits: Refits) -> np.ndarray:
    """Return the variance of tokens about their label's curve, (replicate,)."""
    about = np.trace(data.within, axis1=1, axis2=2)
    tokens = data.observations / design.points
    for pattern in data.unit_means:
        fixed = design.columns[list(pattern.labels)].reshape(-1, design.columns.shape[2])
        fitted = (fixed @ refits.coefficients[:, :, None])[:, :, 0]
        own = np.diagonal(pattern.square, axis1=1, axis2=2) - 2 * fitted * pattern.total
        own = own + pattern.units[:, None] * fitted**2
        about = about + (own * np.repeat(pattern.counts, design.points, axis=1)).sum(axis=1)
    return about / design.points / (tokens - len(design.labels))


__all__ = ["BootstrapResult", "FittedDesign", "Source", "bootstrap"]
