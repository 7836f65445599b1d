"""The criteria of replicates, as `layerstats.stats.gamm.smoothing_selection` minimises them side by side."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm import smoothing_selection
from layerstats.stats.gamm.batched.curves.curve_criterion import best_log_scale, estimate, slopes, value
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.random_levels import CELL, SPEAKER
from layerstats.stats.gamm.batched.curves.summaries import Summaries
from layerstats.stats.gamm.smoothing_selection import Evaluation, Minima, minimise_from_starts


def minimise_replicates(
    design: CurveDesign, summaries: Summaries, start: np.ndarray, noise: np.ndarray | None = None
) -> Minima:
    """Minimise the criterion of each replicate, by the policy of `layerstats.stats.gamm.smoothing_selection`.

    Parameters
    ----------
    design, summaries, noise
        As for `refit`.
    start
        (penalty,) as `starting_point` returns it.
    """
    every = np.tile(start, (summaries.replicates, 1))
    return minimise_from_starts(CurveCriteria(design, summaries, noise), every, design.penalties_compete)[0]


class CurveCriteria:
    """The criteria of replicates."""

    def __init__(self, design: CurveDesign, summaries: Summaries, noise: np.ndarray | None = None) -> None:
        self._design, self._summaries, self._noise = design, summaries, noise

    def evaluate(self, fits: np.ndarray, log_smoothing: np.ndarray, log_scale: np.ndarray | None) -> Evaluation:
        """Evaluate the criteria of some replicates."""
        summaries, noise = self._summaries, self._noise
        if len(fits) < summaries.replicates:
            summaries, noise = summaries.take(fits), None if noise is None else noise[fits]
        estimates = estimate(self._design, summaries, log_smoothing, noise)
        scale = best_log_scale(self._design, summaries, estimates) if log_scale is None else log_scale
        return Evaluation(value(self._design, summaries, estimates, scale), scale, (summaries, estimates))

    def derivatives(self, evaluation: Evaluation, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return gradients and Hessians."""
        summaries, estimates = evaluation.details
        if not kept.all():
            summaries, estimates = summaries.take(kept), estimates.take(kept)
        found = slopes(self._design, summaries, estimates, evaluation.log_scale[kept])
        return found.gradient, found.hessian

    def move(self, evaluation: Evaluation, moved: np.ndarray) -> None:
        """Nothing is kept: the estimates are computed once more at the end, for all replicates together."""


def starting_point(design: CurveDesign) -> np.ndarray:
    """Return the first start, log smoothing parameters, (penalty,)."""
    counts = np.bincount(design.label_of, minlength=len(design.labels))
    each = zip(counts, design.columns, strict=True)
    gram = np.sum([n * part.T @ np.linalg.solve(design.noise, part) for n, part in each], axis=0)
    weights = [(np.diag(gram), penalty) for penalty in design.penalties]
    cells = design.speaker_of * len(design.labels) + design.label_of
    levels = {SPEAKER: len(np.unique(design.speaker_of)), CELL: len(np.unique(cells))}
    for part in design.components:
        tokens = len(cells) / levels.get(part.level, len(cells))
        own = np.sum(part.basis * np.linalg.solve(design.noise, part.basis), axis=0)
        penalty = np.where(part.weights > 0, 1 / np.where(part.weights > 0, part.weights, 1.0), 0.0)
        weights.append((tokens * own, penalty))
    return smoothing_selection.starting_point(weights)
