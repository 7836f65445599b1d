"""The study of ABX: its worlds have the truth that they say, and its shares are as they should be."""

import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import calibrate_abx
from layerstats.stats.representations import abx_calibration
from layerstats.stats.representations.abx_calibration import AbxWorld, expected_rates, simulate_discrimination
from layerstats.stats.resampling.seeds import replicate_generator


@pytest.fixture
def few(monkeypatch):
    """Let few speakers stand for the population, which is quick."""
    monkeypatch.setattr(abx_calibration, "_POPULATION", 40)
    expected_rates.cache_clear()
    yield
    expected_rates.cache_clear()


def test_a_data_set_depends_on_its_number_alone(few):
    world = AbxWorld("small", 3, 3)
    both = simulate_discrimination(world, "level", range(2))
    parts = [simulate_discrimination(world, "level", range(number, number + 1)) for number in (0, 1)]
    totals = sum(part["total"].to_numpy() for part in parts)
    assert both["total"].to_numpy() == pytest.approx(totals)


def test_unknown_worlds_and_truths_are_refused():
    with pytest.raises(ArgumentError, match="'worlds' parameter"):
        calibrate_abx(["no such"], datasets=1)
    with pytest.raises(ArgumentError, match="'truths' parameter"):
        calibrate_abx([AbxWorld("small", 3, 3)], ["shape"], datasets=1)


@pytest.mark.slow
@pytest.mark.parametrize("context", ["any", "same"])
def test_the_truth_is_what_many_data_sets_give_on_average(context):
    world = AbxWorld("medium", 10, 4, context=context)
    found = {"within": [], "across": []}
    for number in range(150):
        generator = replicate_generator(7, number)
        phones = world.draw_phones(generator)
        design = abx_calibration.AbxDesign.of(phones, context=context)
        rates = abx_calibration._rates(world.draw_vectors(generator, phones, True), design)
        for mode, (rate, _) in rates.items():
            found[mode].append(rate.estimate[0])
    for mode, rates in found.items():
        error = np.std(rates) / np.sqrt(len(rates))
        assert np.mean(rates) == pytest.approx(expected_rates(world, True)[mode], abs=4 * error)
    assert expected_rates(world, False) == {"within": 0.5, "across": 0.5}


@pytest.mark.slow
def test_intervals_cover_and_those_of_independent_triplets_do_not():
    world = AbxWorld("medium", 12, 4)
    shares = calibrate_abx([world], ["level"], datasets=150).set_index(["recipe", "quantity"])["share"]
    for mode in ("within", "across"):
        assert shares["speakers", f"covers the error rate {mode}"] > 0.88
        assert shares["speakers", f"trained minus untrained {mode}"] < 0.12
        assert shares["speakers", f"error rate {mode} is not chance"] > 0.9
        assert shares["triplets as if independent", f"covers the error rate {mode}"] < 0.8
