"""Sums over tokens that tests and AR(1) need: cross-products of whitened columns, and of residuals."""

from __future__ import annotations

import numpy as np

from layerstats.stats.gamm.batched.curves.curve_criterion import Estimates
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.summaries import Summaries


def gram_of(design: CurveDesign, columns: np.ndarray) -> np.ndarray:
    """Return the cross-product of whitened columns over all tokens, (column, column)."""
    counts = np.bincount(design.label_of, minlength=len(design.labels))
    used = design.columns[:, :, columns]
    return np.sum([n * part.T @ np.linalg.solve(design.noise, part) for n, part in zip(counts, used, strict=True)], 0)


def lag_one(design: CurveDesign, summaries: Summaries, estimates: Estimates) -> np.ndarray:
    """Return the lag-1 autocorrelation of the residuals within tokens, (replicate,), for independent noise."""
    products = np.zeros((summaries.replicates, design.points, design.points))
    for piece in estimates.pieces:
        for member in piece.members:
            left, counts = member.square, member.counts
            if member.fixed is None or member.total is None or counts is None:
                products += piece.precision @ left @ piece.precision
                continue
            fitted = (member.fixed @ estimates.coefficients[:, :, None])[:, :, 0]
            cross = fitted[:, :, None] * (member.total - member.weight[:, None] * fitted / 2)[:, None, :]
            spread = piece.precision @ (left - cross - cross.swapaxes(1, 2)) @ piece.precision
            for cell in range(counts.shape[1]):
                own = slice(cell * design.points, (cell + 1) * design.points)
                products += spread[:, own, own] / counts[:, cell, None, None]
    apart = design.steps[None, :] - design.steps[:, None]
    first, second = np.nonzero((apart >= 0.5) & (apart < 1.5))
    square = np.diagonal(products, axis1=1, axis2=2)
    along = products[:, first, second].sum(axis=1)
    return along / np.sqrt(square[:, first].sum(axis=1) * square[:, second].sum(axis=1))
