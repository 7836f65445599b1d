"""Shares and hits in phones against their definitions, a map and a place at a time."""

import numpy as np
import pandas as pd
import pytest
from map_stores import TIMES, store_of_windows

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import phone_location
from layerstats.stats.trust.interval_shares import EXCHANGED, HIT, SHARE, SHIFTED, speaker_shares
from layerstats.stats.trust.map_worlds import SAMPLES, MapWorld
from layerstats.store import open_store, store_arrays


def by_definition(values, samples):
    """Share and hit of one map in the samples of a phone."""
    return values[samples].sum() / values.sum(), float(int(np.argmax(values)) in samples)


def test_shares_and_hits_are_those_of_every_map_and_place(tmp_path):
    view, values, units = store_of_windows(tmp_path / "s.zarr", MapWorld("small", 3, 4), 0.3)
    found = phone_location(view)
    assert len(found) == 4 * len(units)
    names = view.tokens["token"].tolist()
    for row, unit in units.iterrows():
        own = np.arange(unit["first"], unit["last"])
        same = units.index[(units["speaker"] == unit["speaker"]) & (units.index != row)]
        places = {
            SHIFTED: [(own + shift) % SAMPLES for shift in range(SAMPLES)],
            EXCHANGED: [np.arange(units["first"][other], units["last"][other]) for other in same],
        }
        one = found[found["token"] == names[row]].set_index(["measure", "baseline"])
        for baseline, samples in places.items():
            chance = np.array([by_definition(values[row], place.tolist()) for place in samples])
            for number, measure in enumerate((SHARE, HIT)):
                assert one.loc[(measure, baseline), "value"] == pytest.approx(
                    by_definition(values[row], own.tolist())[number], abs=1e-6
                )
                assert one.loc[(measure, baseline), "baseline_value"] == pytest.approx(
                    chance[:, number].mean(), abs=1e-6
                )
                assert one.loc[(measure, baseline), "null_variance"] == pytest.approx(chance[:, number].var(), abs=1e-6)
    assert set(found["phone"]) == {"aa", "s"}
    assert set(found["utterance"]) == set(view.tokens["utterance"])


def test_the_covariance_is_that_of_phones_that_are_shifted_together():
    values, units = MapWorld("one", 1, 6, lag="speaker").draw(np.random.default_rng(0))
    found = speaker_shares(values, units, exchanged=False)
    shares = np.array(
        [
            [values[row, (np.arange(first, last) + shift) % SAMPLES].sum() for shift in range(SAMPLES)]
            for row, first, last in units[["map", "first", "last"]].to_numpy()
        ]
    )
    own = found[found["measure"] == SHARE]
    assert own["null_covariance"].mean() == pytest.approx(shares.mean(axis=0).var())
    covariance = [np.cov(one, shares.mean(axis=0), ddof=0)[0, 1] for one in shares]
    assert own["null_covariance"].to_numpy() == pytest.approx(np.array(covariance))


def test_signs_are_told_apart_before_frequencies_are_added_up(tmp_path):
    tokens = pd.DataFrame({"token": ["a"], "word": "ask", "speaker": "s1", "split": "test"})
    phone = pd.DataFrame({"token": ["a"], "phone_index": [0], "label": "s", "onset_s": [0.1], "offset_s": [0.2]})
    maps = np.array([[[3.0, -2.0, 0.0], [1.0, 4.0, -6.0]]])
    times = {"input": [0.0, 0.1, 0.2]}
    path = store_arrays(tmp_path / "s.zarr", tokens, {"input": maps}, time_s=times, phones=phone)
    shares = {"absolute": 6 / 16, "positive": 4 / 8, "negative": 2 / 8}
    for part, share in shares.items():
        found = phone_location(open_store(path), variable="maps", part=part)
        assert found["value"].iloc[0] == pytest.approx(share)
        assert found["condition"].iloc[0] == part


def whole_tokens(path, values, onset_s=0.2, duration_s=0.4):
    tokens = pd.DataFrame({"token": ["a", "b"], "word": "ask", "speaker": "s1", "split": "test"})
    tokens = tokens.assign(onset_s=onset_s, duration_s=duration_s)
    rows = [(token, 0, "aa", 0.2, 0.3) for token in "ab"] + [(token, 1, "s", 0.3, 0.5) for token in "ab"]
    phones = pd.DataFrame(rows, columns=["token", "phone_index", "label", "onset_s", "offset_s"])
    times = {"input": np.arange(10) / 10 + 0.01}
    return open_store(store_arrays(path, tokens, {"input": values}, time_s=times, phones=phones))


def test_phones_of_whole_tokens_are_shifted_round_the_speech(tmp_path):
    values = np.ones((2, 10))
    values[:, :2] = 6
    found = phone_location(whole_tokens(tmp_path / "s.zarr", values))
    assert set(found["baseline"]) == {SHIFTED}
    share = found[found["measure"] == SHARE]
    # Four samples of speech have 4 of 20; the maximum lies in the padding, where no phone is shifted to.
    assert share.set_index(["token", "phone"]).loc[("a", "s"), "baseline_value"] == pytest.approx(4 / 20 * 2 / 4)
    assert (found.loc[found["measure"] == HIT, "baseline_value"] == 0).all()
    assert phone_location(whole_tokens(tmp_path / "s.zarr", values).select(phone="s"))["phone"].eq("s").all()


def test_an_empty_map_has_no_measures(tmp_path):
    values = np.ones((2, 10))
    values[1] = 0
    found = phone_location(whole_tokens(tmp_path / "s.zarr", values)).set_index("token")
    assert found.loc["b", "value"].isna().all()
    assert found.loc["a", "value"].notna().all()


def test_bad_input(tmp_path):
    view, values, _ = store_of_windows(tmp_path / "s.zarr")
    with pytest.raises(ArgumentError, match="'part' parameter"):
        phone_location(view, part="signed")
    with pytest.raises(ArgumentError, match="'variable' parameter"):
        phone_location(view, variable="maps")
    with pytest.raises(ArgumentError, match="'layer' parameter"):
        phone_location(view, layer="conv9")
    with pytest.raises(DataError, match="No labelled phone"):
        phone_location(_without_phones(tmp_path, view, values))


def _without_phones(folder, view, values):
    path = store_arrays(folder / "t.zarr", view.tokens, {"input": values}, time_s={"input": TIMES})
    return open_store(path)


def test_values_that_are_not_finite_are_refused(tmp_path):
    values = np.ones((2, 10))
    values[0, 3] = np.nan
    with pytest.raises(DataError, match="not finite"):
        phone_location(whole_tokens(tmp_path / "s.zarr", values))
