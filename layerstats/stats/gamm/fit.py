"""Fit one model, or several side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.parallel import Progress, RunOptions
from layerstats.stats.gamm.checks.autocorrelation import series_autocorrelation
from layerstats.stats.gamm.checks.verification import verification_table
from layerstats.stats.gamm.data.factors import FactorLevels, OrderedCopies
from layerstats.stats.gamm.data.prepare import PreparedData
from layerstats.stats.gamm.data.series_rows import has_whole_gaps
from layerstats.stats.gamm.engine_interface import (
    CannotFit,
    Engine,
    EngineFit,
    EstimatesRho,
    FitRequest,
    FitsResiduals,
    FitsSideBySide,
    GainsFromThreads,
)
from layerstats.stats.gamm.engines.registry import REFERENCE_ENGINE, EngineChoice, choose_engine
from layerstats.stats.gamm.families import response_notes
from layerstats.stats.gamm.inference.result import GammResult
from layerstats.stats.gamm.request.builder import build_request
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.one_thread import run_on_one_thread_each


def fit(
    formula: str,
    data: pd.DataFrame,
    *,
    engine: str | Engine = "auto",
    method: str = "fREML",
    rho: float | Literal["auto", "reml"] | None = None,
    series: str | Sequence[str] | None = None,
    order: str | None = None,
    gaps: str = "adjacent",
    factors: FactorLevels | None = None,
    ordered: OrderedCopies | None = None,
    weights: str | Sequence[float] | None = None,
    knots: Mapping[str, Sequence[float]] | None = None,
    family: str = "gaussian",
    function: str = "bam",
    discrete: bool = False,
    verify: bool = False,
    na: str = "error",
    progress: Callable[[int, int], None] | None = None,
) -> GammResult:
    """Fit a generalised additive mixed model.

    Parameters
    ----------
    formula
        In mgcv's language, for instance ``"f2 ~ word + s(time) + s(time, by = word)"``.
    data
        One row an observation. It is not changed.
    engine
        ``"auto"`` (the structured engine where it expresses the model, else mgcv where R is there, else pygam where it
        can), ``"structured"``, ``"mgcv"``, ``"pygam"``, or an `Engine`.
    method
        ``"fREML"``, ``"REML"`` or ``"ML"``.
    rho
        AR(1) parameter of the residuals within series: None or 0 for none, a number, or ``"auto"``: the lag-1
        autocorrelation within series of the residuals of the same model without AR(1), as is customary; or ``"reml"``:
        estimated jointly with the smoothing parameters (structured engine only).
    series, order
        The columns that identify a series, and the column that orders its rows. Needed for `rho`; rows are sorted.
    gaps
        What lies between neighbouring rows of a series: ``"adjacent"``, one step, as in mgcv; or ``"time"``, the
        difference in `order` in units of the usual step, with rho to that power (structured engine only).
    factors
        Levels of factors, the reference first: ``{"word": ["ask", "dark"]}``; None for sorted levels. String columns
        are factors without being named.
    ordered
        Ordered copies for difference smooths: ``{"word_ordered": ("word", "ask")}``.
    weights
        Prior weights: a column, or one value a row.
    knots
        Where the knots of smooths stand, ``{"phase": [0, 1]}`` (mgcv only).
    family, function, discrete
        As for mgcv; `function` is ``"bam"`` or ``"gam"``, `family` one of `layerstats.stats.gamm.families.FAMILIES`,
        with a link where it is not R's default (``"binomial(probit)"``). A ``"binomial"`` response is 0 or 1, or a
        proportion with the number of trials as `weights`; an ``"ocat"`` response numbers ordered categories from 1.
    verify
        Fit with mgcv too, and report the largest differences in ``result.verification``.
    na
        ``"error"``: no value that the model needs may be missing; ``"omit"``: rows where one is are left out, as in R,
        and counted in a note.
    progress : callable, optional
        Called with the seconds that are done and those that are expected, by the structured engine, where those are
        more than 20.

    Raises
    ------
    FormulaError
        The formula has a syntax error, or names a column that is not there.
    DataError
        The data cannot be analysed as they stand.
    FitError
        The fit failed, or no engine can fit the model.

    Examples
    --------
    >>> generator = np.random.default_rng(1)
    >>> data = pd.DataFrame({"x": np.linspace(0, 1, 80)})
    >>> data["y"] = np.sin(6 * data["x"]) + 0.1 * generator.standard_normal(80)
    >>> result = fit("y ~ s(x)", data, engine="pygam")
    >>> list(result.smooths["term"])
    ['s(x)']
    """
    task = FitTask(
        formula=formula,
        data=data,
        engine=engine,
        method=method,
        rho=rho,
        series=series,
        order=order,
        gaps=gaps,
        factors=factors,
        ordered=ordered,
        weights=weights,
        knots=knots,
        family=family,
        function=function,
        discrete=discrete,
        verify=verify,
        na=na,
        progress=progress,
    )
    return fit_many([task], workers=1)[0]


def fit_many(
    tasks: Sequence[FitTask],
    workers: int = 2,
    *,
    client: Any = None,
    progress: Progress | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> list[GammResult]:
    """Fit several models, up to `workers` at a time; results do not depend on `workers`.

    All tasks are checked before the first is fitted.

    Parameters
    ----------
    tasks
        The models.
    workers
        Models that are fitted at a time: by threads, by mgcv in as many R processes. Models with 300 or more
        coefficients that are not of single levels of the largest random factor use all cores, and so run one after
        another.
    client, keep
        See `layerstats.parallel.run_tasks`; not of mgcv, whose models stay with the R processes of this machine.
    progress
        Called with what is done and what there is to do.

    Raises
    ------
    ArgumentError
        `workers` is below 1; and whatever `fit` raises.

    Examples
    --------
    >>> x = np.linspace(0, 1, 60)
    >>> data = pd.DataFrame({"x": x, "y": np.sin(6 * x) + np.tile([0.05, -0.05], 30)})
    >>> results = fit_many([FitTask(f"y ~ s(x, k={k})", data, engine="structured") for k in (5, 9)], workers=1)
    >>> [result.smooths["term"].item() for result in results]
    ['s(x)', 's(x)']
    """
    run = RunOptions(workers, client, threads=True, progress=progress, keep=keep)
    jobs = [_job(task) for task in tasks]
    stages = 1 + any(job.task.rho in ("auto", "reml") for job in jobs) + any(job.reference is not None for job in jobs)
    if any(job.task.rho in ("auto", "reml") for job in jobs):
        jobs = _with_rho(jobs, run.share(0, stages))
    verified = {number: job.reference for number, job in enumerate(jobs) if job.reference is not None}
    fits = _fit_by_engine([job.choice for job in jobs], run.share(stages - 1 - bool(verified), stages))
    references = _fit_by_engine(list(verified.values()), run.share(stages - 1, stages))
    tables = {
        number: verification_table(fits[number], reference)
        for number, reference in zip(verified, references, strict=True)
    }
    return [job.result(fit, tables.get(number)) for number, (job, fit) in enumerate(zip(jobs, fits, strict=True))]


@dataclass(frozen=True, eq=False)
class _Job:
    """A task, its data, the engine that fits it, and the one that it is held against."""

    task: FitTask
    prepared: PreparedData
    choice: EngineChoice
    reference: EngineChoice | None
    notes: tuple[str, ...] = ()

    @property
    def request(self) -> FitRequest:
        return self.choice.plan.request

    def result(self, fitted: EngineFit, verification: pd.DataFrame | None) -> GammResult:
        return GammResult(
            request=replace(self.request, progress=None),
            engine_fit=fitted,
            engine=self.choice.engine.name,
            notes=(*self.prepared.notes, *self.notes, *fitted.notes),
            positions=self.prepared.positions,
            index=self.prepared.index,
            verification=verification,
        )


def _job(task: FitTask) -> _Job:
    request, prepared = build_request(task)
    choice = choose_engine(task.engine, request)
    reference = choose_engine(REFERENCE_ENGINE, request) if task.verify else None
    if task.rho == "reml" and not isinstance(choice.engine, EstimatesRho):
        raise ArgumentError(
            f"rho='reml' is for the structured engine, but this model is fitted by {choice.engine.name!r}"
            f"{''.join(f' ({reason})' for reason in choice.reasons)}. Use rho='auto'."
        )
    notes = (
        *_passed_over(choice),
        *response_notes(request.family, request.response_values, request.weights, task.function),
    )
    return _Job(task, prepared, choice, reference, notes)


def _passed_over(choice: EngineChoice) -> tuple[str, ...]:
    return tuple(f"Fitted by {choice.engine.name}, since {reason}." for reason in choice.reasons)


def _with_rho(jobs: list[_Job], run: RunOptions) -> list[_Job]:
    """Estimate rho where it is ``"auto"``, from fits without AR(1), or ``"reml"``, with the smoothing parameters."""
    automatic = [number for number, job in enumerate(jobs) if job.task.rho == "auto"]
    plain = [_at_rho(jobs[number].choice, jobs[number].task, 0.0) for number in automatic]
    settled = list(jobs)
    for number, residuals in zip(automatic, _residuals(plain, run), strict=True):
        request = jobs[number].request
        gaps = request.series_gaps
        found = series_autocorrelation(residuals, request.series_start, 1, gaps)
        settled[number] = _settled(jobs[number], *_settle_rho(*found, negative=has_whole_gaps(gaps)))
    joint = [number for number, job in enumerate(jobs) if job.task.rho == "reml"]
    jointly = _by_engine([jobs[number].choice for number in joint], _rho_of, run)
    for number, rho in zip(joint, jointly, strict=True):
        note = f"rho = {rho:.6g}, estimated by {jobs[number].request.method} jointly with the smoothing parameters."
        settled[number] = _settled(jobs[number], rho, note)
    return settled


def _settled(job: _Job, rho: float, note: str) -> _Job:
    """Return a job whose AR(1) parameter is known."""
    choice = _at_rho(job.choice, job.task, rho)
    others = () if choice.engine is job.choice.engine else _passed_over(choice)
    compared = replace(job.task, engine=REFERENCE_ENGINE)
    reference = None if job.reference is None else _at_rho(job.reference, compared, rho)
    return replace(job, choice=choice, reference=reference, notes=(*job.notes, *others, note))


def _at_rho(choice: EngineChoice, task: FitTask, rho: float) -> EngineChoice:
    """Return an engine's plan for an AR(1) parameter; another engine's where it cannot, and the task leaves it open."""
    plan = choice.plan.with_rho(rho)
    if isinstance(plan, CannotFit):
        return choose_engine(task.engine, replace(choice.plan.request, rho=rho))
    return replace(choice, plan=plan)


def _residuals(choices: list[EngineChoice], run: RunOptions) -> list[np.ndarray]:
    """Return the residuals of each plan, without the tables where the engine can."""
    quick = [number for number, choice in enumerate(choices) if isinstance(choice.engine, FitsResiduals)]
    complete = [number for number in range(len(choices)) if number not in quick]
    fits = _fit_by_engine([choices[number] for number in complete], run)
    found = {number: fitted.residuals for number, fitted in zip(complete, fits, strict=True)}
    residuals = _by_engine([choices[number] for number in quick], _residuals_of, run)
    found.update(zip(quick, residuals, strict=True))
    return [found[number] for number in range(len(choices))]


def _settle_rho(rho: float, pairs: int, *, negative: bool) -> tuple[float, str]:
    if np.isnan(rho):
        return 0.0, "rho = 0: no series has two rows, so that there is no autocorrelation to estimate."
    limited = float(np.clip(rho, -0.99 if negative else 0.0, 0.99))
    note = f"rho = {limited:.6g}, the lag-1 autocorrelation of the residuals without AR(1), from {pairs} pairs of rows."
    if limited < 0:
        note += " It is negative: the smooths may follow the series more closely than they should."
    return limited, note


def _fit_by_engine(choices: list[EngineChoice], run: RunOptions) -> list[EngineFit]:
    """Hand an engine with processes of its own its plans at once; results in the order of `choices`."""
    found: dict[int, EngineFit] = {}
    for name in dict.fromkeys(choice.engine.name for choice in choices):
        numbers = [number for number, choice in enumerate(choices) if choice.engine.name == name]
        engine = choices[numbers[0]].engine
        if isinstance(engine, FitsSideBySide):
            fitted = engine.fit_many([choices[number].plan for number in numbers], run.workers)
        else:
            fitted = _by_engine([choices[number] for number in numbers], _fit_of, run)
        found.update(zip(numbers, fitted, strict=True))
    return [found[number] for number in range(len(choices))]


def _by_engine(choices: list[EngineChoice], compute: Callable[[EngineChoice], Any], run: RunOptions) -> list[Any]:
    """Compute something of each plan: the large ones one after another, the others side by side."""
    if run.sends:
        # Whoever shows how far a fit is does so in this process.
        choices = [_without_progress(choice) for choice in choices]
    large = [number for number, choice in enumerate(choices) if run.client is None and _is_large(choice)]
    small = [number for number in range(len(choices)) if number not in large]
    stages, alone = 1 + bool(large and small), replace(run, workers=1)
    found = alone.share(0, stages).run(compute, [choices[number] for number in large], _told)
    found += run_on_one_thread_each(
        compute, [choices[number] for number in small], run.share(stages - 1, stages), _told
    )
    by_number = dict(zip([*large, *small], found, strict=True))
    return [by_number[number] for number in range(len(choices))]


def _is_large(choice: EngineChoice) -> bool:
    return isinstance(choice.engine, GainsFromThreads) and choice.engine.is_large(choice.plan)


def _without_progress(choice: EngineChoice) -> EngineChoice:
    plan = choice.plan
    return replace(choice, plan=replace(plan, request=replace(plan.request, progress=None)))


def _fit_of(choice: EngineChoice) -> EngineFit:
    return choice.engine.fit(choice.plan)


def _residuals_of(choice: EngineChoice) -> np.ndarray:
    return cast("FitsResiduals", choice.engine).residuals(choice.plan)


def _rho_of(choice: EngineChoice) -> float:
    return cast("EstimatesRho", choice.engine).estimate_rho(choice.plan)


def _told(choice: EngineChoice) -> str:
    return f"the model {choice.plan.request.formula}"
