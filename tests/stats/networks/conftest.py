"""Speakers, words and kinds of network with known true effects."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(20)


def correlated(rng, shape, bins, rho=0.8):
    """Noise of variance 1, correlated along time."""
    lags = np.abs(np.subtract.outer(np.arange(bins), np.arange(bins)))
    return rng.normal(size=(*shape, bins)) @ np.linalg.cholesky(rho**lags).T


@pytest.fixture
def heard():
    """Return a function that lets networks with given true effects hear new speakers.

    Every speaker says every word once. What makes tokens differ (speakers, speakers' versions of a word, tokens; their
    variances sum to 1) is mostly the same for all networks, partly that of a kind and partly a network's own.
    """

    def hear(rng, effects, kinds, *, speakers=16, words=2, bins=8, common=0.6):
        count = len(effects)

        def part(shape, variance):
            own = (1 - common) / 2
            shared = np.sqrt(common) * correlated(rng, shape, bins)[None]
            of_kind = np.sqrt(own) * correlated(rng, (max(kinds) + 1, *shape), bins)[kinds]
            return np.sqrt(variance) * (shared + of_kind + np.sqrt(own) * correlated(rng, (count, *shape), bins))

        values = part((speakers,), 0.4)[:, :, None] + part((speakers, words), 0.1) + part((speakers, words), 0.5)
        curves = np.random.default_rng(0).normal(size=(words, bins))
        curves -= curves.mean(axis=0)
        # At a mean square distance of 1 from each other.
        curves /= np.sqrt(2 / (words - 1) * (curves**2).sum() / bins)
        values += np.asarray(effects)[:, None, None, None] * curves
        groups, people = np.tile(np.arange(words), speakers), np.repeat(np.arange(speakers), words)
        return values.reshape(count, speakers * words, bins), groups, people

    return hear
