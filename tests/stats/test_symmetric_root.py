"""Seeded draws do not hang on what rounding decides: signs of eigenvectors, and how many are kept."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from layerstats.stats.effect_sizes import TokenSpread, effect_size
from layerstats.stats.gamm.inference.intervals import simultaneous_critical_value
from layerstats.stats.symmetric_root import symmetric_root

TIME = np.linspace(0, 1, 40)
# Variances that fall through the limit under which they are rounding, and two that are equal.
SCALES = np.array([1.0, 1.0, 0.3, 1e-2, 1e-4, 1e-6, 3e-7, 1e-7, 3e-8])
COVARIANCE = (lambda basis: (basis * SCALES**2) @ basis.T)(
    np.stack([np.cos(np.pi * order * TIME) for order in range(len(SCALES))], axis=1)
)


@pytest.fixture(params=range(4))
def perturbed(request):
    """The covariance as another processor has it."""
    noise = np.random.default_rng(request.param).uniform(-1, 1, COVARIANCE.shape)
    return COVARIANCE * (1 + 1e-15 * (noise + noise.T))


def other_signs(monkeypatch):
    plain = np.linalg.eigh

    def turned(matrix):
        values, vectors = plain(matrix)
        return values, vectors * np.where(np.arange(len(values)) % 3, 1, -1)

    monkeypatch.setattr(np.linalg, "eigh", turned)


def test_the_square_of_the_root_is_the_covariance():
    root = symmetric_root(COVARIANCE)
    assert_allclose(root, root.T)
    assert_allclose(root @ root, COVARIANCE, atol=1e-13)
    assert not symmetric_root(np.zeros((3, 3))).any()


def effect_ends(covariance):
    size = effect_size(np.sin(3 * TIME), covariance, TokenSpread(2.0, 50), draws=400, seed=1)
    return size.conf_low, size.conf_high


def test_rounding_moves_no_seeded_interval(perturbed):
    assert_allclose(effect_ends(perturbed), effect_ends(COVARIANCE), rtol=1e-6)
    drawn = [simultaneous_critical_value(one, 0.95, 400, seed=1) for one in (perturbed, COVARIANCE)]
    assert drawn[0] == pytest.approx(drawn[1], rel=1e-6)


def test_signs_of_eigenvectors_move_no_seeded_interval(monkeypatch):
    before = effect_ends(COVARIANCE), symmetric_root(COVARIANCE)
    other_signs(monkeypatch)
    assert_allclose(effect_ends(COVARIANCE), before[0], rtol=1e-12)
    assert_allclose(symmetric_root(COVARIANCE), before[1], atol=1e-14)
