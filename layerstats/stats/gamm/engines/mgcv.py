"""The reference engine: mgcv's `bam` and `gam`, in R worker processes."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layerstats.errors import RError
from layerstats.rbridge import RPool, default_pool
from layerstats.stats.gamm.engine_interface import (
    CannotFit,
    Design,
    EngineFit,
    FitPlan,
    FitRequest,
    SmoothPart,
    WrittenSmooth,
)
from layerstats.stats.gamm.formula.r_names import RNames
from layerstats.stats.gamm.structured.setup_rows import sample_notes

# Of bam(): rows that it takes at once.
_CHUNK = 10_000


class MgcvEngine:
    """Fits every model of the formula language by mgcv.

    Parameters
    ----------
    pool : RPool, optional
        The R workers to use, for instance with a memory limit; by default those that the process shares.

    Examples
    --------
    >>> MgcvEngine().name
    'mgcv'
    """

    name = "mgcv"

    def __init__(self, pool: RPool | None = None) -> None:
        self._pool = pool

    @property
    def pool(self) -> RPool:
        """The R workers."""
        return default_pool() if self._pool is None else self._pool

    def available(self) -> str | None:
        """Return None where R, mgcv and rpy2 work, else what is missing and how to install it."""
        try:
            self.pool.call("bridge_versions")
        except RError as error:
            return str(error)
        return None

    def plan(self, request: FitRequest) -> FitPlan | CannotFit:
        """Return the request as it is, or why mgcv cannot fit it."""
        reason = _why_not(request)
        return FitPlan(request) if reason is None else CannotFit(reason)

    def fit(self, plan: FitPlan) -> EngineFit:
        """Fit one model.

        Raises
        ------
        RError
            Or one of its kinds, see `layerstats.rbridge.RSession.call`.
        """
        return self.fit_many([plan], workers=1)[0]

    def fit_many(self, plans: Sequence[FitPlan], workers: int) -> list[EngineFit]:
        """Fit several models in at most `workers` R processes; the same results as one after another."""
        requests = [plan.request for plan in plans]
        pool = self.pool
        if self._pool is None:
            pool.grow(workers)
        models = [_SavedModel(pool, RNames.choose(request.formula, request.frame)) for request in requests]
        arguments = [_arguments(request, model) for request, model in zip(requests, models, strict=True)]
        replies = pool.map("bridge_fit", arguments, workers=workers)
        fits = [_engine_fit(reply.value, reply.warnings, model) for reply, model in zip(replies, models, strict=True)]
        return [replace(fit, notes=sample_notes(request)) for fit, request in zip(fits, requests, strict=True)]


def _why_not(request: FitRequest) -> str | None:
    """Return None where mgcv can fit the request, else the reason why not."""
    if request.function == "gam" and request.discrete:
        return "gam() does not discretise covariates: use function='bam', or discrete=False"
    if request.function == "gam" and request.rho != 0:
        return "gam() has no AR(1) residuals: use function='bam'"
    if request.rho != 0 and request.series_gaps is not None:
        return (
            "bam() takes neighbouring rows as one step apart, whatever the time between them (gaps='time'): use "
            "gaps='adjacent', or the engine 'structured'"
        )
    offset = any(term.is_offset for term in request.formula.parametric)
    if offset and request.rho != 0 and not request.discrete and len(request.frame) <= _CHUNK:
        return (
            f"bam() forgets offset() with AR(1) residuals and up to {_CHUNK} rows: subtract it from the response, "
            "or use the engine 'structured'"
        )
    if request.discrete and request.method != "fREML":
        return f"bam(discrete=TRUE) needs method='fREML', not {request.method!r}"
    if request.rho != 0 and request.family != "gaussian" and not request.discrete:
        return f"AR(1) residuals of family {request.family!r} need discrete=True"
    return None


class _SavedModel:
    """What predictions need of a fitted model, on disk: any worker can read it, and it outlives its worker."""

    def __init__(self, pool: RPool, names: RNames) -> None:
        self._pool = pool
        self.names = names
        # R's label of each term, by ours.
        self.labels: dict[str, str] = {}
        folder = tempfile.mkdtemp(prefix="layerstats-gamm-")
        self.path = Path(folder) / "model.rds"
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def design(self, new_data: pd.DataFrame, exclude: Sequence[str] = ()) -> Design:
        """Return the linear predictor of `new_data` without the terms in `exclude`."""
        return self._design(new_data, exclude, unconditional=False)

    def corrected_design(self, new_data: pd.DataFrame, exclude: Sequence[str] = ()) -> Design:
        """Return the same with mgcv's Vc for a covariance."""
        return self._design(new_data, exclude, unconditional=True)

    def _design(self, new_data: pd.DataFrame, exclude: Sequence[str], unconditional: bool) -> Design:
        answer = self._pool.call(
            "bridge_design",
            path=str(self.path),
            newdata=self.names.frame(new_data),
            exclude=[self.labels.get(label, label) for label in exclude],
            unconditional=unconditional,
        ).value
        return Design(
            matrix=answer["matrix"],
            coefficients=answer["coefficients"],
            covariance=answer["covariance"],
            term_of_column=tuple(map(self.names.label, answer["terms"])),
        )

    def places(self, label: str, frame: pd.DataFrame) -> np.ndarray | None:
        """Return where the rows of a frame lie for mgcv's check of a basis, (row, covariate)."""
        return self._pool.call(
            "bridge_places", path=str(self.path), label=self.labels[label], data=self.names.frame(frame)
        ).value

    def take_labels(self, labels: Sequence[str]) -> None:
        """Remember R's labels."""
        self.labels |= {self.names.label(label): label for label in labels}


def _r_family(request: FitRequest) -> str:
    """Return the family as R code; ordered categories need their number."""
    return f"ocat(R = {int(request.response_values.max())})" if request.family == "ocat" else request.family


def _arguments(request: FitRequest, model: _SavedModel) -> dict[str, object]:
    return {
        "path": str(model.path),
        "formula": model.names.code(request.formula),
        "data": model.names.frame(request.frame),
        "start": request.series_start,
        "rho": float(request.rho),
        "method": request.method,
        "weights": request.weights,
        "family": _r_family(request),
        "fun": request.function,
        "discrete": request.discrete,
        "knots": _knots(request, model.names),
    }


def _knots(request: FitRequest, names: RNames) -> dict[str, np.ndarray] | None:
    if request.knots is None:
        return None
    return {names.of_column.get(column, column): np.asarray(places) for column, places in request.knots.items()}


def _engine_fit(value: dict[str, Any], warnings: tuple[str, ...], model: _SavedModel) -> EngineFit:
    names = model.names
    model.take_labels([*value["parts"]["label"], *(value["parametric_terms"] or {})])
    return EngineFit(
        parametric=_relabelled(value["parametric"], names),
        smooths=_relabelled(value["smooths"], names),
        glance=value["glance"],
        smooth_parts=_smooth_parts(value, names),
        parametric_terms={
            names.label(label): names.columns(columns) for label, columns in (value["parametric_terms"] or {}).items()
        },
        smoothing_parameters=value["smoothing_parameters"],
        fitted=value["fitted"],
        residuals=value["residuals"],
        whitened_residuals=value["whitened"],
        design=model.design,
        corrected_design=model.corrected_design if value["corrected"] else None,
        places=model.places,
        warnings=warnings,
        versions=value["versions"],
        thresholds=tuple(float(threshold) for threshold in value["thresholds"]),
        seconds=value["seconds"],
    )


def _relabelled(table: pd.DataFrame, names: RNames) -> pd.DataFrame:
    return table.assign(term=[names.label(term) for term in table["term"]])


def _smooth_parts(value: dict[str, Any], names: RNames) -> tuple[SmoothPart, ...]:
    parts = value["parts"].to_dict("records")
    columns, covariates = value["part_columns"] or [], value["part_covariates"] or []
    return tuple(
        SmoothPart(
            label=names.label(part["label"]),
            coefficients=int(part["coefficients"]),
            null_dimension=int(part["null_dimension"]),
            edf=float(part["edf"]),
            written=WrittenSmooth(
                name=names.label(part["name"]),
                by=names.label(part["by"]) or None,
                columns=names.columns(used),
                covariates=names.columns(function_of),
                position=int(part["position"]) - 1,
                random=bool(part["random"]),
            ),
        )
        for part, used, function_of in zip(parts, columns, covariates, strict=True)
    )
