import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.effect_sizes import TokenSpread, effect_size, token_spread

MANY = TokenSpread(sd=2.0, df=100_000)


def smooth_covariance(scale: float, points: int = 40, functions: int = 6) -> np.ndarray:
    time = np.linspace(0, 1, points)
    basis = np.stack([np.cos(np.pi * order * time) for order in range(functions)], axis=1)
    return scale**2 * basis @ basis.T


def test_a_known_curve_has_a_known_effect_size():
    time = np.linspace(0, 1, 1001)
    size = effect_size(3 * np.sqrt(2) * np.sin(2 * np.pi * time), np.zeros((1001, 1001)), MANY, draws=10)
    assert size.estimate == pytest.approx(3 / 2, rel=1e-3)
    assert size.uncorrected == size.estimate
    assert size.chance == 0


def test_no_difference_is_no_effect_once_the_bias_is_taken_off():
    covariance = smooth_covariance(1.0)
    rng = np.random.default_rng(3)
    curves = rng.multivariate_normal(np.zeros(40), covariance, size=300, method="eigh")
    sizes = [effect_size(curve, covariance, MANY, draws=400, seed=1) for curve in curves]
    assert np.mean([size.uncorrected**2 for size in sizes]) == pytest.approx(sizes[0].chance ** 2, rel=0.1)
    assert np.median([size.estimate for size in sizes]) < 0.5 * np.median([size.uncorrected for size in sizes])
    # A root mean square is never negative: the interval must reach zero where nothing is.
    assert np.mean([size.conf_low == 0 for size in sizes]) >= 0.95


@pytest.mark.parametrize("truth", [0.5, 1.0, 3.0])
def test_intervals_cover_a_true_effect(truth):
    covariance = smooth_covariance(0.8)
    time = np.linspace(0, 1, 40)
    true_curve = np.sin(3 * time)
    true_curve *= truth * MANY.sd / np.sqrt(np.mean(true_curve**2))
    rng = np.random.default_rng(4)
    curves = rng.multivariate_normal(true_curve, covariance, size=1000, method="eigh")
    sizes = [effect_size(curve, covariance, MANY, draws=400, seed=seed) for seed, curve in enumerate(curves)]
    covered = np.mean([size.conf_low <= truth <= size.conf_high for size in sizes])
    assert 0.93 <= covered <= 0.992
    corrected = np.mean([size.uncorrected**2 - size.chance**2 for size in sizes])
    assert corrected == pytest.approx(truth**2, rel=0.05, abs=0.03)


def test_the_interval_is_seeded():
    curve, covariance = np.full(40, 4.0), smooth_covariance(0.3)
    first, again, other = (effect_size(curve, covariance, MANY, draws=500, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.conf_low != other.conf_low


def test_fewer_tokens_make_a_wider_interval():
    curve, covariance = np.full(40, 4.0), np.zeros((40, 40))
    few = effect_size(curve, covariance, TokenSpread(2.0, 10), draws=4000)
    many = effect_size(curve, covariance, TokenSpread(2.0, 1000), draws=4000)
    assert few.conf_high - few.conf_low > 5 * (many.conf_high - many.conf_low)
    assert few.conf_low < 2.0 < few.conf_high


def test_spread_is_that_of_tokens_whatever_their_number_of_points():
    rng = np.random.default_rng(5)
    frames = []
    for token in range(400):
        points = 5 if token % 2 else 50
        level = rng.normal(scale=3.0)
        frames.append(pd.DataFrame({"token": f"t{token}", "word": f"w{token % 4}", "value": np.full(points, level)}))
    frame = pd.concat(frames, ignore_index=True)
    spread = token_spread(frame, np.zeros(len(frame)), identifier="token", group="word")
    assert spread.sd == pytest.approx(3.0, rel=0.1)
    assert spread.df == 396


def test_bad_input_is_refused():
    frame = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "wash"], "value": [1.0, 2.0]})
    with pytest.raises(DataError, match="2 series in 2 groups leave no spread"):
        token_spread(frame, np.zeros(2), identifier="token", group="word")
    frame = pd.DataFrame({"token": list("abc"), "word": "ask", "value": 1.0})
    with pytest.raises(DataError, match="no spread to compare"):
        token_spread(frame, np.ones(3), identifier="token", group="word")
    with pytest.raises(ArgumentError, match="'conf_level' parameter must lie between 0 and 1, but got 95"):
        effect_size(np.ones(3), np.eye(3), MANY, conf_level=95)
