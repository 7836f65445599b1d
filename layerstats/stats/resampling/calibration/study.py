"""Run a recipe on data sets of a world, and count."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.stats.gamm.batched.curves.curve_criterion import estimate
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign, autoregressive
from layerstats.stats.gamm.batched.curves.curve_design_building import curve_design
from layerstats.stats.gamm.batched.curves.refit import Refits, refit
from layerstats.stats.gamm.batched.curves.residual_sums import lag_one
from layerstats.stats.gamm.batched.curves.summaries import Summaries, summarise
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.resampling.calibration.recipes import Recipe
from layerstats.stats.resampling.calibration.resampled import bootstrap_covers, permutation_p_values
from layerstats.stats.resampling.calibration.worlds import LABELS, TRUTHS, WORLDS, World
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.statistics import (
    difference_matrices,
    differences,
    smooth_p_values,
)
from layerstats.stats.units import count_units

LEVEL_COEFFICIENT, SHAPE_TERM = "labelb", "s(time):label_orderedb"
_DRAWS = 2000
_CONF_LEVEL = 0.95


def calibrate_block(
    world: World,
    recipe: Recipe,
    truth: str,
    numbers: range,
    replicates: int = 99,
    seed: int = 0,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Analyse some data sets of a world by one recipe, as `calibrate` does.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``: sums over data sets, the first of which is
        number ``first``.
    """
    design = world_design(world, recipe)
    key = (list(WORLDS).index(world) if world in WORLDS else len(WORLDS), TRUTHS.index(truth))
    values = world.draw(truth, [replicate_generator(seed, *key, number) for number in numbers])
    data = summarise(design, np.tile(design.label_of, (len(values), 1)), values)
    fits, noise = fit_all(design, data, recipe.autoregressive)
    if recipe.resampling is None:
        shares = _model_shares(design, fits, world, recipe, world.truth(truth), alpha)
    elif recipe.resampling == "bootstrap":
        shares = bootstrap_covers(design, fits, values, noise, world.truth(truth), recipe, replicates, seed, numbers)
    else:
        p_values = permutation_p_values(design, fits, values, noise, recipe, replicates, seed, numbers)
        shares = {test: (p <= alpha).astype(float) for test, p in p_values.items()}
    rows = [
        (world.name, truth, recipe.name, quantity, numbers[0], float(one.sum()), float(np.sum(one**2)), len(one))
        for quantity, one in shares.items()
    ]
    columns = ["world", "truth", "recipe", "quantity", "first", "total", "squares", "datasets"]
    return pd.DataFrame(rows, columns=columns)


def world_design(world: World, recipe: Recipe) -> CurveDesign:
    """Return the design of a recipe for a world, without values."""
    frame = world.frame()
    # A response without any variation would be refused; it is replaced by every data set.
    frame["value"] = np.arange(len(frame), dtype=float)
    task = FitTask(
        recipe.formula(world),
        frame,
        series="token",
        order="time",
        factors={"label": list(LABELS)},
        ordered={"label_ordered": ("label", LABELS[0])},
    )
    return curve_design(task, "label", "speaker")


def fit_all(
    design: CurveDesign, data: Summaries, with_noise: bool | Literal["chosen"]
) -> tuple[Refits, np.ndarray | None]:
    """Fit data sets; with AR(1), first without it, for the autocorrelation of each one's residuals.

    Where it is chosen, data sets keep it whose criterion is lower so.
    """
    fits = refit(design, data)
    if not with_noise:
        return fits, None
    rho = np.clip(lag_one(design, data, estimate(design, data, fits.log_smoothing)), -0.99, 0.99)
    noise = np.stack([autoregressive(design.steps, one) for one in rho])
    with_it = refit(design, data, noise=noise)
    if with_noise != "chosen":
        return with_it, noise
    noise = np.where((fits.score < with_it.score)[:, None, None], np.eye(design.points), noise)
    return refit(design, data, noise=noise), noise


def _model_shares(
    design: CurveDesign, fits: Refits, world: World, recipe: Recipe, truth: np.ndarray, alpha: float
) -> dict[str, np.ndarray]:
    """Return what the model's own tests and intervals do.

    Where it knows speakers' own versions of labels, also with as many degrees of freedom as `count_units` says.
    """
    contrast = difference_matrices(design, LABELS[1], LABELS[0])
    curve, error = differences(fits, contrast.joint)
    deviation, size = np.abs(curve - truth) / error, np.max(np.abs(curve) / error, axis=1)
    covariance = contrast.joint @ fits.covariance @ contrast.joint.T
    band = critical_values(covariance, _CONF_LEVEL)
    level, level_error = differences(fits, contrast.level[:1])
    ratio = np.abs(level / level_error)[:, 0]
    shape = design.columns_of(SHAPE_TERM)
    both = np.append(design.names.index(LEVEL_COEFFICIENT), shape)
    shares: dict[str, np.ndarray] = {"converged": fits.converged}
    units = count_units(design.label_of, design.speaker_of)
    freedoms = {"": fits.residual_freedom}
    if recipe.counts_speakers(world):
        freedoms[", df of speakers"] = np.full(len(ratio), float(units.freedom))
    for name, freedom in freedoms.items():
        least = 2 * stats.t.sf(ratio, freedom) <= alpha
        bent = smooth_p_values(fits, shape, freedom) <= alpha
        pointwise, simultaneous = stats.norm.isf((1 - _CONF_LEVEL) / 2), band
        if name:
            pointwise = stats.t.isf((1 - _CONF_LEVEL) / 2, freedom)[:, None]
            simultaneous = stats.t.isf(stats.norm.sf(band), freedom)
        own = {
            "level": least,
            "shape": bent,
            "joint": smooth_p_values(fits, both, freedom) <= alpha,
            "level or shape": least | bent,
            "band leaves out zero": size > simultaneous,
            "pointwise": (deviation <= pointwise).mean(axis=1),
            "simultaneous": deviation.max(axis=1) <= simultaneous,
        }
        shares |= {quantity + name: share for quantity, share in own.items()}
    return {name: np.asarray(share, dtype=float) for name, share in shares.items()}


def critical_values(covariance: np.ndarray, conf_level: float) -> np.ndarray:
    """Return the simultaneous critical values of curves with these covariances, (replicate,)."""
    error = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    values, vectors = np.linalg.eigh(covariance / error[:, :, None] / error[:, None, :])
    root = (vectors * np.sqrt(np.maximum(values, 0))[:, None, :]) @ vectors.swapaxes(1, 2)
    normal = np.random.default_rng(0).standard_normal((_DRAWS, covariance.shape[1]))
    return np.array([np.quantile(np.abs(normal @ one).max(axis=1), conf_level) for one in root])
