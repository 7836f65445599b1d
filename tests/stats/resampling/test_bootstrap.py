"""Bootstrap bands: what they are made of, and how often they cover (slow)."""

from __future__ import annotations

import numpy as np
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.resampling import bootstrap
from layerstats.stats.resampling.bands import band_of

TOKEN, SPEAKER, CELL = (f's(time, {column}, bs="fs", m=1, k=6)' for column in ("token", "speaker", "cell"))


def test_bands_hold_the_curves(make, curves):
    result = bootstrap(make.level_and_shape(curves, TOKEN, SPEAKER), "label", "b", "a", replicates=60, seed=1)
    gap = result.difference
    draws = result.draws[:, 1] - result.draws[:, 0]
    np.testing.assert_allclose(gap["std_error"], draws.std(axis=0, ddof=1) * np.sqrt(6 / 5), rtol=1e-9)
    middle = (gap["conf_low"] + gap["conf_high"]) / 2
    np.testing.assert_allclose(middle, gap["diff"], atol=1e-9)
    fits = result.curves.pivot(index="time", columns="group", values="fit")
    np.testing.assert_allclose(fits["b"] - fits["a"], gap["diff"], atol=1e-9)
    effect = result.effect.iloc[0]
    assert 0 <= effect["effect_conf_low"] <= effect["effect_conf_high"]
    assert effect["effect_size"] > 0.5


def test_reversed_labels_mirror_and_workers_change_nothing(make, curves):
    task = make.level_and_shape(curves, TOKEN)
    one = bootstrap(task, "label", "b", "a", replicates=20, smoothing="held").difference
    two = bootstrap(task, "label", "a", "b", replicates=20, smoothing="held", workers=2).difference
    np.testing.assert_allclose(one["conf_low"], -two["conf_high"], atol=1e-12)


def test_pointwise_bands_are_narrower(make, curves):
    task = make.level_and_shape(curves, TOKEN)
    simultaneous = bootstrap(task, "label", "b", "a", replicates=99, smoothing="held", source="model").difference
    pointwise = bootstrap(
        task, "label", "b", "a", replicates=99, smoothing="held", source="model", interval="pointwise"
    ).difference
    assert np.all(pointwise["conf_high"] < simultaneous["conf_high"])
    half = 1.959964 * pointwise["std_error"]
    np.testing.assert_allclose(pointwise["conf_high"] - pointwise["diff"], half, rtol=1e-6)


def test_labels_between_speakers_are_drawn_within_labels(make, curves):
    own = curves[(curves["speaker"].str[-1].astype(int) % 2 == 0) == (curves["label"] == "a")]
    result = bootstrap(make.level_and_shape(own, TOKEN, SPEAKER), "label", "b", "a", replicates=50)
    # Curves of other speakers differ, about the curve of these.
    gaps = result.draws[:, 1] - result.draws[:, 0]
    middle, spread = gaps.mean(axis=0), gaps.std(axis=0, ddof=1)
    assert (spread > 0).all()
    assert (np.abs(middle - result.difference["diff"]) < spread).all()


def test_band_of_normal_curves():
    """Independent points: the simultaneous critical value is Sidak's."""
    curves = np.random.default_rng(0).normal(size=(20_000, 10)) * np.arange(1, 11)
    error, critical = band_of(curves, None, 0.95)
    np.testing.assert_allclose(error, np.arange(1, 11), rtol=0.02)
    assert critical == pytest.approx(2.800, abs=0.03)


def test_refused(make, curves):
    with pytest.raises(DataError, match="by one speaker"):
        bootstrap(make.level_and_shape(make.table(speakers=1, tokens=5), TOKEN), "label", "b", "a")
    task = make.level_and_shape(curves, TOKEN)
    with pytest.raises(ArgumentError, match="must differ"):
        bootstrap(task, "label", "a", "a")
    with pytest.raises(ArgumentError, match="'source'"):
        bootstrap(task, "label", "b", "a", source="tokens")
    with pytest.raises(ArgumentError, match="'conf_level'"):
        bootstrap(task, "label", "b", "a", conf_level=95)


@pytest.mark.parametrize("source", ["speakers", "model"])
def test_unbalanced_series_have_nearly_the_bands_of_balanced_ones(make, source):
    """One point of one series is missing: not the same numbers, but hardly others."""
    data = make.table(speakers=6, tokens=2, uneven=False)
    terms = ('s(time, token, bs="fs", m=1, k=6)', 's(time, speaker, bs="fs", m=1, k=6)')
    results = [
        bootstrap(make.level_and_shape(one, *terms), "label", "b", "a", source=source, replicates=40)
        for one in (data, data.iloc[1:])
    ]
    balanced, unbalanced = (result.difference for result in results)
    np.testing.assert_allclose(unbalanced["time"], balanced["time"])
    np.testing.assert_allclose(unbalanced["diff"], balanced["diff"], atol=0.05)
    # Samples of speakers are the same; data from the model are others, of the same spread.
    np.testing.assert_allclose(
        unbalanced["std_error"], balanced["std_error"], rtol=0.1 if source == "speakers" else 0.6
    )
    sizes = [result.effect["effect_size"][0] for result in results]
    assert sizes[0] == pytest.approx(sizes[1], abs=0.05)


@pytest.mark.parametrize("source", ["speakers", "model"])
@pytest.mark.parametrize("replicates", [1, 2, 18, 19.5])
def test_too_few_replicates_for_an_interval(curves, make, source, replicates):
    task = make.level_and_shape(curves, TOKEN)
    with pytest.raises(ArgumentError, match="whole number of 19 or more"):
        bootstrap(task, "label", "b", "a", source=source, replicates=replicates)
