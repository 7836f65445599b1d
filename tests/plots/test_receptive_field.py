import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.plots import receptive_field

LAYERS = pd.DataFrame({"layer": ["conv1", "conv2"], "receptive_field_s": [0.01, 0.1], "hop_s": [0.001, 0.004]})
DURATIONS = pd.DataFrame({"phone_duration_s": np.linspace(0.05, 0.15, 11)})


def test_durations_are_in_milliseconds_on_a_logarithmic_axis(built):
    band, median, _, points = built(receptive_field(LAYERS, DURATIONS))
    assert 10 ** points["y"].to_numpy() == pytest.approx([10, 100, 1, 4])
    assert 10 ** band[["ymin", "ymax"]].to_numpy()[0] == pytest.approx([60, 140])
    assert 10 ** median["y"].iloc[0] == pytest.approx(100)
    assert points["shape"].tolist() == ["o", "o", "s", "s"]


def test_the_band_is_explained():
    figure = receptive_field(LAYERS, DURATIONS, phones="[s]")
    assert "durations of [s] (60 to 140 ms); line: median 100 ms" in figure.labels.caption


def test_bad_input():
    with pytest.raises(DataError, match="'hop_s' is not in the table for the figure 'receptive_field'"):
        receptive_field(LAYERS.drop(columns="hop_s"), DURATIONS)
    with pytest.raises(DataError, match="nothing to draw"):
        receptive_field(LAYERS, DURATIONS.head(0))
