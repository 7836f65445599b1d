"""In the coordinates that random curves reach, criterion, derivatives and estimates are those of all time points."""

from __future__ import annotations

import numpy as np
import pytest

from layerstats.stats.gamm.batched.curves.curve_criterion import estimate, slopes, value
from layerstats.stats.gamm.batched.curves.curve_optima import starting_point
from layerstats.stats.gamm.batched.curves.fitted import fit_design
from layerstats.stats.gamm.batched.curves.reduction import without_rest
from layerstats.stats.gamm.batched.curves.summaries import summarise
from layerstats.stats.resampling.exchange import Exchanger
from layerstats.stats.resampling.seeds import replicate_generator

TOKEN, SPEAKER, CELL = (f's(time, {column}, bs="fs", m=1, k=6)' for column in ("token", "speaker", "cell"))


@pytest.mark.parametrize("random", [(TOKEN,), (TOKEN, SPEAKER, CELL)], ids=["tokens", "speakers"])
def test_criterion_and_derivatives_are_those_of_all_points(make, curves, random):
    design = fit_design(make.level_and_shape(curves, *random), "label").design
    exchanger = Exchanger.of(design.label_of, design.speaker_of)
    data = summarise(design, np.stack([exchanger.draw(replicate_generator(5, number)) for number in range(3)]))
    smaller, reduced = without_rest(design, data)
    assert smaller.points < design.points
    generator = np.random.default_rng(0)
    point = starting_point(design) + generator.normal(size=(3, len(starting_point(design))))
    scale = generator.normal(size=3)
    whole, parts = estimate(design, data, point), estimate(smaller, reduced, point)
    np.testing.assert_allclose(parts.coefficients, whole.coefficients, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(
        value(smaller, reduced, parts, scale), value(design, data, whole, scale), rtol=1e-10, atol=1e-8
    )
    ours, theirs = slopes(smaller, reduced, parts, scale), slopes(design, data, whole, scale)
    for name in ("gradient", "hessian", "random_edf", "leverage"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-8, atol=1e-7)
