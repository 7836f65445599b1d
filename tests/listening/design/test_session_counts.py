from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerstats.errors import ArgumentError
from layerstats.listening.design.session_counts import balanced_halves, session_count


def test_no_session_is_longer_than_there_are_clips():
    with pytest.raises(ArgumentError, match=r"trials_per_session=1 to 8"):
        session_count(8, 5, 9)


@settings(max_examples=150, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=60), st.integers(0, 3))
def test_sides_are_halved_in_every_session_and_for_every_clip(trials, seed):
    sessions, clips = [session for session, _ in trials], [clip for _, clip in trials]
    sides = balanced_halves(sessions, clips, np.random.default_rng(seed))
    for names in (sessions, clips):
        for name in set(names):
            own = [bool(side) for side, other in zip(sides, names, strict=True) if other == name]
            assert abs(sum(own) - (len(own) - sum(own))) <= 1


def test_sides_are_drawn():
    sides = [balanced_halves([0, 0, 1, 1], [0, 1, 0, 1], np.random.default_rng(seed)).tolist() for seed in range(40)]
    assert {tuple(drawn) for drawn in sides} == {(True, False, False, True), (False, True, True, False)}
