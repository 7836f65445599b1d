import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.plots import autocorrelation


def table(**more):
    return pd.DataFrame({"lag": np.arange(6), "autocorrelation": [1, 0.5, 0.2, 0.1, -0.1, 0.0], "limit": 0.15, **more})


def test_a_stem_for_each_lag_and_limits_on_both_sides(built):
    _, stems, points, low, high = built(autocorrelation(table()))
    assert stems["y"].tolist() == points["y"].tolist() == [1, 0.5, 0.2, 0.1, -0.1, 0.0]
    assert (stems["yend"] == 0).all()
    assert set(low["y"]) == {-0.15}
    assert set(high["y"]) == {0.15}
    assert low["x"].min() == 1


def test_limits_are_left_out_where_they_are_unknown(built):
    assert len(built(autocorrelation(table().drop(columns="limit")))) == 3


def test_a_panel_a_layer(panels):
    layers = pd.concat([table(layer="conv5"), table(layer="conv4")])
    assert panels(autocorrelation(layers)) == [("conv5",), ("conv4",)]
    assert panels(autocorrelation(table())) == [()]


def test_bad_input():
    with pytest.raises(DataError, match="'lag' is not in the table for the figure 'autocorrelation'"):
        autocorrelation(table().drop(columns="lag"))
