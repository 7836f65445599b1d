"""Relevance over the spectrogram, and what a score owes to groups of phones."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from layerstats.errors import DataError
from layerstats.plots import phone_shares, relevance_map

BANDS_HZ = 125 * 2.0 ** np.arange(7)


@pytest.fixture
def maps():
    """Ten frames of seven bands, an octave apart; two cells have relevance."""
    frame, band = (axis.ravel() for axis in np.meshgrid(np.arange(10), np.arange(7), indexing="ij"))
    table = pd.DataFrame({"time_s": frame / 100, "frequency_hz": BANDS_HZ[band], "input": -20.0 + frame})
    return table.assign(relevance=np.where((frame == 2) & (band == 3), 4.0, np.where(frame == 7, -2.0, 0.0)))


def cell(figure, time_ms, band, beside="relevance"):
    data = figure.data
    one = data[(data["time_ms"].round() == time_ms) & (data["band"] == band) & (data["beside"] == beside)]
    return np.array(to_rgb(one["colour"].item()))


def test_colour_says_the_sign_and_grey_the_input(maps):
    figure = relevance_map(maps)
    red, blue = cell(figure, 20, 3), cell(figure, 70, 0)
    assert red[0] > 0.7 > 0.3 > red[2]
    assert blue[2] > 0.5 > 0.3 > blue[0]
    quiet, loud = cell(figure, 0, 0), cell(figure, 90, 0)
    assert (quiet == 1).all()
    assert len(set(loud.round(3))) == 1
    assert loud[0] < 0.3
    # The spectrogram alone has no colour anywhere.
    assert len(set(cell(figure, 20, 3, "input").round(3))) == 1


def test_each_panel_has_a_scale_of_its_own(maps):
    both = pd.concat([maps.assign(rule="zero"), maps.assign(rule="epsilon", relevance=maps["relevance"] * 1e-6)])
    figure = relevance_map(both, beside="rule")
    assert np.allclose(cell(figure, 20, 3, "zero"), cell(figure, 20, 3, "epsilon"))
    assert list(figure.data["beside"].cat.categories) == ["input", "zero", "epsilon"]


def test_frequency_is_marked_in_hertz_at_its_band(maps):
    # Letters of neighbouring octaves do not meet here.
    for scale in relevance_map(maps).scales:
        if "y" in scale.aesthetics:
            assert list(zip(scale.breaks, scale.labels, strict=True))[::-1] == [
                (0, "125"), (1, "250"), (2, "500"), (3, "1000"), (4, "2000"), (5, "4000"), (6, "8000"),
            ]  # fmt: skip


def test_phones_are_drawn_where_they_are(maps):
    phones = pd.DataFrame({"label": ["a", "sh"], "onset_s": [0.01, 0.05], "offset_s": [0.05, 0.2]})
    figure = relevance_map(maps, phones)
    boundaries, words = figure.layers[1]._data, figure.layers[2]._data
    # The end of the last phone lies beyond the map, and its label in the middle of what is seen.
    assert sorted(boundaries["x"].round(6)) == [10.0, 50.0]
    assert words["text"].tolist() == ["a", "sh"]
    assert np.allclose(words["x"], [30.0, 70.0])
    both = pd.concat([maps.assign(word="one"), maps.assign(word="two")])
    own = relevance_map(both, phones.assign(word=["one", "two"]), row="word").layers[2]._data
    assert own[["row", "text"]].astype(str).to_numpy().tolist() == [["one", "a"], ["two", "sh"]]


def test_two_values_of_a_cell_are_refused(maps):
    with pytest.raises(DataError, match="row=, beside="):
        relevance_map(pd.concat([maps, maps]))
    with pytest.raises(DataError, match="frequency_hz"):
        relevance_map(maps.drop(columns="frequency_hz"))


def test_shares_stand_beside_untrained_networks_and_time():
    shares = pd.DataFrame({"group": ["vowel", "stop"], "score_share": [0.6, 0.1], "duration_share": [0.3, 0.2]})
    shares = shares.assign(conf_low=[0.5, np.nan], conf_high=[0.7, np.nan])
    networks = pd.DataFrame({"group": ["vowel", "stop"] * 3, "score_share": np.arange(6) / 10, "trained": False})
    networks.loc[[0, 1], "trained"] = True
    data = phone_shares(shares, networks).data
    assert data["look"].value_counts().to_dict() == {
        "trained network": 2,
        "share of time": 2,
        "untrained networks": 4,
    }
    # A group of one speaker has no interval, and stays a point.
    assert len(phone_shares(shares).layers[1]._data) == 1
    with pytest.raises(DataError, match="duration_share"):
        phone_shares(shares.drop(columns="duration_share"))
