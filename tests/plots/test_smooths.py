import numpy as np
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import smooths


def test_curve_and_band_are_drawn_as_they_are(built, curves):
    ribbon, line = built(smooths(curves(layers=["conv1"])))
    assert sorted(line["y"].unique()) == [1.0, 2.0]
    assert np.allclose(ribbon["ymax"] - ribbon["ymin"], 1.0)
    assert sorted(line["x"].unique()) == [100, 200, 300, 400, 500]


def test_words_differ_in_colour_and_in_line_type(built, curves):
    _, line = built(smooths(curves(layers=["conv1"], words=["ask", "wash", "year"])))
    looks = line.groupby("y")[["color", "linetype"]].first().astype(str)
    assert looks["color"].is_unique
    assert looks["linetype"].is_unique


def test_a_panel_a_layer_in_the_order_of_the_table(panels, curves):
    figure = smooths(curves(layers=["conv10", "conv2"]))
    assert panels(figure) == [("conv10",), ("conv2",)]


def test_many_words_get_panels_with_the_others_behind(built, panels, curves):
    words = ["year", "ask", "dark", "oily", "rag"]
    figure = smooths(curves(layers=["conv5"], words=words))
    assert panels(figure) == [(word,) for word in words]
    context, _, line = built(figure)
    assert len(line) == 5 * 5  # words x points
    assert len(context) == 5 * 5 * 5  # every curve in every panel
    assert figure.labels.title == "conv5"


def test_many_words_at_several_layers_make_a_grid(panels, curves):
    words = ["ask", "dark", "oily", "rag", "wash"]
    titles = panels(smooths(curves(layers=["conv1", "conv2"], words=words)))
    assert titles == [(layer, word) for layer in ("conv1", "conv2") for word in words]


def test_seconds_are_drawn_in_milliseconds(built, curves):
    frame = curves(layers=["conv1"]).rename(columns={"time_ms": "time_s"})
    figure = smooths(frame.assign(time_s=frame["time_s"] / 1000))
    assert np.allclose(sorted(built(figure)[1]["x"].unique()), [100, 200, 300, 400, 500])
    assert figure.labels.x == "Time (ms)"


def test_normalised_time(built, curves):
    frame = curves(layers=["conv1"]).rename(columns={"time_ms": "time"})
    figure = smooths(frame.assign(time=frame["time"] / 500))
    assert built(figure)[1]["x"].max() == 1
    assert figure.labels.x == "Normalised time"


def test_a_column_of_any_name_tells_curves_apart(built, curves):
    # Names that would be expressions of Python if they reached plotnine's mappings.
    for name in ("C", "my word", "lambda", "factor"):
        frame = curves(layers=["conv1"]).rename(columns={"word": name})
        assert built(smooths(frame, by=name))[1]["color"].nunique() == 2


def test_bad_input(curves):
    with pytest.raises(DataError, match="Column 'conf_low' is not in the table for the figure 'smooths'"):
        smooths(curves().drop(columns="conf_low"))
    with pytest.raises(DataError, match="has no column of time"):
        smooths(curves().drop(columns="time_ms"))
    with pytest.raises(DataError, match="nothing to draw"):
        smooths(curves().head(0))
    with pytest.raises(ArgumentError, match="'layout'"):
        smooths(curves(), layout="grid")
    with pytest.raises(ArgumentError, match=r"At most 8 groups .* got 9"):
        smooths(curves(words=list("abcdefghi")), layout="overlay")
