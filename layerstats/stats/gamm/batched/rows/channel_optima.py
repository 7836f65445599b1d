"""The criteria of a block of channels, as `layerstats.stats.gamm.smoothing_selection` minimises them side by side."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.batched.rows.channel_criterion import best_log_scale, criterion, derivatives
from layerstats.stats.gamm.batched.rows.channel_responses import Responses
from layerstats.stats.gamm.batched.rows.channel_solution import Shared, solve
from layerstats.stats.gamm.smoothing_selection import Evaluation, Minima, minimise_from_starts
from layerstats.stats.gamm.structured.criterion import Criterion
from layerstats.stats.gamm.structured.optimum import starting_point


def minimise_channels(shared: Shared, responses: Responses) -> Minima:
    """Minimise the criterion of each channel, by the policy of `layerstats.stats.gamm.smoothing_selection`."""
    design = shared.design
    start = starting_point(Criterion(design.system, design.penalties, design.request.method))
    every = np.tile(start, (len(responses.square), 1))
    return minimise_from_starts(ChannelCriteria(shared, responses), every, design.penalties.compete)[0]


class ChannelCriteria:
    """The criteria of channels."""

    def __init__(self, shared: Shared, responses: Responses) -> None:
        self._shared, self._responses = shared, responses

    def evaluate(self, fits: np.ndarray, log_smoothing: np.ndarray, log_scale: np.ndarray | None) -> Evaluation:
        """Evaluate the criteria of some channels."""
        responses = self._responses
        if len(fits) < len(responses.square):
            responses = responses.take(fits)
        solutions = solve(self._shared, responses, log_smoothing)
        scale = best_log_scale(solutions) if log_scale is None else log_scale
        return Evaluation(criterion(solutions, scale), scale, solutions)

    def derivatives(self, evaluation: Evaluation, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return gradients and Hessians."""
        found = derivatives(evaluation.details, evaluation.log_scale)
        return (found.gradient, found.hessian) if kept.all() else (found.gradient[kept], found.hessian[kept])

    def move(self, evaluation: Evaluation, moved: np.ndarray) -> None:
        """Nothing is kept: the estimates are computed once more at the end, for all channels together."""
