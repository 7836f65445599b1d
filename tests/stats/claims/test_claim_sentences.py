"""No sentence says more than its numbers: odd names, odd intervals, few networks, many layers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from layerstats.stats.claims.channel_claims import channel_findings
from layerstats.stats.claims.findings import ClaimFinding, told
from layerstats.stats.claims.interaction_claims import interaction_findings
from layerstats.stats.claims.layer_claims import choose_of_layers, layer_findings, layer_notes
from layerstats.stats.claims.network_claims import choose_of_networks, network_findings
from layerstats.stats.claims.permutation_claims import permutation_findings
from layerstats.stats.contrasts.contrast import Contrast

BASES = pd.DataFrame({"layer": [], "term": [], "k": [], "k_index": [], "edf": [], "p_value": []})
TESTED = {
    "joint_p_value": 0.001, "joint_p_adjusted": 0.003, "effect_size": 0.5, "effect_conf_low": 0.2,
    "effect_conf_high": 0.9, "conf_level": 0.95, "tests": 3, "adjust_method": "holm", "model_checks": "passed",
    "note": "",
}  # fmt: skip
RANKED = {
    "null_effect_low": 0.1, "null_effect_high": 0.4, "null_p_value": 1 / 21, "null_p_adjusted": 1 / 21,
    "null_recordings": 20.0,
}  # fmt: skip


def of_layers(*rows, contrast="s:sh"):
    read = Contrast.read(contrast)
    whole = [
        {"layer": f"conv{n}", "level_1": read.level_1, "level_2": read.level_2, **TESTED, **row}
        for n, row in enumerate(rows)
    ]
    own = [{"layer": row["layer"], "recording": "activations", "trained": True, "effect_size": 0.5} for row in whole]
    return SimpleNamespace(contrast=read, table=pd.DataFrame(whole), checks=BASES, networks=pd.DataFrame(own))


def test_an_interval_with_zero_does_not_hold():
    first, second = layer_findings(of_layers({"effect_conf_low": 0.0}, RANKED | {"effect_conf_low": 0.0}))
    assert [first.verdict, second.verdict] == ["fails a check", "fails a check"]
    assert first.failed_checks == ("the interval of the effect includes 0, although the test found an effect",)
    unshown = layer_findings(of_layers({"effect_conf_low": 0.0, "joint_p_adjusted": 0.2}))[0]
    assert (unshown.verdict, unshown.failed_checks) == ("not shown", ())


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        ({"joint_p_adjusted": 0.0}, "holds"),
        ({"joint_p_adjusted": 0.05}, "not shown"),
        ({"joint_p_adjusted": np.nan}, "not shown"),
        # Corrected for bias, an estimate may lie below its interval.
        ({"effect_size": 0.1, "effect_conf_low": 0.2}, "holds"),
        (RANKED, "holds"),
        (RANKED | {"null_p_adjusted": 0.05}, "not shown"),
        (RANKED | {"null_p_value": 0.5, "null_p_adjusted": 0.5, "null_recordings": 1.0}, "fails a check"),
    ],
)
def test_edges_of_numbers(numbers, verdict):
    found = layer_findings(of_layers(numbers))[0]
    assert found.verdict == verdict
    learned = verdict == "holds" and "null_p_value" in numbers
    assert ("the network learned it" in found.sentence) == learned
    assert ("No difference" in found.sentence) == (not found.significant)


def test_a_layer_without_a_null_says_nothing_of_learning_and_why():
    note = "no comparison with untrained networks, in which what is recorded of the channels is fixed"
    lacking = dict.fromkeys(RANKED, np.nan) | {"note": note}
    result = of_layers(RANKED, lacking)
    assert [one.sentence for one in layer_findings(result)] == [
        "[s] and [sh] differ at conv0, and the network learned it",
        "[s] and [sh] differ at conv1",
    ]
    assert layer_notes(result) == [f"conv1: {note}."]


def test_odd_names_are_said_as_they_are():
    for contrast, said in (("ɕ̃:&<", "[ɕ̃] and [&<]"), ("word=o'clock:“so”", "“o'clock” and ““so””")):
        found = layer_findings(of_layers({}, contrast=contrast))[0]
        assert found.sentence == f"{said} differ at conv0"


def test_of_very_many_layers_those_with_the_largest_effects_are_claimed_in_their_order():
    sizes = np.random.default_rng(0).permutation(300) / 100
    result = of_layers(*({"effect_size": size, "effect_conf_high": 4.0} for size in sizes))
    claimed, notes = told(choose_of_layers(layer_findings(result), result), 24, "those with the largest effects")
    assert [one.key for one in claimed] == [f"conv{n}:s-sh" for n in np.flatnonzero(sizes >= 2.76)]
    assert notes == [
        "Claimed: 24 of 300 findings, those with the largest effects. p is adjusted over the family that the row names."
    ]


def test_another_order_is_left_as_it_is():
    numbers = {"conf_low": 0.1, "conf_high": 3.0, "conf_level": 0.95, "p_value": 0.1, "p_adjusted": 0.1}
    about = {"shown": "", "not_shown": "", "effect": "", "family": "", "sources": (), **numbers}
    some = [ClaimFinding(key=f"{n}", estimate=float(n), **about) for n in range(4)]
    assert [one.key for one in told(some, 2, "in the order of the table")[0]] == ["0", "1"]


def interactions(sides=("F", "M"), layer="conv2", **numbers):
    row = {"layer": layer, "contrast": "s - sh", "level_1": sides[0], "level_2": sides[1], **TESTED, **numbers}
    return SimpleNamespace(tests=pd.DataFrame([row]), checks=BASES, notes=())


def test_interactions_have_the_numbers_of_the_table_and_say_where():
    found = interaction_findings(interactions())[0]
    assert (found.estimate, found.conf_low, found.conf_high, found.p_value, found.p_adjusted) == (
        0.5, 0.2, 0.9, 0.001, 0.003,
    )  # fmt: skip
    assert found.family == "3 layers, Holm"
    assert found.sentence == "The difference between “s” and “sh” is not the same in F as in M at conv2"
    # Dialects 1 and 2 have nothing to do with the name of the layer.
    named = interaction_findings(interactions(("1", "2"), "layer_12"))[0]
    assert named.sentence.endswith("in 1 as in 2 at layer_12")
    between = interaction_findings(interactions(("conv1", "conv2"), "conv1 - conv2"))[0]
    assert between.sentence.endswith("in conv1 as in conv2")
    assert interaction_findings(interactions(effect_conf_low=0.0))[0].verdict == "fails a check"


@pytest.mark.parametrize(
    ("rank", "count", "verdict", "end"),
    [
        (1 / 21, 20.0, "holds", "at conv2"),
        (0.4, 20.0, "not shown", "but the trained network does not stand out among 20 untrained networks"),
        (0.25, 3.0, "fails a check", "but 3 untrained networks are too few to show that training did it"),
    ],
)
def test_interactions_among_untrained_networks(rank, count, verdict, end):
    numbers = RANKED | {"null_p_value": rank, "null_p_adjusted": rank, "null_recordings": count}
    found = interaction_findings(interactions(("trained", "untrained"), **numbers))[0]
    assert (found.verdict, found.null_p_adjusted) == (verdict, rank)
    assert found.sentence.endswith(end)


def kinds(*diffs, networks=4, **numbers):
    common = {"contrast": "s - sh", "level_1": "gan", "level_2": "untrained", "conf_level": 0.95, "tests": len(diffs)}
    rows = [
        {"layer": f"conv{n}", "diff": diff, "conf_low": diff - 0.1, "conf_high": diff + 0.1, "p_value": 0.001,
         "p_adjusted": 0.002, "adjust_method": "holm", **common, **numbers}
        for n, diff in enumerate(diffs)
    ]  # fmt: skip
    counts = [
        {"contrast": "s - sh", "layer": row["layer"], "network": kind, "networks": networks}
        for row in rows
        for kind in ("gan", "untrained")
    ]
    return SimpleNamespace(comparisons=pd.DataFrame(rows), kinds=pd.DataFrame(counts))


def test_networks_have_the_numbers_of_the_table_and_the_sign_in_words():
    result = kinds(0.3, -0.8)
    claimed = choose_of_networks(network_findings(result), result)
    (one,) = claimed
    assert one.sentence == (
        "At conv1, untrained networks keep “s” and “sh” farther apart than gan networks (the other way round at "
        "the other layer)"
    )
    row = result.comparisons.iloc[1]
    assert (claimed[0].estimate, claimed[0].conf_low, claimed[0].p_adjusted) == (-0.8, row["conf_low"], 0.002)
    alike = kinds(0.3, 0.5, 0.1)
    (one,) = choose_of_networks(network_findings(alike), alike)
    assert one.sentence.endswith("farther apart than untrained networks (so at the other 2 layers)")
    assert network_findings(kinds(0.3, conf_low=-0.1))[0].verdict == "fails a check"
    assert network_findings(kinds(0.3, networks=2))[0].verdict == "fails a check"
    none = kinds(0.3, 0.1, p_adjusted=0.4)
    assert choose_of_networks(network_findings(none), none)[0].sentence == (
        "At conv0, gan networks and untrained networks were not shown to differ in how far apart they keep “s” and "
        "“sh” (0.30 token SDs, 95 % interval 0.20 to 0.40), nor at the other layer"
    )


def channels(p_fdr):
    numbers = {"p_value": p_fdr / 2, "p_holm": p_fdr * 2, "p_fdr": p_fdr}
    found = xr.Dataset({name: (("channel", "term"), value[:, None]) for name, value in numbers.items()})
    found = found.assign_coords(term=["joint"], channel=np.arange(len(p_fdr)))
    found["status"] = ("channel", ["converged"] * (len(p_fdr) - 1) + ["not converged"])
    return found.assign_attrs(layer="conv2", level_1="s", level_2="sh", note="")


def test_channels_count_what_the_table_counts():
    found = channel_findings(channels(np.array([0.01, 0.04, 0.2, 0.4])))[0]
    assert (found.estimate, found.p_adjusted, found.p_value) == (2.0, 0.01, 0.005)
    assert found.sentence.startswith("“s” and “sh” differ in 2 of 4 channels of conv2, of which 5 % may be false")
    assert found.failed_checks == ("models of 1 channel did not converge",)
    none = channel_findings(channels(np.array([0.06, 0.4])))[0]
    assert (none.estimate, none.sentence) == (
        0.0, "No channel of 2 of conv2 was shown to differ between “s” and “sh”",
    )  # fmt: skip


def test_permutations_have_the_statistic_or_the_effect_that_was_bootstrapped():
    keys = {"layer": "conv2", "level_1": "s", "level_2": "sh"}
    row = {**keys, "test": "joint", "statistic": 4.2, "p_value": 0.01, "p_adjusted": 0.02, "replicates": 99,
           "tests": 2, "adjust_method": "max_t"}  # fmt: skip
    result = SimpleNamespace(table=pd.DataFrame([row]), notes=())
    alone = permutation_findings(result)[0]
    assert (alone.estimate, alone.p_value, alone.p_adjusted, alone.verdict) == (4.2, 0.01, 0.02, "holds")
    assert alone.sentence == "“s” and “sh” differ at conv2 by permutation, whatever the model"
    assert alone.family == "2 layers, by the largest statistic of 99 permutations"
    effect = {"effect_size": 0.5, "effect_conf_low": 0.0, "effect_conf_high": 0.9, "conf_level": 0.95}
    beside = permutation_findings(result, pd.DataFrame([{**keys, **effect}]))[0]
    assert (beside.estimate, beside.conf_low, beside.conf_high) == (0.5, 0.0, 0.9)
    assert beside.verdict == "fails a check"
