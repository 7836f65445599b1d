"""Worlds of noise are what they say: their network is one, and their letters have nothing to do with the noise."""

import numpy as np
import pytest

from layerstats.stats.averages.calibration.noise_windows import (
    ALIGNMENTS,
    GRADIENT_MAXIMUM,
    GRADIENT_MINIMUM,
    NONE,
    RELEVANCE,
    RELEVANCE_BY_TIME,
    NoiseWorld,
    places,
)

WORLD = NoiseWorld("small", 3, 8)


def score(window, detector):
    """What the network says of a letter: its detector's responses, pooled over time."""
    steps = window.shape[1] - detector.shape[1] + 1
    responses = [np.sum(window[:, start : start + detector.shape[1]] * detector) for start in range(steps)]
    return np.log(np.mean(np.exp(responses)))


def numerical_gradient(window, detector, step=1e-5):
    gradient = np.empty_like(window)
    for place in np.ndindex(window.shape):
        moved = np.zeros_like(window)
        moved[place] = step
        gradient[place] = (score(window + moved, detector) - score(window - moved, detector)) / (2 * step)
    return gradient


def test_alignments_are_those_of_the_networks_gradient_and_relevance():
    rng = np.random.default_rng(3)
    detectors = WORLD.detectors
    values = rng.standard_normal((4, detectors.shape[1], 24))
    found = places(values, detectors)
    for row, window in enumerate(values):
        for letter, detector in enumerate(detectors):
            gradient = numerical_gradient(window, detector)
            relevance = window * gradient
            assert found[RELEVANCE][row, letter] == np.unravel_index(relevance.argmax(), window.shape)[1]
            assert found[RELEVANCE_BY_TIME][row, letter] == relevance.sum(axis=0).argmax()
            assert found[GRADIENT_MAXIMUM][row, letter] == np.unravel_index(gradient.argmax(), window.shape)[1]
            assert found[GRADIENT_MINIMUM][row, letter] == np.unravel_index(gradient.argmin(), window.shape)[1]
    assert (found[NONE] == 12).all()


def test_letters_have_nothing_to_do_with_noise_and_something_with_what_is_inserted():
    world = NoiseWorld("many", 100, 200, inserted=2.0)
    for truth, least in (("none", 0.0), ("inserted", 0.5)):
        windows = world.draw(np.random.default_rng(1), truth)[NONE]
        values, codes = windows.read(np.arange(len(windows.table))), windows.label_codes
        # The pattern begins at seven samples, equally often: blurred over time, its sum stays.
        sums = [values[codes == code][:, :, 4:15].sum(axis=2).mean(axis=0) for code in range(len(windows.labels))]
        expected = 2.0 / 3.0 * world.detectors[0].sum(axis=1) * (truth == "inserted")
        assert np.abs(sums[0] - np.mean(sums[1:], axis=0) - expected).max() < 0.3
        assert np.abs(expected).max() >= least


def test_a_data_set_is_the_same_whatever_was_drawn_before():
    first, again = (WORLD.draw(np.random.default_rng(5), "inserted") for _ in range(2))
    assert tuple(first) == ALIGNMENTS
    for alignment in ALIGNMENTS:
        assert first[alignment].table.equals(again[alignment].table)
        assert first[alignment].samples == pytest.approx(again[alignment].samples)
