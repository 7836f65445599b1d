"""Is there any difference? Labels are exchanged, and every model is fitted again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.parallel import Progress, RunOptions
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.fitted import FittedDesign, fit_design
from layerstats.stats.gamm.batched.curves.refit import SMOOTHING, Smoothing, refit
from layerstats.stats.gamm.batched.curves.summaries import replicates_of
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.one_thread import run_on_one_thread_each
from layerstats.stats.resampling.blocks import blocks_of, check_replicates, replicates_told
from layerstats.stats.resampling.exchange import Exchange, Exchanger
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.statistics import TESTS, DifferenceMatrices, difference_matrices, largest
from layerstats.stats.resampling.westfall_young import permutation_p_values, step_down_p_values
from layerstats.tables import PrintedResult, check_frame


@dataclass(frozen=True, eq=False, repr=False)
class PermutationResult(PrintedResult):
    """Permutation tests of contrasts at layers.

    Attributes
    ----------
    table
        ``layer, level_1, level_2, test, statistic, p_value, p_adjusted, adjust_method, family, tests, replicates``. The
        statistic is the largest absolute difference over time in standard errors. `p_adjusted` is over all layers and
        contrasts of a test, by Westfall and Young's step-down max-T.
    statistics
        (assignment, row of the table), the observed assignment first.
    exact
        Whether all assignments there are were used.
    notes
        What to know when reading the table.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    statistics: np.ndarray
    exact: bool
    notes: tuple[str, ...]


def permutation_test(
    models: Mapping[str, FitTask],
    label: str,
    *,
    speaker: str | None = "speaker",
    pairs: Sequence[tuple[str, str]] | None = None,
    tests: Sequence[str] = ("joint",),
    exchange: Exchange = "tokens",
    replicates: int = 9999,
    smoothing: Smoothing = "refit",
    seed: int = 0,
    workers: int = 1,
    client: Any = None,
    progress: Progress | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> PermutationResult:
    """Test differences between labels by exchanging labels, the same way at all layers.

    Parameters
    ----------
    models
        By layer: the model, as `layerstats.stats.gamm.fit` takes it, all of the same tokens. Where they have the same
        times a refit takes one to four milliseconds. Otherwise it is a fit of the structured engine: some 50 ms for 200
        tokens, 200 ms for a thousand, and a second where twenty speakers have smooths too. Average series into common
        times (`bin_series`), or use fewer replicates and more workers.
    label
        The column of labels; columns of the formula that are functions of it follow it, ordered copies and 0/1 columns.
    speaker
        The column of speakers. None where tokens are independent: then any token may take any label.
    pairs
        The labels to compare; by default every label with the first. With more than two labels all are exchanged, so
        that the null hypothesis is that none differs.
    tests
        ``"level"`` (parametric terms), ``"shape"`` (smooths), ``"joint"`` (both).
    exchange
        See `Exchanger.of`: ``"tokens"``, or ``"speakers"`` where speakers may each have a difference of their own.
    replicates
        Random assignments. Where there are no more in all, each is used once, and the p-value is exact.
    smoothing
        ``"refit"`` estimates the smoothing parameters for every assignment. ``"held"`` keeps those of the observed one,
        which are fitted to the observed difference: fast, but it finds shapes too often (see
        ``docs/statistics/calibration.md``).
    seed
        Of random assignments.
    workers, client, progress, keep
        See `layerstats.parallel.run_tasks`; `workers` are threads. Numbers depend on none of them.

    Raises
    ------
    DataError
        Nothing can be exchanged, or tokens differ between layers.

    Examples
    --------
    >>> from layerstats.stats import contrast_tasks
    >>> from layerstats.store import open_store
    >>> tasks = contrast_tasks(open_store("results/demo/store.zarr"), phones="s:sh", layers=["conv3"])
    >>> permutation_test(tasks.models, tasks.label, exchange="speakers", replicates=19, workers=1).table["layer"].item()
    'conv3'
    """
    check_choice("smoothing", smoothing, SMOOTHING)
    for test in tests:
        check_choice("tests", test, TESTS)
    check_replicates(replicates)
    if not models or not tests:
        raise ArgumentError("A permutation test needs at least one model and one test.")
    fitted = {layer: fit_design(task, label, speaker) for layer, task in models.items()}
    first = next(iter(fitted.values())).design
    for layer, one in fitted.items():
        _check_same_tokens(layer, first, one)
    groups = np.zeros_like(first.speaker_of) if speaker is None else first.speaker_of
    exchanger = Exchanger.of(first.label_of, groups, exchange)
    assignments, exact = _assignments(exchanger, replicates, seed)
    wanted = [(first.labels[other], first.labels[0]) for other in range(1, len(first.labels))]
    wanted = wanted if pairs is None else list(pairs)
    rows = [(layer, *pair, test) for layer in fitted for pair in wanted for test in tests]
    refits = _PermutedFits(fitted, assignments, wanted, tests, smoothing)
    statistics = refits.statistics(RunOptions(workers, client, threads=True, progress=progress, keep=keep))
    table = pd.DataFrame(rows, columns=["layer", "level_1", "level_2", "test"])
    table = table.assign(statistic=statistics[0], p_value=permutation_p_values(statistics))
    for test in tests:
        own = (table["test"] == test).to_numpy()
        table.loc[own, "p_adjusted"] = step_down_p_values(statistics[:, own])
        table.loc[own, "family"] = f"{test} over layers and contrasts"
        table.loc[own, "tests"] = own.sum()
    table = table.astype({"tests": int}).assign(adjust_method="max_t", replicates=len(assignments) - 1)
    return PermutationResult(
        check_frame(table),
        statistics,
        exact,
        _notes(exchanger, exact, len(assignments), smoothing, first.speaker_of),
    )


def _assignments(exchanger: Exchanger, replicates: int, seed: int) -> tuple[np.ndarray, bool]:
    """Return labels, (assignment, token), the observed ones first, and whether these are all."""
    possible = exchanger.count()
    if possible == 1:
        raise DataError("There is only one way to hand out the labels: every speaker has one label only, or one token.")
    if possible <= replicates + 1:
        return np.stack(list(islice(exchanger.every(), possible))), True
    drawn = [exchanger.draw(replicate_generator(seed, number)) for number in range(replicates)]
    return np.stack([exchanger.label_of, *drawn]), False


@dataclass(frozen=True, eq=False)
class _PermutedFits:
    """What every block of assignments needs."""

    fitted: Mapping[str, FittedDesign]
    assignments: np.ndarray
    pairs: Sequence[tuple[str, str]]
    tests: Sequence[str]
    smoothing: Smoothing

    def statistics(self, run: RunOptions) -> np.ndarray:
        """Return the statistics, (assignment, layer x pair x test)."""
        contrasts = {
            layer: [difference_matrices(one.design, *pair) for pair in self.pairs] for layer, one in self.fitted.items()
        }
        blocks = blocks_of(len(self.assignments))
        tasks = [(layer, numbers) for layer in self.fitted for numbers in blocks]
        found = run_on_one_thread_each(partial(_of_block, self, contrasts), tasks, run, _told)
        by_layer = [found[first : first + len(blocks)] for first in range(0, len(found), len(blocks))]
        return np.hstack([np.concatenate(each) for each in by_layer])


def _of_block(
    refits: _PermutedFits, contrasts: Mapping[str, Sequence[DifferenceMatrices]], task: tuple[str, range]
) -> np.ndarray:
    layer, numbers = task
    fitted = refits.fitted[layer]
    data = replicates_of(fitted.design, refits.assignments[numbers.start : numbers.stop])
    again = refit(fitted.design, data, fitted.log_smoothing if refits.smoothing == "held" else None)
    return np.column_stack([largest(again, each, test) for each in contrasts[layer] for test in refits.tests])


def _told(task: tuple[str, range]) -> str:
    return f"{task[0]}, {replicates_told(task[1])}"


def _check_same_tokens(layer: str, first: CurveDesign, one: FittedDesign) -> None:
    design = one.design
    same = design.tokens == first.tokens and np.array_equal(design.label_of, first.label_of)
    if not same or not np.array_equal(design.speaker_of, first.speaker_of):
        different = set(design.tokens) ^ set(first.tokens)
        raise DataError(
            f"All layers must have the same tokens in the same order, with the same labels, but {layer!r} differs from "
            f"the first in {len(different)} tokens. Keep those that every layer has."
        )


def _notes(
    exchanger: Exchanger, exact: bool, used: int, smoothing: Smoothing, speaker_of: np.ndarray
) -> tuple[str, ...]:
    notes = []
    if exact:
        notes.append(f"All {used} assignments there are were used: p-values are exact, the smallest is 1/{used}.")
    if used < 20:
        notes.append(f"With {used} assignments no p-value can be below {1 / used:.2g}: nothing can reach 0.05.")
    if exchanger.between:
        notes.append("No speaker has two labels: labels were exchanged between speakers.")
    if len(np.unique(speaker_of)) == 1:
        notes.append("All tokens are by one speaker: the result is about this speaker alone.")
    if smoothing == "held":
        notes.append(
            "Smoothing parameters were held at those of the observed labels: p-values of shapes are too small."
        )
    return tuple(notes)
