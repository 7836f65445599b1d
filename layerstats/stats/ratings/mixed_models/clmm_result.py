"""A fitted cumulative link mixed model: its tables, and what inference makes means and contrasts of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from layerstats.stats.gamm.formula.expression import names_in
from layerstats.stats.multiplicity import AdjustMethod
from layerstats.stats.ratings.estimates.category_estimates import (
    level_contrasts,
    probabilities_by_category,
    scale_means,
)
from layerstats.stats.ratings.estimates.latent_model import LatentDesigns, LatentModel, LatentParameters
from layerstats.stats.ratings.mixed_models.category_thresholds import Thresholds
from layerstats.stats.ratings.mixed_models.coded_columns import CodedColumns
from layerstats.stats.ratings.mixed_models.random_factors import RandomFactor
from layerstats.tables import PrintedResult


@dataclass(frozen=True, eq=False, repr=False)
class ClmmResult(PrintedResult):
    """A cumulative link mixed model, P(rating <= k) = F((threshold_k - x'b - z'u) / exp(s'g)).

    Attributes
    ----------
    coefficients
        A row a fixed effect: `term, estimate, std_error, statistic, p_value` (Wald's z).
    thresholds
        The same of thresholds, or of the first and the spacing.
    scale
        The same of the logarithm of the scale; no rows where none was asked for.
    random
        `group, term, std_dev, levels`: the standard deviation of each random effect.
    correlations
        `group, term_1, term_2, correlation` of random effects that are correlated.
    glance
        One row: `log_lik, aic, bic, df, nobs, link, threshold, approximation, categories, max_gradient,
        condition_number, iterations, engine`.
    notes
        What was decided.
    covariance
        Of all parameters, thresholds first, by their names in `estimates`.
    estimates
        Thresholds as reported, fixed effects, scale effects ("scale tempwarm"), and the elements of the triangular
        roots of the random effects' covariances ("root judge (Intercept)").
    modes
        `group, level, term, mode, std_error`: conditional modes of random effects.
    formula
        As it was read.
    link
        ``"logit"`` or ``"probit"``.
    categories
        Names of the categories that were used, lowest first.
    levels
        The levels of each factor of the fixed part, the reference first.
    frame
        The columns of fixed and scale effects and of random slopes, as they were fitted; factors are categorical.
    response
        (row,) the place of each rating's category, from 0.
    """

    main_tables = ("coefficients", "thresholds", "random")

    coefficients: pd.DataFrame
    thresholds: pd.DataFrame
    scale: pd.DataFrame
    random: pd.DataFrame
    correlations: pd.DataFrame
    glance: pd.DataFrame
    notes: tuple[str, ...]
    covariance: pd.DataFrame
    estimates: pd.Series
    modes: pd.DataFrame
    formula: str
    link: str
    categories: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    frame: pd.DataFrame
    response: np.ndarray = field(repr=False)
    fixed_design: CodedColumns = field(repr=False)
    scale_design: CodedColumns = field(repr=False)
    factors: tuple[RandomFactor, ...] = field(repr=False)
    threshold_parameters: Thresholds = field(repr=False)

    def means(
        self,
        by: str | Sequence[str] = (),
        *,
        weights: str = "equal",
        hold: Mapping[str, object] | None = None,
        integrate: bool = True,
        distribution: str = "normal",
        conf_level: float = 0.95,
    ) -> pd.DataFrame:
        """Return mean ratings for a new rater and a new clip, with intervals inside the scale: see `scale_means`."""
        options = {"weights": weights, "hold": hold, "integrate": integrate}
        return scale_means(self.latent_model(), by, distribution=distribution, conf_level=conf_level, **options)

    def probabilities(
        self,
        by: str | Sequence[str] = (),
        *,
        weights: str = "equal",
        hold: Mapping[str, object] | None = None,
        integrate: bool = True,
        distribution: str = "normal",
        conf_level: float = 0.95,
    ) -> pd.DataFrame:
        """Return the probability of each category for a new rater and a new clip: see `probabilities_by_category`."""
        options = {"weights": weights, "hold": hold, "integrate": integrate}
        model = self.latent_model()
        return probabilities_by_category(model, by, distribution=distribution, conf_level=conf_level, **options)

    def contrasts(
        self,
        by: str | Sequence[str],
        *,
        pairs: Sequence[tuple[str, str]] | None = None,
        reference: str | None = None,
        at: str = "latent",
        adjust: AdjustMethod = "holm",
        margin: float | None = None,
        weights: str = "equal",
        hold: Mapping[str, object] | None = None,
        integrate: bool = True,
        distribution: str = "normal",
        conf_level: float = 0.95,
    ) -> pd.DataFrame:
        """Return differences of levels, tested as one family, and tests of equivalence: see `level_contrasts`."""
        return level_contrasts(
            self.latent_model(),
            by,
            pairs=pairs,
            reference=reference,
            at=at,
            adjust=adjust,
            margin=margin,
            weights=weights,
            hold=hold,
            integrate=integrate,
            distribution=distribution,
            conf_level=conf_level,
        )

    def latent_model(self) -> LatentModel:
        """Return the model as functions of its parameters and of new data, as means and contrasts take it."""
        return LatentModel(
            link=self.link,
            categories=self.categories,
            scores=_scores(self.categories),
            parameters=self.estimates.to_numpy(dtype=float),
            covariance=self.covariance.to_numpy(dtype=float),
            unpack=self._unpack,
            designs=self._designs,
            frame=self.frame,
            random_codes=tuple(factor.codes for factor in self.factors),
            random_slopes=tuple(_slopes(factor) for factor in self.factors),
        )

    def _unpack(self, parameters: np.ndarray) -> LatentParameters:
        widths = [self.threshold_parameters.count, len(self.coefficients), len(self.scale)]
        widths += [len(factor.free) for factor in self.factors]
        parts = np.split(parameters, np.cumsum(widths)[:-1])
        roots = [factor.root(part) for factor, part in zip(self.factors, parts[3:], strict=True)]
        return LatentParameters(
            thresholds=self.threshold_parameters.jacobian() @ parts[0],
            coefficients=parts[1],
            scale_coefficients=parts[2],
            covariances=tuple(root @ root.T for root in roots),
        )

    def _designs(self, frame: pd.DataFrame) -> LatentDesigns:
        random = [np.column_stack([own.matrix(frame) for own in factor.design]) for factor in self.factors]
        return LatentDesigns(self.fixed_design.matrix(frame), self.scale_design.matrix(frame), tuple(random))


def _slopes(factor: RandomFactor) -> frozenset[str]:
    """Return the columns whose slopes vary by the levels of a factor."""
    variables = (variable for design in factor.design for variable in design.variables().values())
    return frozenset(name for variable in variables for name in names_in(variable.expression))


def _scores(categories: tuple[str, ...]) -> np.ndarray:
    """Return what categories count in a mean: the numbers that they are, their places from 1, or of two 0 and 1."""
    try:
        return np.array([float(category) for category in categories])
    except ValueError:
        if len(categories) == 2:
            return np.array([0.0, 1.0])
        return np.arange(1.0, len(categories) + 1)
