"""A recording may hold the root mean square over channels in place of their mean; readers take what is there."""

import numpy as np
import pytest
import xarray as xr

from layerstats.errors import ArgumentError, StoreError
from layerstats.store import LayerSpec, RecordingWriter, describe, open_store, usual_variables


def write(path, tokens, name="activations", summary="mean", **options):
    attributes = {"fixed_root_mean_square": "LayerNorm"}
    layer = LayerSpec("conv1", [0.0, 0.1, 0.2], usual_variables(summary=summary), attrs=attributes)
    values = np.arange(3.0 * len(tokens)).reshape(-1, 3)
    with RecordingWriter(path, name, tokens, None, [layer], key="k", **options) as writer:
        for rows in writer.missing():
            writer.write(rows, {"conv1": {summary: values[rows]}})
        writer.finish()
    return path


@pytest.fixture
def tokens():
    from small_store import tidy_tokens

    return tidy_tokens()


def test_it_is_written_and_read_under_its_name(tmp_path, tokens):
    path = write(tmp_path / "s.zarr", tokens, summary="root_mean_square")
    experiment = open_store(path)
    assert experiment.summary == "root_mean_square"
    layer = experiment.layer("conv1")
    assert set(layer.data_vars) == {"root_mean_square"}
    expected = {"units": "1", "long_name": "root mean square of the activation over channels"}
    assert expected.items() <= layer["root_mean_square"].attrs.items()
    np.testing.assert_array_equal(experiment.to_frame()["value"], np.arange(3.0 * len(tokens)))
    np.testing.assert_array_equal(experiment.array("conv1")[:], layer["root_mean_square"])
    with pytest.raises(StoreError, match=r"has no 'mean': its 'root_mean_square' was recorded"):
        experiment.array("conv1", "mean")
    with pytest.raises(ArgumentError, match="'root_mean_square', 'maps', but got 'mean'"):
        experiment.to_frame(values="mean")
    assert describe(path)["Layers"]["fixed_by"].tolist() == ["LayerNorm"]
    assert write(path, tokens, summary="root_mean_square") == path


def test_it_is_exported(tmp_path, tokens):
    experiment = open_store(write(tmp_path / "s.zarr", tokens, summary="root_mean_square"))
    (file,) = experiment.export(tmp_path / "s.nc", to="netcdf")
    with xr.open_dataset(file, group="recordings/activations/conv1", engine="h5netcdf") as layer:
        assert layer["root_mean_square"].attrs["long_name"] == "root mean square of the activation over channels"
        np.testing.assert_array_equal(layer["root_mean_square"][:, 0], 3.0 * np.arange(len(tokens)))
    experiment.export(tmp_path / "csv", to="csv")


def test_recordings_of_one_store_may_hold_different_summaries(tmp_path, tokens):
    path = write(tmp_path / "s.zarr", tokens)
    write(path, tokens, "squares", summary="root_mean_square")
    assert open_store(path).summary == "mean"
    assert open_store(path).recording("squares").summary == "root_mean_square"
    with pytest.raises(StoreError, match=r"variables: \['mean'\] there, \['root_mean_square'\] now"):
        write(path, tokens, summary="root_mean_square")
