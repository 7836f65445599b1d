import numpy as np
import pytest
from spoken_windows import store_of_letters

from layerstats.errors import ArgumentError
from layerstats.stats import pattern_tests, read_windows, speech_and_network
from layerstats.stats.averages.speech_and_network import FOUND_IN

OPTIONS = {"permutations": 99, "reach_s": 0.2, "seed": 1}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return store_of_letters(tmp_path_factory.mktemp("both") / "s.zarr", delay_s=0.05, speakers=6, each=60)


@pytest.fixture(scope="module")
def found(store):
    return speech_and_network(store, delay_s=0.05, **OPTIONS)


def test_a_pattern_tied_to_the_phone_is_in_speech_and_where_the_network_looks(found):
    row = found.table.set_index("letter").loc["a"]
    assert row["found_in"] == "speech and network"
    assert (row["speech_frequency_hz"], row["network_frequency_hz"]) == (500, 500)
    # The network is aligned 50 ms after the onset.
    assert row["phone_lag_s"] == pytest.approx(-0.05)
    assert 0 <= row["speech_lag_s"] <= 0.09
    assert 0 <= row["network_lag_s"] - row["phone_lag_s"] <= 0.09
    assert row["speech_there"] == pytest.approx(row["speech_estimate"], abs=0.15)
    assert row["speech_there_p_adjusted"] == pytest.approx(0.01)


def test_a_pattern_at_any_time_is_the_networks_choice(found):
    row = found.table.set_index("letter").loc["t"]
    assert (row["network_frequency_hz"], row["network_lag_s"]) == (2000, 0)
    assert row["network_p_adjusted"] == pytest.approx(0.01)
    assert row["network_estimate"] > 0.5
    # Other letters have no burst to be aligned at.
    assert abs(row["network_others"] + row["network_estimate"] / 3) < 0.4
    assert row["speech_frequency_hz"] == 500
    assert row["speech_there_p_adjusted"] > 0.05


def test_each_test_is_that_of_its_own_windows(store, found):
    network = pattern_tests(read_windows(store, alignment="max_relevance", relevance="adapted"), **OPTIONS)
    speech = pattern_tests(read_windows(store, alignment="phone_onset", delay_s=0.05), **OPTIONS)
    for name, tests in (("network", network), ("speech", speech)):
        for column in ("lag_s", "estimate", "p_adjusted"):
            assert np.array_equal(found.table[f"{name}_{column}"], tests.table[column])
    assert found.delay_s == 0.05


def test_noise_is_in_neither(tmp_path):
    store = store_of_letters(tmp_path / "n.zarr", delay_s=0.05, patterns=False, seed=3)
    found = speech_and_network(store, phone_alignment="phone_centre", **OPTIONS)
    for row in found.table.to_dict("records"):
        claimed = tuple(row[f"{name}_p_adjusted"] <= 0.05 for name in ("speech", "network"))
        assert row["found_in"] == FOUND_IN[claimed]
    assert (found.table["found_in"] == "neither").all()


def test_windows_without_a_phone_are_in_neither_test(tmp_path):
    store = store_of_letters(tmp_path / "p.zarr", delay_s=0.05, pauses=9)
    found = speech_and_network(store, delay_s=0.05, permutations=59, reach_s=0.05, resolution=(3, 1))
    assert found.network.table["windows"].tolist() == found.speech.table["windows"].tolist()
    assert found.table["windows"].sum() == len(store.tokens) - 9
    assert any(note.startswith("Left out: 9 of 120 windows") for note in found.notes)


def test_a_letter_of_few_speakers_is_not_tested_rather_than_in_neither(store):
    kept = store.tokens.loc[(store.tokens["letter"] != "s") | (store.tokens["speaker"] == "s0"), "token"]
    few = store.select(token=kept.tolist())
    rows = speech_and_network(few, delay_s=0.05, **OPTIONS).table.set_index("letter")
    assert rows.loc["s", "found_in"] == "not tested"
    assert rows.loc["a", "found_in"] == "speech and network"


@pytest.mark.parametrize("statistic", ["cluster_mass", "tfce"])
def test_other_statistics_find_the_pattern_and_claim_no_place(store, statistic):
    found = speech_and_network(store, delay_s=0.05, statistic=statistic, **OPTIONS)
    rows = found.table.set_index("letter")
    assert rows.loc["a", "found_in"] == "speech and network"
    assert rows.loc["a", "speech_there"] > 0.4
    assert rows["speech_there_p_adjusted"].isna().all()


def test_untrained_networks_stand_beside_where_the_store_has_them(tmp_path, found):
    assert found.untrained is None
    assert "null_p_value" not in found.table
    store = store_of_letters(tmp_path / "u.zarr", delay_s=0.05, speakers=6, each=60, twins=4)
    beside = speech_and_network(store, delay_s=0.05, relevance="adapted", **OPTIONS)
    rows = beside.table.set_index("letter")
    # No untrained network is aligned at the bursts.
    assert rows.loc["t", ["null_p_value", "null_recordings"]].tolist() == [0.2, 4]
    assert any("4 untrained networks" in note for note in beside.notes)
    assert beside.table["network_estimate"].equals(found.table["network_estimate"])


def test_what_makes_no_sense_is_refused(store):
    with pytest.raises(ArgumentError, match="one of the network's"):
        speech_and_network(store, "phone_onset")
    with pytest.raises(ArgumentError, match="'phone_alignment'"):
        speech_and_network(store, phone_alignment="none")
    with pytest.raises(ArgumentError, match="pattern_tests"):
        speech_and_network(store, against=[("a", "s")])
