"""F of a smooth hangs neither on the coordinates of its columns nor on the signs that LAPACK gives eigenvectors."""

import numpy as np
import pytest

from layerstats.stats.gamm.structured.inference.smooth_test import signs_along, smooth_test


def test_eigenvectors_point_along_the_first_column():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(6, 4))
    directions = np.linalg.qr(rng.normal(size=(6, 6)))[0] * [1, -1, 1, -1, -1, 1]
    signs = signs_along(columns, directions)
    assert (signs * (columns[:, 0] @ directions) > 0).all()
    np.testing.assert_array_equal(signs_along(columns, directions * signs), np.ones(6))


@pytest.mark.parametrize("error", [1e-16, -1e-16, 0.0])
def test_where_it_is_orthogonal_the_next_column_counts(error):
    # An even and an odd function of a symmetric grid: rounding errors give the second a component along the first.
    even, odd = np.array([1.0, -2.0, 1.0]) / np.sqrt(6), np.array([-1.0, 0.0, 1.0]) / np.sqrt(2)
    directions = np.column_stack([-even, -odd + error * even])
    np.testing.assert_array_equal(signs_along(np.column_stack([even, odd + 3 * even]), directions), [-1.0, -1.0])


@pytest.mark.parametrize("freedom", [1.6, 2.4, 3.9])
def test_coordinates_do_not_change_the_statistic(freedom):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(40, 4))
    root = rng.normal(size=(4, 4))
    covariance, coefficients = root @ root.T / 30, rng.normal(size=4)
    plain = smooth_test(coefficients, rows.T @ rows, covariance, freedom, 30.0)
    for _ in range(8):
        change = rng.normal(size=(4, 4))
        inverse = np.linalg.inv(change)
        changed = (change @ coefficients, inverse.T @ rows.T @ rows @ inverse, change @ covariance @ change.T)
        other = smooth_test(*changed, freedom, 30.0, written=change)
        assert other.statistic == pytest.approx(plain.statistic, rel=1e-8)
        assert other.p_value == pytest.approx(plain.p_value, rel=1e-6)
