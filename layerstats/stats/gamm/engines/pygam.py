"""The fallback engine: pygam's P-splines, for simple models on machines without R."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from layerstats.errors import FitError
from layerstats.stats.gamm.engine_interface import CannotFit, EngineFit, FitPlan, FitRequest
from layerstats.stats.gamm.engines.pygam_basis import SplineBlock, choose_smoothing, spline_blocks
from layerstats.stats.gamm.engines.pygam_limits import why_not_pygam
from layerstats.stats.gamm.engines.pygam_tables import engine_fit
from layerstats.stats.gamm.engines.treatment_coding import parametric_columns


class PygamEngine:
    """Fits Gaussian models with ``s()`` and ``te()``, smooths by factor and difference smooths.

    pygam builds the P-spline bases and chooses the smoothing parameters by a grid search over GCV. Estimates, standard
    errors and edf are those of the penalised least squares problem with these smoothing parameters, smooths centred as
    in mgcv. There are no p-values: pygam's ignore that smoothing was estimated and are too small.

    Examples
    --------
    >>> PygamEngine().name
    'pygam'
    """

    name = "pygam"

    def available(self) -> str | None:
        """Return None where pygam is installed."""
        try:
            version("pygam")
        except PackageNotFoundError:
            return "pygam is not installed: pip install pygam"
        return None

    def plan(self, request: FitRequest) -> FitPlan | CannotFit:
        """Return the request as it is, or why pygam cannot fit it."""
        reason = why_not_pygam(request)
        return FitPlan(request) if reason is None else CannotFit(reason)

    def fit(self, plan: FitPlan) -> EngineFit:
        """Fit one model.

        Raises
        ------
        FitError
            The model has more coefficients than rows, or parametric columns that depend on each other.
        """
        begin, request = time.perf_counter(), plan.request
        parametric, names, terms = parametric_columns(request.formula, request.frame)
        if np.linalg.matrix_rank(parametric) < parametric.shape[1]:
            raise FitError(f"The parametric columns depend on each other: {', '.join(names)}. Leave one out.")
        blocks = spline_blocks(request)
        _check_size(request, parametric.shape[1], blocks)
        smoothing = choose_smoothing(request, parametric, blocks)
        return engine_fit(request, names, terms, blocks, smoothing, begin)


def _check_size(request: FitRequest, parametric: int, blocks: Sequence[SplineBlock]) -> None:
    coefficients = parametric + sum(block.dimension for block in blocks)
    if coefficients >= len(request.frame):
        raise FitError(
            f"The model has {coefficients} coefficients and the data have {len(request.frame)} rows. Use smaller k."
        )
