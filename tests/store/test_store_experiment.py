"""Queries and the tidy table, against loops that follow the definitions."""

import json
import shutil
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr
from small_store import SAMPLES, TIMES, layer_values, make_store, tidy_phones, tidy_tokens

from layerstats import __version__
from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.store import Experiment, LayerSpec, RecordingWriter, describe, open_store, store_arrays
from layerstats.store.reading import StoreFiles
from layerstats.store.schema import SCHEMA_VERSION

TIDY = ["token", "word", "speaker", "split", "layer", "sample", "time_s", "value"]


def slow_frame(tokens, phones=None, layers=("conv1", "conv2"), window=(-1, 99), seed=0):
    """The tidy table by definition: one row after the other."""
    rows = []
    for layer in layers:
        values = layer_values(12, seed)[layer].mean(axis=1)
        for _, token in tokens.iterrows():
            number = int(token["token"][3:])
            intervals = [None] if phones is None else [p for _, p in phones.iterrows() if p["token"] == token["token"]]
            for interval in intervals:
                for sample in range(SAMPLES[layer]):
                    time_s = TIMES[layer][sample]
                    row = [*token[["token", "word", "speaker", "split"]], layer, sample, time_s, values[number, sample]]
                    if not window[0] <= time_s < window[1]:
                        continue
                    if interval is None:
                        rows.append(row)
                    elif interval["onset_s"] <= time_s < interval["offset_s"]:
                        rows.append([*row, *interval[["label", "phone_index", "onset_s", "offset_s"]]])
    names = TIDY if phones is None else [*TIDY, "phone", "phone_index", "phone_onset_s", "phone_offset_s"]
    return pd.DataFrame(rows, columns=names)


def assert_same(frame, expected):
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False, check_exact=False, rtol=1e-6)


def test_tables_come_back_as_given(experiment):
    given = tidy_tokens().astype({"age": float})
    pd.testing.assert_frame_equal(experiment.tokens, given.astype(experiment.tokens.dtypes.to_dict()))
    assert experiment.tokens["sex"].isna().tolist() == given["sex"].isna().tolist()
    assert experiment.tokens["trimmed"].dtype == bool
    assert experiment.tokens["rank"].dtype == np.int64
    phones = tidy_phones(tidy_tokens())
    pd.testing.assert_frame_equal(experiment.phones, phones.astype(experiment.phones.dtypes.to_dict()))


def test_whole_store_is_the_tidy_table(experiment):
    frame = experiment.to_frame()
    assert list(frame.columns) == TIDY
    assert frame["value"].dtype == np.float64
    assert_same(frame, slow_frame(tidy_tokens()))


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ({"word": "wash"}, lambda t: t["word"] == "wash"),
        (
            {"word": ["wash", "ask"], "speaker": "s1"},
            lambda t: t["word"].isin(["wash", "ask"]) & (t["speaker"] == "s1"),
        ),
        ({"split": "test"}, lambda t: t["split"] == "test"),
        ({"token": ("tok03", "tok09")}, lambda t: t["token"].isin(["tok03", "tok09"])),
        ({"sex": "f", "trimmed": True}, lambda t: (t["sex"] == "f") & t["trimmed"]),
        ({"rank": [4, 6], "speaker": None}, lambda t: t["rank"].isin([4, 6])),
        ({"age": 25.0}, lambda t: t["age"] == 25),
    ],
)
def test_queries_of_tokens(experiment, query, keep):
    tokens = tidy_tokens()
    chosen = experiment.select(**query)
    assert isinstance(chosen, Experiment)
    assert_same(chosen.to_frame(), slow_frame(tokens[keep(tokens)]))
    assert chosen.tokens["token"].tolist() == tokens[keep(tokens)]["token"].tolist()
    assert set(chosen.phones["token"]) == set(chosen.tokens["token"])


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ({"phone": ["s", "ʃ"]}, lambda p: p["label"].isin(["s", "ʃ"])),
        (
            {"phone_class": "plosive", "previous": "#"},
            lambda p: (p["phone_class"] == "plosive") & (p["previous"] == "#"),
        ),
        ({"following": "k", "phone": "ɔ"}, lambda p: (p["following"] == "k") & (p["label"] == "ɔ")),
        ({"label": "k", "phone_index": 2}, lambda p: (p["label"] == "k") & (p["phone_index"] == 2)),
        ({"onset_s": 0.1}, lambda p: p["onset_s"] == 0.1),
        ({"phone_label": "s"}, lambda p: p["label"] == "s"),
        ({"position": ["initial", "final"]}, lambda p: p["position"].isin(["initial", "final"])),
    ],
)
def test_queries_of_phones(experiment, query, keep):
    phones = tidy_phones(tidy_tokens())
    chosen = experiment.select(**query)
    assert_same(chosen.to_frame(), slow_frame(tidy_tokens(), phones[keep(phones)]))
    assert chosen.tokens["token"].tolist() == list(dict.fromkeys(phones[keep(phones)]["token"]))
    assert len(chosen.phones) == keep(phones).sum()


def test_a_column_of_both_tables_is_that_of_the_tokens(tmp_path):
    tokens = tidy_tokens().assign(code=np.arange(12) % 2)
    phones = tidy_phones(tokens).assign(code=lambda table: table["phone_index"])
    path = store_arrays(tmp_path / "s.zarr", tokens, layer_values(12, 0), time_s=TIMES, phones=phones)
    assert open_store(path).select(code=1).tokens["token"].tolist() == [
        f"tok{number:02d}" for number in range(1, 12, 2)
    ]
    chosen = open_store(path).select(phone_code=2)
    assert (len(chosen.tokens), chosen.phones["code"].unique().tolist()) == (12, [2])


def test_the_order_of_queries_does_not_matter(experiment):
    one = experiment.select(phone="k", speaker=["s0", "s2"], word="ask", layer="conv1", time_s=(0.1, 0.5))
    two = experiment.select(time_s=(0.0, 0.5)).select(word="ask").select(phone="k").select(layer="conv1")
    two = two.select(speaker=["s0", "s2"], time_s=(0.1, 0.9))
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())
    phones = tidy_phones(tidy_tokens()).query("label == 'k'")
    tokens = tidy_tokens().query("word == 'ask' and speaker in ['s0', 's2']")
    assert_same(one.to_frame(), slow_frame(tokens, phones, ["conv1"], (0.1, 0.5)))


def test_time_window_is_half_open(experiment):
    time_s = TIMES["conv2"]
    chosen = experiment.select(time_s=(time_s[3], time_s[6]))
    assert chosen.to_frame("conv2")["sample"].unique().tolist() == [3, 4, 5]
    assert chosen.layer("conv2")["sample"].to_numpy().tolist() == [3, 4, 5]
    with pytest.raises(ArgumentError, match="start before its end"):
        experiment.select(time_s=(0.5, 0.1))


def test_layers_keep_the_order_asked_for(experiment):
    chosen = experiment.select(layer=["conv2", "conv1"])
    assert chosen.layers == ("conv2", "conv1")
    assert chosen.to_frame()["layer"].unique().tolist() == ["conv2", "conv1"]
    assert experiment.to_frame("conv2")["layer"].unique().tolist() == ["conv2"]


def test_more_columns(experiment):
    frame = experiment.select(phone="ʃ").to_frame("conv2", columns=["duration_s", "sex", "position", "word"])
    assert list(frame.columns) == [
        *TIDY,
        *("phone", "phone_index", "phone_onset_s", "phone_offset_s", "position", "duration_s", "sex"),
    ]
    durations = dict(zip(tidy_tokens()["token"], tidy_tokens()["duration_s"], strict=True))
    assert frame["duration_s"].tolist() == [durations[token] for token in frame["token"]]
    with pytest.raises(ArgumentError, match=r"no column 'position'.*duration_s"):
        experiment.to_frame(columns=["position"])


def test_maps_have_a_row_per_channel(experiment):
    frame = experiment.select(word="dark", phone="d", time_s=(0, 0.2)).to_frame("conv1", values="maps")
    assert list(frame.columns[4:8]) == ["layer", "channel", "sample", "time_s"]
    maps = layer_values(12, 0)["conv1"]
    for row in frame.itertuples():
        assert row.value == maps[int(row.token[3:]), row.channel, row.sample]
        assert row.phone_onset_s <= row.time_s < row.phone_offset_s
    means = experiment.select(word="dark", phone="d", time_s=(0, 0.2)).to_frame("conv1")
    assert len(frame) == 3 * len(means)
    assert frame.groupby(["token", "sample"])["value"].mean().to_numpy() == pytest.approx(
        means["value"].to_numpy(), abs=1e-7
    )


def test_maps_that_were_not_recorded(tmp_path):
    tokens = tidy_tokens()
    means = {name: values.mean(axis=1) for name, values in layer_values(12, 0).items()}
    path = store_arrays(tmp_path / "s.zarr", tokens, means, time_s=TIMES)
    with pytest.raises(StoreError, match="has no 'maps': it was recorded without"):
        open_store(path).to_frame(values="maps")
    with pytest.raises(ArgumentError, match="'mean', 'maps', but got 'median'"):
        open_store(path).to_frame(values="median")


def test_layer_reads_when_used(experiment):
    dataset = experiment.select(word="ask").layer("conv1")
    assert not dataset["maps"].variable._in_memory
    assert dataset.attrs["slope"] == 0.2
    assert dataset["mean"].attrs["units"] == "1"
    assert dataset["word"].to_numpy().tolist() == ["ask"] * 4
    np.testing.assert_array_equal(dataset["maps"].sel(token="tok03"), layer_values(12, 0)["conv1"][3])
    np.testing.assert_array_equal(dataset["time_s"], TIMES["conv1"])


def test_queries_read_no_values(experiment, monkeypatch):
    def fail(*arguments):
        raise AssertionError("values were read")

    files = StoreFiles(experiment.path)
    assert files.tokens is not None
    assert files.phones is not None
    monkeypatch.setattr(zarr.Array, "__getitem__", fail)
    monkeypatch.setattr(zarr.Array, "oindex", property(fail))
    chosen = Experiment(files, "activations").select(word="ask", phone="s", layer="conv1", time_s=(0, 0.5))
    chosen = chosen.recording("untrained/seed_00")
    assert len(chosen.tokens) == 4


def test_experiments_do_not_change(experiment):
    before = experiment.to_frame()
    with pytest.raises(FrozenInstanceError):
        experiment._layers = ("conv1",)
    tokens = experiment.tokens
    tokens["word"] = "changed"
    experiment.select(word="ask", layer="conv2")
    pd.testing.assert_frame_equal(experiment.to_frame(), before)


def test_another_recording_stands_where_the_main_one_stood(experiment):
    untrained = experiment.select(word="ask", phone="s").recording("untrained/seed_00")
    phones = tidy_phones(tidy_tokens()).query("label == 's'")
    assert_same(untrained.to_frame(), slow_frame(tidy_tokens(), phones, seed=1))
    assert (untrained.name, untrained.trained) == ("untrained_00", False)
    assert untrained.attrs["seed"] == 0
    assert experiment.attrs["seed"] == 7
    assert experiment.recordings["recording"].tolist() == ["activations", "untrained_00"]
    with pytest.raises(ArgumentError, match=r"no recording 'untrained_07'. There are: 'activations', 'untrained_00'"):
        experiment.recording("untrained/seed_07")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"word": "rag"}, "no word 'rag'. There are: 'ask', 'wash', 'dark'"),
        ({"speaker": ["s0", "s9"]}, "no speaker 's9'. There are: 's0', 's1', 's2', 's3'"),
        ({"layer": "conv9"}, "no layer 'conv9'. There are: 'conv1', 'conv2'"),
        ({"phone": "sh"}, "no label 'sh'. There are: 'æ', 's', 'k'"),
        ({"phone_class": "click"}, "no phone_class 'click'"),
        ({"sex": "x"}, "no sex 'x'. There are: 'f', 'm'"),
        ({"rank": 3}, "no rank 3. There are: 0, 2, 4"),
        (
            {"dialect": "d"},
            "no such column. Of tokens there are: token, word, .*; of phones: token, phone_index, label",
        ),
        ({"position": "last"}, "no position 'last'. There are: 'initial', 'medial', 'final'"),
    ],
)
def test_what_does_not_exist_is_answered_with_what_does(experiment, query, message):
    with pytest.raises(ArgumentError, match=message):
        experiment.select(**query)


def test_phones_of_a_store_without_phones(tmp_path):
    path = store_arrays(tmp_path / "s.zarr", tidy_tokens(), layer_values(12, 0), time_s=TIMES)
    assert len(open_store(path).phones) == 0
    with pytest.raises(ArgumentError, match="Nothing can be selected by 'label': the store has no phones"):
        open_store(path).select(phone="s")


def test_an_empty_selection_is_an_error_when_data_are_asked_for(experiment, tmp_path):
    nothing = experiment.select(phone="ʃ").select(word="ask")
    assert len(nothing.tokens) == len(nothing.phones) == 0
    with pytest.raises(DataError, match="no token meets all conditions"):
        nothing.to_frame()
    with pytest.raises(DataError, match="nothing to export"):
        nothing.export(tmp_path / "out")
    with pytest.raises(DataError, match="no sample of these layers"):
        experiment.select(time_s=(5, 6)).to_frame()


def test_tree_shows_the_selection(experiment):
    tree = experiment.select(word="ask", layer="conv2").tree
    assert sorted(tree.groups) == [
        *("/", "/phones", "/recordings", "/recordings/activations", "/recordings/activations/conv2", "/tokens")
    ]
    assert tree["tokens"]["duration_s"].attrs["units"] == "s"
    assert tree["recordings/activations/conv2"].sizes["token"] == 4
    assert tree.attrs["schema_version"] == SCHEMA_VERSION


def test_xarray_opens_the_directory_itself(store_path):
    tree = xr.open_datatree(store_path, engine="zarr")
    np.testing.assert_array_equal(tree["recordings/untrained_00/conv2/maps"], layer_values(12, 1)["conv2"])
    layer = tree["recordings/activations/conv1"]
    assert layer["maps"].dims == ("token", "channel", "sample")
    assert layer["token"].to_numpy().tolist() == tidy_tokens()["token"].tolist()
    np.testing.assert_array_equal(layer["mean"].coords["time_s"], TIMES["conv1"])
    assert layer["maps"].sel(token="tok03").shape == (3, 64)
    for node in tree.subtree:
        for variable in node.to_dataset(inherit=False).variables.values():
            assert {"units", "long_name"} <= variable.attrs.keys()


def test_plain_xarray_sees_what_is_finished_only(tmp_path):
    path = make_store(tmp_path / "s.zarr")
    layers = [LayerSpec("conv2", TIMES["conv2"])]
    with RecordingWriter(path, "half", tidy_tokens(), tidy_phones(tidy_tokens()), layers, key="k", shard_tokens=4) as w:
        rows = next(w.missing())
        w.write(rows, {"conv2": {"mean": np.zeros((4, 16))}})
    assert sorted(xr.open_datatree(path, engine="zarr")["recordings"].children) == ["activations", "untrained_00"]
    assert open_store(path).recordings["complete"].tolist() == [True, False, True]


def damaged(path, tmp_path, group="", **attributes):
    copy = tmp_path / "copy.zarr"
    shutil.copytree(path, copy)
    file = copy / group / "zarr.json"
    metadata = json.loads(file.read_text())
    metadata["attributes"] |= attributes
    file.write_text(json.dumps(metadata))
    return copy


def test_newer_schema(store_path, tmp_path):
    newer = SCHEMA_VERSION + 1
    path = damaged(store_path, tmp_path, schema_version=newer, layerstats_version="9.1")
    message = (
        rf"schema version {newer} \(written by layerstats 9.1\), and layerstats {__version__} reads up to version "
        f"{SCHEMA_VERSION}"
    )
    for attempt in (open_store, describe, make_store):
        with pytest.raises(StoreError, match=message):
            attempt(path)


def test_no_store(tmp_path):
    with pytest.raises(StoreError, match="There is no store at"):
        open_store(tmp_path / "nothing")
    zarr.create_group(tmp_path / "other.zarr")
    with pytest.raises(StoreError, match="not a store of layerstats"):
        open_store(tmp_path / "other.zarr")
    (tmp_path / "other.zarr" / "zarr.json").write_text("{")
    with pytest.raises(StoreError, match="are damaged"):
        open_store(tmp_path / "other.zarr")
    with pytest.raises(ArgumentError, match="'incomplete' parameter"):
        open_store(tmp_path, incomplete="maybe")


def test_half_written_store(tmp_path):
    path = tmp_path / "s.zarr"
    layers = [LayerSpec("conv2", TIMES["conv2"])]
    means = layer_values(12, 0)["conv2"].mean(axis=1)
    tokens, phones = tidy_tokens(), tidy_phones(tidy_tokens())
    with RecordingWriter(path, "activations", tokens, phones, layers, key="k", shard_tokens=4) as writer:
        for rows in writer.missing():
            if rows.start in (0, 8):
                writer.write(rows, {"conv2": {"mean": means[rows]}})
            if rows.start == 8:
                break
    with pytest.raises(StoreError, match=r"half-written: 8 of 12 tokens. Run the call .* again .*incomplete='allow'"):
        open_store(path)
    partly = open_store(path, incomplete="allow")
    there = tokens.iloc[[0, 1, 2, 3, 8, 9, 10, 11]]
    assert_same(partly.to_frame(), slow_frame(there, layers=["conv2"]))
    assert_same(partly.select(phone="s").to_frame(), slow_frame(there, phones.query("label == 's'"), ["conv2"]))
    assert describe(path)["Recordings"]["complete"].tolist() == [False]


def without_second_shard(path, recording):
    (path / "recordings" / recording / "conv2/maps/c/1/0/0").unlink()
    return path


def test_half_written_untrained_recording_does_not_close_the_store(experiment, store_path, tmp_path):
    path = without_second_shard(
        damaged(store_path, tmp_path, "recordings/untrained_00", complete=False), "untrained_00"
    )
    opened = open_store(path)
    assert opened.recordings["complete"].tolist() == [True, False]
    with pytest.raises(StoreError, match=r"'untrained_00' of .* is half-written: 7 of 12"):
        opened.recording("untrained/seed_00")
    assert open_store(path, incomplete="allow").recording("untrained_00").token_rows.tolist() == [0, 1, 2, 3, 4, 10, 11]


def test_half_written_main_recording_does_not_hide_an_untrained_one(store_path, tmp_path):
    path = damaged(store_path, tmp_path, "recordings/activations", complete=False)
    with pytest.raises(StoreError, match=r"'activations' of .* is half-written"):
        open_store(path)
    assert len(open_store(path, recording="untrained_00").to_frame()) == 12 * 80


def test_half_written_tables(store_path, tmp_path):
    with pytest.raises(StoreError, match=r"tables of .* are half-written"):
        open_store(damaged(store_path, tmp_path, complete=False))


def test_describe_says_what_is_there(store_path):
    tables = describe(store_path)
    assert tables["Words"].to_dict("list") == {"word": ["ask", "dark", "wash"], "tokens": [4] * 3, "speakers": [4] * 3}
    assert tables["Columns"].set_index("column").loc["word", ["table", "levels", "are"]].tolist() == [
        "tokens",
        3,
        "ask, dark, wash",
    ]
    assert tables["Layers"][["layer", "samples", "channels"]].to_numpy().tolist() == [
        ["conv1", 64, 3],
        ["conv2", 16, 3],
    ]
    properties = tables["Store"].set_index("property")["value"]
    assert properties["phones"] == "36"
    assert properties["schema_version"] == str(SCHEMA_VERSION)


def test_arrays_that_do_not_fit(tmp_path):
    tokens = tidy_tokens()
    with pytest.raises(ArgumentError, match=r"with 12 tokens, but got \(3, 4\)"):
        store_arrays(tmp_path / "s", tokens, {"a": np.ones((3, 4))}, time_s={"a": range(4)})
    with pytest.raises(ArgumentError, match=r"times of layer 'a' must have shape \(4,\)"):
        store_arrays(tmp_path / "s", tokens, {"a": np.ones((12, 4))}, time_s={"b": range(4)})
    with pytest.raises(ArgumentError, match="must increase"):
        store_arrays(tmp_path / "s", tokens, {"a": np.ones((12, 2))}, time_s={"a": [1, 0]})
    both = {"a": np.ones((12, 4)), "b": np.ones((12, 2, 4))}
    with pytest.raises(ArgumentError, match="all layers have channels or none"):
        store_arrays(tmp_path / "s", tokens, both, time_s={"a": range(4), "b": range(4)})
