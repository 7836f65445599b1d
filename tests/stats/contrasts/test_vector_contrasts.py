"""Contrasts of vectors of phones: t tests over differences of speakers, checked against scipy by channel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import channel_effects
from layerstats.stats import Contrast, carrying_channels, channel_table, vector_contrasts

SPEAKERS, CHANNELS = 6, 7


def planted(seed=0, phones=300):
    """Vectors whose channel 1 differs between s and sh, 2 is dead, 3 has a NaN; the last speaker never says sh."""
    rng = np.random.default_rng(seed)
    label = rng.choice(["s", "sh", "t"], phones)
    speaker = rng.integers(0, SPEAKERS, phones)
    label[(speaker == SPEAKERS - 1) & (label == "sh")] = "t"
    values = rng.normal(size=(phones, CHANNELS)) + 0.5 * rng.normal(size=(SPEAKERS, CHANNELS))[speaker] + 1000.0
    values[:, 1] += 1.5 * (label == "s")
    values[:, 2] = 0.25
    values[np.flatnonzero(label == "sh")[0], 3] = np.nan
    labels = {
        "label": label,
        "speaker": [f"p{number}" for number in speaker],
        "position": rng.choice(["a", "b"], phones),
    }
    coords = {name: ("phone", np.asarray(column, dtype=object)) for name, column in labels.items()}
    return xr.DataArray(values, dims=("phone", "channel"), coords=coords, attrs={"layer": "conv5", "recording": "r"})


def by_hand(vectors, channel, first, second):
    frame = pd.DataFrame(
        {name: vectors[name].to_numpy() for name in ("label", "speaker")} | {"value": vectors[:, channel].to_numpy()}
    )
    means = frame.groupby(["speaker", "label"])["value"].mean().unstack()
    difference = (means[first] - means[second]).dropna()
    kept = frame[frame["speaker"].isin(difference.index) & frame["label"].isin([first, second])]
    within = kept["value"] - kept.groupby(["speaker", "label"])["value"].transform("mean")
    sd = np.sqrt((within**2).sum() / (len(kept) - 2 * len(difference)))
    return stats.ttest_1samp(difference, 0.0), difference, sd


@pytest.mark.parametrize("block_values", [2**23, 50])
def test_it_is_a_t_test_over_the_speakers_who_say_both(monkeypatch, block_values):
    monkeypatch.setattr("layerstats.stats.contrasts.vectors._BLOCK_VALUES", block_values)
    vectors = planted()
    found = vector_contrasts(vectors, "s:sh").sel(term="level")
    for channel in (0, 1, 4, 5, 6):
        test, difference, sd = by_hand(vectors, channel, "s", "sh")
        low, high = test.confidence_interval(0.95)
        one = found.isel(channel=channel)
        expected = [difference.mean(), difference.sem(), low, high, len(difference) - 1, test.statistic, test.pvalue]
        names = ["estimate", "std_error", "conf_low", "conf_high", "df", "statistic", "p_value"]
        np.testing.assert_allclose([float(one[name]) for name in names], expected, rtol=1e-6)
        np.testing.assert_allclose(
            [float(one["token_sd"]), float(one["effect_size"])], [sd, abs(difference.mean()) / sd], rtol=1e-6
        )
    assert found["status"].to_numpy().tolist() == ["fitted", "fitted", "dead", "not finite", *["fitted"] * 3]
    assert (found.attrs["speakers"], found.attrs["note"][:10]) == (SPEAKERS - 1, "1 speakers")
    tested = found["p_value"].to_numpy()
    assert np.isfinite(tested).sum() == 5
    np.testing.assert_allclose(found["p_holm"][1], min(1.0, 5 * float(found["p_value"][1])))


def test_reversed_only_signs_change():
    one, other = (vector_contrasts(planted(), text) for text in ("s:sh", "sh:s"))
    np.testing.assert_array_equal(one["estimate"], -other["estimate"])
    np.testing.assert_array_equal(one["statistic"], -other["statistic"])
    np.testing.assert_array_equal(one["p_holm"], other["p_holm"])
    np.testing.assert_allclose(one["conf_low"], -other["conf_high"], rtol=1e-12)


def test_sets_and_other_columns():
    vectors = planted()
    sets = vector_contrasts(vectors, "s,t:sh")
    both = vectors["speaker"].to_numpy() != f"p{SPEAKERS - 1}"
    counted = int(np.isin(vectors["label"].to_numpy()[both], ["s", "t"]).sum())
    assert (sets.attrs["level_1"], sets.attrs["phones_1"]) == ("s,t", counted)
    places = vector_contrasts(vectors, Contrast.read("phones.position=a:b"))
    assert places.attrs["speakers"] == SPEAKERS


def test_tables_counts_and_figures_take_it():
    found = vector_contrasts(planted(), "s:sh")
    table = channel_table(found)
    assert {"level_difference", "conf_low", "level_p_fdr", "token_sd"} <= set(table.columns)
    assert not any(column.startswith(("shape", "joint")) for column in table.columns)
    assert carrying_channels(found)["found_holm"].tolist() == [1]
    assert channel_effects(table, test="level").data["look"].eq("adjusted p \N{LESS-THAN OR EQUAL TO} 0.05").sum() == 1


def test_under_the_null_few_channels_are_found():
    """Of phones without any difference, but with speakers who differ, five per cent have p below .05."""
    rng = np.random.default_rng(3)
    speaker = np.repeat(np.arange(8), 40)
    label = np.tile(["s", "sh"], 160)
    values = rng.normal(size=(320, 2000)) + 2 * rng.normal(size=(8, 2000))[speaker]
    own = rng.normal(size=(8, 2, 2000))
    values += own[speaker, (label == "s").astype(int)]
    coords = {"label": ("phone", label), "speaker": ("phone", speaker.astype(str))}
    p = vector_contrasts(xr.DataArray(values, dims=("phone", "channel"), coords=coords), "s:sh")["p_value"].to_numpy()
    assert 0.035 < np.mean(p < 0.05) < 0.065


def test_what_cannot_be_compared():
    vectors = planted()
    alone = vectors[vectors["speaker"].to_numpy() == "p0"]
    with pytest.raises(DataError, match="1 of 1 speakers have phones of both s and t"):
        vector_contrasts(alone, "s:t")
    with pytest.raises(ArgumentError, match="no phone 'x' in the data"):
        vector_contrasts(vectors, "s:x")
    with pytest.raises(ArgumentError, match="two levels"):
        vector_contrasts(vectors, "s:sh:t")
    with pytest.raises(ArgumentError, match="conf_level"):
        vector_contrasts(vectors, "s:sh", conf_level=1.0)
