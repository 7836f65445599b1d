from __future__ import annotations

from itertools import groupby, permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from layerstats.listening.design.trial_order import shuffled_order, spread_places


def longest_run(names: list[str]) -> int:
    return max((len(list(run)) for _, run in groupby(names)), default=0)


def shortest_possible(names: list[str]) -> int:
    return min(longest_run(list(order)) for order in set(permutations(names)))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=7), st.integers(1, 3), st.integers(0, 3))
def test_runs_are_as_short_as_asked_or_as_can_be(names, longest, seed):
    order = shuffled_order(names, np.random.default_rng(seed), longest)
    assert sorted(order) == list(range(len(names)))
    if names:
        found = longest_run([names[trial] for trial in order])
        assert found <= max(longest, shortest_possible(names))


def test_every_order_without_long_runs_can_be_drawn():
    names = list("aaabb")
    drawn = {
        tuple(names[trial] for trial in shuffled_order(names, np.random.default_rng(seed), 2)) for seed in range(300)
    }
    assert drawn == {order for order in set(permutations(names)) if longest_run(list(order)) <= 2}


def test_clips_of_a_condition_are_shuffled_too():
    first = {shuffled_order(["a"] * 4, np.random.default_rng(seed))[0] for seed in range(60)}
    assert first == {0, 1, 2, 3}


@given(st.integers(0, 6), st.integers(0, 30), st.integers(0, 3))
def test_extra_trials_are_spread(extras, others, seed):
    total = extras + others
    places = spread_places(extras, total, np.random.default_rng(seed))
    assert places == sorted(set(places))
    assert all(0 <= place < total for place in places)
    if others >= extras > 0:
        assert places[0] > 0
        for stretch, place in enumerate(places):
            assert int(total * stretch / extras) <= place < int(total * (stretch + 1) / extras) + 1
