import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.plots import raw_series
from layerstats.plots.raw_series import BUNDLE


def tokens(per_word=20, points=16, words=("ask", "wash")):
    rng = np.random.default_rng(0)
    time = (np.arange(points) + 0.5) / points
    parts = [
        pd.DataFrame({"token": f"{word}_{i}", "word": word, "time_s": time, "value": rng.normal(size=points)})
        for word in words
        for i in range(per_word)
    ]
    return pd.concat(parts, ignore_index=True)


def test_every_token_is_drawn_whole_and_apart_from_the_next(built):
    frame = tokens().sample(frac=1, random_state=0)
    paths = built(raw_series(frame))[0]
    pieces = []
    for _, group in paths.groupby("group"):
        breaks = group["y"].isna().cumsum().to_numpy()
        pieces += [piece["y"].dropna().to_numpy() for _, piece in group.groupby(breaks)]
    expected = [part["value"].to_numpy() for _, part in tokens().groupby("token")]
    assert len(pieces) == len(expected) == 40
    assert sorted(map(tuple, pieces)) == sorted(map(tuple, expected))
    assert paths["group"].nunique() < 40
    assert all(np.ceil(group["y"].isna().sum() + 1) <= BUNDLE for _, group in paths.groupby("group"))


def test_the_mean_of_each_word_lies_over_its_tokens(built, panels):
    figure = raw_series(tokens())
    assert panels(figure) == [("ask",), ("wash",)]
    mean = built(figure)[1]
    expected = tokens().groupby(["word", "time_s"])["value"].mean().to_numpy()
    assert np.allclose(mean.sort_values(["PANEL", "x"])["y"], expected)


def test_long_series_are_averaged_in_bins_and_the_figure_says_so(built):
    frame = tokens(per_word=2, points=1000)
    figure = raw_series(frame, most_points=100)
    mean = built(figure)[1]
    assert mean["x"].nunique() == 100
    assert "Series averaged in bins of 9.99 ms." in figure.labels.caption
    assert mean["y"].mean() == pytest.approx(frame["value"].mean(), abs=1e-9)
    assert "averaged" not in raw_series(tokens()).labels.caption


def test_tokens_with_times_of_their_own_are_averaged_in_as_many_bins_as_one_has_points(built):
    frame = tokens().drop(columns="time_s")
    place = frame.groupby("token").cumcount()
    shift = frame["token"].str.partition("_")[2].astype(int) / 20
    frame["time"] = (place + shift) / 16
    frame["value"] = frame["time"]
    mean = built(raw_series(frame, x="time"))[1]
    sizes = mean.groupby("PANEL").size()
    assert sizes.eq(16).all()
    # Each bin has many tokens, so that their mean follows what they have in common.
    assert np.allclose(mean["y"], mean["x"], atol=0.5 / 16)


def test_bad_input():
    with pytest.raises(DataError, match="'token' is not in the table for the figure 'raw_series'"):
        raw_series(tokens().drop(columns="token"))
