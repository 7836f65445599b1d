"""How many tokens and speakers would find a difference? Data are drawn from a fitted model and analysed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.parallel import Progress, RunOptions
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.fitted import FittedDesign, fit_design
from layerstats.stats.gamm.batched.curves.refit import Refits, refit
from layerstats.stats.gamm.batched.curves.summaries import summarise
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.one_thread import run_on_one_thread_each
from layerstats.stats.resampling.blocks import blocks_of, check_replicates, replicates_told
from layerstats.stats.resampling.simulation import simulate
from layerstats.stats.resampling.statistics import (
    TESTS,
    DifferenceMatrices,
    difference_matrices,
    differences,
    smooth_p_values,
)
from layerstats.stats.units import count_units
from layerstats.tables import check_frame


def power(
    task: FitTask,
    label: str,
    level_1: str,
    level_2: str,
    *,
    speakers: Sequence[int],
    tokens: Sequence[int],
    speaker: str | None = "speaker",
    tests: Sequence[str] = ("joint",),
    effect: float = 1.0,
    difference: Sequence[float] | None = None,
    alpha: float = 0.05,
    replicates: int = 1000,
    seed: int = 0,
    workers: int = 1,
    client: Any = None,
    progress: Progress | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Estimate the power of planned studies by simulation from a fitted model.

    Parameters
    ----------
    task, label, level_1, level_2, speaker
        The model of a pilot study, see `curve_design`, and the labels to compare. Where its tokens differ in their
        times, planned ones have as many points as the median token, equally spaced.
    speakers, tokens
        Planned numbers of speakers, and of tokens of each speaker with each of the labels; all combinations.
        Where no speaker of the pilot has two labels, so many speakers are planned for each label.
    tests
        The tests of the model to count: ``"level"`` (with the degrees of freedom of speakers, as in `phone_contrast`),
        ``"shape"``, ``"joint"``.
    effect
        Multiplies the difference that was found. The difference of a pilot study that was published for being
        significant is too large: try 0.5 as well.
    difference
        (time,) the difference to plan for, instead of the one that was found.
    alpha
        Level of the tests.
    replicates, seed
        Data sets of each planned study, and how they are drawn.
    workers, client, progress, keep
        See `layerstats.parallel.run_tasks`; `workers` are threads. Numbers depend on none of them.

    Returns
    -------
    pandas.DataFrame
        ``level_1, level_2, speakers, tokens_per_cell, test, power, std_error, alpha, replicates``; the standard error
        is that of the simulation.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame([(s, label, t / 8) for s in range(4) for label in "ab" for t in range(9)])
    >>> data = data.set_axis(["speaker", "label", "time"], axis=1)
    >>> data["token"], data["is_b"] = data["speaker"].astype(str) + data["label"], 1.0 * (data["label"] == "b")
    >>> data["value"] = data["is_b"] + np.sin(3 * data["time"]) + 0.3 * rng.normal(size=len(data))
    >>> formula = 'value ~ s(time, k=4) + s(time, by=is_b, k=4) + s(time, token, bs="fs", m=1, k=4)'
    >>> task = FitTask(formula, data, engine="structured", rho=0.3, series="token", order="time")
    >>> found = power(task, "label", "b", "a", speakers=[6], tokens=[1], replicates=10)
    >>> found[["speakers", "tokens_per_cell", "test", "replicates"]].values.tolist()
    [[6, 1, 'joint', 10]]
    """
    for test in tests:
        check_choice("tests", test, TESTS)
    for name, numbers in (("speakers", speakers), ("tokens", tokens)):
        if not len(numbers) or min(numbers) < 1:
            raise ArgumentError(f"The {name!r} parameter must list numbers of 1 or more, but got {numbers!r} instead.")
    if not 0 < alpha < 1:
        raise ArgumentError(f"The 'alpha' parameter must be between 0 and 1, but got {alpha!r} instead.")
    check_replicates(replicates)
    fitted = fit_design(task, label, speaker)
    contrast = difference_matrices(fitted.design, level_1, level_2)
    means = _means(fitted, contrast, effect, difference)
    studies = [_study(fitted, people, each) for people in speakers for each in tokens]
    blocks = blocks_of(replicates)
    run = RunOptions(workers, client, threads=True, progress=progress, keep=keep)
    compute = partial(_p_values, (fitted, means, contrast), studies, tuple(tests), seed)
    tasks = [(number, numbers) for number in range(len(studies)) for numbers in blocks]
    found = run_on_one_thread_each(compute, tasks, run, partial(_told, studies))
    rows = []
    for number, study in enumerate(studies):
        p_values = np.concatenate(found[number * len(blocks) : (number + 1) * len(blocks)])
        for test, rejected in zip(tests, (p_values <= alpha).T, strict=True):
            share = float(rejected.mean())
            error = float(np.sqrt(share * (1 - share) / replicates))
            rows.append((level_1, level_2, *study.key, test, share, error, alpha, replicates))
    columns = ["level_1", "level_2", "speakers", "tokens_per_cell", "test", "power", "std_error", "alpha", "replicates"]
    return check_frame(pd.DataFrame(rows, columns=columns))


def _means(
    fitted: FittedDesign, contrast: DifferenceMatrices, effect: float, difference: Sequence[float] | None
) -> np.ndarray:
    """Return the curves of the labels, (label, time), with the planned difference between the two."""
    design = fitted.design
    curves = np.stack([differences(fitted.fit, columns)[0][0] for columns in design.columns])
    first, second = design.labels.index(contrast.level_1), design.labels.index(contrast.level_2)
    gap = effect * (curves[first] - curves[second])
    if difference is not None:
        gap = np.asarray(difference, dtype=float)
        if gap.shape != (design.points,):
            raise ArgumentError(f"'difference' must have {design.points} values, one a time point, not {gap.shape}.")
    curves[first] = curves[second] + gap
    return curves


def _planned(design: CurveDesign, speakers: int, tokens: int) -> CurveDesign:
    """Return the same model with other tokens."""
    labels = len(design.labels)
    people = len(np.unique(design.speaker_of))
    cells = len(np.unique(design.speaker_of * labels + design.label_of))
    if cells == people and not _alone(design):
        speaker_of = np.repeat(np.arange(speakers * labels), tokens)
        label_of = np.repeat(np.arange(speakers * labels) % labels, tokens)
    else:
        speaker_of = np.repeat(np.arange(speakers), labels * tokens)
        label_of = np.tile(np.repeat(np.arange(labels), tokens), speakers)
    if len(speaker_of) <= labels:
        raise ArgumentError(f"{speakers} speakers with {tokens} tokens leave nothing to estimate a spread from.")
    names = tuple(map(str, range(len(label_of))))
    # Planned tokens all have the same times, whatever those of the pilot had.
    return replace(design, label_of=label_of, speaker_of=speaker_of, tokens=names, rows=None)


def _study(fitted: FittedDesign, speakers: int, tokens: int) -> _PlannedStudy:
    planned = _planned(fitted.design, speakers, tokens)
    units = count_units(planned.label_of, None if _alone(fitted.design) else planned.speaker_of)
    return _PlannedStudy((speakers, tokens), planned, float(units.freedom))


def _alone(design: CurveDesign) -> bool:
    """Return whether every token is its own speaker, because the task named none."""
    return len(np.unique(design.speaker_of)) == len(design.speaker_of)


@dataclass(frozen=True, eq=False)
class _PlannedStudy:
    """A planned study: `key` has its numbers of speakers and of tokens of each with each label."""

    key: tuple[int, int]
    design: CurveDesign
    freedom: float


def _p_values(
    pilot: tuple[FittedDesign, np.ndarray, DifferenceMatrices],
    studies: Sequence[_PlannedStudy],
    tests: Sequence[str],
    seed: int,
    task: tuple[int, range],
) -> np.ndarray:
    """Return the p-values of a block of data sets of a study, (data set, test)."""
    (fitted, means, contrast), (number, numbers) = pilot, task
    study = studies[number]
    values = simulate(fitted, study.design, means, seed, numbers, *study.key)
    data = summarise(study.design, np.tile(study.design.label_of, (len(values), 1)), values)
    again = refit(study.design, data)
    return np.column_stack([p_values_of(again, contrast, test, study.freedom) for test in tests])


def _told(studies: Sequence[_PlannedStudy], task: tuple[int, range]) -> str:
    speakers, tokens = studies[task[0]].key
    return f"{speakers} speakers, {tokens} tokens, {replicates_told(task[1])}"


def p_values_of(
    refits: Refits, contrast: DifferenceMatrices, test: str, level_freedom: float | None = None
) -> np.ndarray:
    """Return the p-values that the tables of a fit have, (replicate,).

    Parameters
    ----------
    refits, contrast, test
        What is tested.
    level_freedom
        Degrees of freedom of the test of the level; by default those of the residuals.

    Raises
    ------
    ArgumentError
        The contrast is not that of one term of the model: then a table has no such test.
    """
    design = refits.design
    if test == "level":
        if not contrast.level.any():
            raise ArgumentError("The model has no parametric term of the labels, so there is no test of their level.")
        value, error = differences(refits, contrast.level[:1])
        freedom = refits.residual_freedom if level_freedom is None else level_freedom
        return 2 * stats.t.sf(np.abs(value / error)[:, 0], freedom)
    used = np.flatnonzero(getattr(contrast, test).any(axis=0))
    smooths = {design.terms[column] for column in used if design.terms[column] in design.penalty_terms}
    if len(smooths) != 1:
        raise ArgumentError(
            f"The difference between {contrast.level_1!r} and {contrast.level_2!r} is not one smooth of the model, but "
            f"{len(smooths)}. Make one of them the reference of an ordered factor."
        )
    return smooth_p_values(refits, used)
