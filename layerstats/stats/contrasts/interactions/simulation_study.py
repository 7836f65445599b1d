"""How often the tests of contrasts of contrasts err, and how often their bands cover, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice
from layerstats.parallel import RunOptions
from layerstats.stats.contrasts.interactions.cell_model import interaction_model
from layerstats.stats.contrasts.interactions.projection import added_covariance
from layerstats.stats.contrasts.interactions.simulated import (
    CROSSED_WORLDS,
    CROSSING,
    CURVES,
    PAIRED_WORLDS,
    TRUTHS,
    CrossedWorld,
    PairedWorld,
    truth_of,
)
from layerstats.stats.contrasts.interactions.token_scale import scale_curves, scale_of
from layerstats.stats.contrasts.models import SeriesModel, level_and_shape_model
from layerstats.stats.gamm import FitTask, fit
from layerstats.stats.gamm.batched.batched_smooth_tests import smooth_tests
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.curve_design_building import curve_design
from layerstats.stats.gamm.batched.curves.refit import Refits
from layerstats.stats.gamm.batched.curves.residual_sums import gram_of
from layerstats.stats.gamm.batched.curves.summaries import summarise
from layerstats.stats.null import BINS
from layerstats.stats.resampling.calibration import run_blocks, world_named
from layerstats.stats.resampling.calibration.study import critical_values, fit_all
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.series import Series
from layerstats.stats.units import Units

ALPHA, CONF_LEVEL = 0.05, 0.95
World = CrossedWorld | PairedWorld


def calibrate_interactions(
    worlds: Iterable[World | str] = (*CROSSED_WORLDS, *PAIRED_WORLDS),
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often the tests of `contrast_of_contrasts` reject, and its bands cover, where the truth is known.

    Parameters
    ----------
    worlds
        Crossed or paired; those of this package by name, or by number from 0.
    truths
        "none", or a double difference in "level" or "shape".
    datasets
        For each world and truth.
    seed
        A data set depends on it and on its own number alone.
    progress
        Called after every block with the result so far.
    run
        Where blocks are simulated; by default here, one after another. Numbers do not depend on it.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, share, std_error, datasets``, as `layerstats.stats.calibrate` gives them.
        Where tokens are paired, the recipe "units taken as known" leaves out that units are estimates. Data sets whose
        columns are both within speakers are fitted without AR(1).

    Raises
    ------
    ArgumentError
        If there is no such world or truth.

    Examples
    --------
    >>> found = calibrate_interactions(["0"], ["none"], datasets=1)
    >>> sorted(found["quantity"].unique())
    ['converged', 'joint', 'level', 'pointwise', 'shape', 'simultaneous']
    """
    known = (*CROSSED_WORLDS, *PAIRED_WORLDS)
    chosen = [world_named(one, known) if isinstance(one, str) else one for one in worlds]
    truths = list(truths)
    for truth in truths:
        check_choice("truths", truth, TRUTHS)
    simulate = partial(simulate_block, seed=seed)
    return run_blocks(((world, truth) for truth in truths for world in chosen), datasets, simulate, progress, run)


def simulate_block(world: World, truth: str, numbers: range, seed: int = 0) -> pd.DataFrame:
    """Analyse some data sets of a world as `contrast_of_contrasts` does.

    Parameters
    ----------
    world
        Of `CROSSED_WORLDS`, `PAIRED_WORLDS`, or another.
    truth
        "none", "level" or "shape".
    numbers
        Of data sets: each depends on its own number and the seed alone.
    seed
        Of everything.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``; `shares_of` puts blocks together.
    """
    key = list(world.name.encode())
    data = [world.draw(truth, replicate_generator(seed, *key, number)) for number in numbers]
    if isinstance(world, PairedWorld):
        shares = _paired(world, truth, np.stack(data))
    elif world.within:
        shares = _by_rows(world, truth, data)
    else:
        shares = _between(world, truth, np.stack(data))
    rows = [
        (world.name, truth, recipe, quantity, numbers[0], float(one.sum()), float(np.sum(one**2)), len(one))
        for (recipe, quantity), one in shares.items()
    ]
    columns = ["world", "truth", "recipe", "quantity", "first", "total", "squares", "datasets"]
    return pd.DataFrame(rows, columns=columns)


def _task(model: SeriesModel, **columns: np.ndarray) -> FitTask:
    return FitTask(
        model.formula,
        # A response without any variation would be refused; it is replaced by every data set.
        model.data.assign(value=np.arange(len(model.data), dtype=float), **columns),
        series=model.identifier,
        order=model.covariate,
        factors=model.factors,
        ordered=model.ordered,
    )


def _between(world: CrossedWorld, truth: str, values: np.ndarray) -> dict:
    """Analyse data sets of a world whose `b` is between speakers, all at once.

    Speakers' slopes are written as their own versions of `a`: where each is heard in both, the same model.
    """
    frame = world.frame()
    model = interaction_model(Series(frame, "time", "token", frame.head(0)), CROSSING)
    model = replace(model, formula=model.formula.replace("speaker, by=a_code", "speaker_a"))
    label = (frame["a"] + ":" + frame["b"]).to_numpy()
    task = _task(model, label=label, speaker_a=(frame["speaker"] + frame["a"]).to_numpy())
    design = curve_design(task, "label", "speaker")
    fits, _ = fit_all(design, summarise(design, np.tile(design.label_of, (len(values), 1)), values), "chosen")
    cells = {name: design.columns[number] for number, name in enumerate(design.labels)}
    matrix = _double(cells)
    names = (f"{CROSSING.column}{CROSSING.both}", f"s(time):{CROSSING.column}_ordered{CROSSING.both}")
    true = truth_of(truth, world.difference)
    found = _batch_shares(design, fits, fits.covariance, matrix, names, model.units, true)
    return {("contrast_of_contrasts", quantity): share for quantity, share in found.items()}


def _paired(world: PairedWorld, truth: str, values: np.ndarray) -> dict:
    """Analyse data sets of several recordings of the same tokens: paired differences in units of each recording."""
    frame = world.frame()
    model = level_and_shape_model(Series(frame, "time", "token", frame.head(0)), "a", CROSSING.levels)
    design = curve_design(_task(model), "a", "speaker")
    weights = np.append(1.0, np.full(world.networks - 1, -1 / (world.networks - 1)))
    paired, curves = [], []
    for recordings in values:
        scales = [_scale(design, recording) for recording in recordings]
        units = np.array([scale.sd for scale in scales])
        paired.append(np.tensordot(weights / units, recordings, axes=1))
        curves.append(scale_curves(scales, weights.tolist()))
    response = np.stack(paired)
    fits, _ = fit_all(design, summarise(design, np.tile(design.label_of, (len(response), 1)), response), "chosen")
    matrix = design.columns[1] - design.columns[0]
    names = ("aa2", "s(time):a_ordereda2")
    columns = np.append(design.names.index(names[0]), design.columns_of(names[1]))
    covariance = fits.covariance.copy()
    for number, one in enumerate(curves):
        covariance[number][np.ix_(columns, columns)] += added_covariance(matrix[:, columns], one)
    true = truth_of(truth, world.difference)
    return {
        (recipe, quantity): share
        for recipe, one in (("contrast_of_contrasts", covariance), ("units taken as known", fits.covariance))
        for quantity, share in _batch_shares(design, fits, one, matrix, names, model.units, true).items()
    }


def _scale(design: CurveDesign, values: np.ndarray):
    groups = np.array_split(np.arange(values.shape[1]), min(BINS, values.shape[1]))
    binned = np.stack([values[:, group].mean(axis=1) for group in groups], axis=1)
    return scale_of(binned, design.label_of == 1, design.speaker_of)


def _batch_shares(
    design: CurveDesign,
    fits: Refits,
    covariance: np.ndarray,
    matrix: np.ndarray,
    names: tuple[str, str],
    units: Units,
    truth: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return how often tests reject and bands cover; `covariance` is that of the coefficients, with what was added."""
    coefficient, smooth = design.names.index(names[0]), design.columns_of(names[1])
    level = fits.coefficients[:, coefficient] / np.sqrt(covariance[:, coefficient, coefficient])
    p_values = {"level": 2 * stats.t.sf(np.abs(level), units.freedom)}
    for test, columns in (("shape", smooth), ("joint", np.append(coefficient, smooth))):
        freedom = fits.edf1[:, columns].sum(axis=1)
        own = covariance[:, columns[:, None], columns]
        coefficients, gram = fits.coefficients[:, columns], gram_of(design, columns)
        p_values[test] = smooth_tests(coefficients, gram, own, freedom, fits.residual_freedom).p_value
    spread = matrix @ covariance @ matrix.T
    curve = fits.coefficients @ matrix.T
    error = np.sqrt(np.diagonal(spread, axis1=1, axis2=2))
    return {
        "converged": fits.converged.astype(float),
        **{test: (p <= ALPHA).astype(float) for test, p in p_values.items()},
        **_cover(curve, error, critical_values(spread, CONF_LEVEL), truth),
    }


def _double(cells: Mapping[str, np.ndarray]) -> np.ndarray:
    return cells["a2:b2"] - cells["a1:b2"] - cells["a2:b1"] + cells["a1:b1"]


def _by_rows(world: CrossedWorld, truth: str, data: list[np.ndarray]) -> dict:
    """Analyse data sets whose both columns are within speakers, one at a time."""
    from layerstats.stats.contrasts.curves import cell_curves
    from layerstats.stats.contrasts.difference_tests import difference_tests

    frame = world.frame()
    found: dict[str, list] = {name: [] for name in ("level", "shape", "joint")}
    curves, errors, spreads = [], [], []
    for values in data:
        series = Series(frame.assign(value=values.ravel()), "time", "token", frame.head(0))
        model = interaction_model(series, CROSSING)
        result = fit(
            model.formula, model.data, engine="structured", series="token", order="time",
            factors=model.factors, ordered=model.ordered,
        )  # fmt: skip
        tests = difference_tests(result, CROSSING.column, "other", CROSSING.both, model.units)
        for name, p_values in found.items():
            p_values.append(tests[f"{name}_p_value"])
        parts = cell_curves(
            result, series, {f"{a}:{b}": CROSSING.cell(a, b) for a in CROSSING.levels for b in CROSSING.by_levels}
        )
        places = np.round(np.linspace(0, len(parts.grid) - 1, CURVES.points)).astype(int)
        matrix = _double(parts.matrices)[places]
        true = np.interp(parts.grid[places], CURVES.time, truth_of(truth, world.difference))
        spread = matrix @ parts.covariance @ matrix.T
        curves.append(matrix @ parts.coefficients - true)
        errors.append(np.sqrt(np.diag(spread)))
        spreads.append(spread)
    band = critical_values(np.stack(spreads), CONF_LEVEL)
    shares = {name: (np.array(p_values) <= ALPHA).astype(float) for name, p_values in found.items()}
    shares |= _cover(np.stack(curves), np.stack(errors), band, np.zeros(CURVES.points))
    return {("without AR(1)", quantity): share for quantity, share in shares.items()}


def _cover(curve: np.ndarray, error: np.ndarray, band: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    deviation = np.abs(curve - truth) / error
    pointwise = stats.norm.isf((1 - CONF_LEVEL) / 2)
    return {
        "pointwise": (deviation <= pointwise).mean(axis=1),
        "simultaneous": (deviation.max(axis=1) <= band).astype(float),
    }
