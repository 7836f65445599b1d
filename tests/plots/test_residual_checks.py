import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import DataError
from layerstats.plots import residual_checks
from layerstats.plots.residual_checks import FITTED, QUANTILES


def residuals(n=500):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"fitted": rng.uniform(0, 5, n), "residual": rng.normal(0, 2, n)})


def test_quantiles_are_those_of_scipy(built):
    frame = residuals(200)
    points = built(residual_checks(frame))[0]
    drawn = points[points["PANEL"] == 1].sort_values("x")
    ordered = np.sort(frame["residual"])
    positions = stats.mstats.plotting_positions(ordered, 0.5, 0.5)  # Hazen's
    assert drawn["y"].to_numpy() == pytest.approx(ordered)
    assert drawn["x"].to_numpy() == pytest.approx(stats.norm.ppf(positions))


def test_each_residual_stands_over_its_fitted_value(built, panels):
    frame = residuals(50)
    figure = residual_checks(frame)
    assert panels(figure) == [(QUANTILES,), (FITTED,)]
    points = built(figure)[0]
    drawn = points[points["PANEL"] == 2]
    assert set(zip(drawn["x"], drawn["y"], strict=True)) == set(frame.itertuples(index=False, name=None))


def test_of_many_residuals_the_extremes_are_kept_and_the_figure_says_so(built):
    frame = residuals(5000)
    figure = residual_checks(frame, most_points=100)
    points = built(figure)[0]
    drawn = points[points["PANEL"] == 1]
    assert len(drawn) == 100
    assert (drawn["y"].min(), drawn["y"].max()) == (frame["residual"].min(), frame["residual"].max())
    assert figure.labels.caption == "100 of 5000 residuals, evenly by rank."
    # Quantiles are those of all 5,000.
    assert drawn["x"].max() == pytest.approx(stats.norm.ppf(1 - 0.5 / 5000))


def test_missing_residuals_are_left_out(built):
    frame = residuals(50)
    frame.loc[:9, "residual"] = np.nan
    assert len(built(residual_checks(frame))[0]) == 2 * 40


def test_bad_input():
    with pytest.raises(DataError, match="'residual' is not in"):
        residual_checks(residuals().drop(columns="residual"))
    with pytest.raises(DataError, match="there are 2"):
        residual_checks(residuals(2))
    with pytest.raises(DataError, match="standard deviation 0"):
        residual_checks(residuals().assign(residual=1.0))
