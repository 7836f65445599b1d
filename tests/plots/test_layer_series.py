import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import layer_series

RATE = 16000


def waveform():
    time = np.arange(16384) / RATE
    return (np.sin(2 * np.pi * 200 * time) * (time < 0.5)).astype(np.float32)


def series():
    parts = [
        pd.DataFrame({"layer": layer, "time_s": (np.arange(n) + 0.5) * 1.024 / n, "value": np.linspace(0, 1, n)})
        for layer, n in (("conv4", 64), ("conv3", 256))
    ]
    return pd.concat(parts, ignore_index=True).assign(token="ask_1")


def phones():
    return pd.DataFrame({"label": ["ae", "s"], "onset_s": [0.025, 0.2], "offset_s": [0.2, 0.4]})


def test_the_waveform_is_on_top_and_layers_follow_in_their_order(panels):
    assert panels(layer_series(waveform(), RATE, series())) == [("waveform",), ("conv4",), ("conv3",)]


def test_a_layer_called_as_the_waveform_has_a_panel_of_its_own(panels):
    named = series().replace({"layer": {"conv4": "waveform"}})
    assert panels(layer_series(waveform(), RATE, named)) == [("waveform ",), ("waveform",), ("conv3",)]


def test_all_panels_share_time_in_milliseconds(built):
    figure = layer_series(waveform(), RATE, series())
    envelope, line, _ = built(figure)
    assert 0 <= envelope["x"].min() < 1
    assert 1023 < envelope["x"].max() < 1024
    assert line["x"].max() == pytest.approx(1024 * 255.5 / 256)
    assert figure.labels.x == "Time (ms)"


def test_the_envelope_touches_every_extreme(built):
    clip = waveform()
    clip[12345] = -3.0
    envelope = built(layer_series(clip, RATE, series()))[0]
    assert envelope["ymin"].min() == -3.0
    assert envelope["ymax"].max() == clip.max()
    at = envelope.loc[envelope["ymin"].idxmin(), "x"]
    assert at == pytest.approx(12345 / RATE * 1000, abs=1)


def test_layers_with_few_outputs_show_them_as_points(built):
    _, line, points = built(layer_series(waveform(), RATE, series()))
    assert len(line) == 64 + 256
    assert len(points) == 64


def test_boundaries_go_through_all_panels_and_labels_stand_above_the_waveform(built):
    *_, boundaries, labels, _ = built(layer_series(waveform(), RATE, series(), phones=phones()))
    assert sorted(boundaries["xintercept"].unique()) == [25, 200, 400]
    assert set(boundaries["PANEL"]) == {1, 2, 3}
    assert dict(zip(labels["label"], labels["x"], strict=True)) == pytest.approx({"ae": 112.5, "s": 300.0})
    assert set(labels["PANEL"]) == {1}


def test_bad_input():
    two = pd.concat([series(), series().assign(token="ask_2")])
    with pytest.raises(DataError, match="shows one token, but got 2"):
        layer_series(waveform(), RATE, two)
    with pytest.raises(ArgumentError, match=r"shape \(2, 10\)"):
        layer_series(np.zeros((2, 10)), RATE, series())
    with pytest.raises(ArgumentError, match="'rate_hz'"):
        layer_series(waveform(), 0, series())
    with pytest.raises(DataError, match="'label' is not in the table of phones"):
        layer_series(waveform(), RATE, series(), phones=phones().drop(columns="label"))


def test_without_the_speech_the_layers_are_drawn_alone(panels, built):
    figure = layer_series(None, None, series(), phones=phones())
    assert panels(figure) == [("conv4",), ("conv3",)]
    *_, labels, _ = built(figure)
    assert set(labels["PANEL"]) == {1}
    assert "waveform" not in figure.labels.y


def test_a_waveform_needs_its_rate():
    with pytest.raises(ArgumentError, match="rate_hz"):
        layer_series(waveform(), None, series())
