"""Averages of aligned windows as maps, and their profiles."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import aligned_maps, pattern_profiles

BANDS_HZ = 125 * 2.0 ** np.arange(7)


@pytest.fixture
def maps():
    """Two letters by two alignments, ten lags of seven bands; "b" is a hundred times as large as "a"."""
    lag, band = (axis.ravel() for axis in np.meshgrid(np.arange(10) - 5, np.arange(7)))
    parts = []
    for letter, size in (("a", 1.0), ("b", 100.0)):
        for way in ("none", "maximum"):
            pattern = np.where(band == 3, size, np.where(band == 5, -size / 2, 0.0))
            table = pd.DataFrame({"lag_s": lag / 100, "frequency_hz": BANDS_HZ[band], "pattern": pattern})
            parts.append(table.assign(label=letter, alignment=way, claimed=(lag >= -1) & (lag <= 1) & (band == 3)))
    return pd.concat(parts, ignore_index=True)


def parts_of(figure, band, letter):
    data = figure.data
    return data.loc[(data["band"] == band) & (data["row"] == letter), "part"].unique().tolist()


def test_a_common_scale_makes_letters_comparable(maps):
    figure = aligned_maps(maps)
    assert parts_of(figure, 3, "b") == [1.0]
    assert parts_of(figure, 5, "b") == [-0.5]
    assert parts_of(figure, 3, "a") == [0.0]
    fill = next(scale for scale in figure.scales if "fill" in scale.aesthetics)
    assert fill.labels == ["-100", "0", "100"]


def test_pages_share_a_common_scale(maps):
    figure = aligned_maps(maps, rows=["b"], marked="claimed")
    assert parts_of(figure, 5, "b") == [-0.5]
    assert set(figure.data["row"]) == set(figure.layers[2]._data["row"]) == {"b"}
    assert parts_of(aligned_maps(maps, rows=["a"]), 3, "a") == [0.0]
    with pytest.raises(ArgumentError, match="'label' parameter"):
        aligned_maps(maps, rows=["c"])


def test_the_published_scale_is_each_panels_own(maps):
    figure = aligned_maps(maps, scale="panel")
    assert parts_of(figure, 3, "a") == parts_of(figure, 3, "b") == [1.0]
    assert "scale of its own" in figure.labels.caption


def test_panels_of_one_kind_may_share_a_scale(maps):
    figure = aligned_maps(maps, scale="label")
    assert "of each label: a 1, b 1e+02." in figure.labels.caption
    assert parts_of(figure, 5, "a") == parts_of(figure, 5, "b") == [-0.5]


def test_what_no_window_reaches_is_missing(maps):
    maps.loc[maps["lag_s"] < 0, "pattern"] = np.nan
    data = aligned_maps(maps).data
    assert data.loc[data["time_ms"] < 0, "part"].isna().all()
    assert data.loc[data["time_ms"] >= 0, "part"].notna().all()
    # Nothing but missing values is drawn too.
    assert aligned_maps(maps.assign(pattern=np.nan)).data["part"].isna().all()


def test_lines_go_along_the_edges_of_what_is_marked(maps):
    """Three pixels beside each other: four lines a panel, one for each side."""
    lines = aligned_maps(maps, marked="claimed").layers[2]._data
    one = lines[(lines["row"] == "a") & (lines["beside"] == "none")]
    found = {tuple(line) for line in one[["time_ms", "time_end", "band", "band_end"]].to_numpy().tolist()}
    assert found == {(-15, 15, 2.5, 2.5), (-15, 15, 3.5, 3.5), (-15, -15, 2.5, 3.5), (15, 15, 2.5, 3.5)}
    assert len(lines) == 16
    # A hole has an outline too.
    hole = maps.assign(claimed=(maps["lag_s"] != 0) | (maps["frequency_hz"] != BANDS_HZ[2]))
    assert len(aligned_maps(hole, marked="claimed").layers[2]._data) == 4 * 8
    assert len(aligned_maps(maps.assign(claimed=False), marked="claimed").layers) == 2


def test_what_cannot_be_drawn_as_maps_is_refused(maps):
    with pytest.raises(DataError, match="several"):
        aligned_maps(pd.concat([maps, maps]))
    with pytest.raises(DataError, match="'mean'"):
        aligned_maps(maps, value="mean")
    with pytest.raises(ArgumentError, match="'scale' parameter"):
        aligned_maps(maps, scale="each")
    with pytest.raises(DataError, match="nothing to draw"):
        aligned_maps(maps.iloc[:0])


@pytest.fixture
def profiles():
    frame = pd.DataFrame({"frequency_hz": BANDS_HZ, "lag_s": np.arange(7) / 100, "pattern": np.arange(7.0)})
    frame = frame.assign(conf_low=frame["pattern"] - 1, conf_high=frame["pattern"] + 1)
    return pd.concat([frame.assign(label=letter) for letter in "ab"])


def test_profiles_over_frequency_are_marked_in_hertz(profiles):
    figure = pattern_profiles(profiles, x="frequency_hz")
    axis = next(scale for scale in figure.scales if "x" in scale.aesthetics)
    # Two panels side by side: labels that would meet are left out.
    assert list(zip(axis.breaks, axis.labels, strict=True)) == [(6, "8000"), (4, "2000"), (2, "500"), (0, "125")]
    assert figure.data["place"].tolist() == [*range(7), *range(7)]


def test_profiles_over_time_are_in_milliseconds(profiles):
    figure = pattern_profiles(profiles.assign(who="own"), group="who")
    assert figure.data["place"].tolist()[:3] == [0, 10, 20]
    assert figure.labels.x == "Time from the alignment (ms)"
    with pytest.raises(ArgumentError, match="'x' parameter"):
        pattern_profiles(profiles, x="time_s")


def test_frames_of_any_hop_are_evenly_spaced(maps):
    """Hops that are no round number of milliseconds, as of 256 samples at 22,050 Hz, are drawn without a warning."""
    figure = aligned_maps(maps.assign(lag_s=(100 * maps["lag_s"]).round() * 256 / 22050))
    figure.draw()
