import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.plots import phone_curves


def phones():
    time = np.linspace(0, 1, 5)
    parts = [
        pd.DataFrame({"layer": layer, "group": group, "time": time, "fit": fit})
        for layer in ("conv1", "conv2")
        for group, fit in (("s", 1.0), ("ʃ", 2.0))
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(conf_low=frame["fit"] - 0.5, conf_high=frame["fit"] + 0.25)


def test_two_curves_with_bands_in_each_panel(built, panels):
    figure = phone_curves(phones())
    assert panels(figure) == [("conv1",), ("conv2",)]
    ribbon, line = built(figure)
    assert line.groupby("PANEL", observed=True)["y"].unique().map(sorted).tolist() == [[1.0, 2.0]] * 2
    assert np.allclose(ribbon["ymax"] - ribbon["ymin"], 0.75)
    assert line.groupby("y")["linetype"].first().astype(str).is_unique


def test_bad_input():
    with pytest.raises(DataError, match="'time' is not in the table for the figure 'phone_curves'"):
        phone_curves(phones().drop(columns="time"))
