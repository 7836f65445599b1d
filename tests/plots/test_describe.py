"""What figures show, in words: as those hear it who cannot see them."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from plotnine import aes, facet_wrap, geom_line, geom_point, geom_tile, ggplot, labs, scale_x_continuous

from layerstats.plots.describe import describe_figure

FIGURES = runpy.run_path(str(Path(__file__).with_name("baseline_figures.py")))


def curves():
    rows = [
        (panel, word, x, x * (1 if word == "ask" else -2)) for panel in "ab" for word in ("ask", "dark") for x in (0, 1)
    ]
    return pd.DataFrame(rows, columns=["panel", "word", "x", "y"])


def test_each_group_of_each_panel_is_told():
    figure = (
        ggplot(curves(), aes("x", "y", color="word"))
        + geom_line()
        + facet_wrap("panel")
        + labs(x="Time (ms)", y="Value")
    )
    assert describe_figure(figure) == (
        "Lines: Value by Time (ms). Panels: a, b. Groups: ask, dark. a, ask: highest 1 at 1, lowest 0 at 0. "
        "a, dark: highest 0 at 0, lowest -2 at 1. b, ask: highest 1 at 1, lowest 0 at 0. "
        "b, dark: highest 0 at 0, lowest -2 at 1."
    )


def test_places_have_the_names_of_the_axis_and_what_is_the_same_is_told_once():
    named = scale_x_continuous(breaks=[0, 1], labels=["conv1", "conv2"])
    rows = pd.DataFrame({"x": [-0.1, 1.1], "y": [0.5, 0.2]})
    figure = ggplot(rows, aes("x", "y")) + geom_point() + named + labs(x="Layer", y="")
    assert describe_figure(figure) == "Points: Layer. Highest 0.5 at conv1, lowest 0.2 at conv2."
    assert describe_figure(ggplot(rows.assign(y=1.0), aes("x", "y")) + geom_point()) == "Points. 1."


def test_of_a_map_no_height_is_told_and_of_no_numbers_nothing():
    cells = pd.DataFrame({"x": ["a", "b"], "y": ["c", "d"], "value": [1.0, 2.0]})
    figure = ggplot(cells, aes("x", "y", fill="value")) + geom_tile() + labs(x="Code", y="Word")
    assert describe_figure(figure) == "A map of cells: Word by Code."
    missing = pd.DataFrame({"x": [1.0], "y": [np.nan]})
    assert describe_figure(ggplot(missing, aes("x", "y")) + geom_point()) == "Points."


@pytest.mark.parametrize(
    "name", ["effect_by_layer", "difference", "receptive_field", "optimal_inputs", "rating_shares"]
)
def test_figures_of_the_package_say_what_is_drawn_and_of_what(name):
    said = describe_figure(FIGURES[name]())
    assert 20 < len(said) < 700
    assert "#" not in said
    assert "nan" not in said
