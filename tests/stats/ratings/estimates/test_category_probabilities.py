"""Integrated probabilities beside adaptive quadrature and a large simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats

from layerstats.errors import ArgumentError
from layerstats.stats.ratings.estimates.category_probabilities import category_probabilities


@pytest.mark.parametrize("deviation", [0.1, 1.0, 4.0, 20.0])
@pytest.mark.parametrize("link", ["logit", "probit"])
def test_they_are_what_adaptive_quadrature_gives(deviation, link):
    cumulative = {"logit": special.expit, "probit": special.ndtr}[link]
    thresholds, predictor, scale = np.array([-1.0, 0.5, 3.0]), 0.7, 1.4
    below = [
        integrate.quad(
            lambda z, t=t: cumulative((t - predictor - deviation * z) / scale) * stats.norm.pdf(z),
            -12,
            12,
            points=[(t - predictor) / deviation],
            epsabs=1e-12,
            limit=400,
        )[0]
        for t in thresholds
    ]
    given = [np.array([value]) for value in (predictor, scale, deviation**2)]
    found = category_probabilities(thresholds, *given, link)
    np.testing.assert_allclose(np.cumsum(found[0])[:-1], below, atol=1e-9)


def test_without_variance_they_are_those_of_the_link():
    cell = np.ones(1)
    found = category_probabilities(np.array([0.0]), 0.3 * cell, cell, 0 * cell, "logit")
    np.testing.assert_allclose(found[0], [special.expit(-0.3), special.expit(0.3)])


def test_other_links_are_refused():
    with pytest.raises(ArgumentError, match="'cloglog'"):
        category_probabilities(np.zeros(1), np.zeros(1), np.ones(1), np.ones(1), "cloglog")
