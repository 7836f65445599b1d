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
        "Lines: Value by Time (ms). 2 panels: a, b. 2 groups: ask, dark. a, ask: rises from 0 at 0 to 1 at 1. "
        "a, dark: falls from 0 at 0 to -2 at 1. b, ask: rises from 0 at 0 to 1 at 1. "
        "b, dark: falls from 0 at 0 to -2 at 1."
    )


def test_places_have_the_names_of_the_axis_and_what_is_the_same_is_told_once():
    named = scale_x_continuous(breaks=[0, 1], labels=["conv1", "conv2"])
    rows = pd.DataFrame({"x": [-0.1, 1.1], "y": [0.5, 0.2]})
    figure = ggplot(rows, aes("x", "y")) + geom_point() + named + labs(x="Layer", y="")
    assert describe_figure(figure) == "Points: Layer. conv1 0.5, conv2 0.2."
    assert describe_figure(ggplot(rows.assign(y=1.0), aes("x", "y")) + geom_point()) == "Points. 1 throughout."


def test_of_a_map_each_row_is_told_and_of_no_numbers_nothing():
    cells = pd.DataFrame({"x": ["a", "b"], "y": ["c", "d"], "value": [1.0, 2.0]})
    figure = ggplot(cells, aes("x", "y", fill="value")) + geom_tile() + labs(x="Code", y="Word")
    assert describe_figure(figure) == "A map of cells: Word by Code. c most at a (1), d most at b (2)."
    missing = pd.DataFrame({"x": [1.0], "y": [np.nan]})
    assert describe_figure(ggplot(missing, aes("x", "y")) + geom_point()) == "Points."


def test_of_many_series_the_extremes_of_each_group_are_told_with_their_panel():
    rows = pd.DataFrame(
        [(panel, group, x, x * (1 + "abcd".index(panel)) * (-1) ** (group == "random_direction"))
         for panel in "abcd" for group in ("maximized", "random_direction") for x in range(9)],
        columns=["panel", "group", "x", "y"],
    )  # fmt: skip
    figure = ggplot(rows, aes("x", "y", color="group")) + geom_line() + facet_wrap("panel") + labs(x="Step", y="Score")
    assert describe_figure(figure) == (
        "Lines: Score by Step. 4 panels: a, b, c, d. 2 groups: maximized, random direction. "
        "maximized: highest 32 at 8, d, lowest 0 at 0, a. random direction: highest 0 at 0, a, lowest -32 at 8, d."
    )


def test_what_is_on_top_is_told_and_points_that_lie_anywhere_by_their_middle():
    tokens = pd.DataFrame({"x": [0.0, 1.0, 2.0] * 2, "y": [0.0, 5.0, 9.0, 4.0, 5.0, 1.0]})
    mean = tokens.groupby("x", as_index=False).mean()
    figure = ggplot(tokens, aes("x", "y")) + geom_line(alpha=0.2) + geom_line(data=mean)
    assert describe_figure(figure) == "Lines. From 2 at 0 to 5 at 2, highest 5 at 1, lowest 2 at 0."
    scattered = ggplot(pd.DataFrame({"x": [0.0, 1.0, 5.0], "y": [0.0, 2.0, 10.0]}), aes("x", "y")) + geom_point()
    assert describe_figure(scattered) == "Points. 3 points, mean 4 at 2, 0 to 10, rising (correlation 1.00)."


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("probe_by_layer", "trained network: conv1 0.4, conv2 0.5"),
        ("abx_by_layer", "across speakers, trained network: conv1 0.38"),
        ("named_cues", "random direction: six: initial [s] -0.08"),
        ("similarity_matrix", "conv1 most at conv2 (0.97)"),
        ("aligned_maps", "b, none: highest 1 at 2000, 0"),
        # Grey curves of the other words stand in every panel.
        ("smooths__many", "8 panels: ask, carry, dark, greasy, like, oily, rag, year. ask: highest 1 at 388"),
    ],
)
def test_figures_tell_of_what_they_are_about(name, told):
    assert told in describe_figure(FIGURES[name]())


@pytest.mark.parametrize(
    "name", ["effect_by_layer", "difference", "receptive_field", "optimal_inputs", "rating_shares"]
)
def test_figures_of_the_package_say_what_is_drawn_and_of_what(name):
    said = describe_figure(FIGURES[name]())
    assert 20 < len(said) < 700
    assert "#" not in said
    assert "nan" not in said
