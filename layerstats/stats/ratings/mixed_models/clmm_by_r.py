"""Fits by R: `clmm` of the package ordinal, and mgcv's ordered categories."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerstats.errors import RNotFoundError, UnsupportedModelError
from layerstats.rbridge import default_pool
from layerstats.stats.ratings.mixed_models.clmm_tables import ClmmEstimates, ClmmParts, join_modes, mode_rows
from layerstats.stats.ratings.mixed_models.random_factors import RandomFactor

ENGINES = ("layerstats", "ordinal", "mgcv")
INSTALL_ORDINAL = "apt-get install r-cran-ordinal"
# Each derivative times the standard error of its parameter: beyond, estimates are a hundredth of that off, or more.
_STEEP = 1e-2
_ILL_CONDITIONED = 1e6
_MGCV = (
    "mgcv has fixed effects, thresholds and random effects at their joint mode, for variances that maximise its "
    "approximate likelihood (method ML): estimates differ a little from the maximum of the integrated likelihood. Its "
    "first threshold is -1, and thresholds are given less its intercept."
)


def fit_by_r(model: ClmmParts, engine: str) -> ClmmEstimates:
    """Fit a model by R.

    "ordinal" maximises the same Laplace likelihood by differences of its values, and stops where these tell it to: its
    gradient and condition are in `glance`, and a note says where they are bad. "mgcv" (Wood, Pya & Saefken 2016) has
    logit links, flexible thresholds, three categories or more, and random effects that are not correlated with each
    other; fixed effects and thresholds stand at the joint mode with random effects, and variances maximise the
    likelihood that Laplace's approximation about it gives. Standard errors hold the uncertainty of all of them.

    Parameters
    ----------
    model : ClmmParts
        The model.
    engine : str
        "ordinal" or "mgcv".

    Raises
    ------
    UnsupportedModelError
        The engine has no such models.
    RNotFoundError
        R, or the package, is not installed.
    RError
        R could not fit it.
    """
    frame = model.rows.frame
    terms = [(factor, columns) for factor in model.factors for columns in effects_by_term(factor)]
    fixed, scale = (design.matrix(frame) for design in (model.fixed_design, model.scale_design))
    given: dict[str, Any] = {
        "response": model.rows.codes + 1,
        "fixed": fixed if fixed.shape[1] else None,
        "terms": [{"group": factor.codes + 1, "columns": factor.columns[:, own]} for factor, own in terms],
    }
    if engine == "ordinal":
        if model.factors and scale.shape[1]:
            raise UnsupportedModelError(
                "ordinal has no scale effects beside random effects: use engine='layerstats', or leave out one of them."
            )
        _need_ordinal()
        given |= {"scale": scale if scale.shape[1] else None, "link": model.link, "threshold": model.thresholds.kind}
        reply = default_pool().call("ordered_by_ordinal", **given)
    else:
        _check_mgcv(model, terms)
        reply = default_pool().call("ordered_by_mgcv", **given, method="ML")
    return _estimates(model, engine, reply.value, terms, reply.warnings)


def effects_by_term(factor: RandomFactor) -> list[list[int]]:
    """Return the effects of a factor that are correlated with each other, by their places."""
    found: list[list[int]] = []
    for row, column in factor.free:
        if row == column and column not in (place for own in found for place in own):
            found.append([int(row)])
        elif row != column and int(row) not in found[-1]:
            found[-1].append(int(row))
    return found


def _need_ordinal() -> None:
    if default_pool().call("bridge_versions").value["ordinal"] is None:
        raise RNotFoundError(
            f"engine='ordinal' needs the R package ordinal, which is not here. Install it with: {INSTALL_ORDINAL}; or "
            "use engine='layerstats', which maximises the same likelihood without R."
        )


def _check_mgcv(model: ClmmParts, terms: list[tuple[RandomFactor, list[int]]]) -> None:
    problem = None
    if model.link != "logit":
        problem = f"{model.link} link"
    elif model.thresholds.kind != "flexible":
        problem = f"{model.thresholds.kind} thresholds"
    elif len(model.rows.categories) < 3:
        problem = "two categories"
    elif model.scale_design.names:
        problem = "scale effects"
    elif any(len(own) > 1 for _, own in terms):
        problem = "correlated random effects (write || for | )"
    if problem is not None:
        raise UnsupportedModelError(f"mgcv's ordered categories have no {problem}: use engine='layerstats'.")


def _estimates(
    model: ClmmParts,
    engine: str,
    reply: dict[str, Any],
    terms: list[tuple[RandomFactor, list[int]]],
    warnings: tuple[str, ...],
) -> ClmmEstimates:
    gradient, condition = float(reply["max_gradient"]), float(reply["condition"])
    notes = [f"R says: {warning}" for warning in warnings]
    if engine == "mgcv":
        notes.append(_MGCV)
    if not gradient < _STEEP or not condition < _ILL_CONDITIONED:
        notes.append(
            f"{engine} {reply['version']} stopped where the likelihood still rises (gradient {gradient:.2g}, condition "
            f"{condition:.2g}): estimates and standard errors may be off. engine='layerstats' goes on to the maximum."
        )
    parts = []
    for factor in model.factors:
        own = [number for number, (other, _) in enumerate(terms) if other is factor]
        modes, errors = (np.column_stack([reply[name][number] for number in own]) for name in ("modes", "mode_errors"))
        parts.append(mode_rows(factor, modes, errors))
    approximation = "none" if not model.factors else "Laplace" if engine == "ordinal" else "Laplace, at the joint mode"
    return ClmmEstimates(
        parameters=np.asarray(reply["parameters"], dtype=float),
        covariance=np.asarray(reply["covariance"], dtype=float),
        modes=join_modes(parts),
        log_likelihood=float(reply["log_lik"]),
        approximation=approximation,
        max_gradient=gradient,
        condition_number=condition,
        iterations=int(reply["iterations"]),
        engine=engine,
        notes=tuple(notes),
    )
