"""Bases against what defines them: the space they span, their penalty as an integral, other implementations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from layerstats.stats.gamm.structured.bases import CubicBasis, PSplineBasis, ThinPlateBasis, Values, build_basis
from layerstats.stats.gamm.structured.unsupported import Unsupported

X = np.array([0.0, 0.4, 1.0, 1.5, 2.2, 2.9, 3.1, 4.0, 4.8, 5.0])
GRID = np.linspace(0, 5, 4001)


def _second_derivative_square(basis, coefficients):
    curve = basis.rows(GRID) @ coefficients
    bend = np.gradient(np.gradient(curve, GRID), GRID)[2:-2]
    return np.trapezoid(bend**2, GRID[2:-2])


@pytest.mark.parametrize(
    "basis",
    [
        ThinPlateBasis.build(Values.of(X), 6),
        ThinPlateBasis.build(Values.of(X), 6, 1),
        CubicBasis.build(Values.of(X), 6),
        PSplineBasis.build(Values.of(X), 6),
    ],
    ids=["thin plate", "thin plate m=1", "cubic", "p-spline"],
)
def test_penalties_leave_polynomials_alone(basis):
    rows = basis.rows(X)
    assert np.linalg.matrix_rank(rows) == 6
    assert np.linalg.matrix_rank(basis.penalty, tol=1e-9 * np.abs(basis.penalty).max()) == 6 - basis.null_dimension
    for degree in range(basis.null_dimension):
        coefficients = np.linalg.lstsq(rows, X**degree, rcond=None)[0]
        assert np.allclose(rows @ coefficients, X**degree, atol=1e-9)
        assert coefficients @ basis.penalty @ coefficients == pytest.approx(0, abs=1e-7)


def test_cubic_basis_is_the_natural_spline_of_its_values():
    basis = CubicBasis.build(Values.of(X), 6)
    values = np.array([0.3, -1.0, 2.0, 0.5, 0.0, 1.0])
    spline = CubicSpline(basis.knots, values, bc_type="natural")
    assert np.allclose(basis.rows(GRID) @ values, spline(GRID), atol=1e-12)
    fine = spline(GRID, 2) ** 2
    assert values @ basis.penalty @ values == pytest.approx(np.trapezoid(fine, GRID), rel=1e-5)
    outside = np.array([-1.0, 6.0])
    edges = spline(np.array([0.0, 5.0])) + spline(np.array([0.0, 5.0]), 1) * np.array([-1.0, 1.0])
    assert np.allclose(basis.rows(outside) @ values, edges)


def test_thin_plate_penalty_is_the_integrated_square():
    """With as many functions as values nothing is truncated, so that the penalty is the integral."""
    basis = ThinPlateBasis.build(Values.of(X), len(X))
    coefficients = np.random.default_rng(0).normal(size=len(X))
    integral = _second_derivative_square(basis, coefficients)
    assert coefficients @ basis.penalty @ coefficients == pytest.approx(integral, rel=1e-2)


def test_thin_plate_functions_have_mean_square_one_over_rows():
    values = Values.of(np.repeat(X, np.arange(1, 11)))
    basis = ThinPlateBasis.build(values, 5)
    assert np.allclose(values.counts @ basis.rows(values.unique) ** 2 / values.counts.sum(), 1)


def test_many_values_take_lanczos_iterations_to_the_same_space():
    x = np.sort(np.random.default_rng(2).uniform(size=320))
    many = ThinPlateBasis.build(Values.of(x), 8)
    few = ThinPlateBasis.build(Values.of(x), 81)
    coefficients = np.linalg.lstsq(few.rows(x), many.rows(x), rcond=None)[0]
    assert np.allclose(few.rows(x) @ coefficients, many.rows(x), atol=1e-6)


def test_p_splines_sum_to_one_and_go_on_straight():
    basis = PSplineBasis.build(Values.of(X), 7)
    assert np.allclose(basis.rows(GRID).sum(axis=1), 1)
    beyond = basis.rows(np.array([6.0, 7.0, 8.0]))
    assert np.allclose(beyond[2] - beyond[1], beyond[1] - beyond[0])


@pytest.mark.parametrize(
    ("name", "dimension", "orders", "words"),
    [("gp", 5, None, "basis 'gp'"), ("tp", 2, None, "k = 2"), ("cr", 2, None, "cubic"), ("ps", 3, None, "P-spline")],
)
def test_what_is_not_there_is_refused(name, dimension, orders, words):
    with pytest.raises(Unsupported, match=words):
        build_basis(name, Values.of(X), dimension, orders)
