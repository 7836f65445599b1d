import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from layerstats.resources import bundled
from layerstats.tables import check_frame

SCRIPTS = ("words", "phones", "duration", "checks", "series", "channels", "networks", "lexical")


def run(script, store, out, *options):
    """Run a script as a user does, in a process of its own."""
    command = [sys.executable, str(bundled("analyses", f"{script}.py")), str(store), "--out", str(out), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def read(path):
    return pd.read_csv(path, keep_default_na=True)


def check_page_entries(out):
    """Every entry of the page has its files, and no file is empty."""
    entries = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["entries"]
    assert entries
    for entry in entries:
        for name in entry["files"].values():
            assert (out / name).stat().st_size > 0
    return {entry["name"] for entry in entries}


@pytest.mark.r
@pytest.mark.slow
def test_words(store, tmp_path):
    result = run("words", store, tmp_path, "--layers", "conv2", "--workers", "1")
    assert result.returncode == 0, result.stderr
    names = check_page_entries(tmp_path)
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
def test_phones(store, tmp_path):
    result = run("phones", store, tmp_path, "--phones", "sh:s", "--workers", "1")
    assert result.returncode == 0, result.stderr
    names = check_page_entries(tmp_path)
    assert {"contrast", "curves", "difference_curves", "effect_sizes", "untrained", "receptive_field"} <= names
    contrast = check_frame(read(tmp_path / "contrast.csv"), "phone_contrast").set_index("layer")
    # Less in the high frequencies: the filter answers less to [sh].
    assert (contrast.loc[["conv1", "conv2"], "level_difference"] < 0).all()
    assert (contrast.loc[["conv1", "conv2"], "joint_p_adjusted"] < 0.05).all()
    assert contrast.loc["conv3", "note"].startswith("not tested")
    assert contrast.loc["conv1", "null_recordings"] == 3


@pytest.mark.r
@pytest.mark.slow
def test_duration(store, tmp_path):
    result = run("duration", store, tmp_path, "--layers", "conv2", "--workers", "1")
    assert result.returncode == 0, result.stderr
    assert {"parametric", "smooths", "effects", "curves", "difference_curves"} <= check_page_entries(tmp_path)
    parametric = check_frame(read(tmp_path / "parametric.csv"), "parametric")
    assert parametric["series"].nunique() == 3


@pytest.mark.r
@pytest.mark.slow
def test_checks(store, tmp_path):
    result = run("checks", store, tmp_path, "--layers", "conv2", "--workers", "1")
    assert result.returncode == 0, result.stderr
    assert {"k_index", "autocorrelation", "residuals", "glance"} <= check_page_entries(tmp_path)
    lags = read(tmp_path / "autocorrelation_table.csv")
    models = ("as analysed", "independent residuals", "AR(1) of the residuals", "AR(1) by REML")
    assert set(lags["layer"]) == {f"conv2, {model}" for model in models}


def test_series(store, corpus_folder, tmp_path):
    result = run("series", store, tmp_path, "--corpus", f"textgrids:{corpus_folder}")
    assert result.returncode == 0, result.stderr
    assert check_page_entries(tmp_path) == {"series_ask", "series_wash"}


def test_networks(store, tmp_path):
    """Two copies of a network stand for two seeds, which is enough for a script."""
    copies = []
    for kind in ("supervised", "other"):
        for seed in range(2):
            copies.append(tmp_path / f"{kind}_{seed}.zarr")
            shutil.copytree(store, copies[-1])
            metadata = copies[-1] / "activations" / "zarr.json"
            group = json.loads(metadata.read_text(encoding="utf-8"))
            group["attributes"] |= {"network_kind": kind, "network_seed": seed}
            metadata.write_text(json.dumps(group), encoding="utf-8")
    options = ["--phones", "sh:s", "--draws", "120", "--layers", "conv1,conv2"]
    result = run("networks", copies[0], tmp_path / "out", *map(str, copies[1:]), *options)
    assert result.returncode == 0, result.stderr
    names = check_page_entries(tmp_path / "out")
    assert names == {"effects", "comparisons", "kinds", "networks", "series"}
    kinds = check_frame(read(tmp_path / "out" / "kinds.csv"))
    assert set(kinds["network"]) == {"supervised", "other", "untrained supervised", "untrained other"}
    assert set(kinds["contrast"]) == {"ask - wash", "sh - s"}
    comparisons = check_frame(read(tmp_path / "out" / "comparisons.csv"))
    assert comparisons.query("level_1 == 'other' and level_2 == 'supervised'").empty
    assert (comparisons.query("level_1 == 'supervised' and level_2 == 'other'")["diff"] == 0).all()


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_stay_thin_and_public(script):
    """A script is for reading: at most 85 lines with its captions, and nothing from inside a room."""
    lines = bundled("analyses", f"{script}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 85
    imports = [line.split()[1] for line in lines if line.startswith("from layerstats")]
    assert imports
    assert all(name.count(".") == 1 for name in imports)


def test_a_phone_that_is_absent_is_said(store, tmp_path):
    result = run("phones", store, tmp_path, "--phones", "s:zh")
    assert result.returncode == 2
    assert "There are: ae, s, sh" in result.stderr
    assert len(result.stderr.splitlines()) == 1
