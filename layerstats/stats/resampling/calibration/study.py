"""Run recipes on data sets of worlds, and count."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.stats.gamm.fit import FitTask
from layerstats.stats.resampling.calibration.recipes import RECIPES, Recipe
from layerstats.stats.resampling.calibration.resampled import bootstrap_covers, permutation_p_values
from layerstats.stats.resampling.calibration.worlds import LABELS, TRUTHS, WORLDS, World
from layerstats.stats.resampling.criterion import estimate
from layerstats.stats.resampling.design import CurveDesign, autoregressive, curve_design
from layerstats.stats.resampling.refit import Refits, refit
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.statistics import (
    TESTS,
    contrast_of,
    differences,
    lag_one,
    level_p_values,
    smooth_p_values,
)
from layerstats.stats.resampling.summaries import Summaries, summarise

LEVEL_COEFFICIENT, SHAPE_TERM = "labelb", "s(time):label_orderedb"
_DRAWS = 2000
_CONF_LEVEL = 0.95
# Of data sets that are fitted side by side; memory, not results, depends on it.
BLOCK = 50


def calibrate(
    worlds: Iterable[World] = WORLDS,
    recipes: Iterable[Recipe] = RECIPES,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    replicates: int = 99,
    seed: int = 0,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Count how often tests reject and intervals cover.

    Parameters
    ----------
    worlds, recipes, truths
        What is crossed. Recipes that a world has no data for are left out.
    datasets
        For each world and truth; all recipes see the same ones.
    replicates
        Permutations or bootstrap samples of a data set.
    seed
        Data sets do not depend on how many there are.
    alpha
        Of the tests; intervals are at 95 %.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, share, std_error, datasets``. Quantities: the share of data sets in which the
        test of level, shape, both jointly, or either of level and shape rejects; the share of time points that
        pointwise intervals cover; the share of data sets whose curve lies inside the simultaneous band everywhere;
        and of fits that converged.
    """
    rows = []
    for number, world in enumerate(worlds):
        for truth in truths:
            for recipe in recipes:
                if recipe.by_speaker and world.tokens == 1:
                    continue
                key = (list(WORLDS).index(world) if world in WORLDS else number, TRUTHS.index(truth))
                shares = _run(world, truth, recipe, datasets, replicates, seed, key, alpha)
                for quantity, share in shares.items():
                    error = float(np.std(share) / np.sqrt(len(share)))
                    rows.append((world.name, truth, recipe.name, quantity, float(np.mean(share)), error, len(share)))
    columns = ["world", "truth", "recipe", "quantity", "share", "std_error", "datasets"]
    return pd.DataFrame(rows, columns=columns)


def _run(
    world: World,
    truth: str,
    recipe: Recipe,
    datasets: int,
    replicates: int,
    seed: int,
    key: tuple[int, int],
    alpha: float,
) -> dict[str, np.ndarray]:
    design = world_design(world, recipe)
    parts = []
    for first in range(0, datasets, BLOCK):
        numbers = range(first, min(first + BLOCK, datasets))
        values = world.draw(truth, [replicate_generator(seed, *key, number) for number in numbers])
        data = summarise(design, np.tile(design.label_of, (len(values), 1)), values)
        fits, noise = fit_all(design, data, recipe.autoregressive)
        if recipe.resampling is None:
            shares = _model_shares(design, fits, world.truth(truth), alpha)
            if recipe.by_speaker:
                shares |= _speaker_shares(design, fits, world, world.truth(truth), alpha)
            parts.append(shares)
        elif recipe.resampling == "bootstrap":
            parts.append(
                bootstrap_covers(design, fits, values, noise, world.truth(truth), recipe, replicates, seed, numbers)
            )
        else:
            p_values = permutation_p_values(design, fits, values, noise, recipe, replicates, seed, numbers)
            parts.append({test: (p <= alpha).astype(float) for test, p in p_values.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def world_design(world: World, recipe: Recipe) -> CurveDesign:
    """Return the design of a recipe for a world, without values."""
    frame = world.frame()
    # A response without any variation would be refused; it is replaced by every data set.
    frame["value"] = np.arange(len(frame), dtype=float)
    task = FitTask(
        recipe.formula,
        frame,
        series="token",
        order="time",
        factors={"label": list(LABELS)},
        ordered={"label_ordered": ("label", LABELS[0])},
    )
    return curve_design(task, "label", "speaker")


def fit_all(design: CurveDesign, data: Summaries, with_noise: bool) -> tuple[Refits, np.ndarray | None]:
    """Fit data sets; with AR(1), first without it, for the autocorrelation of each one's residuals."""
    fits = refit(design, data)
    if not with_noise:
        return fits, None
    rho = np.clip(lag_one(design, data, estimate(design, data, fits.log_smoothing)), -0.99, 0.99)
    noise = np.stack([autoregressive(design.points, one) for one in rho])
    return refit(design, data, noise=noise), noise


def _model_shares(design: CurveDesign, fits: Refits, truth: np.ndarray, alpha: float) -> dict[str, np.ndarray]:
    shape = design.columns_of(SHAPE_TERM)
    level = level_p_values(fits, LEVEL_COEFFICIENT)
    shape_p = smooth_p_values(fits, shape)
    joint = smooth_p_values(fits, np.append(design.names.index(LEVEL_COEFFICIENT), shape))
    matrix = contrast_of(design, LABELS[1], LABELS[0]).joint
    curve, error = differences(fits, matrix)
    deviation = np.abs(curve - truth) / error
    pointwise = (deviation <= 1.959963984540054).mean(axis=1)
    band = deviation.max(axis=1) <= critical_values(matrix @ fits.covariance @ matrix.T, _CONF_LEVEL)
    shares = {
        "level": level <= alpha,
        "shape": shape_p <= alpha,
        "joint": joint <= alpha,
        "level or shape": (level <= alpha) | (shape_p <= alpha),
        "pointwise": pointwise,
        "simultaneous": band,
        "converged": fits.converged,
    }
    return {name: np.asarray(share, dtype=float) for name, share in shares.items()}


def _speaker_shares(
    design: CurveDesign, fits: Refits, world: World, truth: np.ndarray, alpha: float
) -> dict[str, np.ndarray]:
    """Return the same, with as many degrees of freedom as there are speakers, less one."""
    freedom = world.speakers - 1
    matrix = contrast_of(design, LABELS[1], LABELS[0]).joint
    curve, error = differences(fits, matrix)
    deviation = np.abs(curve - truth) / error
    level, level_error = differences(fits, contrast_of(design, LABELS[1], LABELS[0]).level[:1])
    critical = stats.t.isf(stats.norm.sf(critical_values(matrix @ fits.covariance @ matrix.T, _CONF_LEVEL)), freedom)
    shares = {
        "level, df of speakers": (np.abs(level) / level_error)[:, 0] >= stats.t.isf(alpha / 2, freedom),
        "joint, df of speakers": (np.abs(curve) / error).max(axis=1) > critical,
        "pointwise, df of speakers": (deviation <= stats.t.ppf(0.975, freedom)).mean(axis=1),
        "simultaneous, df of speakers": deviation.max(axis=1) <= critical,
    }
    return {name: np.asarray(share, dtype=float) for name, share in shares.items()}


def critical_values(covariance: np.ndarray, conf_level: float) -> np.ndarray:
    """Return the simultaneous critical values of curves with these covariances, (replicate,)."""
    error = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    values, vectors = np.linalg.eigh(covariance / error[:, :, None] / error[:, None, :])
    root = (vectors * np.sqrt(np.maximum(values, 0))[:, None, :]) @ vectors.swapaxes(1, 2)
    normal = np.random.default_rng(0).standard_normal((_DRAWS, covariance.shape[1]))
    return np.array([np.quantile(np.abs(normal @ one).max(axis=1), conf_level) for one in root])


__all__ = ["RECIPES", "TESTS", "calibrate", "fit_all", "world_design"]
