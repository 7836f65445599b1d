"""Stores that earlier packages wrote, one per schema version, are read to the values that went in."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from outcome_recorder import STARTS, all_values, open_writer, record
from small_store import CREATED, SAMPLES, TIMES, layer_values, make_store, tidy_phones, tidy_tokens
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.errors import StoreError
from layerstats.store import check_store, open_store, store_arrays, store_table, upgrade_store, without_checksums
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
    assert experiment.recordings["recording"].tolist() == ["activations", "untrained_00"]
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


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_recordings_of_earlier_versions_say_what_they_are(tmp_path, version):
    shutil.unpack_archive(ARCHIVE / f"schema_{version}.zarr.zip", tmp_path)
    experiment = open_store(tmp_path / "small.zarr")
    table = experiment.recordings
    assert table["quantity"].tolist() == ["activation", "activation"]
    assert table["trained"].tolist() == [True, False]
    assert table["network_seed"].tolist() == [7, 0]
    assert experiment.recording(trained=False).name == experiment.recording("untrained/seed_00").name == "untrained_00"


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_the_same_call_finds_a_finished_recording_of_an_earlier_version(tmp_path, version):
    shutil.unpack_archive(ARCHIVE / f"schema_{version}.zarr.zip", tmp_path)
    path = tmp_path / "small.zarr"
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    maps = layer_values(12, 0)
    about = {name: {"activation": "leaky_relu", "slope": 0.2, "hop_s": 1 / size} for name, size in SAMPLES.items()}
    common = {"time_s": TIMES, "phones": tidy_phones(tidy_tokens()), "layer_attrs": about}
    store_arrays(path, tidy_tokens(), maps, attrs={"model_hash": "m", "seed": 7}, **common)
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    with pytest.raises(
        StoreError, match=r"is of schema version . and is read only.*layerstats upgrade .*small.zarr NEW"
    ):
        store_arrays(path, tidy_tokens(), maps, name="another", **common)
    heard = pd.DataFrame({"token": ["tok00"], "judge": "J", "response": "ask", "score": 1.0})
    with pytest.raises(StoreError, match="layerstats upgrade"):
        store_table(path, "judgements", "words", heard)
    attributes = read_attributes(path / "activations")
    write_group(path / "activations", attributes | {"complete": False, "tokens_written": 0})
    with pytest.raises(StoreError, match="layerstats upgrade"):
        store_arrays(path, tidy_tokens(), maps, attrs={"model_hash": "m", "seed": 7}, **common)


@pytest.mark.parametrize("name", ["schema_1", "schema_2", "schema_2_root_mean_square"])
def test_an_earlier_store_is_upgraded(tmp_path, name):
    shutil.unpack_archive(ARCHIVE / f"{name}.zarr.zip", tmp_path)
    old, new = open_store(tmp_path / "small.zarr"), tmp_path / "new.zarr"
    result = CliRunner().invoke(app, ["upgrade", str(old.path), str(new)])
    assert (result.exit_code, result.output.splitlines()) == (0, [str(new)])
    assert upgrade_store(old.path, new) == new
    assert check_store(new) == []
    copy = open_store(new)
    assert copy.attrs["schema_version"] == SCHEMA_VERSION
    assert {"created_at", "corpus_hash", "tables_hash", "model_hash"} & copy.attrs.keys() <= old.attrs.keys()
    assert xr.open_datatree(new, engine="zarr")["recordings"].children.keys() == {"activations", "untrained_00"}
    columns = ["recording", "quantity", "trained", "network_seed", "variables", "key", "created_at"]
    pd.testing.assert_frame_equal(copy.recordings[columns], old.recordings[columns])
    pd.testing.assert_frame_equal(copy.tokens, old.tokens)
    pd.testing.assert_frame_equal(copy.phones, old.phones)
    for recording in old.recordings["recording"]:
        for layer in old.layers:
            xr.testing.assert_identical(
                copy.recording(recording).layer(layer).drop_attrs(), old.recording(recording).layer(layer).drop_attrs()
            )
            assert copy.recording(recording).layer(layer).attrs["activation"] == "leaky_relu"


def test_what_cannot_be_upgraded(tmp_path):
    shutil.unpack_archive(ARCHIVE / "schema_2.zarr.zip", tmp_path)
    path = tmp_path / "small.zarr"
    attributes = read_attributes(path / "untrained/seed_00")
    write_group(path / "untrained/seed_00", attributes | {"complete": False, "tokens_written": 5})
    with pytest.raises(StoreError, match=r"new.zarr has .* version 3 already|is of schema version 3"):
        upgrade_store(make_store(tmp_path / "three.zarr"), tmp_path / "new.zarr")
    upgrade_store(path, tmp_path / "new.zarr")
    assert open_store(tmp_path / "new.zarr").recordings["recording"].tolist() == ["activations"]
    make_store(tmp_path / "new.zarr")


def test_archived_outcomes_and_judgements_are_read(tmp_path):
    shutil.unpack_archive(ARCHIVE / "schema_3_outcomes.zarr.zip", tmp_path)
    experiment = open_store(tmp_path / "outcomes.zarr")
    outcome = experiment.outcome()
    for name, values in all_values().items():
        wanted = np.where(pd.isna(values), "", values) if name == "noted" else values
        np.testing.assert_array_equal(outcome[name].to_numpy(), wanted)
    assert outcome["seed"].to_numpy().tolist() == STARTS["seed"].tolist()
    assert outcome.attrs["created_at"] == CREATED
    heard = experiment.judgement(judge="n1")["score"]
    np.testing.assert_array_equal(heard.to_numpy(), np.arange(36, dtype="float32").reshape(12, 3) / 36)
    assert check_store(tmp_path / "outcomes.zarr") == []
    # The same call still finds it finished.
    with open_writer(tmp_path / "outcomes.zarr") as writer:
        assert writer.complete


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_outcomes_are_not_written_into_a_store_of_an_earlier_version(tmp_path, version):
    shutil.unpack_archive(ARCHIVE / f"schema_{version}.zarr.zip", tmp_path)
    with pytest.raises(StoreError, match="layerstats upgrade"):
        open_writer(tmp_path / "small.zarr")
    assert open_store(tmp_path / "small.zarr").outcomes.empty
    new = upgrade_store(tmp_path / "small.zarr", tmp_path / "new.zarr")
    record(new)
    assert open_store(new).outcomes["starts"].tolist() == [12]
    assert check_store(new) == []
