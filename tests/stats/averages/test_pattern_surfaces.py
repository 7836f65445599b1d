from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import AlignedWindows, aligned_averages, pattern_surfaces
from layerstats.stats.gamm import fit

BANDS, SAMPLES = 14, 31
TIME, BAND = np.meshgrid(np.linspace(-1, 1, SAMPLES), np.linspace(-1, 1, BANDS))
HILL = np.exp(-3 * ((TIME - 0.4) ** 2 + (BAND + 0.3) ** 2))


@pytest.fixture(scope="module")
def windows():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(120, BANDS, SAMPLES)) + np.tile([2 * HILL, 0 * HILL], (60, 1, 1))
    speakers = np.repeat(["s1", "s2", "s3"], 40)
    bands = 100.0 * np.arange(1, BANDS + 1)
    return AlignedWindows.from_arrays(
        values, ["a", "b"] * 60, speakers, levels=["a", "b", "c"], hop_s=0.01, bands=bands
    )


@pytest.fixture(scope="module")
def averages(windows):
    return aligned_averages(windows, draws=2)


def test_the_surface_is_nearer_to_the_truth_than_the_average(averages):
    found = pattern_surfaces(averages, k=(7, 7))
    assert found.table["label"].tolist() == ["a", "b"]  # nobody said "c"
    own = found.surfaces.query("label == 'a'")
    # The mean over the two labels that were said is half the hill.
    off = {name: np.abs(own[name].to_numpy() - HILL.ravel()).mean() for name in ("pattern", "surface")}
    assert off["surface"] < 0.5 * off["pattern"]
    assert found.table["lag_s"].iloc[0] == pytest.approx(0.06, abs=0.021)
    assert found.table["surface"].iloc[0] == pytest.approx(1, abs=0.15)
    assert "test nothing" in found.notes[0]
    assert not {"std_error", "p_value", "conf_low"} & {*found.table, *found.surfaces}


def test_a_map_turned_round_has_the_surface_turned_round(averages):
    found = pattern_surfaces(averages, ["a", "b"], k=(6, 6)).surfaces
    first, second = (found.query("label == @label")["surface"].to_numpy() for label in "ab")
    assert np.allclose(first, -second, atol=1e-6)


@pytest.mark.r
def test_the_surface_is_that_of_mgcv(averages):
    found = pattern_surfaces(averages, ["a"], k=(6, 6), reach_s=0.1)
    own = found.surfaces
    assert own["lag_s"].abs().max() == pytest.approx(0.1)
    data = pd.DataFrame(
        {
            "pattern": own["pattern"],
            "time": own["lag_s"].rank(method="dense") - 1,
            "band": own["frequency_hz"].rank(method="dense") - 1,
        }
    )
    reference = fit("pattern ~ te(time, band, k = c(6, 6))", data, engine="mgcv")
    assert np.allclose(own["surface"], reference.predict(data)["fit"], atol=1e-4)
    assert found.table["edf"].iloc[0] == pytest.approx(reference.smooths["edf"].sum(), rel=1e-3)


def test_what_makes_no_surface_is_refused(windows, averages):
    with pytest.raises(ArgumentError, match="'labels'"):
        pattern_surfaces(averages, ["x"])
    with pytest.raises(ArgumentError, match="'k'"):
        pattern_surfaces(averages, k=(0, 5))
    with pytest.raises(DataError, match="'a' has 5 samples, but a basis of 8"):
        pattern_surfaces(averages, ["a"], k=(8, 5), reach_s=0.02)
    of_channels = aligned_averages(replace(windows, band_name="channel"), draws=2)
    with pytest.raises(DataError, match="Channels are in no order"):
        pattern_surfaces(of_channels)
    with pytest.raises(DataError, match="'c' has 0 samples"):
        pattern_surfaces(averages, ["c"], k=(5, 5))
