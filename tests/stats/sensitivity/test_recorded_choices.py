"""Choices that depend on what was recorded: another summary of the channels, and tokens whose end was cut off."""

import numpy as np
import pandas as pd
import pytest

from layerstats.stats import (
    Contrast,
    ContrastAnalysis,
    FitOptions,
    IntervalOptions,
    contrast_tasks,
    permutation_test,
    phone_contrast,
    sensitivity_of,
)
from layerstats.store import LayerSpec, RecordingWriter, VariableSpec, open_store

QUICK = {"intervals": IntervalOptions(draws=200), "fits": FitOptions(engine="structured", workers=1)}
TWIN = "activations_rms"


def write(path, made, name, values, *, tokens=None, attrs=None):
    times = made.layer("conv2")["time_s"].to_numpy()
    phones = made.phones.loc[:, ["token", "phone_index", "label", "onset_s", "offset_s"]]
    variables = tuple(VariableSpec(variable) for variable in values)
    specs = [LayerSpec("conv2", times, variables)]
    columns = ["token", "word", "speaker", "split", "onset_s", "duration_s"]
    tokens = made.tokens.loc[:, columns] if tokens is None else tokens
    with RecordingWriter(path, name, tokens, phones, specs, key=name, attrs=attrs or {}) as writer:
        for rows in writer.missing():
            writer.write(rows, {"conv2": {variable: one[rows] for variable, one in values.items()}})
        writer.finish()
    return open_store(path)


@pytest.fixture(scope="module")
def made(make_store):
    """Return a store, its series of the mean, and others whose difference is twice as large."""
    store = make_store(level=-0.8, people=8, layers=("conv2",))
    mean = store.layer("conv2")["mean"].to_numpy().astype(np.float32)
    return store, mean, np.exp(mean)


def asked(store, choice):
    return sensitivity_of(store, "s:sh", choices=[choice], **QUICK)


def direct(store):
    row = phone_contrast(store, "s:sh", **QUICK).table.iloc[0]
    return row[["effect_size", "effect_conf_low", "effect_conf_high", "joint_p_value"]].to_numpy(dtype=float)


def numbers(row):
    return row[["estimate", "conf_low", "conf_high", "p_value"]].to_numpy(dtype=float)


@pytest.mark.slow
def test_another_summary_is_that_of_its_twin(made, tmp_path):
    store, mean, other = made
    path = tmp_path / "twin.zarr"
    write(path, store, "activations", {"mean": mean})
    # An untrained network with this summary is no twin of the trained one.
    write(path, store, "untrained_rms", {"root_mean_square": mean}, attrs={"trained": False})
    write(path, store, TWIN, {"root_mean_square": other})
    both = open_store(path)
    table = asked(both, "summary")
    assert table["option"].tolist() == ["mean over channels", "root mean square over channels"]
    assert table["reported"].tolist() == [True, False]
    np.testing.assert_allclose(numbers(table.iloc[0]), direct(both), rtol=1e-9)
    np.testing.assert_allclose(numbers(table.iloc[1]), direct(both.recording(TWIN)), rtol=1e-9)
    assert table["estimate"][0] != pytest.approx(table["estimate"][1], rel=1e-3)
    turned = asked(both.recording(TWIN), "summary")
    assert turned["option"].tolist() == ["root mean square over channels", "mean over channels"]
    np.testing.assert_allclose(numbers(turned.iloc[1]), numbers(table.iloc[0]), rtol=1e-9)


def test_a_summary_that_is_not_there_says_what_to_do(made, tmp_path):
    store, mean, other = made
    alone = write(tmp_path / "alone.zarr", store, "activations", {"mean": mean})
    beside = write(tmp_path / "beside.zarr", store, "activations", {"mean": mean, "root_mean_square": other})
    for one, told in ((alone, "it was not recorded"), (beside, "it stands in the same recording")):
        row = asked(one, "summary").iloc[1]
        assert row["note"].startswith(told)
        assert np.isnan(row["estimate"])


@pytest.mark.slow
def test_trimmed_tokens_are_left_out(made, tmp_path):
    store, mean, _ = made
    tokens = store.tokens.loc[:, ["token", "word", "speaker", "split", "onset_s", "duration_s"]]
    assert asked(store, "trimmed tokens").empty
    trimmed = pd.Series(np.arange(len(tokens)) < 2)
    cut = write(tmp_path / "cut.zarr", store, "activations", {"mean": mean}, tokens=tokens.assign(trimmed=trimmed))
    table = asked(cut, "trimmed tokens")
    assert table["option"].tolist() == ["kept", "left out"]
    np.testing.assert_allclose(numbers(table.iloc[0]), direct(cut), rtol=1e-9)
    rest = cut.select(token=cut.tokens.loc[~cut.tokens["trimmed"].astype(bool), "token"].tolist())
    np.testing.assert_allclose(numbers(table.iloc[1]), direct(rest), rtol=1e-9)
    assert table["estimate"][0] != pytest.approx(table["estimate"][1], rel=1e-6)


def test_of_three_words_labels_are_exchanged_between_the_two_of_a_pair(make_store, tmp_path):
    made = make_store(level=-0.8, people=6, layers=("conv2",), repeats=3)
    mean = made.layer("conv2")["mean"].to_numpy().astype(np.float32)
    tokens = made.tokens.loc[:, ["token", "word", "speaker", "split", "onset_s", "duration_s"]]
    words = ("see", "she", "ash")
    tokens = tokens.assign(word=np.resize(words, len(tokens)))
    store = write(tmp_path / "words.zarr", made, "activations", {"mean": mean}, tokens=tokens)
    found = sensitivity_of(store, Contrast.of_words(*words), choices=["test"], **QUICK)
    exchanged = found.loc[~found["reported"]]
    assert exchanged["claim_key"].tolist() == ["conv2:see-ash", "conv2:she-ash"]
    for p_value, word in zip(exchanged["p_value"], words, strict=False):
        tasks = contrast_tasks(store, words=[word, "ash"])
        direct = permutation_test(tasks.models, tasks.label, exchange="speakers", replicates=999)
        assert p_value == direct.table["p_value"].iloc[0]


def test_models_that_cannot_be_permuted_say_so(made):
    store, _, _ = made
    for analysis, told in (
        (
            ContrastAnalysis(Contrast.of_phones("s:sh"), items=("word",)),
            "models with smooths of words are not permuted",
        ),
        (ContrastAnalysis(Contrast.of_phones("s:sh"), speakers="none"), "the model knows no speakers"),
        (ContrastAnalysis(Contrast.of_words("ask", "wash", variant="duration")), "models with a duration are not"),
    ):
        row = sensitivity_of(store, analysis, choices=["test"], **QUICK).iloc[1]
        assert np.isnan(row["p_value"])
        assert row["note"].startswith(told)
