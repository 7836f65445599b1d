"""Figures of probes and of similar layers show every layer once, and what a network is held against."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.plots import probe_by_layer, similarity_matrix


def data_of(figure, name):
    return [layer._data for layer in figure.layers if type(layer.geom).__name__ == name]


def probed():
    table = pd.DataFrame({"layer": ["b", "a"] * 2, "measure": np.repeat(["balanced accuracy", "accuracy"], 2)})
    table = table.assign(estimate=[0.5, 0.6, 0.7, 0.8], chance=[0.2, 0.22, np.nan, np.nan])
    table = table.assign(conf_low=table["estimate"] - 0.1, conf_high=table["estimate"] + 0.1)
    return table.assign(network_kind="whisper", trained=True)


def test_layers_keep_their_order_and_one_measure_is_drawn(built):
    figure = probe_by_layer(probed())
    assert figure.data.sort_values("x")["layer"].tolist() == ["b", "a"]
    assert set(figure.data["measure"]) == {"balanced accuracy"}
    assert data_of(figure, "geom_hline")[0]["chance"].tolist() == pytest.approx([0.21])


def test_untrained_networks_are_a_band_and_the_sound_a_line(built):
    twins = [probed().assign(trained=False, estimate=value) for value in (0.1, 0.3)]
    sound = probed().iloc[[0]].assign(layer="features", network_kind="acoustics", estimate=0.4)
    figure = probe_by_layer(probed(), pd.concat([probed(), *twins, sound]))
    (band,), (_, line) = data_of(figure, "geom_ribbon"), data_of(figure, "geom_hline")
    assert (band["low"] == 0.1).all()
    assert (band["high"] == 0.3).all()
    assert line["value"].tolist() == [0.4]


def test_both_measures_have_a_panel_each(built, panels):
    assert len(panels(probe_by_layer(probed(), measure=None))) == 2


def pairs():
    table = pd.DataFrame({"layer_1": ["a", "a", "b"], "layer_2": ["b", "features", "features"]})
    return table.assign(recording_1="own", recording_2=["own", "mel", "mel"], estimate=[0.8, 0.3, -0.01])


def test_both_halves_and_the_diagonal_are_drawn_and_the_sound_is_a_column(built):
    data = similarity_matrix(pairs()).data
    cells = data.set_index([data["row"].astype(str), data["column"].astype(str)])["similarity"]
    assert cells["a", "b"] == cells["b", "a"] == 0.8
    assert cells["a", "a"] == cells["b", "b"] == 1
    assert cells["b", "features (mel)"] == -0.01
    assert len(cells) == 6
    assert data["shade"].min() == 0


def test_of_two_networks_there_is_no_diagonal(built):
    data = similarity_matrix(pairs().assign(recording_2="other")).data
    assert len(data) == 3


def test_tables_that_lack_something_are_refused():
    with pytest.raises(DataError, match="chance"):
        probe_by_layer(probed().drop(columns="chance"))
    with pytest.raises(DataError, match="trained"):
        probe_by_layer(probed(), probed().drop(columns="trained"))
    with pytest.raises(DataError, match="no rows"):
        probe_by_layer(probed(), measure="selectivity")
    with pytest.raises(DataError, match="layer_2"):
        similarity_matrix(pairs().drop(columns="layer_2"))
