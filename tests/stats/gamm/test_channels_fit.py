"""Many channels at once: every number is that of the structured engine, channel by channel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.parallel import RunOptions
from layerstats.stats.gamm import FitTask, fit, smoothing_selection
from layerstats.stats.gamm.batched.batched_smooth_tests import smooth_tests
from layerstats.stats.gamm.batched.linear_algebra import cholesky, inverse
from layerstats.stats.gamm.batched.rows import (
    channel_design,
    fit_channels,
    mean_autocorrelation,
    stack_fits,
)
from layerstats.stats.gamm.batched.tails import f_like_tails
from layerstats.stats.gamm.structured.inference.quadratic_form import QuadraticForm, f_like_form
from layerstats.stats.gamm.structured.inference.smooth_test import smooth_test

TOKENS, SAMPLES = 30, 12
PUBLISHED = 'value ~ word + s(sample, k=6) + s(sample, by=word_ordered, k=6) + s(sample, token, bs="fs", m=1, k=5)'
JOINT = 'value ~ s(sample, k=6) + s(sample, by=is_second, k=6) + s(sample, token, bs="fs", m=1, k=5)'
SPEAKERS = f'{PUBLISHED} + s(sample, speaker, bs="fs", m=1, k=3)'
INTERCEPTS = f'{PUBLISHED} + s(speaker, bs="re")'
# Its penalties overlap, so that there may be several minima.
SURFACE = 'value ~ word + te(sample, age, k=c(4, 3)) + s(sample, token, bs="fs", m=1, k=4)'
LINEAR = 'value ~ word + s(sample, k=6) + s(token, bs="re")'


def make_data(words: int = 2, unequal: bool = False, seed: int = 0, channels: int = 9):
    """Return rows and the values of channels that differ in level, in shape, in noise, and not at all."""
    rng = np.random.default_rng(seed)
    time = np.arange(SAMPLES) / SAMPLES
    word = np.arange(TOKENS) % words
    speaker = np.arange(TOKENS) % 5
    values = np.empty((channels, TOKENS, SAMPLES))
    for channel in range(channels):
        level, shape = 0.5 * (channel % 3 == 1), 0.5 * (channel % 3 == 2)
        curves = np.sin(3 * time) + word[:, None] * (level + shape * np.sin(6 * time))
        curves = curves + 0.2 * rng.normal(size=(5, 1))[speaker] + 0.4 * rng.normal(size=(TOKENS, 1))
        curves = curves + 0.3 * rng.normal(size=(TOKENS, 1)) * np.cos(5 * time + rng.normal(size=(TOKENS, 1)))
        noise = rng.normal(size=(TOKENS, SAMPLES))
        noise[:, 1:] += 0.5 * noise[:, :-1]
        values[channel] = (curves + 0.2 * noise) * (1 + channel)
    data = pd.DataFrame(
        {
            "token": np.repeat([f"t{number:02}" for number in range(TOKENS)], SAMPLES),
            "word": np.repeat([f"w{number}" for number in word], SAMPLES),
            "is_second": np.repeat((word == 1).astype(float), SAMPLES),
            "speaker": np.repeat([f"p{number}" for number in speaker], SAMPLES),
            "sample": np.tile(time, TOKENS),
            "age": np.repeat(20.0 + np.arange(TOKENS) % 9, SAMPLES),
        }
    )
    values = values.reshape(channels, -1)
    if unequal:
        kept = rng.random(len(data)) < 0.8
        data, values = data[kept].reset_index(drop=True), values[:, kept]
        data["sample"] += 0.01 * (data.index.to_numpy() % 7)
    # Rows in no order: the design sorts them.
    order = rng.permutation(len(data))
    return data.iloc[order].reset_index(drop=True), values[:, order]


def arguments(formula: str) -> dict:
    named = {"series": "token", "order": "sample"}
    if "word" in formula:
        named |= {"factors": {"word": None}, "ordered": {"word_ordered": ("word", "w0")}}
    return named


def largest(ours, theirs) -> float:
    """Return the largest difference, relative where numbers are large."""
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    return float(np.max(np.abs(ours - theirs) / np.maximum(1e-3, np.abs(theirs))))


@pytest.mark.parametrize(
    ("formula", "words", "unequal", "rho"),
    [
        (PUBLISHED, 2, False, 0.0),
        (PUBLISHED, 3, False, 0.4),
        (PUBLISHED, 2, True, 0.4),
        (JOINT, 2, False, 0.4),
        (SPEAKERS, 2, False, 0.3),
        (INTERCEPTS, 2, True, 0.0),
        (LINEAR, 2, False, 0.0),
        (SURFACE, 2, False, 0.2),
    ],
)
def test_every_channel_equals_the_structured_engine(formula, words, unequal, rho):
    data, values = make_data(words, unequal, channels=3)
    design = channel_design(FitTask(formula, data, rho=rho, **arguments(formula)))
    ours = fit_channels(design, values)
    assert list(ours.status) == ["fitted"] * 3
    for channel, own in enumerate(values):
        theirs = fit(formula, data.assign(value=own), engine="structured", rho=rho, **arguments(formula))
        tested = theirs.smooths.set_index("term").loc[list(ours.smooth_terms)]
        assert list(ours.parametric_terms) == list(theirs.parametric["term"])
        assert abs(ours.score[channel] - theirs.glance["score"][0]) < 1e-6
        assert largest(ours.estimate[channel], theirs.parametric["estimate"]) < 1e-6
        assert largest(ours.std_error[channel], theirs.parametric["std_error"]) < 1e-6
        assert largest(ours.statistic[channel], theirs.parametric["statistic"]) < 1e-5
        assert np.abs(ours.p_value[channel] - theirs.parametric["p_value"]).max() < 1e-6
        assert largest(ours.edf[channel], tested["edf"]) < 1e-5
        assert largest(ours.ref_df[channel], tested["ref_df"]) < 1e-5
        assert largest(ours.smooth_statistic[channel], tested["statistic"]) < 1e-5
        assert np.abs(ours.smooth_p_value[channel] - tested["p_value"]).max() < 1e-6
        assert largest(ours.scale[channel], theirs.glance["scale"]) < 1e-6
        assert largest(ours.df_residual[channel], theirs.glance["df_residual"]) < 1e-6


NUMBERS = ("estimate", "std_error", "p_value", "edf", "smooth_p_value", "scale")


def same(ours, theirs, tolerance: float = 0.0) -> None:
    assert list(ours.status) == list(theirs.status)
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=tolerance, atol=tolerance)


@pytest.fixture(scope="module")
def fitted():
    data, values = make_data()
    design = channel_design(FitTask(PUBLISHED, data, rho=0.4, **arguments(PUBLISHED)))
    return design, values, fit_channels(design, values)


@pytest.mark.parametrize(("batch", "workers"), [(1, 1), (2, 1), (4, 3), (100, 1)])
def test_numbers_do_not_depend_on_batches_and_workers(fitted, batch, workers):
    design, values, all_at_once = fitted
    same(fit_channels(design, values, batch=batch, run=RunOptions(workers, threads=True)), all_at_once, 1e-12)


def test_numbers_do_not_depend_on_the_order_of_channels(fitted):
    design, values, in_order = fitted
    order = np.random.default_rng(2).permutation(len(values))
    shuffled = fit_channels(design, values[order])
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(shuffled, name), getattr(in_order, name)[order], rtol=1e-12, atol=1e-12)


def test_one_channel_is_a_layer(fitted):
    design, values, all_of_them = fitted
    alone = fit_channels(design, values[4:5])
    assert alone.estimate.shape == (1, 2)
    np.testing.assert_allclose(alone.estimate[0], all_of_them.estimate[4], rtol=1e-12)


def test_channels_without_variance_are_marked_and_change_nothing(fitted):
    design, values, whole = fitted
    with_dead = values.copy()
    with_dead[0], with_dead[3] = 0.0, 7.25
    with_dead[5, 17] = np.nan
    with_dead[6, 3] = np.inf
    ours = fit_channels(design, with_dead)
    expected = ["dead", "fitted", "fitted", "dead", "fitted", "not finite", "not finite", "fitted", "fitted"]
    assert list(ours.status) == expected
    alive = ours.status == "fitted"
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(ours, name)[alive], getattr(whole, name)[alive], rtol=1e-12, atol=1e-12)
        assert np.isnan(getattr(ours, name)[~alive]).all()


def test_nothing_but_dead_channels(fitted):
    design, values, _ = fitted
    ours = fit_channels(design, np.zeros_like(values[:2]))
    assert list(ours.status) == ["dead", "dead"]
    with pytest.raises(DataError, match="Every channel is dead"):
        mean_autocorrelation(design, np.zeros_like(values[:2]))


def test_a_large_offset_moves_the_intercept_alone(fitted):
    design, values, plain = fitted
    ours = fit_channels(design, values[:3] + 1e6)
    np.testing.assert_allclose(ours.estimate[:, 0], plain.estimate[:3, 0] + 1e6, rtol=1e-12)
    np.testing.assert_allclose(ours.smooth_p_value, plain.smooth_p_value[:3], atol=1e-6)


def test_a_fit_that_ends_early_says_so(fitted, monkeypatch):
    design, values, _ = fitted
    monkeypatch.setattr(smoothing_selection, "MOST_ITERATIONS", 1)
    ours = fit_channels(design, values)
    assert set(ours.status) == {"not converged"}
    assert (ours.gradient_norm > 1e-3).all()
    assert np.isfinite(ours.estimate).all()


def test_the_gradient_vanishes(fitted):
    _, _, ours = fitted
    assert (ours.gradient_norm < 1e-6 * (1 + np.abs(ours.score))).all()
    assert ours.converged.all()


@pytest.mark.parametrize("unequal", [False, True])
def test_autocorrelation_of_one_channel_is_that_of_fit(unequal):
    data, values = make_data(unequal=unequal)
    design = channel_design(FitTask(PUBLISHED, data, rho=0.5, **arguments(PUBLISHED)))
    own = [mean_autocorrelation(design, values[[channel]]) for channel in range(2)]
    for channel, rho in enumerate(own):
        frame = data.assign(value=values[channel])
        theirs = fit(PUBLISHED, frame, engine="structured", rho="auto", **arguments(PUBLISHED))
        assert rho == pytest.approx(theirs.rho, abs=1e-6)
    dead = np.zeros((1, values.shape[1]))
    assert mean_autocorrelation(design, np.vstack([values[:2], dead])) == pytest.approx(np.mean(own))


def test_tails_are_those_of_the_engine():
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.05, 2, size=(40, 3))
    freedom = np.column_stack([rng.integers(0, 8, 40), np.ones(40), np.ones(40)]).astype(float)
    residual = rng.uniform(20, 15_000, 40)
    statistic = rng.uniform(0.1, 400, 40)
    ours = f_like_tails(statistic, weights, freedom, residual)
    forms = [QuadraticForm.of(*one) for one in zip(weights, freedom, strict=True)]
    theirs = [f_like_form(*one).tail(0.0) for one in zip(statistic, forms, residual, strict=True)]
    assert min(theirs) < 1e-40
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("freedom", [0.7, 1.0, 1.4, 3.0, 4.6, 5.0, 9.0])
def test_smooth_tests_are_those_of_the_engine(freedom):
    rng = np.random.default_rng(int(10 * freedom))
    columns = rng.normal(size=(60, 5))
    roots = rng.normal(size=(8, 5, 5))
    covariance = roots @ roots.transpose(0, 2, 1) / 50
    coefficients = rng.normal(size=(8, 5))
    gram, residual = columns.T @ columns, np.full(8, 52.3)
    ours = smooth_tests(coefficients, gram, covariance, np.full(8, freedom), residual)
    for channel in range(8):
        theirs = smooth_test(coefficients[channel], gram, covariance[channel], freedom, 52.3)
        assert ours.statistic[channel] == pytest.approx(theirs.statistic, rel=1e-9)
        assert ours.reference_df[channel] == theirs.reference_df
        assert ours.p_value[channel] == pytest.approx(theirs.p_value, rel=1e-8)


def test_one_singular_matrix_does_not_fail_the_others():
    matrices = np.array([[[4.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])
    factors = cholesky(matrices)
    inverses = inverse(matrices, factors)
    np.testing.assert_allclose(inverses[0], np.array([[2.0, -1.0], [-1.0, 4.0]]) / 7)
    assert np.isnan(factors[1:, -1, -1]).all()
    assert np.isnan(inverses[1:]).all()


def test_models_that_are_refused():
    data, values = make_data()
    with pytest.raises(ArgumentError, match="has none"):
        channel_design(FitTask("value ~ word + s(sample, k=6)", data, **arguments("word")))
    with pytest.raises(ArgumentError, match="does not express"):
        channel_design(FitTask(PUBLISHED + " + s(sample, xt=3)", data, **arguments(PUBLISHED)))
    design = channel_design(FitTask(PUBLISHED, data, **arguments(PUBLISHED)))
    with pytest.raises(DataError, match="must have shape"):
        fit_channels(design, values[:, 1:])
    with pytest.raises(ArgumentError, match="'batch'"):
        fit_channels(design, values, batch=0)
    with pytest.raises(DataError, match="no channels"):
        stack_fits([])
