"""Simultaneous intervals hold the whole curve as often as they say."""

import numpy as np
import pytest
from scipy import stats

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.inference.intervals import estimate_curve, simultaneous_critical_value, stretches_above_zero


def test_pointwise_by_definition():
    matrix, covariance = np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([[4.0, -1.0], [-1.0, 1.0]])
    curve = estimate_curve(matrix, np.array([3.0, 1.0]), covariance, conf_level=0.9)
    np.testing.assert_allclose(curve.fit, [3, 5])
    np.testing.assert_allclose(curve.std_error, [2, 2])
    np.testing.assert_allclose(curve.conf_low, curve.fit - 2 * stats.norm.ppf(0.95))
    np.testing.assert_allclose(curve.conf_high, curve.fit + 2 * stats.norm.ppf(0.95))


@pytest.mark.parametrize("points", [1, 5, 40])
def test_critical_value_of_independent_points(points):
    """For independent points P(max |z| < c) = (2 Phi(c) - 1)^points."""
    exact = stats.norm.ppf((1 + 0.95 ** (1 / points)) / 2)
    found = simultaneous_critical_value(np.diag(np.arange(1.0, points + 1)), 0.95, 100_000, 0)
    assert found == pytest.approx(exact, abs=0.02)


def test_critical_value_of_one_moving_part():
    """A curve that moves as a whole needs no more than the pointwise value."""
    shape = np.linspace(1, 2, 30)
    found = simultaneous_critical_value(np.outer(shape, shape), 0.95, 100_000, 0)
    assert found == pytest.approx(stats.norm.ppf(0.975), abs=0.02)


def test_points_without_variance_do_not_count():
    spread = np.zeros((3, 3))
    spread[1, 1] = 2.0
    assert simultaneous_critical_value(spread, 0.95, 100_000, 0) == pytest.approx(1.96, abs=0.02)
    assert simultaneous_critical_value(np.zeros((2, 2)), 0.95, 1000, 0) == pytest.approx(1.96, abs=0.001)


def test_seeded():
    spread = np.diag([1.0, 2.0, 3.0])
    first, again, other = (simultaneous_critical_value(spread, 0.95, 1000, seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_coverage_over_the_curve():
    """Truth drawn from the prior of a smoothing spline, posterior by definition: nominal for the curve as a whole."""
    generator = np.random.default_rng(3)
    x = np.linspace(0, 1, 40)
    order = np.arange(12)
    basis = np.cos(np.pi * np.outer(x, order))
    prior = 1.0 / (1 + order) ** 4
    noise = 0.5
    precision = basis.T @ basis / noise**2 + np.diag(1 / prior)
    covariance = np.linalg.inv(precision)
    curve = estimate_curve(basis, np.zeros(12), covariance, interval="simultaneous", draws=20_000)
    truths = generator.standard_normal((4000, 12)) * np.sqrt(prior)
    observed = truths @ basis.T + noise * generator.standard_normal((4000, 40))
    estimates = observed @ basis @ covariance / noise**2
    errors = np.abs((estimates - truths) @ basis.T) / curve.std_error
    inside = np.mean(errors.max(axis=1) <= curve.critical_value)
    assert inside == pytest.approx(0.95, abs=0.012)
    pointwise = np.mean(errors.max(axis=1) <= 1.96)
    assert pointwise < 0.85  # so that the test could fail


def test_stretches_are_interpolated():
    place = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    assert stretches_above_zero(place, np.array([1.0, 1.0, 1.0, 1.0, 1.0])) == [(0.0, 4.0)]
    assert stretches_above_zero(place, np.array([-1.0, -1.0, 0.0, -1.0, -1.0])) == []
    assert stretches_above_zero(place, np.array([1.0, -3.0, -1.0, 1.0, 1.0])) == [(0.0, 0.25), (2.5, 4.0)]
    assert stretches_above_zero(place, np.array([-1.0, 1.0, -1.0, -1.0, 4.0])) == [(0.5, 1.5), (3.2, 4.0)]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"interval": "both"}, "'interval'"),
        ({"conf_level": 95}, "'conf_level'"),
        ({"conf_level": 0.0}, "'conf_level'"),
        ({"draws": 10}, "'draws'"),
    ],
)
def test_arguments(options, problem):
    with pytest.raises(ArgumentError, match=problem):
        estimate_curve(np.eye(2), np.ones(2), np.eye(2), **options)
