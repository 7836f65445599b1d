import json

import numpy as np
import pytest

from layerstats.errors import DataError
from layerstats.stats.exaggeration.mel_measures import mel_measures
from layerstats.stats.exaggeration.mel_settings import MelSettings, hz_to_mel, mel_to_hz

SETTINGS = MelSettings(22050, 256, 80, 125.0, 7600.0, 20.0, 100.0)


def test_slaneys_scale_is_that_of_librosas_documentation():
    """librosa.mel_frequencies(n_mels=40), fmin 0, fmax 11025, as its documentation prints them."""
    found = mel_to_hz(np.linspace(0, hz_to_mel(np.array(11025.0)), 40))
    places = [1, 11, 12, 13, 20, 30, 38, 39]
    printed = [85.317, 938.49, 1024.856, 1119.114, 2071.84, 4994.285, 10096.408, 11025.0]
    assert found[places] == pytest.approx(printed, abs=0.002)


def test_bands_are_those_of_the_front_end():
    """Of the network's own filters: each peaks where the settings say, within a frequency of its spectrum."""
    torch_mel = pytest.importorskip("layerstats.models.mel")
    filters = torch_mel.mel_filterbank(22050, 1024, 80, 125.0, 7600.0)
    frequencies = np.arange(513) * 22050 / 1024
    means = filters @ frequencies / filters.sum(axis=1)
    assert np.abs(means - SETTINGS.centres_hz)[10:].max() < 22050 / 1024


def pure(band, value=0.8, frames=slice(20, 60)):
    features = np.zeros((1, 90, 80))
    features[:, frames, band] = value
    return features


def test_a_pure_band_has_its_own_frequency_and_level():
    found = mel_measures(pure(30), SETTINGS)
    assert found.series["centre of gravity"][0, 40] == pytest.approx(SETTINGS.centres_hz[30], rel=0.01)
    # 0.8 of 100 dB is 100 * 0.8 - 100 + 20 dB of magnitude, and the band so many Hz wide.
    assert found.series["level"][0, 40] == pytest.approx(0.0 + 10 * np.log10(SETTINGS.widths_hz[30]), abs=0.01)
    assert found.series["F2 band"][0, 40] == pytest.approx(found.series["level"][0, 40], abs=0.01)
    assert found.series["F1 band"][0, 40] < found.series["level"][0, 40] - 40
    assert found.duration_s[0] == pytest.approx(40 * 256 / 22050)


def test_of_two_bands_the_centre_of_gravity_is_the_mean_by_power():
    features = pure(10) + pure(50, 0.75)
    power = np.array([SETTINGS.widths_hz[10], SETTINGS.widths_hz[50] * 10**-0.5])
    expected = power @ SETTINGS.centres_hz[[10, 50]] / power.sum()
    assert mel_measures(features, SETTINGS).series["centre of gravity"][0, 40] == pytest.approx(expected, rel=0.01)


def test_where_nothing_is_heard_the_centre_of_gravity_is_that_of_the_item():
    found = mel_measures(pure(30), SETTINGS).series["centre of gravity"][0]
    assert found[0] == pytest.approx(found[40], rel=0.05)


def test_trajectories_are_means_in_decibels_of_neighbouring_bands():
    found = mel_measures(pure(slice(10, 20), 0.5), SETTINGS).series
    names = [name for name in found if name.startswith("mel ")]
    assert len(names) == 8
    assert [round(found[name][0, 40]) for name in names] == [0, 50, 0, 0, 0, 0, 0, 0]


def test_a_window_is_a_share_of_the_speech():
    features = pure(30)
    features[:, 50:60] = 0
    features[:, 50:60, 60] = 0.8
    found = mel_measures(features, SETTINGS)
    assert (found.first[0], found.last[0]) == (20, 59)
    assert found.window("centre of gravity", 0.0, 0.5)[0] == pytest.approx(SETTINGS.centres_hz[30], rel=0.01)
    assert found.window("centre of gravity", 0.75, 1.0)[0] == pytest.approx(SETTINGS.centres_hz[60], rel=0.01)


def test_silence_lasts_no_time():
    found = mel_measures(np.zeros((1, 90, 80)), SETTINGS)
    assert found.duration_s[0] == 0
    assert np.isfinite(found.series["centre of gravity"]).all()


def test_features_of_another_shape_or_with_nan_are_refused():
    with pytest.raises(DataError, match=r"\(item, time, 80\)"):
        mel_measures(np.zeros((1, 90, 40)), SETTINGS)
    with pytest.raises(DataError, match="hold NaN"):
        mel_measures(np.full((1, 90, 80), np.nan), SETTINGS)


def test_settings_must_be_told():
    with pytest.raises(DataError, match="which front end"):
        MelSettings.read({}, "The recording")
    known = {"rate_hz": 1, "hop": 1, "mels": 1, "low_hz": 1, "high_hz": 1, "range_db": 1}
    with pytest.raises(DataError, match="lacks 'reference_db'"):
        MelSettings.read({"front_end": json.dumps(known)}, "The recording")
