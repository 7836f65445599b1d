"""What every engine receives and gives back, so that all inference is the same whichever engine fitted the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from layerstats.stats.gamm.formula.terms import Formula


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelRequest:
    """One model without its response, as many responses share it; the data are checked, sorted and coded.

    Made by `layerstats.stats.gamm.request.builder` alone.

    Attributes
    ----------
    formula
        The parsed formula; ``str(formula)`` is R code again.
    frame
        The columns that the formula uses, rows sorted by series and order. Factors are ``pandas.Categorical`` whose
        first category is the reference; an ordered Categorical is an ordered factor with treatment contrasts.
    method
        ``"fREML"``, ``"REML"`` or ``"ML"``.
    rho
        AR(1) parameter of the residuals: 0 for none, NaN as long as it is to be estimated.
    series_start
        (row,) True where a series begins; None where the rows are not series.
    series_gaps
        (row,) steps since the row before in the same series, 1 where a series begins: the correlation of the residuals
        of the two is `rho` to this power. None where every row is one step from the row before, or is taken to be.
    weights
        (row,) prior weights, or None.
    knots
        Where the knots of smooths stand, by column; None where the engine places them.
    family, function, discrete
        As for mgcv: ``"gaussian"``, ``"binomial"``..., ``"bam"`` or ``"gam"``, whether covariates are discretised.
    progress
        Called with the seconds that are done and those that are expected, where the fit takes long; or None.

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> data = pd.DataFrame({"x": np.linspace(0, 1, 40), "y": np.linspace(0, 1, 40) ** 2})
    >>> request = fit("y ~ s(x)", data, engine="structured").request
    >>> isinstance(request, ModelRequest), request.method, list(request.frame.columns)
    (True, 'fREML', ['y', 'x'])
    """

    formula: Formula
    frame: pd.DataFrame
    method: str = "fREML"
    rho: float = 0.0
    series_start: np.ndarray | None = None
    series_gaps: np.ndarray | None = None
    weights: np.ndarray | None = None
    knots: Mapping[str, Sequence[float]] | None = None
    family: str = "gaussian"
    function: str = "bam"
    discrete: bool = False
    progress: Callable[[int, int], None] | None = None

    def with_response(self, values: np.ndarray) -> FitRequest:
        """Return the request of this model for a response, (row,), in the order of the frame."""
        own = {one.name: getattr(self, one.name) for one in fields(ModelRequest)}
        return FitRequest(**own, response_values=values)


@dataclass(frozen=True, eq=False, kw_only=True)
class FitRequest(ModelRequest):
    """One model to fit to one response.

    Attributes
    ----------
    response_values
        (row,) the response after its transformation.

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> data = pd.DataFrame({"x": np.linspace(0, 1, 40), "y": np.linspace(0, 1, 40) ** 2})
    >>> request = fit("log(y + 1) ~ s(x)", data, engine="structured").request
    >>> request.response, len(request.response_values)
    ('log(y + 1)', 40)
    """

    response_values: np.ndarray

    @property
    def response(self) -> str:
        """The response as written, for instance ``"f2"`` or ``"log(f2)"``."""
        return str(self.formula.response)


@dataclass(frozen=True, eq=False)
class Design:
    """The linear predictor of new rows, ``matrix @ coefficients``, and the uncertainty of the coefficients.

    Columns of excluded terms are left out of all four, so that a model with thousands of random coefficients never
    needs its whole covariance matrix for a difference of fixed curves.

    Attributes
    ----------
    matrix
        (row, coefficient)
    coefficients
        (coefficient,)
    covariance
        (coefficient, coefficient), Bayesian: given the smoothing parameters (mgcv's Vp) or with their uncertainty (Vc).
    term_of_column
        For each coefficient its term: ``"(Intercept)"``, the parametric term as written (``"Word"``), or the smooth's
        label as in `EngineFit.smooths` (``"s(Sample):Worddark"``).

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> data = pd.DataFrame({"x": np.linspace(0, 1, 40)})
    >>> data["y"] = np.sin(6 * data["x"]) + 0.1 * np.random.default_rng(1).standard_normal(40)
    >>> design = fit("y ~ s(x)", data, engine="structured").engine_fit.design(data.head(3), ())
    >>> design.matrix.shape, sorted(set(design.term_of_column))
    ((3, 10), ['(Intercept)', 's(x)'])
    """

    matrix: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray
    term_of_column: tuple[str, ...]


@dataclass(frozen=True)
class WrittenSmooth:
    """The smooth of a formula that a fitted one is, or is a copy of, as the engine's own model knows it.

    Attributes
    ----------
    name
        Its label without the ``by`` variable: ``"s(x)"``.
    by
        The ``by`` variable, or None.
    columns
        The columns that it uses.
    covariates
        Those that it is a function of: without those of the ``by`` variable alone.
    position
        Its place among the smooths of the formula, from 0.
    random
        Whether it is a random effect.
    """

    name: str
    by: str | None
    columns: tuple[str, ...]
    covariates: tuple[str, ...]
    position: int
    random: bool

    @property
    def term(self) -> str:
        """The label without a level of the ``by`` variable: ``"s(x):word"``."""
        return self.name if self.by is None else f"{self.name}:{self.by}"


@dataclass(frozen=True)
class SmoothPart:
    """What inference needs to know of one fitted smooth.

    Attributes
    ----------
    label
        As in the ``term`` column of `EngineFit.smooths`.
    coefficients
        Number of coefficients, after constraints (k' of mgcv's k.check).
    null_dimension
        Dimension of the unpenalised part (mgcv's ``null.space.dim``).
    edf
        Effective degrees of freedom.
    written
        What it is in the formula.

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> data = pd.DataFrame({"x": np.linspace(0, 1, 40)})
    >>> data["y"] = np.sin(6 * data["x"]) + 0.1 * np.random.default_rng(1).standard_normal(40)
    >>> part = fit("y ~ s(x, k=6)", data, engine="structured").engine_fit.smooth_parts[0]
    >>> part.label, part.coefficients, part.null_dimension
    ('s(x)', 5, 1)
    """

    label: str
    coefficients: int
    null_dimension: int
    edf: float
    written: WrittenSmooth


@dataclass(frozen=True, eq=False)
class EngineFit:
    """A fitted model as an engine reports it.

    Attributes
    ----------
    parametric
        Columns ``term, estimate, std_error, statistic, p_value, conf_low, conf_high`` (95 %); terms named as R names
        coefficients.
    smooths
        Columns ``term, edf, ref_df, statistic, p_value``; one row a smooth, labelled as R does, in R's order.
    glance
        One row: ``nobs, df, df_residual, log_lik, aic, bic, deviance, deviance_explained, adj_r_squared, scale, score,
        method, rho``. `score` is minus the log (restricted) likelihood that was minimised.
    smooth_parts
        One for each row of `smooths`, in the same order.
    parametric_terms
        The columns that each parametric term uses, by its label as in `Design.term_of_column`; offsets too.
    smoothing_parameters
        (penalty,) as estimated; its length is what a model comparison counts.
    fitted, residuals, whitened_residuals
        (row,), on the scale of the response (`residuals` are deviance residuals outside the Gaussian family); whitened
        under the AR(1) model, equal to `residuals` where rho is 0.
    design
        ``design(new_data, exclude) -> Design``. `new_data` is complete and coded like the frame of the request (columns
        that only excluded terms need are filled in by the caller); `exclude` holds labels of smooths or parametric
        terms, as in `Design.term_of_column`.
    corrected_design
        The same with a covariance that holds the uncertainty of the smoothing parameters too (mgcv's Vc); None where
        the engine does not offer it.
    places
        ``places(label, frame)``: where the rows of a frame lie for the check of the basis of a smooth, (row,
        covariate), or None for a smooth of factors. None where `basis_check` finds them from the formula.
    warnings
        What the fitter warned about.
    versions
        For instance ``{"R": "4.2.2", "mgcv": "1.8-41"}``.
    seconds
        Wall-clock time of the fit.
    thresholds
        Between ordered categories, on the scale of the linear predictor; none for other families.

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> data = pd.DataFrame({"x": np.linspace(0, 1, 40)})
    >>> data["y"] = np.sin(6 * data["x"]) + 0.1 * np.random.default_rng(1).standard_normal(40)
    >>> fitted = fit("y ~ s(x)", data, engine="structured").engine_fit
    >>> fitted.smooths["term"].tolist(), fitted.fitted.shape, fitted.warnings
    (['s(x)'], (40,), ())
    """

    parametric: pd.DataFrame
    smooths: pd.DataFrame
    glance: pd.DataFrame
    smooth_parts: tuple[SmoothPart, ...]
    parametric_terms: Mapping[str, tuple[str, ...]]
    smoothing_parameters: np.ndarray
    fitted: np.ndarray
    residuals: np.ndarray
    whitened_residuals: np.ndarray
    design: Callable[[pd.DataFrame, Sequence[str]], Design]
    corrected_design: Callable[[pd.DataFrame, Sequence[str]], Design] | None = None
    places: Callable[[str, pd.DataFrame], np.ndarray | None] | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = float("nan")
    thresholds: tuple[float, ...] = ()


@dataclass(frozen=True)
class CannotFit:
    """Why an engine cannot fit a request.

    Examples
    --------
    >>> CannotFit("a family that the structured engine does not have").reason
    'a family that the structured engine does not have'
    """

    reason: str


@dataclass(frozen=True, eq=False)
class FitPlan:
    """A request that an engine can fit, with what finding that out has built.

    Attributes
    ----------
    request
        What is fitted.

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> data = pd.DataFrame({"x": np.linspace(0, 1, 40), "y": np.linspace(0, 1, 40) ** 2})
    >>> plan = FitPlan(fit("y ~ s(x)", data, engine="structured").request)
    >>> plan.with_rho(0.3).request.rho
    0.3
    """

    request: FitRequest

    def with_rho(self, rho: float) -> FitPlan | CannotFit:
        """Return the plan of the same model with another AR(1) parameter."""
        return replace(self, request=replace(self.request, rho=rho))


@runtime_checkable
class Engine(Protocol):
    """A way to fit the models of this package.

    Examples
    --------
    >>> class Absent:
    ...     "An engine that is nowhere installed."
    ...     name = "absent"
    ...     def available(self):
    ...         return "It is nowhere installed."
    ...     def plan(self, request):
    ...         return CannotFit("It fits nothing.")
    ...     fit = fit_many = is_large = estimate_rho = residuals = plan
    >>> isinstance(Absent(), Engine), Absent().available()
    (True, 'It is nowhere installed.')
    """

    name: str

    def available(self) -> str | None:
        """Return None where the engine works here, else what is missing and how to install it."""
        ...

    def plan(self, request: FitRequest) -> FitPlan | CannotFit:
        """Return what `fit` takes, or why the engine cannot fit the request; whatever is built for it is built once."""
        ...

    def fit(self, plan: FitPlan) -> EngineFit:
        """Fit one model; raises `layerstats.errors.FitError`."""
        ...


@runtime_checkable
class FitsSideBySide(Protocol):
    """An engine that has processes of its own, in which it fits several models at a time."""

    def fit_many(self, plans: Sequence[FitPlan], workers: int) -> list[EngineFit]:
        """Fit several models; the same results as one after another."""
        ...


@runtime_checkable
class GainsFromThreads(Protocol):
    """An engine whose larger fits take up the whole machine, so that they run one after another on this one."""

    def is_large(self, plan: FitPlan) -> bool:
        """Return whether a fit gains from the threads of BLAS."""
        ...


@runtime_checkable
class EstimatesRho(Protocol):
    """An engine that can estimate the AR(1) parameter jointly with the smoothing parameters."""

    def estimate_rho(self, plan: FitPlan) -> float:
        """Return the AR(1) parameter at the optimum of the request's criterion; its own `rho` is not used."""
        ...


@runtime_checkable
class FitsResiduals(Protocol):
    """An engine that can fit without the tables, where nothing but the residuals is wanted."""

    def residuals(self, plan: FitPlan) -> np.ndarray:
        """Return the residuals as `EngineFit` has them, (row,)."""
        ...
