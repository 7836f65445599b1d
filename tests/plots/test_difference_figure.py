import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import difference


def curve(level_1="ask", level_2="wash", interval="simultaneous", half_width=1.0, **more):
    time = np.linspace(0.0, 1.0, 11)
    frame = pd.DataFrame({"time_s": time, "diff": 4 * time - 2})
    return frame.assign(
        level_1=level_1,
        level_2=level_2,
        conf_low=frame["diff"] - half_width,
        conf_high=frame["diff"] + half_width,
        interval=interval,
        conf_level=0.95,
        **more,
    )


def regions(level_1="ask", level_2="wash", **more):
    frame = pd.DataFrame({"start": [0.0, 0.8], "end": [0.2, 1.0], "sign": ["negative", "positive"]})
    return frame.assign(level_1=level_1, level_2=level_2, interval="simultaneous", conf_level=0.95, **more)


def both():
    return pd.concat([curve(), curve(interval="pointwise", half_width=0.5)], ignore_index=True)


def test_the_direction_is_in_the_title():
    assert difference(curve()).labels.title == "ask \N{MINUS SIGN} wash"
    assert difference(curve("wash", "ask")).labels.title == "wash \N{MINUS SIGN} ask"


def test_one_line_over_both_bands_the_wider_behind(built):
    wide, narrow, _, line = built(difference(both()))
    assert len(line) == 11
    assert np.allclose(wide["ymax"] - wide["ymin"], 2)
    assert np.allclose(narrow["ymax"] - narrow["ymin"], 1)
    assert wide["fill"].iloc[0] != narrow["fill"].iloc[0]


def test_regions_become_a_strip_below_the_band_in_the_units_of_the_axis(built):
    *_, strip, line = built(difference(curve(), regions()))
    assert strip[["xmin", "xmax"]].to_numpy().tolist() == [[0, 200], [800, 1000]]
    assert line["x"].max() == 1000
    assert strip["ymax"].max() < curve()["conf_low"].min()


def test_no_regions_no_strip(built):
    assert len(built(difference(curve(), regions().head(0)))) == len(built(difference(curve())))


def test_panels_by_pair_by_layer_and_by_both(panels):
    pairs = pd.concat([curve(), curve("ask", "year")], ignore_index=True)
    ask_wash, ask_year = "ask \N{MINUS SIGN} wash", "ask \N{MINUS SIGN} year"
    assert panels(difference(pairs)) == [(ask_wash,), (ask_year,)]
    layers = pd.concat([curve(layer="conv1"), curve(layer="conv2")], ignore_index=True)
    assert panels(difference(layers)) == [("conv1",), ("conv2",)]
    grid = pd.concat([pairs.assign(layer=layer) for layer in ("conv1", "conv2")], ignore_index=True)
    assert panels(difference(grid)) == [(layer, pair) for layer in ("conv1", "conv2") for pair in (ask_wash, ask_year)]


def test_a_strip_stays_in_the_panel_of_its_pair_and_layer(built):
    layers = pd.concat([curve(layer="conv1"), curve(layer="conv2", half_width=9.0)], ignore_index=True)
    *_, strip, _ = built(difference(layers, regions(layer="conv1")))
    assert set(strip["PANEL"]) == {1}


def test_axes_have_units_or_the_users_name():
    frame = curve()
    assert difference(frame).labels.x == "Time (ms)"
    assert difference(frame.rename(columns={"time_s": "time"}), x="time").labels.x == "Normalised time"
    assert difference(frame.rename(columns={"time_s": "My x"}), x="My x").labels.x == "My x"
    assert difference(frame, value_label="Formant (Hz)").labels.y == "Difference in\nformant (Hz)"
    assert difference(frame, value_label="F2 (Hz)").labels.y == "Difference in\nF2 (Hz)"


def test_bad_input():
    with pytest.raises(DataError, match="has no column of time"):
        difference(curve().rename(columns={"time_s": "Sample"}))
    with pytest.raises(DataError, match="'Sample' is not in"):
        difference(curve(), x="Sample")
    many = pd.concat([curve("ask", f"w{i}", layer=layer) for i in range(9) for layer in ("conv1", "conv2")])
    with pytest.raises(ArgumentError, match="at most 8 pairs, but got 9"):
        difference(many)
    with pytest.raises(DataError, match=r"regions without a curve: ask \N{MINUS SIGN} year"):
        difference(curve(), regions("ask", "year"))
