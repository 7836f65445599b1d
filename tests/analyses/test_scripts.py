import ast
import importlib
import json
import shutil

import pandas as pd
import pytest

from layerstats.resources import bundled
from layerstats.tables import check_frame

SCRIPTS = sorted(path.stem for path in bundled("analyses").glob("*.py"))


def read(path):
    return pd.read_csv(path, keep_default_na=True)


@pytest.mark.r
@pytest.mark.slow
def test_words(store, make, tmp_path):
    names = make("words", tmp_path, store, "--layers", "conv2", "--workers", "1")
    assert {
        "parametric",
        "smooths",
        "difference",
        "regression",
        "raw_series",
        "curves",
        "effects",
        "difference_curves",
    } <= names
    parametric = check_frame(read(tmp_path / "parametric.csv"), "parametric")
    assert parametric["term"].tolist() == ["(Intercept)", "wordwash"]
    assert {"p_adjusted", "adjust_method", "family"} <= set(parametric.columns)
    smooths = check_frame(read(tmp_path / "smooths.csv"), "smooths")
    assert "s(sample):word_orderedwash" in set(smooths["term"])
    difference = check_frame(read(tmp_path / "difference.csv"), "difference")
    assert set(difference["level_2"]) == {"ask"}
    assert difference["time_ms"].max() > 900


@pytest.mark.r
def test_phones(store, corpus_folder, make, tmp_path):
    heard = ["--corpus", f"textgrids:{corpus_folder}", "--share-sounds"]
    names = make("phones", tmp_path, store, "--phones", "sh:s", "--workers", "1", *heard)
    assert {"contrast", "curves", "difference_curves", "effect_sizes", "untrained", "receptive_field"} <= names
    contrast = check_frame(read(tmp_path / "contrast.csv"), "phone_contrast").set_index("layer")
    # Less in the high frequencies: the filter answers less to [sh].
    assert (contrast.loc[["conv1", "conv2"], "level_difference"] < 0).all()
    assert (contrast.loc[["conv1", "conv2"], "joint_p_adjusted"] < 0.05).all()
    assert contrast.loc["conv3", "note"].startswith("not tested")
    assert contrast.loc["conv1", "null_recordings"] == 3
    assert len(list(tmp_path.glob("sounds_*.flac"))) == len(read(tmp_path / "sounds.csv")) == 6


@pytest.mark.r
@pytest.mark.slow
def test_duration(store, make, tmp_path):
    names = make("duration", tmp_path, store, "--layers", "conv2", "--workers", "1")
    assert {"parametric", "smooths", "effects", "curves", "difference_curves"} <= names
    parametric = check_frame(read(tmp_path / "parametric.csv"), "parametric")
    assert parametric["series"].nunique() == 3


@pytest.mark.r
@pytest.mark.slow
def test_checks(store, make, tmp_path):
    names = make("checks", tmp_path, store, "--layers", "conv2", "--workers", "1")
    assert {"k_index", "autocorrelation", "residuals", "glance"} <= names
    lags = read(tmp_path / "autocorrelation_table.csv")
    models = ("as analysed", "independent residuals", "AR(1) of the residuals", "AR(1) by REML")
    assert set(lags["layer"]) == {f"conv2, {model}" for model in models}


def test_words_alone(store, make, tmp_path):
    names = make("words", tmp_path, store, "--layers", "conv2", "--words", "ask,wash", "--variant", "word")
    assert {"raw_series", "curves", "difference_curves", "tests"} <= names
    times = pd.read_csv(tmp_path / "predictions.csv")["time"]
    assert 0 <= times.min() < 0.1
    assert 0.9 < times.max() <= 1


def test_series(store, corpus_folder, make, tmp_path):
    names = make("series", tmp_path, store, "--corpus", f"textgrids:{corpus_folder}")
    assert names == {"series_ask", "series_wash", "sounds"}
    heard = read(tmp_path / "sounds.csv")
    assert heard["word"].tolist() == ["ask", "wash"]
    assert set(heard["why"]) == {"chosen at random"}
    # Nobody said that they may be passed on.
    assert not list(tmp_path.glob("*.flac"))


def test_interactions(store, make, tmp_path):
    """Speakers of the small corpus say each word once; between layers, and after training."""
    options = ["--contrast", "sh:s", "--between-layers", "conv1:conv2", "--training", "--layers", "conv2"]
    names = make("interactions", tmp_path, store, *options, "--workers", "1")
    assert names >= {"layers", "layers_curves", "layers_effects", "training", "training_curves", "training_networks"}
    table = check_frame(read(tmp_path / "layers.csv"), "contrast_of_contrasts")
    assert table[["layer", "level_1", "level_2"]].to_numpy().tolist() == [["conv1 - conv2", "conv1", "conv2"]]


@pytest.mark.slow
def test_interaction_calibration(make, tmp_path):
    sizes = ("--datasets", "3", "--worlds", "1,5", "--truths", "none")
    assert make("interaction_calibration", tmp_path, *sizes) == {"interaction_calibration"}
    table = check_frame(read(tmp_path / "interaction_calibration.csv"))
    assert set(table["recipe"]) == {"contrast_of_contrasts", "units taken as known"}


@pytest.mark.slow
def test_average_calibration(make, tmp_path):
    sizes = ("--datasets", "1", "--worlds", "0", "--permutations", "19")
    assert make("average_calibration", tmp_path, *sizes) == {"average_calibration"}
    table = check_frame(read(tmp_path / "average_calibration.csv"))
    assert {"none", "maximum of relevance", "minimum of the gradient"} <= set(table["recipe"])
    assert set(table["truth"]) == {"none", "inserted"}


def test_success_calibration(make, tmp_path):
    sizes = ("--datasets", "2", "--worlds", "1", "--truths", "none")
    assert make("success_calibration", tmp_path, *sizes) == {"success_calibration"}
    table = check_frame(read(tmp_path / "success_calibration.csv"))
    assert {"starts", "starts, networks", "Wilson, starts pooled"} <= set(table["recipe"])


def test_rating_calibration(make, tmp_path):
    sizes = ("--datasets", "2", "--worlds", "2", "--truths", "none", "--filtered", "5", "--answers", "1")
    tables = {"rating_calibration", "answer_calibration", "outcome_filter"}
    assert make("rating_calibration", tmp_path, *sizes) == tables
    table = check_frame(read(tmp_path / "rating_calibration.csv"))
    assert {"naive", "two-way bootstrap", "LMM", "CLMM"} <= set(table["recipe"])


def test_networks(store, make, tmp_path):
    """Two copies of a network stand for two seeds, which is enough for a script."""
    copies = []
    for kind in ("supervised", "other"):
        for seed in range(2):
            copies.append(tmp_path / f"{kind}_{seed}.zarr")
            shutil.copytree(store, copies[-1])
            metadata = copies[-1] / "recordings/activations/zarr.json"
            group = json.loads(metadata.read_text(encoding="utf-8"))
            group["attributes"] |= {"network_kind": kind, "network_seed": seed}
            metadata.write_text(json.dumps(group), encoding="utf-8")
    options = ["--phones", "sh:s", "--draws", "120", "--layers", "conv1,conv2"]
    names = make("networks", tmp_path / "out", *copies, *options)
    assert names == {"claims", "effects", "comparisons", "kinds", "networks", "series"}
    kinds = check_frame(read(tmp_path / "out" / "kinds.csv"))
    assert set(kinds["network"]) == {"supervised", "other", "untrained supervised", "untrained other"}
    assert set(kinds["contrast"]) == {"ask - wash", "sh - s"}
    comparisons = check_frame(read(tmp_path / "out" / "comparisons.csv"))
    assert comparisons.query("level_1 == 'other' and level_2 == 'supervised'").empty
    assert (comparisons.query("level_1 == 'supervised' and level_2 == 'other'")["diff"] == 0).all()


def imported(script):
    """Return the names of this package that a script imports, with the room of each."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    found = [
        (node.module if isinstance(node, ast.ImportFrom) else alias.name, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    return [(room, name) for room, name in found if room.split(".")[0] == "layerstats"]


def public(room):
    module = importlib.import_module(room)
    return getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_stay_thin_and_public(script):
    """A script is for reading: at most 106 lines with its captions, and nothing from inside a room."""
    lines = bundled("analyses", f"{script}.py").read_text(encoding="utf-8").splitlines()
    # One figure and all that belongs to it: ten tables, each with its caption.
    assert len(lines) <= (145 if script == "success" else 106)
    rooms, names = zip(*imported(bundled("analyses", f"{script}.py")), strict=True)
    assert not [room for room in rooms if room.count(".") != 1]
    assert not [f"{room}.{name}" for room, name in zip(rooms, names, strict=True) if name.startswith("_")]
    missing = [name for room, name in zip(rooms, names, strict=True) if name not in public(room)]
    assert not missing
