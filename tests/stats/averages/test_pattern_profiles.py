"""Patterns along time, or along frequency."""

import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import AlignedWindows, aligned_averages, pattern_profile


def averages_of(rng, speakers=8, each=12, effect=0.0, between=1.0, own_sample=False):
    """Return averages of noise in which speakers differ, and "a" has more energy where it is aligned."""
    labels = np.tile(["a", "b"], speakers * each // 2)
    who = np.repeat(np.arange(speakers), each)
    sign = np.where(labels == "a", 1, -1)
    moved = between * rng.normal(size=speakers)[who] + effect
    values = rng.normal(size=(len(labels), 3, 5)) + (sign * moved)[:, None, None]
    samples = rng.integers(0, 5, size=len(labels)) if own_sample else None
    windows = AlignedWindows.from_arrays(
        values, labels.tolist(), [f"s{one}" for one in who], samples, bands=np.array([100.0, 200.0, 300.0])
    )
    return aligned_averages(windows, draws=20)


def test_profiles_average_the_pattern_over_the_stretch():
    found = averages_of(np.random.default_rng(0), own_sample=True)
    pattern = found.maps["pattern"]
    over_time = pattern_profile(found, between=(150, 300), draws=50)
    assert over_time["lag_s"].tolist() == np.tile(found.maps["lag_s"], 2).tolist()
    expected = pattern.isel(frequency=[1, 2]).mean("frequency").to_numpy().ravel()
    assert over_time["pattern"].to_numpy() == pytest.approx(expected, abs=1e-5)
    over_frequency = pattern_profile(found, "frequency", between=(0.0, 0.008), draws=50)
    assert over_frequency["frequency_hz"].tolist() == [100.0, 200.0, 300.0] * 2
    expected = pattern.sel(lag=[0, 1]).mean("lag").to_numpy().ravel()
    assert over_frequency["pattern"].to_numpy() == pytest.approx(expected, abs=1e-5)


def test_one_band_has_the_standard_error_of_its_map():
    found = averages_of(np.random.default_rng(1))
    profile = pattern_profile(found, between=(200, 200), draws=20)
    assert profile["std_error"].to_numpy() == pytest.approx(
        found.maps["std_error"].isel(frequency=1).to_numpy().ravel()
    )
    assert (profile["conf_low"] < profile["pattern"]).all()
    assert pattern_profile(found, between=(200, 200), draws=20, seed=3).equals(profile) is False
    assert pattern_profile(found, between=(200, 200), draws=20).equals(profile)


@pytest.mark.slow
@pytest.mark.parametrize("over", ["time", "frequency"])
def test_bands_hold_whole_profiles_as_often_as_they_say(over):
    """200 data sets: at 95 % fewer than 178 or more than 199 have a chance of less than 1 in 1000."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        profile = pattern_profile(averages_of(rng, effect=0.3), over, draws=200).query("label == 'a'")
        held += ((profile["conf_low"] < 0.3) & (profile["conf_high"] > 0.3)).all()
    assert 178 <= held <= 199


def test_what_one_or_two_speakers_say_has_no_band():
    rng = np.random.default_rng(3)
    labels, speakers = list("abcbcc"), ["s1", "s1", "s1", "s2", "s2", "s3"]
    windows = AlignedWindows.from_arrays(rng.normal(size=(6, 2, 3)), labels, speakers)
    profile = pattern_profile(aligned_averages(windows, draws=20), draws=50)
    errors, bands = (profile.groupby("label")[name].count().tolist() for name in ("std_error", "conf_low"))
    assert errors == [0, 3, 3]
    assert bands == [0, 0, 3]
    assert profile["speakers"].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_stretches_and_levels_that_are_not_there_are_refused():
    found = averages_of(np.random.default_rng(4))
    with pytest.raises(ArgumentError, match=r"frequency_hz.*100 to 300"):
        pattern_profile(found, between=(400, 500))
    with pytest.raises(ArgumentError, match="'over'"):
        pattern_profile(found, "lag")
    with pytest.raises(ArgumentError, match="conf_level"):
        pattern_profile(found, conf_level=95)
    with pytest.raises(ArgumentError, match="but is 400"):
        pattern_profile(found, between=400)
    with pytest.raises(ArgumentError, match="draws"):
        pattern_profile(found, draws=1)
