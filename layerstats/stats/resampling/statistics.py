"""What is read from each refit: tests and difference curves of the second label against the first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.batched.batched_smooth_tests import smooth_tests
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.refit import Refits
from layerstats.stats.gamm.batched.curves.residual_sums import gram_of

TESTS = ("level", "shape", "joint")
INTERCEPT = "(Intercept)"


@dataclass(frozen=True, eq=False)
class DifferenceMatrices:
    """Two labels, the first minus the second, in the columns of a design.

    Attributes
    ----------
    level_1, level_2
        Their names.
    level, shape, joint
        (time, column) matrices that take coefficients to the difference in level (parametric columns, the same at
        every time), in shape (smooths) and in both.
    """

    level_1: str
    level_2: str
    level: np.ndarray
    shape: np.ndarray
    joint: np.ndarray


def difference_matrices(design: CurveDesign, level_1: str, level_2: str) -> DifferenceMatrices:
    """Return the matrices of the difference between two labels.

    Raises
    ------
    ArgumentError
        A label does not exist, both are the same, or no term of the model tells them apart.
    """
    for level in (level_1, level_2):
        if level not in design.labels:
            raise ArgumentError(f"There is no label {level!r}. There are: {', '.join(map(repr, design.labels))}.")
    if level_1 == level_2:
        raise ArgumentError(f"The labels to compare must differ, but both are {level_1!r}.")
    joint = design.columns[design.labels.index(level_1)] - design.columns[design.labels.index(level_2)]
    if not np.any(joint):
        raise ArgumentError(
            f"No term of {design.task.formula} tells {level_1!r} from {level_2!r}. Put their column into the formula."
        )
    smooth = np.isin(design.terms, design.penalty_terms)
    return DifferenceMatrices(level_1, level_2, joint * ~smooth, joint * smooth, joint)


def differences(refits: Refits, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return curves and their standard errors, (replicate, time) each."""
    curve = (matrix @ refits.coefficients[:, :, None])[:, :, 0]
    variance = ((matrix @ refits.covariance) * matrix).sum(axis=2)
    return curve, np.sqrt(np.maximum(variance, 0))


def largest(refits: Refits, contrast: DifferenceMatrices, test: str) -> np.ndarray:
    """Return the largest absolute difference over time in standard errors, (replicate,).

    For ``"level"`` that is the absolute t. Points where the difference is fixed by construction do not count.
    """
    curve, error = differences(refits, getattr(contrast, test))
    moving = error > 1e-10 * error.max(axis=1, keepdims=True)
    return np.where(moving, np.abs(curve) / np.where(moving, error, 1.0), 0.0).max(axis=1)


def smooth_p_values(refits: Refits, columns: np.ndarray, residual: np.ndarray | None = None) -> np.ndarray:
    """Return the p-values of Wood's (2013) test that the terms in `columns` are zero, (replicate,).

    `residual` are other residual degrees of freedom than those of the fits, (replicate,).
    """
    design = refits.design
    residual = refits.residual_freedom if residual is None else residual
    gram = gram_of(design, columns)
    freedom = refits.edf1[:, columns].sum(axis=1)
    covariance = refits.covariance[:, columns[:, None], columns]
    return smooth_tests(refits.coefficients[:, columns], gram, covariance, freedom, residual).p_value
