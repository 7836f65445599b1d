"""Adjusted p-values of permutations keep their level where permutations are few."""

import numpy as np
import pandas as pd

from layerstats.stats.representations.adjusted_draws import adjusted_by_draws


def test_only_one_of_twenty_assignments_is_significant_at_a_twentieth():
    """Under the null hypothesis each assignment could be the observed one; the smallest p-value then is a rank."""
    draws = np.random.default_rng(4).normal([0.0, 5.0, 1.0, 0.0, 2.0], [1.0, 0.1, 3.0, 1.0, 1.0], size=(20, 5))
    table = pd.DataFrame({"layer": list("abcde"), "p_value": np.nan})
    smallest = []
    for observed in range(len(draws)):
        order = np.r_[observed, np.delete(np.arange(len(draws)), observed)]
        smallest.append(adjusted_by_draws(table, draws[order], "layers", "holm")["p_adjusted"].min())
    np.testing.assert_allclose(np.sort(smallest), np.arange(1, 21) / 20)
