"""The script of phones in layers, on vectors of which the truth is known."""

import numpy as np
import pandas as pd
import pytest

from layerstats.store import LayerSpec, RecordingWriter, VariableSpec
from layerstats.tables import check_frame

pytest.importorskip("sklearn")
LABELS = ["s", "t", "ae"]


@pytest.fixture(scope="module")
def vector_store(tmp_path_factory):
    """Six speakers say three phones six times: conv1 tells them apart, conv2 better, random weights not at all."""
    path = tmp_path_factory.mktemp("vectors") / "store.zarr"
    names = [f"t{number}" for number in range(36)]
    tokens = pd.DataFrame({"token": names, "word": "ask", "speaker": np.repeat(list("abcdef"), 6), "split": "test"})
    phones = pd.DataFrame({"token": np.repeat(names, 3), "phone_index": np.tile([0, 1, 2], 36)})
    phones = phones.assign(label=LABELS * 36, phone_class=["fricative", "stop", "vowel"] * 36, previous="#")
    phones = phones.assign(onset_s=phones["phone_index"] * 0.1, offset_s=phones["phone_index"] * 0.1 + 0.1)
    phones["following"] = "#"
    networks = {"activations": (1.0, 3.0), **{f"untrained_{n:02}": (0.0, 0.0) for n in range(3)}}
    for seed, (name, signals) in enumerate(networks.items()):
        rng = np.random.default_rng(seed)
        layers = [LayerSpec(f"conv{n}", None, [VariableSpec("phones", sizes={"channel": 3})]) for n in (1, 2)]
        attrs = {"trained": name == "activations", "network_kind": "small", "quantity": "activation"}
        with RecordingWriter(path, name, tokens, phones, layers, key=name, attrs=attrs) as writer:
            for rows in writer.missing():
                own = phones["token"].isin(tokens["token"].iloc[rows])
                codes = np.eye(3)[phones.loc[own, "phone_index"]]
                noise = rng.normal(size=(2, own.sum(), 3))
                values = {f"conv{n + 1}": {"phones": signals[n] * codes + noise[n]} for n in (0, 1)}
                writer.write(rows, values)
            writer.finish()
    return path


def test_tables_and_figures_of_a_store(vector_store, make, tmp_path):
    names = make("phone_layers", tmp_path, vector_store, "--workers", "1", "--folds", "3")
    assert {"abx", "abx_by_layer", "abx_comparisons", "abx_pairs", "probe", "probe_comparisons"} <= names
    assert {"probe_by_layer", "similarity", "similarity_matrix", "similarity_comparisons"} <= names
    table = check_frame(pd.read_csv(tmp_path / "abx.csv")).set_index(["layer", "abx_mode"])
    assert table["error_rate"]["conv2", "across"] < table["error_rate"]["conv1", "across"] < 0.5
    assert (table["p_adjusted"]["conv2"] < 0.05).all()
    gained = pd.read_csv(tmp_path / "abx_comparisons.csv")
    assert set(gained["level_2"]) == {"untrained"}
    assert (gained["diff"] < 0).all()
    probe = pd.read_csv(tmp_path / "probe.csv").set_index(["measure", "layer"])["estimate"]
    assert probe["balanced accuracy", "conv2"] > 0.8


def test_only_what_was_asked_for(vector_store, make, tmp_path):
    options = ["--phones", "sibilant,t", "--layers", "conv2", "--most", "2", "--column", "label", "--workers", "1"]
    names = make("phone_layers", tmp_path, vector_store, *options, "--folds", "3")
    assert "notes" in names
    table = pd.read_csv(tmp_path / "abx.csv")
    assert table["layer"].tolist() == ["conv2", "conv2"]
    assert table["pairs"].tolist() == [1, 1]
    assert table["phones"].tolist() == [24, 24]


def test_a_layer_that_is_not_there(vector_store, make, tmp_path):
    with pytest.raises(AssertionError, match="'conv9' is not among"):
        make("phone_layers", tmp_path, vector_store, "--layers", "conv9")


def test_phones_that_nobody_says(vector_store, make, tmp_path):
    with pytest.raises(AssertionError, match="'zh'"):
        make("phone_layers", tmp_path, vector_store, "--phones", "zh")


def test_the_study_of_abx_is_a_script(make, tmp_path):
    sizes = ("--datasets", "2", "--worlds", "2", "--truths", "none")
    assert make("abx_calibration", tmp_path, *sizes) == {"abx_calibration"}
    table = check_frame(pd.read_csv(tmp_path / "abx_calibration.csv"))
    assert set(table["recipe"]) == {"speakers", "triplets as if independent"}
