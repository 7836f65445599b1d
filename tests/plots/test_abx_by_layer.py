"""The figure of ABX error rates shows what its tables hold."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.plots import abx_by_layer


def errors():
    table = pd.DataFrame({"layer": ["b", "a"] * 2, "abx_mode": ["within", "within", "across", "across"]})
    table = table.assign(error_rate=[0.1, 0.2, 0.3, 0.4], conf_low=[0.05, 0.15, np.nan, 0.3], network_kind="whisper")
    return table.assign(conf_high=table["conf_low"] + 0.1, trained=True)


def data_of(figure, name):
    return next(layer._data for layer in figure.layers if type(layer.geom).__name__ == name)


def test_layers_keep_their_order_and_rates_without_intervals_are_points():
    figure = abx_by_layer(errors())
    assert figure.data["x"].tolist() == [0, 1, 0, 1]
    assert figure.data["panel"].astype(str).tolist() == ["within speakers"] * 2 + ["across speakers"] * 2
    assert len(data_of(figure, "geom_errorbar")) == 3
    assert {type(layer.geom).__name__ for layer in figure.layers}.isdisjoint({"geom_ribbon"})


def test_untrained_networks_are_a_band_and_the_sound_a_line():
    twins = [errors().assign(trained=False, error_rate=errors()["error_rate"] + up) for up in (0.1, 0.2, 0.4)]
    sound = pd.DataFrame({"layer": "features", "abx_mode": ["within", "across"], "error_rate": [0.25, 0.35]})
    networks = pd.concat([errors(), *twins, sound.assign(network_kind="acoustics", trained=True)])
    figure = abx_by_layer(errors(), networks)
    band = data_of(figure, "geom_ribbon").set_index(["panel", "x"])
    assert band.loc[("within speakers", 0.0), ["low", "middle", "high"]].tolist() == pytest.approx([0.2, 0.3, 0.5])
    assert len(band) == 4
    lines = [layer._data for layer in figure.layers if type(layer.geom).__name__ == "geom_hline"]
    assert lines[1]["yintercept" if "yintercept" in lines[1] else "error_rate"].tolist() == [0.25, 0.35]


def test_tables_of_something_else_are_refused():
    with pytest.raises(DataError, match="'error_rate'"):
        abx_by_layer(errors().drop(columns="error_rate"))
    with pytest.raises(DataError, match="'network_kind'"):
        abx_by_layer(errors(), errors().drop(columns="network_kind"))
    with pytest.raises(DataError, match="nothing to draw"):
        abx_by_layer(errors().iloc[:0])


def of_layers(names):
    table = pd.DataFrame({"layer": names * 2, "abx_mode": np.repeat(["within", "across"], len(names))})
    return abx_by_layer(table.assign(error_rate=0.3, conf_low=0.2, conf_high=0.4))


def axis_of(figure):
    return next(scale for scale in figure.scales if "x" in scale.aesthetics)


def test_names_of_many_layers_are_left_out_evenly_and_all_layers_are_drawn():
    figure = of_layers([f"transformer.{number}" for number in range(30)])
    assert axis_of(figure).breaks == list(range(0, 30, 2))
    assert axis_of(figure).labels == [f"transformer.{number}" for number in range(0, 30, 2)]
    assert figure.data["x"].nunique() == 30


def test_long_names_make_the_figure_higher_and_do_not_take_the_room_of_its_panels():
    short, long = of_layers(list("abc")), of_layers([f"encoder.layers.{number}.self_attention" for number in range(13)])
    heights = [one.theme.getp("figure_size")[1] for one in (short, long)]
    assert heights[1] > heights[0] + 1
    assert len(axis_of(long).breaks) == 13
