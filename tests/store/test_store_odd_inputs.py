"""Names, columns, variables and attributes that no reader could find again are refused before anything lies."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from layerstats.errors import ArgumentError, StoreError
from layerstats.store import LayerSpec, RecordingWriter, VariableSpec, open_store, store_arrays, store_table
from layerstats.store.check import check_store

TIMES = [0.0, 0.1, 0.2]
TOKENS = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "dark"], "speaker": ["s1", "s2"], "split": "test"})
VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def store(folder, tokens=TOKENS, layer="conv1", **options):
    return store_arrays(folder / "s.zarr", tokens, {layer: VALUES}, time_s={layer: TIMES}, **options)


def record(path, layer, values, name="own"):
    with RecordingWriter(path, name, TOKENS, None, [layer], key="k") as writer:
        for rows in writer.missing():
            by_token = {one.name: values[one.name][rows] for one in layer.variables if one.by_shard}
            writer.write(rows, {layer.name: by_token} if by_token else {})
        at_once = {one.name: values[one.name] for one in layer.variables if not one.by_shard}
        writer.finish({layer.name: at_once} if at_once else {})
    return path


@pytest.mark.parametrize("name", ["zarr.json", "a\\b", "a\0b", "a/b", "__a", "..", "", "a.partial"])
def test_names_that_zarr_or_a_file_system_read_otherwise_are_refused(tmp_path, name):
    with pytest.raises(ArgumentError, match="cannot be called"):
        store(tmp_path, layer=name)
    with pytest.raises(StoreError, match="A column cannot be called"):
        store(tmp_path, TOKENS.assign(**{name: 1}))
    path = store(tmp_path)
    if name:
        with pytest.raises(ArgumentError, match="A recording cannot be called"):
            store(tmp_path, name=name)
    heard = pd.DataFrame({"token": ["a"], "judge": "j", "response": "x", "score": 0.5})
    with pytest.raises(ArgumentError, match="A table cannot be called"):
        store_table(path, "judgements", name, heard)
    assert check_store(path) == []


@pytest.mark.parametrize("name", ["é ü", "..a", "#x", "a?b&c", "a%20b", "tokens", "c", "a\nb", '"q"', "名前"])
def test_other_names_are_free_and_plain_xarray_finds_them(tmp_path, name):
    store(tmp_path, name=name, layer=name, attrs={"quantity": "relevance"})
    assert open_store(tmp_path / "s.zarr", quantity="relevance").name == name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = xr.open_datatree(tmp_path / "s.zarr", engine="zarr")
    assert f"/recordings/{name}/{name}" in tree.groups
    assert check_store(tmp_path / "s.zarr") == []


@pytest.mark.parametrize("name", ["word", "speaker", "split", "sample", "label", "phone_token"])
def test_variables_cannot_hide_behind_the_labels_of_readers(name):
    with pytest.raises(ArgumentError, match="labelled so"):
        VariableSpec(name, ("token", "sample"))
    with pytest.raises(ArgumentError, match="cannot be called"):
        LayerSpec("l", TIMES, [VariableSpec("x", ("token", "n"), {"n": 2})], coords={name: ("n", [1, 2])})


def test_a_variable_is_not_called_as_its_dimension():
    with pytest.raises(ArgumentError, match="one of its dimensions"):
        VariableSpec("channel", ("token", "channel"), {"channel": 2})


def test_variables_come_in_the_order_in_which_they_were_declared(tmp_path):
    names = ["zeta", "alpha", "mean", "beta"]
    layer = LayerSpec("l", TIMES, [VariableSpec(name, ("token", "sample")) for name in names])
    path = record(tmp_path / "s.zarr", layer, dict.fromkeys(names, VALUES))
    assert list(open_store(path).layer("l").data_vars) == names
    assert list(xr.open_datatree(path, engine="zarr")["recordings/own/l"].data_vars) == names
    assert list(open_store(path).variables) == names


def test_columns_and_layers_come_in_their_order_in_plain_xarray_too(tmp_path):
    path = tmp_path / "s.zarr"
    layers = {"z": VALUES, "a": VALUES}
    store_arrays(path, TOKENS.assign(zone=1, age=2), layers, time_s=dict.fromkeys(layers, TIMES))
    tree = xr.open_datatree(path, engine="zarr")
    assert list(tree["tokens"].data_vars) == ["word", "speaker", "split", "zone", "age"]
    assert list(tree["recordings/activations"].children) == ["z", "a"]


@pytest.mark.parametrize(
    ("dims", "sizes"),
    [(("token",), {}), (("token", "n"), {"n": 2}), (("speaker", "label"), {"speaker": 2, "label": 3})],
)
def test_times_are_a_label_where_no_variable_has_samples(tmp_path, dims, sizes):
    layer = LayerSpec("l", TIMES, [VariableSpec("x", dims, sizes)])
    values = np.arange(np.prod(layer.shape("x", 2, 0)), dtype=np.float32).reshape(layer.shape("x", 2, 0))
    path = record(tmp_path / "s.zarr", layer, {"x": values})
    opened = open_store(path)
    for dataset in (opened.layer("l"), xr.open_datatree(path, engine="zarr")["recordings/own/l"].to_dataset()):
        assert list(dataset.data_vars) == ["x"]
        assert "time_s" in dataset.coords
        assert np.array_equal(dataset["x"], values)
    opened.export(tmp_path / "s.nc", to="netcdf")
    exported = xr.open_datatree(tmp_path / "s.nc", engine="h5netcdf")["recordings/own/l"]
    assert np.array_equal(exported["x"], values)


def test_an_empty_text_in_a_column_with_gaps_is_a_gap_from_the_first(tmp_path):
    tokens = TOKENS.assign(sex=["", None])
    path = store(tmp_path, tokens)
    written = (path / "tokens" / "sex" / "zarr.json").stat().st_mtime_ns
    assert check_store(path) == []
    store(tmp_path, tokens)
    assert (path / "tokens" / "sex" / "zarr.json").stat().st_mtime_ns == written
    assert open_store(path).tokens["sex"].isna().all()


def test_whole_numbers_beyond_64_bits_with_a_sign_do_not_turn_negative(tmp_path):
    with pytest.raises(StoreError, match=r"'n'.*9223372036854775808"):
        store(tmp_path, TOKENS.assign(n=np.array([2**63, 1], dtype=np.uint64)))


@pytest.mark.parametrize(("attribute", "value"), [("trained", "no"), ("trained", 1), ("quantity", 3)])
def test_a_recording_that_says_what_it_is_in_another_kind_is_refused_before_it_lies(tmp_path, attribute, value):
    path = store(tmp_path)
    with pytest.raises(ArgumentError, match=attribute):
        store(tmp_path, name="other", attrs={attribute: value})
    assert open_store(path).recordings["recording"].tolist() == ["activations"]


def test_a_layer_that_is_asked_for_twice_is_there_once(tmp_path):
    chosen = open_store(store(tmp_path)).select(layer=["conv1", "conv1"])
    assert chosen.layers == ("conv1",)
    assert len(chosen.to_frame()) == VALUES.size


@pytest.mark.parametrize("window", [0.1, "ab", (0.1,), (0.2, 0.1)])
def test_a_window_without_two_edges_is_refused_in_words(tmp_path, window):
    with pytest.raises(ArgumentError, match="start before its end"):
        open_store(store(tmp_path)).select(time_s=window)


@pytest.mark.parametrize("column", ["layer", "time_s", "value", "sample"])
def test_a_column_of_the_tokens_does_not_replace_one_of_the_table(tmp_path, column):
    opened = open_store(store(tmp_path, TOKENS.assign(**{column: 7})))
    assert opened.select(**({column: 7} if column not in ("layer", "time_s") else {})).tokens[column].tolist() == [7, 7]
    with pytest.raises(ArgumentError, match=rf"'{column}'.*rename"):
        opened.to_frame(columns=[column])


@pytest.mark.parametrize("name", ["token", "time_s"])
def test_a_layer_called_like_its_labels_is_told_so(name):
    with pytest.raises(ArgumentError, match=f"cannot be called '{name}'"):
        LayerSpec(name, TIMES)


@pytest.mark.parametrize("missing", [pd.NA, [None, "ask"]])
def test_missing_values_are_no_values_to_select(tmp_path, missing):
    arrays = {"conv1": np.ones((2, len(TIMES)))}
    path = store_arrays(tmp_path / "s.zarr", TOKENS, arrays, time_s={"conv1": TIMES})
    with pytest.raises(ArgumentError, match="Rows without a 'word' cannot be selected"):
        open_store(path).select(word=missing)
