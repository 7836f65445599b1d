from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerstats.errors import ArgumentError
from layerstats.stats.ratings.planning import assign_clips


@st.composite
def sizes_of_any_test(draw):
    """Of each clip its condition and target, raters a clip, trials a session."""
    strata = draw(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), min_size=1, max_size=40))
    raters = draw(st.integers(1, 7))
    return strata, raters, draw(st.integers(1, len(strata))), draw(st.integers(0, 5))


@settings(max_examples=150, deadline=None)
@given(sizes_of_any_test())
def test_every_clip_is_heard_equally_often_and_every_condition_by_everyone(test):
    strata, raters, trials, seed = test
    sessions = max(raters, -(-len(strata) * raters // trials))
    dealt = assign_clips(strata, raters, sessions, np.random.default_rng(seed))

    assert Counter(clip for clips in dealt for clip in clips) == dict.fromkeys(range(len(strata)), raters)
    assert all(len(set(clips)) == len(clips) for clips in dealt)
    sizes = [len(clips) for clips in dealt]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= trials
    for depth in (1, 2):
        for group in {stratum[:depth] for stratum in strata}:
            counts = [sum(strata[clip][:depth] == group for clip in clips) for clips in dealt]
            assert max(counts) - min(counts) <= 1


def test_raters_are_crossed_with_clips_rather_than_hearing_the_same_set():
    # Dealt in order, five raters a clip and 20 sessions would make four groups who share no clip.
    dealt = assign_clips([("a",)] * 40, 5, 20, np.random.default_rng(0))
    partners = [len({other for other in range(20) if other != own and set(dealt[own]) & set(dealt[other])})
                for own in range(20)]  # fmt: skip
    assert min(partners) > 8


def test_pairs_of_clips_meet_as_often_as_if_they_were_drawn():
    strata = [("a",)] * 6
    met = np.zeros((6, 6))
    for seed in range(400):
        for clips in assign_clips(strata, 2, 6, np.random.default_rng(seed)):
            met[clips[0], clips[1]] += 1
    pairs = met[np.triu_indices(6, 1)]
    # 2,400 sessions over 15 pairs; a standard deviation is at most 12.3 where sessions are independent.
    assert abs(pairs - 160).max() < 5 * 12.3


def test_the_same_seed_gives_the_same_sessions():
    strata = [("a",), ("b",)] * 12
    first, again, other = (assign_clips(strata, 3, 9, np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert first == again
    assert first != other


def test_what_is_impossible_is_refused_with_what_is_possible():
    with pytest.raises(ArgumentError, match=r"raters_per_clip=1 to 3"):
        assign_clips([("a",)] * 4, 5, 3, np.random.default_rng(0))
