"""Simulated trajectories with known curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


def simulate_words(seed: int = 0, tokens: int = 12, points: int = 21, noise: float = 0.3) -> pd.DataFrame:
    """Trajectories of two words: the difference B - A is 0.5 + sin(2 pi x) on x in [0, 1]."""
    generator = np.random.default_rng(seed)
    x = np.linspace(0, 1, points)
    rows = []
    for word, level, amplitude in (("A", 1.0, 0.0), ("B", 1.5, 1.0)):
        for token in range(tokens):
            y = level + np.cos(np.pi * x) + amplitude * np.sin(2 * np.pi * x)
            y = y + noise * generator.standard_normal(points)
            rows.append(pd.DataFrame({"word": word, "token": f"{word}{token}", "x": x, "y": y}))
    return pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="session")
def words() -> pd.DataFrame:
    return simulate_words()


@pytest.fixture(scope="session")
def simulate():
    return simulate_words
