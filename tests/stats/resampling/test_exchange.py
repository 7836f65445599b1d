"""Which labels can be exchanged: counted, listed and drawn."""

from __future__ import annotations

import numpy as np
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.resampling.exchange import Exchanger
from layerstats.stats.resampling.seeds import replicate_generator

LABELS = np.array([0, 0, 1, 0, 1, 1, 1])
SPEAKERS = np.array([0, 0, 0, 1, 1, 1, 2])


def test_tokens_within_speakers():
    exchanger = Exchanger.of(LABELS, SPEAKERS)
    every = [tuple(one) for one in exchanger.every()]
    assert exchanger.count() == 9 == len(every) == len(set(every))
    assert every[0] == tuple(LABELS)
    for one in every:
        for speaker in range(3):
            own = speaker == SPEAKERS
            assert sorted(np.array(one)[own]) == sorted(LABELS[own])


def test_whole_speakers():
    exchanger = Exchanger.of(LABELS, SPEAKERS, "speakers")
    every = {tuple(one) for one in exchanger.every()}
    # Two speakers have both labels; the third keeps its only one.
    assert exchanger.count() == 4
    assert every == {
        (0, 0, 1, 0, 1, 1, 1), (1, 1, 0, 0, 1, 1, 1), (0, 0, 1, 1, 0, 0, 1), (1, 1, 0, 1, 0, 0, 1)
    }  # fmt: skip


@pytest.mark.parametrize("exchange", ["tokens", "speakers"])
def test_between_speakers_where_each_has_one_label(exchange):
    speakers = np.repeat(np.arange(4), 2)
    exchanger = Exchanger.of(np.repeat([0, 1, 0, 1], 2), speakers, exchange)
    every = np.array(list(exchanger.every()))
    assert exchanger.between
    assert exchanger.count() == 6 == len(np.unique(every, axis=0))
    assert np.all(every[:, ::2] == every[:, 1::2])
    assert np.all(every.sum(axis=1) == 4)


@pytest.mark.parametrize("exchange", ["tokens", "speakers"])
def test_draws_are_uniform(exchange):
    exchanger = Exchanger.of(LABELS, SPEAKERS, exchange)
    drawn = np.array([exchanger.draw(replicate_generator(0, number)) for number in range(3000)])
    kinds, counts = np.unique(drawn, axis=0, return_counts=True)
    expected = 3000 / exchanger.count()
    assert len(kinds) == exchanger.count()
    # Beyond five standard deviations is beyond chance.
    assert np.all(np.abs(counts - expected) < 5 * np.sqrt(expected))


def test_refused():
    with pytest.raises(DataError, match="same label"):
        Exchanger.of(np.zeros(4, dtype=int), np.arange(4))
    with pytest.raises(ArgumentError, match="'words'"):
        Exchanger.of(LABELS, SPEAKERS, "words")
