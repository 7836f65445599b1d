"""Relevance is a share of a score: under a phone it is added up, in series, layouts and channels alike."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from layerstats.errors import DataError
from layerstats.stats import Contrast, phone_series, phone_shares, word_series
from layerstats.stats.contrasts.channel_values import on_common_times, rows_of_series
from layerstats.stats.networks.layouts import layout
from layerstats.stats.score_shares import are_shares
from layerstats.store import open_store, store_arrays

SPEAKERS, SAMPLES, CHANNELS = 6, 200, 2
TIMES = np.arange(SAMPLES) / 1000
CONTRAST = Contrast.read("s:sh")


@pytest.fixture
def make(tmp_path):
    """Return a function that stores the same values, said to be a quantity."""

    def make_store(name, **about):
        rng, rows, phones = np.random.default_rng(3), [], []
        for number in range(2 * SPEAKERS):
            token, label, length = f"t{number:02}", "s" if number % 2 else "sh", 0.02 + 0.01 * (number % 3)
            where = {"onset_s": 0.01, "duration_s": 0.1 + length}
            rows.append({"token": token, "word": "ask", "speaker": f"p{number // 2}", "split": "test", **where})
            phones.append({"token": token, "phone_index": 0, "label": label, "onset_s": 0.05})
            phones[-1]["offset_s"] = phones[-1]["onset_s"] + length
        values = rng.normal(size=(len(rows), CHANNELS, SAMPLES))
        tables = pd.DataFrame(rows), pd.DataFrame(phones)
        path = tmp_path / f"{name}.zarr"
        store_arrays(path, tables[0], {"conv1": values}, time_s={"conv1": TIMES}, phones=tables[1], attrs=about)
        return open_store(path)

    return make_store


def sums(view, intervals):
    """By hand: what lies under each interval of the mean over channels."""
    values = pd.DataFrame(view.layer("conv1")["mean"].to_numpy(), index=view.tokens["token"], columns=TIMES)
    places = zip(intervals["token"], intervals["onset_s"], intervals["offset_s"], strict=True)
    return np.array([values.loc[token, (onset <= TIMES) & (offset > TIMES)].sum() for token, onset, offset in places])


@pytest.mark.parametrize(
    ("about", "shares"),
    [
        ({"quantity": "relevance", "method": "epsilon"}, True),
        ({"quantity": "relevance"}, True),
        ({"quantity": "relevance", "method": "gradient"}, False),
        ({"quantity": "gradient", "times_activation": True}, True),
        ({"quantity": "gradient", "times_activation": False}, False),
        ({}, False),
    ],
)
def test_what_adds_up_is_a_share_of_a_score(make, about, shares):
    assert are_shares(make("one", **about)) is shares


def test_a_root_mean_square_over_channels_is_no_share(make, monkeypatch):
    """It has lost the signs; of a recording that has the mean too, the mean is what counts."""
    view = make("one", quantity="relevance")
    monkeypatch.setattr(type(view), "summary", "root_mean_square")
    assert not are_shares(view)
    with pytest.raises(DataError, match="summary 'root_mean_square'"):
        phone_shares(view, by="label")


@pytest.mark.parametrize("samples", [None, 8, 1000])
def test_the_mean_of_a_phones_series_is_the_sum_under_it(make, samples):
    view = make("relevance", quantity="relevance")
    one = phone_series(view, "conv1", samples=samples)
    assert one.summed
    # Bins that hold as many samples: 8 does not divide 20 or 30 evenly, so that bins are weighted there.
    found = one.frame.groupby("token")["value"].mean()
    if samples != 8:
        assert_allclose(found.to_numpy(), sums(view, view.phones.sort_values("token")), atol=1e-5)
    activation = phone_series(make("activation"), "conv1", samples=samples)
    points = phone_series(view, "conv1", samples=None).frame.groupby("token").size()
    assert not activation.summed
    assert_allclose(found, activation.frame.groupby("token")["value"].mean() * points, rtol=1e-12)


def test_words_add_up_where_they_are_cut_out_and_not_where_the_clip_is_whole(make):
    view, plain = make("relevance", quantity="relevance"), make("activation")
    words = view.tokens.assign(offset_s=lambda tokens: tokens["onset_s"] + tokens["duration_s"])
    cut = word_series(view, "conv1", variant="word", samples=None)
    assert_allclose(cut.frame.groupby("token")["value"].mean(), sums(view, words), atol=1e-5)
    whole = word_series(view, "conv1", samples=None)
    assert not whole.summed
    assert_allclose(whole.frame["value"], word_series(plain, "conv1", samples=None).frame["value"])


def test_networks_are_compared_in_the_same_sums(make):
    view = make("relevance", quantity="relevance")
    places = CONTRAST.intervals(view)
    values = view.layer("conv1")["mean"].to_numpy()
    one = layout(places, CONTRAST.group, view.tokens["token"].tolist(), TIMES, summed=True)
    plain = layout(places, CONTRAST.group, view.tokens["token"].tolist(), TIMES)
    points = np.round((places["offset_s"] - places["onset_s"]).to_numpy() * 1000)
    assert set(points) == {20, 30, 40}
    assert_allclose(one.means(values), plain.means(values) * points[:, None], rtol=1e-12)
    # Ten bins of as many samples.
    assert_allclose(one.means(values).mean(axis=1), sums(view, places), atol=1e-5)


def test_channels_add_up_to_the_mean_over_channels(make):
    view = make("relevance", quantity="relevance")
    raw = CONTRAST.series(view, "conv1", samples=None)
    for samples, common in ((None, False), (8, False), (8, True)):
        series, rows = rows_of_series(view, "conv1", raw, samples)
        if common:
            series, rows = on_common_times(series, rows)
        channels = rows.read(view.array("conv1", "maps"), slice(None))
        expected = CONTRAST.series(view, "conv1", samples=samples).frame["value"].to_numpy()
        if common:
            lower, upper, weight = rows.lower, rows.upper, rows.weight
            expected = expected[lower] * (1 - weight) + expected[upper] * weight
        assert_allclose(channels.mean(axis=0), expected, atol=1e-5)
        assert series.summed


def test_axes_say_what_was_recorded(make):
    assert make("activation").value_label == "Activation (mean over channels)"
    assert make("relevance", quantity="relevance").value_label == "Relevance (mean over channels)"
