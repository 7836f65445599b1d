"""Effect sizes from plain means against their definition, and against the truth where it is known."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from layerstats.errors import DataError
from layerstats.stats import descriptive_effect_size
from layerstats.stats.networks.effects import draw_speakers, effect_sizes, sampling_covariance


def by_definition(values, groups, speakers):
    """The effect size in loops, two groups at a time."""
    people, sets = sorted(set(speakers)), sorted(set(groups))
    means = {g: values[groups == g].mean(axis=0) for g in sets}
    squares = sum(((values[groups == g] - means[g]) ** 2).sum() for g in sets)
    within = squares / (len(values) - len(sets)) / values.shape[1]
    pairs = [(g, h) for g in sets for h in sets if g < h]
    total = 0.0
    for g, h in pairs:
        excess = np.zeros(values.shape[1])
        for s in people:
            move = 0
            for sign, group in ((1, g), (-1, h)):
                mine = values[(groups == group) & (speakers == s)] - means[group]
                move = move + sign * mine.sum(axis=0) / (groups == group).sum()
            excess += move**2
        excess *= len(people) / (len(people) - 1)
        total += ((means[g] - means[h]) ** 2 - excess).mean() / len(pairs)
    return np.sqrt(max(0.0, total) / within)


@pytest.mark.parametrize("words", [2, 4])
def test_definition_also_where_speakers_say_words_unequally_often(rng, heard, words):
    values, groups, speakers = heard(rng, [1.2], [0], words=words)
    kept = rng.random(len(groups)) < 0.7
    kept[: 2 * words] = True
    values, groups, speakers = values[0][kept], groups[kept], np.unique(speakers[kept], return_inverse=True)[1]
    assert_allclose(effect_sizes(values, groups, speakers)[0], by_definition(values, groups, speakers))


def test_uncorrected_it_is_the_descriptive_effect_size(rng, heard):
    """One series a speaker, none of whom says both words: then the excess has a simple form."""
    values, groups, speakers = heard(rng, [1.0], [0], speakers=20)
    kept = (speakers % 2) == groups
    values, groups, speakers = values[0][kept], groups[kept], np.unique(speakers[kept], return_inverse=True)[1]
    sums = [
        ((part - part.mean(axis=0)) ** 2).sum() / len(part) ** 2 for part in (values[groups == 0], values[groups == 1])
    ]
    within = sum(((values[groups == g] - values[groups == g].mean(axis=0)) ** 2).sum() for g in (0, 1)) / 18
    corrected = effect_sizes(values, groups, speakers)[0]
    frame = pd.DataFrame(
        {
            "token": np.repeat([f"t{i:02}" for i in range(20)], 8),
            "word": np.repeat(groups, 8),
            "time": np.tile(np.arange(8.0), 20),
            "value": values.ravel(),
        }
    )
    descriptive = descriptive_effect_size(frame, group="word", identifier="token")
    assert_allclose(descriptive**2, corrected**2 + sum(sums) * 20 / 19 / within)


def test_weights_are_repeated_speakers(rng, heard):
    values, groups, speakers = heard(rng, [1.0], [0], speakers=6)
    weights = np.array([[2, 0, 1, 1, 0, 2]])
    copies = np.repeat(np.arange(6), weights[0])
    rows = np.concatenate([np.flatnonzero(speakers == s) for s in copies])
    again = np.repeat(np.arange(6), 2)  # each copy is a speaker of its own
    drawn = effect_sizes(values[0], groups, speakers, weights)[0]
    assert_allclose(drawn, by_definition(values[0][rows], groups[rows], again))


def test_neither_units_nor_level_matter(rng, heard):
    values, groups, speakers = heard(rng, [0.8], [0])
    assert_allclose(effect_sizes(values[0], groups, speakers), effect_sizes(1e6 + 1e-3 * values[0], groups, speakers))


@pytest.mark.parametrize("truth", [0.5, 1.5])
def test_square_of_the_effect_size_is_nearly_unbiased(rng, heard, truth):
    values, groups, speakers = heard(rng, np.full(600, truth), np.arange(600), common=0.0)
    squares = [effect_sizes(one, groups, speakers)[0] ** 2 for one in values]
    # The variance in the denominator is estimated, which makes a ratio a little too large.
    assert np.mean(squares) == pytest.approx(truth**2, rel=0.1)


def test_bootstrap_knows_how_effects_vary_over_speakers(rng, heard):
    draws = [heard(rng, [1.0, 1.0], [0, 0]) for _ in range(300)]
    truth = np.cov(
        [[effect_sizes(one, groups, who)[0] for one in values] for values, groups, who in draws], rowvar=False
    )
    weights = draw_speakers(16, 200, seed=1)
    estimates = [
        sampling_covariance(np.array([effect_sizes(one, groups, who, weights) for one in values]), 16)
        for values, groups, who in draws[:60]
    ]
    assert_allclose(np.mean(estimates, axis=0), truth, rtol=0.3)


def test_samples_that_lack_a_group_are_left_out_or_refused(rng):
    values, speakers = rng.normal(size=(12, 4)), np.repeat(np.arange(6), 2)
    weights = draw_speakers(6, 400, seed=0)
    rare = effect_sizes(values, (speakers == 0).astype(int), speakers, weights)
    assert_allclose(np.isnan(rare), weights[:, 0] == 0)
    with pytest.raises(DataError, match="samples of the 6 speakers"):
        sampling_covariance(np.array([np.where(weights[:, 0] < 2, np.nan, rare)]), 6)


def test_drawn_speakers_are_seeded():
    assert (draw_speakers(5, 10, seed=3) == draw_speakers(5, 10, seed=3)).all()
    assert (draw_speakers(5, 10, seed=3).sum(axis=1) == 5).all()
