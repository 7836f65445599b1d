"""A design with its fit to the data as they are: where every kind of resampling begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.errors import FitError
from layerstats.stats.gamm.batched.curves.curve_criterion import estimate
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.curve_design_building import curve_design
from layerstats.stats.gamm.batched.curves.refit import Refits, refit
from layerstats.stats.gamm.batched.curves.residual_sums import lag_one
from layerstats.stats.gamm.batched.curves.row_refits import RowData, fit_rows
from layerstats.stats.gamm.batched.curves.summaries import Summaries, replicates_of
from layerstats.stats.gamm.data.series_rows import has_whole_gaps
from layerstats.stats.gamm.request.task import FitTask


@dataclass(frozen=True, eq=False)
class FittedDesign:
    """A design, its data, and the fit.

    Attributes
    ----------
    design, data, fit
        One replicate: the data as they are.
    rho
        AR(1) parameter, which every refit keeps.
    """

    design: CurveDesign
    data: Summaries | RowData
    fit: Refits
    rho: float

    @property
    def log_smoothing(self) -> np.ndarray:
        """(penalty,) where refits begin."""
        return self.fit.log_smoothing[0]


def fit_design(task: FitTask, label: str, speaker: str | None = "speaker") -> FittedDesign:
    """Fit the model of a task, the same as ``fit(engine="structured")`` does.

    Parameters
    ----------
    task, label, speaker
        See `curve_design`; ``rho="auto"`` is estimated once, from the residuals of the model without AR(1).

    Raises
    ------
    FitError
        The smoothing parameters did not converge.
    """
    automatic = task.rho == "auto"
    design = curve_design(task, label, speaker)
    data = replicates_of(design, design.label_of[None])
    fit = refit(design, data)
    rho = design.request.rho
    if automatic:
        if isinstance(data, RowData):
            found = fit_rows(data, 0).lag_one()
        else:
            found = float(lag_one(design, data, estimate(design, data, fit.log_smoothing))[0])
        lowest = -0.99 if has_whole_gaps(design.request.series_gaps) else 0.0
        rho = float(np.clip(found, lowest, 0.99)) if np.isfinite(found) else 0.0
        design = design.with_noise(rho)
        data = replicates_of(design, design.label_of[None])
        fit = refit(design, data)
    if not fit.converged[0]:
        raise FitError(f"The smoothing parameters of {task.formula} did not converge on the data as they are.")
    return FittedDesign(design, data, fit, rho)
