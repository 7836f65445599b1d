"""The structured engine at smoothing parameters of mgcv's, in place of its own optimum."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import permutations, product
from typing import Any, cast
from unittest.mock import patch

import numpy as np

from layerstats.stats.gamm import GammResult, fit
from layerstats.stats.gamm.structured import fitting, quasi_likelihood
from layerstats.stats.gamm.structured.criterion import Criterion
from layerstats.stats.gamm.structured.fitting import StructuredFit, criterion_of
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.optimum import Optimum

from .models import Case


def fit_at_smoothing_parameters(case: Case, result: GammResult, column: str) -> GammResult:
    """Return the fit at the smoothing parameters in a column of the answers, with every table that comes with a fit.

    Parameters
    ----------
    result
        The same model at our own optimum.
    """
    best = structured_fit(result)
    smoothing = np.log(case.values("smoothing_parameter", column)) - np.log(_scales(best.model))
    orders = _orders(best.model)
    if len(orders) > 1:
        # Where rounding chose the axes of a factor smooth, the order of its penalties is not known.
        criterion = criterion_of(best.request, best.model, best.request.rho)
        score = case.value("score", column)
        orders.sort(key=lambda order: abs(_score(criterion, best.model, smoothing[order]) - score))
    log_smoothing = smoothing[orders[0]]

    def stay(criterion: Criterion, start: np.ndarray | None = None) -> Optimum:
        return _there(criterion, best.model, log_smoothing)

    with (
        patch.object(fitting, "minimise_from_starts", stay),
        patch.object(quasi_likelihood, "minimise_from_starts", stay),
        patch.object(quasi_likelihood, "minimise", stay),
    ):
        return fit(case.formula, case.data, engine="structured", **case.arguments)


def structured_fit(result: GammResult) -> StructuredFit:
    """Return what the engine keeps of a fit."""
    return cast("StructuredFit", cast("partial[Any]", result.engine_fit.design).args[0])


def _there(criterion: Criterion, model: Model, log_smoothing: np.ndarray) -> Optimum:
    solution = criterion.solve(_in_order_of(criterion, model, log_smoothing))
    scale = criterion.best_log_scale(solution)
    value, derivatives = criterion.value(solution, scale), criterion.derivatives(solution, scale)
    return Optimum(solution, scale, value, derivatives, 0, True)


def _score(criterion: Criterion, model: Model, log_smoothing: np.ndarray) -> float:
    solution = criterion.solve(_in_order_of(criterion, model, log_smoothing))
    return criterion.value(solution, criterion.best_log_scale(solution))


def _in_order_of(criterion: Criterion, model: Model, log_smoothing: np.ndarray) -> np.ndarray:
    """Return log smoothing parameters in the order of the criterion, given in that of the formula."""
    owners = np.array(criterion.penalties.labels)
    places = np.concatenate([np.flatnonzero(owners == label) for label in model.labels])
    ordered = np.empty(len(places))
    ordered[places] = log_smoothing
    return ordered


def _terms(model: Model) -> Iterator[tuple[str, Any]]:
    """Yield the terms that have smoothing parameters of their own, in the order of the formula."""
    by_label = {term.label: term for term in (*model.dense, *model.blocks, *model.outer)}
    linked = set()
    for label in model.labels:
        shared = getattr(by_label[label], "smoothing_id", None)
        if shared is None or shared not in linked:
            yield label, by_label[label]
        linked.add(shared)


def _scales(model: Model) -> np.ndarray:
    return np.concatenate([np.zeros(0), *(np.array(term.scales) for _, term in _terms(model))])


def _orders(model: Model) -> list[np.ndarray]:
    """Return the orders in which mgcv may have the smoothing parameters, ours first."""
    end, choices = 0, []
    for label, term in _terms(model):
        first, *rest = range(end, end + len(term.scales))
        end += len(term.scales)
        null_spaces = any(label.startswith(smooth.label) for smooth, _ in model.factor_smooths)
        choices.append([(first, *order) for order in permutations(rest)] if null_spaces else [(first, *rest)])
    return [np.array([place for places in chosen for place in places], dtype=int) for chosen in product(*choices)]
