"""New data from a fitted model: its curves, and random curves and noise as it estimated them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.fitted import FittedDesign
from layerstats.stats.gamm.batched.curves.random_levels import CELL, TOKEN
from layerstats.stats.gamm.batched.curves.row_refits import simulate_rows
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.symmetric_root import symmetric_root


def simulate(
    fitted: FittedDesign, design: CurveDesign, means: np.ndarray, seed: int, numbers: Sequence[int], *key: int
) -> np.ndarray:
    """Draw data sets, (data set, token, time), or (data set, row) where tokens differ in their times.

    Parameters
    ----------
    fitted
        Where variances come from.
    design
        Which tokens there are; that of `fitted`, or one with other tokens.
    means
        (label, time) the curves of the labels, less the offset, at the times of the design; where tokens have times of
        their own, those of the fit are taken.
    seed, numbers, key
        Data set `number` is that of the child ``(*key, number)`` of the seed.
    """
    scale = float(fitted.fit.scale[0])
    variance = np.exp(-fitted.log_smoothing[len(design.penalties) :]) * scale
    if design.rows is not None:
        rows = design.rows
        fixed = design.columns_at_rows() @ fitted.fit.coefficients[0]
        return np.stack(
            [
                simulate_rows(design, rows, fixed, variance, scale, replicate_generator(seed, *key, number))
                for number in numbers
            ]
        )
    cell = design.speaker_of * len(design.labels) + design.label_of
    roots = [(symmetric_root(scale * design.noise), np.arange(len(design.label_of)))]
    for one, component in zip(variance, design.components, strict=True):
        levels = {TOKEN: np.arange(len(cell)), CELL: cell}.get(component.level, design.speaker_of)
        roots.append((symmetric_root(one * component.covariance), levels))
    sets = []
    for number in numbers:
        generator = replicate_generator(seed, *key, number)
        values = means[design.label_of].copy()
        for root, levels in roots:
            values += (generator.standard_normal((int(levels.max()) + 1, len(root))) @ root)[levels]
        sets.append(values)
    return np.stack(sets)
