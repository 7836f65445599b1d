"""Probes of phones: estimates by their definitions, what a network is held against, chance, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from layerstats.errors import ArgumentError, DataError, MissingDependencyError
from layerstats.stats.representations import PhoneProbe, ProbeOptions, phone_probe
from layerstats.stats.representations.nested_folds import predict_held_out
from layerstats.stats.representations.speaker_estimates import SpeakerCounts

QUICK = ProbeOptions(folds=4, inner_folds=2, inverse_penalties=(1e-2, 1e-1))


def vectors(layer="conv1", recording="activations", trained=True, kind="supervised", apart=0.6, seed=0, speakers=8):
    """Phones are the same for every recording; only how far apart their levels lie differs."""
    phones = np.random.default_rng(100)
    speaker = np.repeat([f"s{number}" for number in range(speakers)], 40)
    label = phones.choice(["s", "t", "a"], size=len(speaker), p=[0.5, 0.3, 0.2])
    context = phones.choice(["#", "i", "n"], size=(2, len(speaker)))
    rng = np.random.default_rng((seed, len(layer), len(recording)))
    means = dict(zip("sta", np.random.default_rng(5).normal(size=(3, 10)), strict=True))
    values = apart * np.stack([means[one] for one in label]) + rng.normal(size=(len(label), 10))
    coords = {"label": label, "speaker": speaker, "previous": context[0], "following": context[1]}
    attrs = {"layer": layer, "recording": recording, "trained": trained, "network_kind": kind}
    return xr.DataArray(
        values,
        dims=("phone", "channel"),
        coords={name: ("phone", column) for name, column in coords.items()},
        attrs=attrs,
    )


@pytest.fixture(scope="module")
def probed() -> PhoneProbe:
    given = [
        vectors("conv1", apart=0.3),
        vectors("conv2", apart=0.8, seed=1),
        vectors("conv1", "untrained_00", trained=False, apart=0.1),
        vectors("conv2", "untrained_00", trained=False, apart=0.1, seed=1),
        vectors("conv1", "untrained_01", trained=False, apart=0.1, seed=2),
        vectors("conv2", "untrained_01", trained=False, apart=0.1, seed=3),
        vectors("features", "mel", kind="acoustics", apart=0.4),
    ]
    return phone_probe(given, "label", options=QUICK, control_tasks=2)


def test_estimates_are_those_of_scikit_learn_on_the_same_answers(probed):
    array = vectors("conv2", apart=0.8, seed=1)
    codes, names = pd.factorize(array["label"].to_numpy(), sort=True)
    speakers = pd.factorize(array["speaker"].to_numpy())[0]
    answers = predict_held_out(array.to_numpy(), codes, speakers, QUICK).predicted
    table = probed.table.set_index(["layer", "measure"])["estimate"]
    assert table["conv2", "balanced accuracy"] == pytest.approx(balanced_accuracy_score(codes, answers))
    assert table["conv2", "accuracy"] == pytest.approx(accuracy_score(codes, answers))
    confusions = probed.confusions.loc[probed.confusions["layer"] == "conv2"]
    expected = pd.crosstab(names[codes], names[answers]).reindex(index=names, columns=names, fill_value=0)
    assert np.array_equal(confusions["phones"].to_numpy().reshape(3, 3), expected.to_numpy())


def test_the_standard_error_is_the_jackknife_over_speakers_to_first_order():
    rng = np.random.default_rng(0)
    phones = rng.integers(5, 40, size=(200, 3))
    counts = SpeakerCounts(rng.binomial(phones, rng.beta(4, 4, size=(200, 1))), phones)
    for measure in ("balanced_accuracy", "accuracy"):
        own = getattr(counts, measure)()
        without = [
            getattr(SpeakerCounts(np.delete(counts.hits, one, 0), np.delete(phones, one, 0)), measure)().estimate
            for one in range(200)
        ]
        jackknife = np.sqrt(199 / 200 * np.sum((without - np.mean(without)) ** 2))
        assert own.std_error == pytest.approx(jackknife, rel=0.02)
        assert own.held_out(5).std_error == pytest.approx(own.std_error * np.sqrt(1 + 5 / 4))


def test_the_network_is_held_against_twins_sound_and_control_tasks(probed):
    rows = probed.comparisons.set_index(["layer", "measure", "level_2"])
    assert set(probed.comparisons["level_2"]) == {"untrained", "acoustics", "control task"}
    networks = probed.networks.set_index(["recording", "layer", "measure"])["estimate"]
    key = ("conv2", "balanced accuracy")
    twins = [networks[name, *key] for name in ("untrained_00", "untrained_01")]
    own = networks["activations", *key]
    assert rows.loc[(*key, "untrained"), "diff"] == pytest.approx(own - np.mean(twins))
    sound = networks["mel", "features", "balanced accuracy"]
    assert rows.loc[(*key, "acoustics"), "diff"] == pytest.approx(own - sound)
    # conv2 knows more than all of them, conv1 less than the sound.
    assert (rows.loc[[(*key, name) for name in ("untrained", "acoustics", "control task")], "conf_low"] > 0).all()
    assert rows.loc[("conv1", "balanced accuracy", "acoustics"), "diff"] < 0
    assert rows.loc[(*key, "untrained"), "null_p_value"] == pytest.approx(1 / 3)
    assert (probed.comparisons["p_adjusted"] >= probed.comparisons["p_value"]).all()
    assert probed.comparisons["family"].nunique() == 6


def test_chance_is_one_over_the_levels_and_a_layer_that_knows_more_is_above(probed):
    row = probed.table.iloc[2]
    assert (row["layer"], row["measure"]) == ("conv2", "balanced accuracy")
    assert row["chance"] == pytest.approx(1 / 3)
    assert row["conf_low"] > 1 / 3
    assert row["p_adjusted"] < 0.001
    assert probed.table.loc[probed.table["measure"] == "accuracy", "p_value"].isna().all()
    assert (probed.folds.groupby(["recording", "layer"])["speakers"].sum() == 8).all()


def test_permutations_within_speakers_give_chance_and_its_spread():
    given = [vectors("conv1", apart=0.0, seed=3), vectors("conv2", apart=1.0, seed=1)]
    one = ProbeOptions(folds=2, inverse_penalties=(1e-2,))
    found = phone_probe(given, "label", options=one, permutations=39)
    rows = found.table.set_index(["layer", "measure"])
    assert rows.loc[("conv2", "balanced accuracy"), "p_value"] == pytest.approx(1 / 40)
    assert rows.loc[("conv2", "accuracy"), "p_adjusted"] == pytest.approx(1 / 40)
    assert rows.loc[("conv1", "balanced accuracy"), "p_value"] > 0.05
    assert rows["chance"].loc[:, "balanced accuracy"].between(0.3, 0.37).all()
    assert (rows["chance_low"] < rows["chance"]).all()
    assert (rows["chance"] < rows["chance_high"]).all()
    assert set(rows["adjust_method"]) == {"max-T"}


def test_labels_that_speakers_have_one_of_are_permuted_between_them():
    array = vectors(speakers=8)
    array = array.assign_coords(sex=("phone", np.where(np.isin(array["speaker"], ["s0", "s1", "s2"]), "F", "M")))
    found = phone_probe(array, "sex", options=ProbeOptions(folds=2, inverse_penalties=(0.01,)), permutations=9)
    assert 0.2 < found.table.loc[0, "chance"] < 0.8
    assert found.table.loc[0, "levels"] == 2


def test_the_same_seed_gives_the_same_tables_on_one_worker_and_two():
    given = [vectors("conv1"), vectors("conv2", seed=1)]
    options = ProbeOptions(folds=2, inverse_penalties=(0.01,))
    first, second = (
        phone_probe(given, "label", options=options, permutations=3, seed=7, workers=workers) for workers in (1, 2)
    )
    for name in ("table", "comparisons", "networks", "confusions", "folds"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
    other = phone_probe(given, "label", options=options, permutations=3, seed=8)
    assert not other.table["chance"].equals(first.table["chance"])


def test_levels_that_a_fold_cannot_learn_are_left_out_and_said():
    array = vectors()
    label = array["label"].to_numpy().astype(object)
    label[:3] = "zh"
    found = phone_probe(array.assign_coords(label=("phone", label)), "label", options=QUICK)
    assert any("zh" in note for note in found.notes)
    assert found.table.loc[0, "levels"] == 3
    assert found.table.loc[0, "phones"] == len(label) - 3


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (lambda a: a.isel(phone=a["speaker"].isin(["s0", "s1"])), {}, DataError, "at least 3"),
        (lambda a: a.isel(phone=a["label"] == "s"), {}, DataError, "Fewer than two levels"),
        (
            lambda a: a.isel(phone=a["speaker"].isin(["s0", "s1", "s2"])),
            {"options": ProbeOptions(folds=2)},
            DataError,
            "learns from a single speaker",
        ),
        (lambda a: a.drop_vars("speaker"), {}, DataError, "'speaker'"),
        (lambda a: a.drop_vars("previous"), {"control_tasks": 1}, DataError, "'previous'"),
        (lambda a: a, {"permutations": -1}, ArgumentError, "permutations"),
        (lambda a: a, {"conf_level": 95}, ArgumentError, "conf_level"),
    ],
)
def test_what_cannot_be_probed_is_refused(change, options, error, message):
    with pytest.raises(error, match=message):
        phone_probe(change(vectors()), "label", **options)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(MissingDependencyError, match=r"layerstats\[representations\]"):
        phone_probe(vectors(), "label")
