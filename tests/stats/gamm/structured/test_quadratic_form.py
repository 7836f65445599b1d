"""Tail probabilities against distributions that scipy knows, and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from layerstats.stats.gamm.structured.inference.quadratic_form import QuadraticForm, f_like_form


@pytest.mark.parametrize("freedom", [0.5, 1.0, 2.0, 5.0, 30.0, 1000.0])
@pytest.mark.parametrize("ratio", [0.01, 0.5, 1.0, 2.0, 10.0])
def test_one_chi_square(freedom, ratio):
    form = QuadraticForm.of(np.array([3.0]), np.array([freedom]))
    expected = stats.chi2.logsf(ratio * freedom, freedom)
    if np.isfinite(expected):
        assert form.log_tail(3 * ratio * freedom) == pytest.approx(expected, rel=1e-11, abs=1e-300)


@pytest.mark.parametrize(("first", "second"), [(1, 5), (1, 20), (3, 50), (8, 1000), (2, 12000), (10, 3)])
@pytest.mark.parametrize("statistic", [0.1, 1.0, 5.0, 50.0])
def test_f_distribution(first, second, statistic):
    form = f_like_form(statistic * first, QuadraticForm.of(np.ones(1), np.array([float(first)])), second)
    assert form.tail(0.0) == pytest.approx(stats.f.sf(statistic, first, second), rel=1e-9)


def test_a_tail_that_underflows_has_a_logarithm():
    form = QuadraticForm.of(np.array([1.0]), np.array([2.0]))
    assert form.log_tail(4000.0) == pytest.approx(-2000, rel=1e-12)
    assert form.tail(4000.0) == 0.0


def test_mixture_against_simulation():
    weights, freedom = np.array([2.0, 0.7, -1.1, 0.05]), np.array([1.0, 3.0, 2.0, 40.0])
    form = QuadraticForm.of(weights, freedom)
    draws = np.random.default_rng(0).chisquare(freedom, (400_000, 4)) @ weights
    for value in (-5.0, -1.0, 0.0, 2.0, 8.0, 15.0):
        assert form.tail(value) == pytest.approx(np.mean(draws > value), abs=4e-3)


def test_tails_of_a_form_and_its_negative_add_up():
    form = QuadraticForm.of(np.array([2.0, 0.7, -1.1]), np.array([1.0, 3.0, 2.0]))
    for value in (-20.0, -1.0, 0.0, 1.0, 30.0):
        assert form.tail(value) + form.negative().tail(-value) == pytest.approx(1, abs=1e-12)


def test_parts_of_low_rank_enter_by_their_determinant():
    """The distribution of two weights, one of them given as a correction to another."""
    exact = QuadraticForm.of(np.array([1.0, 0.4]), np.array([6.0, 2.0]))

    def correction(point: complex) -> tuple[np.ndarray, np.ndarray]:
        return np.log(1 - 2 * point * np.array([0.4, 0.5])), np.array([2.0, -2.0])

    corrected = QuadraticForm.of(np.array([1.0, 0.5]), np.array([6.0, 2.0]), correction)
    for value in (1.0, 8.0, 30.0, 200.0):
        assert corrected.log_tail(value) == pytest.approx(exact.log_tail(value), rel=1e-6)


def test_forms_that_cannot_reach_a_value():
    form = QuadraticForm.of(np.array([1.0, 2.0]), np.ones(2))
    assert form.tail(-1.0) == 1.0
    assert form.negative().tail(1.0) == 0.0
    assert QuadraticForm.of(np.zeros(2), np.ones(2)).tail(1.0) == 0.0
