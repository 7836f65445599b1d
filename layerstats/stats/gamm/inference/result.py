"""A fitted model: its tables, and everything that is asked of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.stats.gamm.checks.autocorrelation import autocorrelation_table
from layerstats.stats.gamm.checks.basis_check import check_bases
from layerstats.stats.gamm.checks.implied_autocorrelation import implied_autocorrelation
from layerstats.stats.gamm.checks.residual_checks import LAGS, residual_checks_table
from layerstats.stats.gamm.data.factors import factor_levels
from layerstats.stats.gamm.engine_interface import Design, EngineFit, FitRequest
from layerstats.stats.gamm.families import link_of
from layerstats.stats.gamm.inference.intervals import check_interval, estimate_curve, on_response_scale
from layerstats.stats.gamm.inference.new_data import code_new_data, random_labels, resolve_exclude
from layerstats.stats.gamm.inference.summary import model_summary
from layerstats.tables import check_frame


@dataclass(frozen=True, eq=False, repr=False)
class GammResult:
    """A fitted generalised additive mixed model, the same whichever engine fitted it.

    Attributes
    ----------
    request
        What was fitted.
    engine_fit
        What the engine reported.
    engine
        Its name.
    notes
        What was decided for the user, in words.
    positions
        (row,) where each row of the fit stood in the user's table; rows that were left out are not among them.
    index
        The index of the user's table.
    verification
        Largest differences from mgcv, where ``verify=True``: ``quantity, term, estimate, reference, difference,
        tolerance, agrees``; otherwise None. See `verification_table`.
    """

    request: FitRequest
    engine_fit: EngineFit
    engine: str
    notes: tuple[str, ...]
    positions: np.ndarray
    index: pd.Index
    verification: pd.DataFrame | None = None

    def __repr__(self) -> str:
        return self.summary()

    def summary(self) -> str:
        """Return the model as text, laid out as R's summary; a model prints as this."""
        return model_summary(self.request, self.engine_fit, self.engine, self.notes)

    @property
    def formula(self) -> str:
        """The formula, as R code."""
        return str(self.request.formula)

    @property
    def parametric(self) -> pd.DataFrame:
        """Parametric coefficients: ``term, estimate, std_error, statistic, p_value, conf_low, conf_high`` (95 %)."""
        return check_frame(self.engine_fit.parametric.copy(), "parametric")

    @property
    def smooths(self) -> pd.DataFrame:
        """Smooth terms: ``term, edf, ref_df, statistic, p_value``."""
        return check_frame(self.engine_fit.smooths.copy(), "smooths")

    @property
    def glance(self) -> pd.DataFrame:
        """One row about the whole model."""
        return check_frame(self.engine_fit.glance.copy(), "glance")

    @property
    def rho(self) -> float:
        """The AR(1) parameter of the residuals; 0 for none."""
        return self.request.rho

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the fitter warned about."""
        return self.engine_fit.warnings

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Where the linear predictor passes from one ordered category to the next; none for other families."""
        return self.engine_fit.thresholds

    @property
    def seconds(self) -> float:
        """Wall-clock time of the fit."""
        return self.engine_fit.seconds

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of the software that fitted the model."""
        return self.engine_fit.versions

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """The levels of each factor, the reference first."""
        return factor_levels(self.request.frame)

    @property
    def fitted(self) -> pd.Series:
        """(row,) fitted values, in the order and with the index of the user's table."""
        return self._in_user_order(self.engine_fit.fitted, "fitted")

    @property
    def residuals(self) -> pd.Series:
        """(row,) residuals, whitened under AR(1), in the order and with the index of the user's table."""
        return self._in_user_order(self.engine_fit.whitened_residuals, "residual")

    @property
    def smooth_labels(self) -> tuple[str, ...]:
        """The labels of the fitted smooths, as in the table of smooths."""
        return tuple(part.label for part in self.engine_fit.smooth_parts)

    @property
    def random_terms(self) -> tuple[str, ...]:
        """The labels of the fitted smooths that are random effects."""
        return random_labels(self.engine_fit)

    def design(self, new_data: pd.DataFrame, exclude: Sequence[str] = (), unconditional: bool = False) -> Design:
        """Return the linear predictor of new rows as a matrix, with coefficients and covariance.

        Parameters
        ----------
        new_data
            Rows with the columns of every term that is not excluded; ordered copies follow their factor by themselves.
        exclude
            Terms to leave out: labels as in `smooths`, terms as in the formula, or ``"(Intercept)"``.
        unconditional
            Whether the covariance holds the uncertainty of the smoothing parameters too (mgcv's Vc).

        Raises
        ------
        DataError
            A column is missing, incomplete, or holds an unknown level.
        ArgumentError
            A term in `exclude` does not exist, or the engine has no such covariance.
        """
        labels = resolve_exclude(self.request.formula, self.engine_fit, exclude)
        make = self.engine_fit.corrected_design if unconditional else self.engine_fit.design
        if make is None:
            raise ArgumentError(
                f"The fit by {self.engine!r} offers no covariance with the uncertainty of the smoothing parameters "
                "(unconditional=True). Use unconditional=False, or method='fREML' of the engine 'mgcv' or 'structured'."
            )
        return make(code_new_data(self.request, self.engine_fit, new_data, labels), labels)

    def predict(
        self,
        new_data: pd.DataFrame,
        exclude: Sequence[str] = (),
        conf_level: float = 0.95,
        interval: str = "pointwise",
        draws: int = 10_000,
        seed: int = 0,
        scale: str = "link",
    ) -> pd.DataFrame:
        """Predict new rows, on the scale of the linear predictor or of the response.

        Parameters
        ----------
        new_data, exclude
            See `design`.
        conf_level, interval
            ``"pointwise"``, or ``"simultaneous"`` over all rows of `new_data`, at this level.
        draws, seed
            For simultaneous intervals.
        scale
            ``"link"``, or ``"response"``: the mean of the response, the ends of its interval taken there too (so that
            a probability stays between 0 and 1), the standard error by the slope of the link.

        Returns
        -------
        pandas.DataFrame
            `new_data` with columns ``fit, std_error, conf_low, conf_high, interval, conf_level``.
        """
        check_interval(interval, conf_level, draws)
        check_choice("scale", scale, ("link", "response"))
        link = link_of(self.request.family) if scale == "response" else None
        design = self.design(new_data, exclude)
        curve = estimate_curve(
            design.matrix,
            design.coefficients,
            design.covariance,
            interval=interval,
            conf_level=conf_level,
            draws=draws,
            seed=seed,
        )
        if link is not None:
            curve = on_response_scale(curve, link)
        frame = new_data.assign(
            fit=curve.fit,
            std_error=curve.std_error,
            conf_low=curve.conf_low,
            conf_high=curve.conf_high,
            interval=interval,
            conf_level=conf_level,
        )
        return check_frame(frame, "prediction", user_columns=list(new_data.columns))

    def autocorrelation(self, max_lag: int = 20) -> pd.DataFrame:
        """Return the autocorrelation of the (whitened) residuals within series, never across.

        Lags are rows, or with ``gaps="time"`` usual steps of time.

        Returns
        -------
        pandas.DataFrame
            ``lag, autocorrelation, limit, pairs``, one row a lag from 0; see `autocorrelation_table`.
        """
        residuals, request = self.engine_fit.whitened_residuals, self.request
        return autocorrelation_table(residuals, request.series_start, max_lag, request.series_gaps)

    def k_check(self, seed: int = 0) -> pd.DataFrame:
        """Test whether the bases were large enough; see `check_bases`."""
        return check_bases(self.request, self.engine_fit, seed=seed)

    def residual_checks(self) -> pd.DataFrame:
        """Test the residuals; see `residual_checks_table`."""
        fit = self.engine_fit
        request = self.request
        implied = implied_autocorrelation(request, fit, LAGS)
        start, gaps = request.series_start, request.series_gaps
        return residual_checks_table(fit.fitted, fit.whitened_residuals, start, gaps, implied)

    def _in_user_order(self, values: np.ndarray, name: str) -> pd.Series:
        order = np.argsort(self.positions)
        return pd.Series(values[order], index=self.index[self.positions[order]], name=name)
