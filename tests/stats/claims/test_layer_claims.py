"""What is said of contrasts is what their tables have, in words that follow what was found."""

import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import FitOptions, IntervalOptions, claims_of, layer_contrasts, phone_contrast

QUICK = {"intervals": IntervalOptions(draws=200), "fits": FitOptions(engine="structured", workers=1)}
LAYERS = ("conv1", "conv2")


@pytest.fixture(scope="module")
def learned(make_store):
    return phone_contrast(make_store(level=-1.0, untrained=20, layers=LAYERS), "s:sh", **QUICK)


def test_numbers_are_those_of_the_table(learned):
    table = claims_of(learned).table
    pairs = {
        "estimate": "effect_size", "conf_low": "effect_conf_low", "conf_high": "effect_conf_high",
        "p_adjusted": "joint_p_adjusted", "conf_level": "conf_level", "null_low": "null_effect_low",
        "null_high": "null_effect_high", "null_p_adjusted": "null_p_adjusted",
    }  # fmt: skip
    for ours, theirs in pairs.items():
        assert table[ours].tolist() == learned.table[theirs].tolist(), ours
    assert table["claim_key"].tolist() == ["conv1:s-sh", "conv2:s-sh"]
    assert set(table["family"]) == {"2 layers, Holm"}
    own = learned.networks.query("trained and layer == 'conv1'")["effect_size"].item()
    assert table["null"][0] == f"effects by plain means in 20 untrained networks; this network has {own:.2f}"


def test_a_difference_that_only_training_makes_was_learned(learned):
    table = claims_of(learned).table
    assert table["claim"][0] == "[s] and [sh] differ at conv1, and the network learned it"
    assert table["verdict"].tolist() == ["holds", "holds"]
    assert table["failed_checks"].tolist() == ["", ""]


def test_a_difference_that_random_weights_make_was_not_learned(make_store):
    result = phone_contrast(
        make_store(level=-1.2, untrained=20, untrained_level=-1.2, layers=("conv2",)), "s:sh", **QUICK
    )
    row = claims_of(result).table.iloc[0]
    as_much = round(result.table["null_p_value"].item() * 21) - 1
    assert row["claim"] == (
        f"[s] and [sh] differ at conv2, but at least as much in {as_much} of 20 untrained networks, so it may "
        "not have been learned"
    )
    assert row["verdict"] == "not shown"
    assert row["p_adjusted"] < 0.05 < row["null_p_adjusted"]


def test_no_difference_is_said_with_its_interval(make_store):
    result = phone_contrast(make_store(layers=("conv2",), seed=3), "s:sh", **QUICK)
    claims = claims_of(result)
    row, numbers = claims.table.iloc[0], result.table.iloc[0]
    assert row["claim"] == (
        f"No difference between [s] and [sh] was shown at conv2 (RMS {numbers['effect_size']:.2f} token SDs, 95 % "
        f"interval {numbers['effect_conf_low']:.2f} to {numbers['effect_conf_high']:.2f})"
    )
    assert row["verdict"] == "not shown"
    assert "There are no untrained networks" in claims.notes[0]


def test_few_untrained_networks_and_few_speakers_are_failed_checks(make_store):
    result = phone_contrast(make_store(level=-2.0, untrained=4, people=6, layers=("conv2",)), "s:sh", **QUICK)
    row = claims_of(result).table.iloc[0]
    assert row["verdict"] == "fails a check"
    assert row["claim"].endswith("differ at conv2, but 4 untrained networks are too few to show that it was learned")
    assert (
        "4 untrained networks are too few to show learning: the smallest p-value they can give is 0.2"
        in row["failed_checks"]
    )
    assert "with 6 speakers the joint test finds somewhat too much" in row["failed_checks"]


def test_checks_of_the_model_stand_in_the_row(learned):
    from dataclasses import replace

    bases = learned.checks.assign(k_index=0.7, p_value=0.0, edf=learned.checks["k"] * 0.99)
    table = learned.table.assign(model_checks=["fails normality, outliers", "passed"])
    failing = claims_of(replace(learned, table=table, checks=bases.query("layer == 'conv1'"))).table
    assert failing["verdict"].tolist() == ["fails a check", "holds"]
    assert failing["failed_checks"][0].startswith(
        "residuals of the model fail checks of normality and outliers; the basis is too"
    )


def test_a_reversed_contrast_says_the_same(make_store):
    store = make_store(level=0.8, untrained=2, layers=("conv2",))
    one, other = (claims_of(phone_contrast(store, pair, **QUICK)).table for pair in ("s:sh", "sh:s"))
    worded = ["claim", "claim_key"]
    pd.testing.assert_frame_equal(one.drop(columns=worded), other.drop(columns=worded))
    assert other["claim_key"].tolist() == ["conv2:sh-s"]
    assert other["claim"][0].startswith("[sh] and [s] ")


def test_of_several_levels_the_one_that_differs_most_is_claimed(make_store):
    result = layer_contrasts(
        make_store(level=-1.0, layers=("conv2",)), "speaker=sp00,sp01,sp02:sp03,sp04:sp05,sp06", **QUICK
    )
    claims = claims_of(result)
    assert len(claims.table) == 1
    assert "(speaker" not in claims.table["claim"][0]
    assert claims.notes[0].startswith("One claim a layer")


def test_other_results_are_refused():
    with pytest.raises(ArgumentError, match="No claims are read from a int"):
        claims_of(3)
