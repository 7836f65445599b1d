"""Stores that earlier packages wrote, one per schema version, are read to the values that went in."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr
from small_store import CREATED, TIMES, layer_values, make_store, tidy_phones, tidy_tokens

from layerstats.store import check_store, open_store, without_checksums
from layerstats.store.groups import read_attributes, write_group
from layerstats.store.schema import SCHEMA_VERSION

ARCHIVE = Path(__file__).parent / "archive"


def test_every_schema_version_is_archived():
    names = {f"schema_{version}.zarr.zip" for version in range(1, SCHEMA_VERSION + 1)}
    assert names <= {file.name for file in ARCHIVE.glob("*.zip")}


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_archived_store_is_read(tmp_path, version):
    shutil.unpack_archive(ARCHIVE / f"schema_{version}.zarr.zip", tmp_path)
    experiment = open_store(tmp_path / "small.zarr")
    assert experiment.attrs["schema_version"] == version
    assert experiment.attrs["created_at"] == CREATED
    assert experiment.recordings["recording"].tolist() == ["activations", "untrained/seed_00"]
    pd.testing.assert_frame_equal(experiment.tokens, tidy_tokens().astype(experiment.tokens.dtypes.to_dict()))
    pd.testing.assert_frame_equal(
        experiment.phones, tidy_phones(tidy_tokens()).astype(experiment.phones.dtypes.to_dict())
    )
    for seed, recording in enumerate(["activations", "untrained/seed_00"]):
        for name, maps in layer_values(12, seed).items():
            layer = experiment.recording(recording).layer(name)
            np.testing.assert_array_equal(layer["maps"], maps)
            np.testing.assert_array_equal(layer["mean"], maps.mean(axis=1))
            np.testing.assert_array_equal(layer["time_s"], TIMES[name])
            assert layer.attrs["activation"] == "leaky_relu"


def test_archived_store_with_checksums_and_another_summary_is_read(tmp_path):
    shutil.unpack_archive(ARCHIVE / "schema_2_root_mean_square.zarr.zip", tmp_path)
    path = tmp_path / "small.zarr"
    assert check_store(path) == []
    assert without_checksums(path) == []
    for seed, recording in enumerate(["activations", "untrained/seed_00"]):
        view = open_store(path).recording(recording)
        assert view.summary == "root_mean_square"
        for name, maps in layer_values(12, seed).items():
            np.testing.assert_array_equal(view.layer(name)["maps"], maps)
            squares = np.sqrt((maps.astype(float) ** 2).mean(axis=1)).astype("float32")
            np.testing.assert_array_equal(view.layer(name)["root_mean_square"], squares)
        assert view.layer("conv2").attrs["fixed_root_mean_square"] == "LayerNorm"
        frame = view.to_frame("conv2")
        np.testing.assert_array_equal(frame["value"].to_numpy().reshape(12, 16), squares.astype(float))


def chunks_of_maps(path):
    layers = [(recording, name) for recording in ("activations", "untrained/seed_00") for name in TIMES]
    return [zarr.open_array(path / recording / name / "maps", mode="r").chunks[:2] for recording, name in layers]


@pytest.mark.parametrize(("version", "channels"), [(1, 3), (2, 2)])
def test_archived_store_is_continued_as_its_version_says(tmp_path, version, channels):
    shutil.unpack_archive(ARCHIVE / f"schema_{version}.zarr.zip", tmp_path)
    path = tmp_path / "small.zarr"
    assert chunks_of_maps(path) == [(12, channels)] * 4
    files = sorted(path.rglob("*"))
    # As if killed before the first chunk of one recording and before the beginning of the other.
    shutil.rmtree(path / "untrained")
    attributes = read_attributes(path / "activations")
    write_group(path / "activations", attributes | {"complete": False, "tokens_written": 0})
    make_store(path)
    assert chunks_of_maps(path) == [(12, channels)] * 4
    assert sorted(path.rglob("*")) == files
    assert open_store(path).attrs["schema_version"] == version
    np.testing.assert_array_equal(open_store(path).layer("conv1")["maps"], layer_values(12, 0)["conv1"])
