"""One request of R's and its answer: a fit, or what is asked of a model that was fitted before."""

from __future__ import annotations

import traceback
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from layerstats.errors import LayerstatsError
from layerstats.stats.gamm import GammResult, compare, curves, derivatives, difference, fit

# Models that are kept for what is asked of them next; R asks for a fit again where one is gone.
MOST_MODELS = 20


class KeptModels:
    """The models that requests were about, and the answers to what is asked of them.

    Examples
    --------
    >>> KeptModels().answer({"ask": np.array(["difference"], dtype=object), "model": np.array(["1"], dtype=object)})
    {'error': 'This model is not kept.', 'kind': 'NoModel', 'warnings': []}
    """

    def __init__(self) -> None:
        self._models: OrderedDict[str, GammResult] = OrderedDict()

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``value`` and ``warnings``, or where something is wrong ``error``, its ``kind`` and ``warnings``."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                told: dict[str, Any] = {"value": self._value(request)}
            except LayerstatsError as error:
                told = {"error": str(error), "kind": type(error).__name__}
            except _NoModel:
                told = {"error": "This model is not kept.", "kind": "NoModel"}
            except Exception as error:  # noqa: BLE001  # R is to hear of it, whatever it is
                told = {"error": f"{type(error).__name__}: {error}", "kind": "Failure", "where": traceback.format_exc()}
        return {**told, "warnings": list(dict.fromkeys(str(one.message) for one in caught))}

    def _value(self, request: Mapping[str, Any]) -> Any:
        ask, keys = str(request["ask"][0]), list(map(str, request["model"]))
        given = request.get("arguments") or {}
        if ask == "fit":
            data = request["data"]
            # Where a message names a row, it is R's, which count from 1.
            data = data.set_axis(pd.RangeIndex(1, len(data) + 1))
            model = fit(str(request["formula"][0]), data, **_options(given))
            self._keep(keys[0], model)
            return _told(model)
        return _ANSWERS[ask](*map(self._model, keys), **_arguments(given))

    def _keep(self, key: str, model: GammResult) -> None:
        self._models[key] = model
        if len(self._models) > MOST_MODELS:
            self._models.popitem(last=False)

    def _model(self, key: str) -> GammResult:
        if key not in self._models:
            raise _NoModel
        self._models.move_to_end(key)
        return self._models[key]


class _NoModel(Exception):
    """R asks about a model that another process fitted."""


def _plain(value: Any) -> Any:
    """Return a vector of R's as Python's functions take it: one value by itself, several as a list."""
    if isinstance(value, np.ndarray | pd.Categorical):
        listed = [one.item() if isinstance(one, np.generic) else one for one in value]
        return listed[0] if len(listed) == 1 else listed
    return value


def _listed(value: Any) -> list[Any]:
    found = _plain(value)
    return found if isinstance(found, list) else [found]


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `fit`."""
    options: dict[str, Any] = {name: _plain(value) for name, value in given.items()}
    for name in ("factors", "knots"):
        if given.get(name):
            levels = given[name]
            options[name] = {key: None if value is None else _listed(value) for key, value in levels.items()}
    if given.get("ordered"):
        options["ordered"] = {name: tuple(map(str, copy)) for name, copy in given["ordered"].items()}
    return options


def _arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of what is asked of a model."""
    arguments = {name: _plain(value) for name, value in given.items()}
    if isinstance(given.get("at"), Mapping):
        arguments["at"] = {name: _plain(value) for name, value in given["at"].items()}
    for name in ("exclude", "factor_columns"):
        if name in given:
            arguments[name] = [str(one) for one in given[name]]
    return arguments


def _told(model: GammResult) -> dict[str, Any]:
    """Return all of a model that R shows without asking again."""
    order = np.argsort(model.positions)
    fitted = model.engine_fit
    return {
        "parametric": model.parametric,
        "smooths": model.smooths,
        "glance": model.glance,
        "rho": model.rho,
        "notes": list(model.notes),
        "warnings": list(model.warnings),
        "versions": dict(model.versions),
        "seconds": model.seconds,
        "summary": model.summary(),
        "formula": model.formula,
        "family": model.request.family,
        "random_terms": list(model.random_terms),
        "smooth_labels": list(model.smooth_labels),
        "parametric_labels": list(fitted.parametric_terms),
        "smoothing_parameters": np.asarray(fitted.smoothing_parameters, dtype=float),
        "levels": {name: list(levels) for name, levels in model.levels.items()},
        "positions": model.positions[order] + 1,
        "fitted": np.asarray(fitted.fitted)[order],
        "residuals": np.asarray(fitted.residuals)[order],
        "whitened": np.asarray(fitted.whitened_residuals)[order],
    }


def _curve(found: Any) -> dict[str, Any]:
    """Return a result along a covariate as R has it."""
    told = {"curve": found.curve, "regions": found.regions, "covariate": found.covariate}
    critical = getattr(found, "critical_value", None)
    return {
        **told,
        "notes": list(getattr(found, "notes", ())),
        **({} if critical is None else {"critical_value": critical}),
    }


def _design(model: GammResult, **given: Any) -> dict[str, Any]:
    design = model.design(**given)
    found = {"matrix": design.matrix, "coefficients": design.coefficients, "covariance": design.covariance}
    return {**found, "terms": list(design.term_of_column)}


def _predict(model: GammResult, **given: Any) -> pd.DataFrame:
    predicted = model.predict(**given)
    return predicted.loc[:, ["fit", "std_error", "conf_low", "conf_high"]]


_ANSWERS: dict[str, Callable[..., Any]] = {
    "predict": _predict,
    "design": _design,
    "difference": lambda model, **given: _curve(difference(model, **given)),
    "derivatives": lambda model, **given: _curve(derivatives(model, **given)),
    "curves": curves,
    "autocorrelation": lambda model, **given: model.autocorrelation(**given),
    "k_check": lambda model, **given: model.k_check(**given),
    "residual_checks": lambda model: model.residual_checks(),
    "compare": compare,
}
