"""What is said of shares of a score, of vectors of phones and of codes, beside untrained networks."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from layerstats.stats import (
    LexicalLearning,
    OtherChoice,
    PhoneShares,
    SpeechAndNetwork,
    Trust,
    claims_of,
    lexical_learning,
    phone_shares,
)
from layerstats.store import open_store, store_arrays

NUMBERS = ("conf_low", "conf_high", "conf_level", "p_adjusted")


def recorded(folder, untrained, fricative=2.0):
    """Record relevance of six speakers: a network that rests on [s], and twins that rest on everything alike."""
    names = [f"t{number}" for number in range(12)]
    tokens = pd.DataFrame({"token": names, "word": "ask", "speaker": np.repeat(list("abcdef"), 2), "split": "test"})
    phones = pd.DataFrame(
        {"token": np.repeat(names, 2), "phone_index": [0, 1] * 12, "label": ["s", "k"] * 12,
         "onset_s": [0.0, 0.5] * 12, "offset_s": [0.5, 1.0] * 12}
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for number in range(untrained + 1):
        level = np.array([fricative, fricative, 1, 1, 1, 1]) if number == 0 else np.ones(6)
        values = level + rng.normal(0, 0.1, (12, 6))
        name = "relevance" if number == 0 else f"relevance_untrained_{number - 1:02d}"
        attrs = {"quantity": "relevance", "trained": number == 0}
        options = {"time_s": {"input": np.arange(6) / 4}, "phones": phones, "attrs": attrs, "name": name}
        store_arrays(folder / "s.zarr", tokens, {"input": values}, **options)
    return open_store(folder / "s.zarr", recording="relevance")


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("many"), 20)


def test_a_network_that_rests_on_phones_more_than_its_twins(view):
    result = phone_shares(view, by="label")
    claims = claims_of(result, network="reader")
    row = claims.table.set_index("claim_key").loc["reader:s"]
    own = result.comparisons.set_index("group").loc["s"]
    assert row["claim"] == (
        "Phones of the group “s” raise the score of reader more than that of 20 untrained networks on average"
    )
    assert row["verdict"] == "holds"
    assert row["estimate"] == own["diff"]
    assert [row[name] for name in NUMBERS] == [own[name] for name in NUMBERS]
    assert row["null_p_adjusted"] == own["null_p_adjusted"]
    twins = result.networks.query("group == 's' and not trained")["score_share"]
    assert row["null_low"] == pytest.approx(twins.min() - twins.mean())
    assert row["null_high"] == pytest.approx(twins.max() - twins.mean())


def test_what_rests_on_phones_less_is_tested_over_speakers_only(view):
    row = claims_of(phone_shares(view, by="label")).table.set_index("claim_key").loc["the network:k"]
    assert " less than that of" in row["claim"]
    assert row["verdict"] == "fails a check"


def test_other_signs_stand_beside(view):
    others = [OtherChoice("sign", "absolute", "signed", phone_shares(view, by="label", sign="absolute"))]
    rows = claims_of(phone_shares(view, by="label"), others=others).sensitivity
    assert rows["option"].tolist() == ["signed", "absolute"] * 2
    assert rows["reported"].tolist() == [True, False] * 2


def test_few_twins_fail_a_check_and_none_claim_nothing(tmp_path):
    found = phone_shares(recorded(tmp_path, 3), by="label")
    row = claims_of(found).table.iloc[0]
    assert row["verdict"] == "fails a check"
    assert "the smallest p-value they can give is 0.25" in claims_of(found).table["failed_checks"].str.cat()
    alone = dataclasses.replace(found, comparisons=found.comparisons.iloc[:0])
    assert isinstance(alone, PhoneShares)
    assert claims_of(alone).table.empty


def learned(right, seed=0):
    rng = np.random.default_rng(seed)
    rows = [(word, speaker, "train" if speaker < "e" else "test")
            for speaker in "abcdefgh" for word in ("ask", "wash", "year") for _ in range(4)]  # fmt: skip
    codes = pd.DataFrame(rows, columns=["word", "speaker", "split"])
    own = codes["word"].map({"ask": "0", "wash": "1", "year": "2"})
    drawn = rng.choice(["0", "1", "2"], len(codes))
    return lexical_learning(codes.assign(code=np.where(rng.random(len(codes)) < right, own, drawn)), draws=200)


def test_codes_are_held_against_those_of_untrained_networks():
    result, twins = learned(0.9), [learned(0.0, seed) for seed in range(1, 4)]
    row = claims_of(result, network="gan", untrained=twins).table.iloc[0]
    own = result.summary.set_index("measure").loc["assignment accuracy"]
    assert row["claim"] == "Codes of gan tell words apart in voices that were not heard in learning"
    assert [row[name] for name in ("estimate", "conf_low", "conf_high", "p_adjusted")] == [
        own[name] for name in ("estimate", "conf_low", "conf_high", "p_value")
    ]
    accuracies = [one.summary.set_index("measure").loc["assignment accuracy", "estimate"] for one in twins]
    assert (row["null_low"], row["null_high"], row["null_p_adjusted"]) == (min(accuracies), max(accuracies), 0.25)
    assert row["verdict"] == "fails a check"
    chance = claims_of(learned(0.0, 5)).table.iloc[0]
    assert chance["verdict"] == "not shown"
    assert "were not shown to tell words apart" in chance["claim"]


def test_codes_without_an_interval_are_not_claimed():
    result = learned(0.9)
    without = LexicalLearning(result.summary.assign(conf_low=np.nan), result.words, result.contingency)
    claims = claims_of(without, network="gan")
    assert claims.table.empty
    assert claims.notes == ("Nothing is claimed of gan:words: no interval or no test.",)


def trust_row(**other):
    row = {
        "recording": "adapted", "measure": "share inside the phone", "map": "R", "condition": "absolute",
        "baseline": "phones of other windows", "by": "all", "unit": "all", "tokens": 30, "speakers": 8,
        "estimate": 0.15, "conf_low": 0.13, "conf_high": 0.17, "baseline_estimate": 0.1, "diff": 0.05,
        "diff_low": 0.02, "diff_high": 0.08, "p_value": 0.001, "p_adjusted": 0.002, "adjust_method": "holm",
        "family": "share", "tests": 2, "conf_level": 0.95,
    }  # fmt: skip
    return row | other


def test_trust_in_maps_follows_what_was_found():
    rows = [
        trust_row(),
        trust_row(baseline="shifted phones", diff=0.09),
        trust_row(measure="deletion", condition="mean spectrum", baseline="energy", diff=-0.2),
        trust_row(measure="random weights, cascading: rank correlation, absolute", condition="conv1", baseline="maps"),
        trust_row(
            measure="rank correlation, absolute", condition="epsilon", baseline="maps", p_adjusted=0.4, speakers=1
        ),
    ]
    claims = claims_of(Trust(pd.DataFrame(rows)))
    table = claims.table.set_index("claim_key")
    share = table.loc["share inside the phone"]
    assert share["claim"] == "Maps of adapted lie more on the labelled phone than on phones of other windows"
    assert (share["estimate"], share["conf_low"], share["conf_high"]) == (0.05, 0.02, 0.08)
    assert "lowers the answer faster than by energy" in table.loc["deletion", "claim"]
    assert table.loc["random weights", "claim"].endswith("they tell of the input, not of learning")
    assert table.loc["agreement:epsilon", "verdict"] == "not shown"
    baseline = claims.sensitivity.query("choice == 'baseline'")
    assert baseline["estimate"].tolist() == [0.05, 0.09]


def test_letters_that_have_a_figure_are_claimed():
    both = {"letter": ["a", "s"], "windows": [20, 10], "null_p_adjusted": [0.3, 0.04], "null_recordings": [20, 20]}
    for name, adjusted in (("network", [0.01, 0.01]), ("speech", [0.5, 0.01])):
        numbers = {"lag_s": 0.1, "frequency_hz": 3000.0, "estimate": 1.0, "conf_low": 0.5, "conf_high": 1.5}
        both |= {f"{name}_{key}": [value] * 2 for key, value in numbers.items()}
        both |= {f"{name}_p_value": adjusted, f"{name}_p_adjusted": adjusted}
    about = {"family": "labels", "tests": 2, "adjust_method": "max_t", "conf_level": 0.95}
    tests = pd.DataFrame([{"level_1": letter, **about} for letter in "as"])
    one = type("Tests", (), {"table": tests, "alignment": "max_relevance", "quantity": "input"})
    other = type("Tests", (), {"table": tests, "alignment": "phone_onset", "quantity": "input"})
    result = SpeechAndNetwork(pd.DataFrame(both), other, one, None, 0.0, ())
    table = claims_of(result).table.set_index("claim_key")
    assert table["verdict"].to_dict() == {
        "a:speech": "not shown", "a:network": "not shown", "s:speech": "holds", "s:network": "holds",
    }  # fmt: skip
    assert "but so do windows aligned by untrained networks" in table.loc["a:network", "claim"]
    assert "the onset of its phone were not shown to have a pattern beyond chance" in table.loc["a:speech", "claim"]
    assert claims_of(result, letters=["s"]).table["claim_key"].tolist() == ["s:speech", "s:network"]
