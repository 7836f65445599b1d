import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import double_difference

TIME = np.linspace(0, 1, 11)


def curve(diff, **more):
    return pd.DataFrame({"time": TIME, "diff": diff, "conf_low": diff - 1.0, "conf_high": diff + 1.0}).assign(**more)


def tables(layers=("conv1", "conv2")):
    sides = [
        curve(size * TIME, layer=layer, by_level=side, level_1="s", level_2="sh")
        for layer in layers
        for side, size in (("f", 3.0), ("m", 1.0))
    ]
    double = [curve(2 * TIME, layer=layer, level_1="f", level_2="m") for layer in layers]
    return pd.concat(sides, ignore_index=True), pd.concat(double, ignore_index=True)


def test_both_sides_above_their_difference_below(built, panels):
    contrasts, difference = tables()
    figure = double_difference(contrasts, difference)
    upper, lower = "s \N{MINUS SIGN} sh", "f \N{MINUS SIGN} m"
    assert panels(figure) == [(f"conv1\n{upper}",), (f"conv2\n{upper}",), (f"conv1\n{lower}",), (f"conv2\n{lower}",)]
    line = built(figure)[-1]
    ends = {panel: sorted(own.groupby("group")["y"].max()) for panel, own in line.groupby("PANEL")}
    assert ends == {1: [1.0, 3.0], 2: [1.0, 3.0], 3: [2.0], 4: [2.0]}


def test_regions_are_marked_under_the_double_difference(built):
    contrasts, difference = tables()
    regions = pd.DataFrame({"layer": ["conv2"], "start": [0.5], "end": [1.0]})
    strip = built(double_difference(contrasts, difference, regions))[-1]
    assert strip[["xmin", "xmax"]].to_numpy().tolist() == [[0.5, 1.0]]
    assert strip["PANEL"].astype(int).tolist() == [4]
    assert strip["ymax"].max() < difference["conf_low"].min()
    assert len(built(double_difference(contrasts, difference, regions.head(0)))) == 3


def test_what_cannot_be_drawn():
    with pytest.raises(ArgumentError, match="At most 8 layers"):
        double_difference(*tables([f"conv{number}" for number in range(9)]))
    with pytest.raises(DataError, match="no rows"):
        double_difference(tables()[0], tables()[1].head(0))
