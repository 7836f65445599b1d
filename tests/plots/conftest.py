"""Small results of known shape to draw, and a look at what plotnine built of them."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt


@pytest.fixture
def built():
    """Return a function that builds a figure and gives the data of its layers, as plotnine draws them."""

    def build(figure):
        drawn = copy.deepcopy(figure)
        plt.close(drawn.draw())
        return [layer.data for layer in drawn.layers]

    return build


@pytest.fixture
def panels():
    """Return a function that gives the titles of a figure's panels, in order."""

    def titles(figure):
        drawn = copy.deepcopy(figure)
        plt.close(drawn.draw())
        layout = drawn.facet.layout.layout.sort_values("PANEL")
        names = [name for name in ("panel", "pair", "group") if name in layout.columns]
        return [tuple(str(value) for value in row) for row in layout[names].to_numpy()]

    return titles


@pytest.fixture
def curves():
    """Return a function that makes predicted curves: level 1, 2, ... by word, times the number of the layer."""

    def make(layers=("conv1", "conv2"), words=("ask", "wash"), points=5):
        time = np.linspace(100, 500, points)
        parts = [
            pd.DataFrame({"layer": layer, "word": word, "time_ms": time, "fit": float((i + 1) * (j + 1))})
            for i, layer in enumerate(layers)
            for j, word in enumerate(words)
        ]
        frame = pd.concat(parts, ignore_index=True)
        return frame.assign(conf_low=frame["fit"] - 0.5, conf_high=frame["fit"] + 0.5)

    return make
