"""Each option is the same analysis with one thing chosen otherwise: the numbers of a direct call with that option."""

import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import (
    ContrastAnalysis,
    FitOptions,
    IntervalOptions,
    claims_of,
    contrast_tasks,
    permutation_test,
    phone_contrast,
    sensitivity_of,
    word_contrasts,
)
from layerstats.stats.contrasts.contrast import Contrast

QUICK = {"intervals": IntervalOptions(draws=200), "fits": FitOptions(engine="structured", workers=1)}


@pytest.fixture(scope="module")
def store(make_store):
    return make_store(level=-1.0, people=8, layers=("conv1", "conv2"), repeats=2)


@pytest.fixture(scope="module")
def table(store):
    choices = ["random structure", "duration", "samples", "autocorrelation", "unit"]
    return sensitivity_of(store, "s:sh", layers=["conv1"], choices=choices, **QUICK)


def numbers(row):
    return row[["estimate", "conf_low", "conf_high", "p_value"]].to_numpy(dtype=float)


def direct(store, fits=QUICK["fits"], **options):
    row = phone_contrast(
        store, "s:sh", layers=["conv1"], intervals=QUICK["intervals"], fits=fits, **options
    ).table.iloc[0]
    return row[["effect_size", "effect_conf_low", "effect_conf_high", "joint_p_value"]].to_numpy(dtype=float)


def option(table, choice, name):
    return table.loc[(table["choice"] == choice) & (table["option"] == name)].iloc[0]


def test_options_have_the_numbers_of_direct_calls(store, table):
    asked = {
        ("samples", "32"): {},
        ("samples", "16"): {"samples": 16},
        ("random structure", "intercepts of speakers"): {"speakers": "intercepts"},
        ("autocorrelation", "independent residuals"): {"fits": FitOptions(engine="structured", workers=1, rho=None)},
    }
    for (choice, name), options in asked.items():
        np.testing.assert_allclose(numbers(option(table, choice, name)), direct(store, **options), rtol=1e-9)


def test_the_reported_option_stands_first_in_every_choice(table):
    first = table.groupby("choice", sort=False).first()
    assert first["reported"].all()
    assert table.groupby("choice")["reported"].sum().eq(1).all()
    assert set(table["claim_key"]) == {"conv1:s-sh"}


def test_what_cannot_be_computed_says_why(table):
    row = option(table, "duration", "a covariate")
    assert np.isnan(row["estimate"])
    assert row["note"] == "phones are normalised in time, and no model has more"
    assert option(table, "samples", "48")["note"] == "the model is the same"
    assert numbers(option(table, "samples", "48")).tolist() == numbers(option(table, "samples", "32")).tolist()


def test_exchanged_labels_are_the_permutation_test_of_the_layer(store):
    found = sensitivity_of(store, "s:sh", layers=["conv1"], choices=["test"], **QUICK)
    of_model, exchanged = found.iloc[0], found.iloc[1]
    tasks = contrast_tasks(store, phones="s:sh", layers=["conv1"])
    # Eight speakers can exchange two labels in 256 ways, so that the test is exact.
    direct = permutation_test(tasks.models, tasks.label, exchange="speakers", replicates=999)
    assert direct.exact
    assert exchanged["p_value"] == direct.table["p_value"].iloc[0]
    assert exchanged["estimate"] == of_model["estimate"]
    assert np.isnan(exchanged["conf_low"])


def test_means_of_speakers_are_measured_in_the_same_units(table):
    tokens, means = (option(table, "unit", name) for name in ("phones", "means of speakers"))
    # The same planted difference: in standard deviations of speakers' means it would be larger by a half.
    assert means["estimate"] == pytest.approx(tokens["estimate"], rel=0.15)


def test_words_alone_and_with_duration(store):
    fits = FitOptions(engine="structured", workers=1)
    reported = word_contrasts(store, layers=["conv2"], intervals=QUICK["intervals"], fits=fits)
    table = sensitivity_of(
        store, ContrastAnalysis(reported.contrast), layers=["conv2"], choices=["series", "duration"], **QUICK
    )
    for choice, name, variant in (("series", "word alone", "word"), ("duration", "a covariate", "duration")):
        own = word_contrasts(store, layers=["conv2"], variant=variant, intervals=QUICK["intervals"], fits=fits)
        row = option(table, choice, name)
        assert row["estimate"] == pytest.approx(own.effects["effect_size"].item(), rel=1e-6)
        assert row["p_value"] == pytest.approx(own.tests["joint_p_value"].item(), rel=1e-4)
    claims = claims_of(reported, sensitivity=table)
    assert claims.table["claim_key"].tolist() == ["conv2:wash-ask"]
    assert len(claims.sensitivity) == len(table) == 4
    assert claims.table["estimate"].item() == reported.effects["effect_size"].item()


def test_turned_round_only_the_key_is_another(store, table):
    other = sensitivity_of(store, "sh:s", layers=["conv1"], choices=["samples"], **QUICK)
    own = table.query("choice == 'samples'").reset_index(drop=True)
    assert other.drop(columns="claim_key").equals(own.drop(columns="claim_key"))
    assert set(other["claim_key"]) == {"conv1:sh-s"}


def test_no_layers_are_no_rows_and_other_choices_are_refused(store):
    assert sensitivity_of(store, "s:sh", layers=[]).empty
    with pytest.raises(ArgumentError, match="'choices'"):
        sensitivity_of(store, "s:sh", choices=["luck"])


def test_what_fails_at_one_layer_is_told_there(make_store):
    short = make_store(people=6, layers=("conv2", "conv3"))
    table = sensitivity_of(short, ContrastAnalysis(Contrast.read("s:sh")), choices=["samples"], **QUICK)
    assert set(table.loc[table["claim_key"] == "conv3:s-sh", "note"]) == {
        "there are 0 series with enough samples of a level, 3 are needed"
    }
