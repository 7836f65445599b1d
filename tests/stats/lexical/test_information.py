from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from layerstats.stats.lexical.information import (
    adjusted_mutual_information,
    conditional_entropy,
    entropy,
    expected_mutual_information,
    mutual_information,
)


def table_of(first, second):
    table = np.zeros((max(first) + 1, max(second) + 1))
    np.add.at(table, (first, second), 1)
    return table


def test_adjusted_mutual_information_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(60):
        tokens = rng.integers(5, 300)
        first = rng.integers(rng.integers(2, 12), size=tokens)
        second = np.where(rng.random(tokens) < 0.5, first, rng.integers(rng.integers(2, 30), size=tokens))
        expected = adjusted_mutual_info_score(first, second)
        assert adjusted_mutual_information(table_of(first, second)[None])[0] == pytest.approx(expected, abs=1e-10)


def test_expected_mutual_information_is_the_mean_over_all_pairings():
    """By definition, over the 720 ways to pair six tokens."""
    first, second = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 2, 2])
    every = [mutual_information(table_of(first, second[list(order)])) for order in permutations(range(6))]
    table = table_of(first, second)[None]
    assert expected_mutual_information(table.sum(axis=2), table.sum(axis=1))[0] == pytest.approx(np.mean(every))


def test_many_tables_at_once_are_as_one_by_one():
    rng = np.random.default_rng(1)
    tables = rng.multinomial(90, np.ones(40) / 40, size=20).reshape(20, 5, 8)
    one_by_one = [adjusted_mutual_information(table[None])[0] for table in tables]
    np.testing.assert_allclose(adjusted_mutual_information(tables), one_by_one)


def test_entropies_by_hand():
    table = np.array([[2, 2, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
    assert entropy(table)[:2].tolist() == [1, 2]
    assert np.isnan(entropy(table)[2])
    assert conditional_entropy(table) == pytest.approx(1.5)
    # H(code) is that of shares 3/8, 3/8, 1/8, 1/8.
    whole = -2 * (3 / 8) * np.log2(3 / 8) - 2 * (1 / 8) * np.log2(1 / 8)
    assert mutual_information(table) == pytest.approx(whole - 1.5)


def test_margins_without_room_have_no_adjusted_value():
    assert np.isnan(adjusted_mutual_information(np.array([[[7.0]]]))[0])
    assert adjusted_mutual_information(np.array([[[3.0], [4.0]]]))[0] == 0
