"""The studies of probes and of similar layers: their worlds have the truth that they say."""

from __future__ import annotations

import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import calibrate_probes, calibrate_similarity
from layerstats.stats.representations import probe_calibration
from layerstats.stats.representations.probe_calibration import ProbeWorld, expected_accuracy, simulate_probes
from layerstats.stats.representations.similarity_calibration import SimilarityWorld, simulate_similarity

SMALL = ProbeWorld("small", 4, 10)
FEW = SimilarityWorld("few", 4, 8, channels=5)


@pytest.fixture
def quick(monkeypatch):
    """Let few data sets stand for the expected accuracy."""
    monkeypatch.setattr(probe_calibration, "_MANY", 2)
    expected_accuracy.cache_clear()
    yield
    expected_accuracy.cache_clear()


@pytest.mark.parametrize(("world", "simulate"), [(SMALL, simulate_probes), (FEW, simulate_similarity)])
def test_a_data_set_depends_on_its_number_alone(quick, world, simulate):
    both = simulate(world, "level", range(2))
    parts = [simulate(world, "level", range(number, number + 1)) for number in (0, 1)]
    assert both["total"].to_numpy() == pytest.approx(sum(part["total"].to_numpy() for part in parts))


@pytest.mark.parametrize("study", [calibrate_probes, calibrate_similarity])
def test_unknown_worlds_and_truths_are_refused(study):
    with pytest.raises(ArgumentError, match="'worlds' parameter"):
        study(["no such"], datasets=1)
    with pytest.raises(ArgumentError, match="'truths' parameter"):
        study(["0"], ["shape"], datasets=1)


def test_the_similarity_in_the_population_is_that_of_very_many_speakers():
    world = SimilarityWorld("many", 4000, 1, channels=6, noise=1.5)
    first, second = world.draw(np.random.default_rng(0), shared=True)
    first, second = (layer - layer.mean(axis=0) for layer in (first, second))
    norms = [np.sum((one.T @ other) ** 2) for one, other in ((first, second), (first, first), (second, second))]
    assert norms[0] / np.sqrt(norms[1] * norms[2]) == pytest.approx(world.expected(True), abs=0.02)
    assert world.expected(False) == 0


@pytest.mark.slow
def test_intervals_of_similarities_cover_and_those_of_phones_alone_do_not():
    world = SimilarityWorld("8 speakers who differ much", 8, 60, channels=20, voice_sd=1.5)
    shares = calibrate_similarity([world], ["none"], datasets=60).set_index(["recipe", "quantity"])["share"]
    assert shares["cka, jackknife", "covers the similarity"] > 0.85
    assert shares["debiased cka, jackknife", "covers the similarity"] < 0.8
    assert shares["biased cka, jackknife", "covers the similarity"] < 0.8
