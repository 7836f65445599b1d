"""What the terms of a formula use, for engines that label them as this package does."""

from __future__ import annotations

from layerstats.stats.gamm.data.factors import factor_levels
from layerstats.stats.gamm.engine_interface import FitRequest, WrittenSmooth


def written_smooths(request: FitRequest) -> dict[str, WrittenSmooth]:
    """Return the smooth of the formula behind each label that a fitted one can have."""
    levels = factor_levels(request.frame)
    found: dict[str, WrittenSmooth] = {}
    for position, smooth in enumerate(request.formula.smooths):
        written = WrittenSmooth(
            name=smooth.name,
            by=None if smooth.by is None else str(smooth.by),
            columns=smooth.columns,
            covariates=smooth.covariates,
            position=position,
            random=smooth.random,
        )
        found |= dict.fromkeys(smooth.fitted_labels(levels), written)
    return found


def parametric_columns_used(request: FitRequest) -> dict[str, tuple[str, ...]]:
    """Return the columns of each parametric term, by its label."""
    return {term.label: term.columns for term in request.formula.parametric}
