from itertools import permutations

import numpy as np
import pytest

from layerstats.stats.lexical.assignment import best_assignment, tokens_with_code


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
def test_no_other_assignment_is_better(shape):
    rng = np.random.default_rng(0)
    words, codes = shape
    for table in rng.integers(9, size=(20, words, codes)):
        found = best_assignment(table[None])
        used = found[found >= 0]
        assert len(set(used.tolist())) == len(used) <= min(shape)
        wide = np.zeros((words, max(shape)))
        wide[:, :codes] = table
        best = max(
            sum(wide[word, code] for word, code in enumerate(order[:words]))
            for order in permutations(range(max(shape)))
        )
        assert tokens_with_code(table[None], found).sum() == best


def test_a_code_that_no_token_supports_is_nobodys():
    table = np.array([[[3, 0, 0], [2, 0, 0]]])
    assert best_assignment(table).tolist() == [[0, -1]]
    assert tokens_with_code(table, best_assignment(table)).tolist() == [[3, 0]]
