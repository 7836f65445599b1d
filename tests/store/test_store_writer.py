"""Writing a recording: in any order, by any number of processes, killed at any moment, to the same bytes."""

import errno
import itertools
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr
from recorder import CREATED, LAYERS, PHONES, TOKENS, all_values, contents, open_writer, record, shard_of

from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.store import (
    LayerSpec,
    RecordingWriter,
    VariableSpec,
    check_store,
    create_or_resume,
    open_store,
    shards,
    tokens_in_shard,
    usual_variables,
)
from layerstats.store import writer as writer_module

RECORDER = Path(__file__).with_name("recorder.py")
PLACE = "recordings/activations"


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    path = tmp_path_factory.mktemp("unbroken") / "s.zarr"
    record(path)
    return contents(path)


def start(path, *command):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, *(command or [str(RECORDER)]), str(path)], env=environment)


def test_values_are_those_given(tmp_path):
    path = tmp_path / "s.zarr"
    record(path)
    experiment = open_store(path)
    for layer in LAYERS:
        dataset, plain = experiment.layer(layer.name), xr.open_datatree(path, engine="zarr")[f"{PLACE}/{layer.name}"]
        for variable in layer.variables:
            given = all_values()[layer.name][variable.name].astype(variable.dtype)
            assert dataset[variable.name].dims == plain[variable.name].dims == variable.dims
            np.testing.assert_array_equal(dataset[variable.name], given)
            np.testing.assert_array_equal(plain[variable.name], given)
    assert dataset["peak"].attrs["units"] == "Pa"
    assert plain["input"].coords["frequency_hz"].to_numpy().tolist() == [100, 200, 400, 800]
    assert plain["coverage"].coords["letters"].to_numpy().tolist() == ["a", "ö"]
    assert dataset["label"].dims == ("phone",)
    assert check_store(path) == []


def test_selections_apply_to_every_variable(tmp_path):
    record(tmp_path / "s.zarr")
    chosen = open_store(tmp_path / "s.zarr").select(token=["t4", "t0"], time_s=(0.5, 1)).layer("conv2")
    assert dict(chosen.sizes) == {
        **{"token": 2, "sample": 1, "channel": 5, "phone": 5, "frequency": 4, "speaker": 3, "letter": 2}
    }
    rows = np.flatnonzero(PHONES["token"].isin(["t0", "t4"]))
    np.testing.assert_array_equal(chosen["phones"], all_values()["conv2"]["phones"][rows].astype("float32"))
    assert chosen["phone_token"].to_numpy().tolist() == PHONES["token"].iloc[rows].tolist()
    np.testing.assert_array_equal(chosen["input"], all_values()["conv2"]["input"][[0, 4], :, 1:].astype("float32"))


def test_a_shard_of_tokens_is_one_file_an_array(tmp_path):
    record(tmp_path / "s.zarr")
    place = tmp_path / "s.zarr" / PLACE
    for name in ("mean/c/0/0", "mean/c/3/0", "maps/c/0/0/0", "input/c/2/0/0", "peak/c/3", "phones/c/0/0"):
        assert (place / "conv2" / name).is_file()
    assert len(list((place / "conv2/maps/c").rglob("*"))) == 4 * 3
    codecs = [codec.to_dict()["name"] for codec in zarr.open_array(place / "conv2/maps", mode="r").metadata.codecs]
    assert codecs == ["sharding_indexed"]


def test_shards_of_phones_are_written_by_whoever_has_the_last_piece(tmp_path):
    """The first of them is made of the shards 3 and 0 of tokens, the other two need shard 2."""
    place = tmp_path / "s.zarr" / PLACE / "conv2/phones/c"
    with open_writer(tmp_path / "s.zarr") as writer:
        for number, there in ((3, 0), (0, 1), (1, 1), (2, 3)):
            rows = slice(3 * number, min(3 * number + 3, 10))
            writer.write(rows, shard_of(writer, rows))
            assert len(list(place.glob("*/0"))) == there
        writer.finish({"conv2": {"coverage": all_values()["conv2"]["coverage"]}})


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (2, 0, 3, 1)])
def test_the_order_of_shards_does_not_matter(tmp_path, unbroken, order):
    record(tmp_path / "s.zarr", order)
    assert contents(tmp_path / "s.zarr") == unbroken


@pytest.mark.parametrize("stop_after", range(5))
def test_resumed_is_bit_identical(tmp_path, unbroken, stop_after):
    path = tmp_path / "s.zarr"
    record(path, order=[2, 0, 3, 1][:stop_after], stop_after=stop_after)
    with open_writer(path) as writer:
        assert [rows.start // 3 for rows in writer.written] == sorted([2, 0, 3, 1][:stop_after])
        assert not writer.complete
    record(path, created_at="2030-01-01T00:00:00Z")
    assert contents(path) == unbroken


KILLED_AT = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import recorder
original, left = os.{call}, [{number}]
def killing(*arguments):
    if left[0] == 0:
        {after}os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return original(*arguments)
os.{call} = killing
recorder.record(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_killed_at_every_renaming_is_bit_identical(tmp_path, unbroken, call):
    """SIGKILL just before and just after a file or folder is given its name, at moments spread over the whole run."""
    path, number, killed = tmp_path / "s.zarr", 0, 0
    for after in itertools.cycle(["", "original(*arguments); "]):
        script = KILLED_AT.format(tests=str(RECORDER.parent), call=call, number=number, after=after)
        ended = start(path, "-c", script).wait()
        assert ended in (0, -signal.SIGKILL)
        killed += ended != 0
        if ended == 0:
            break
        # A little further each time, from what the last one left; tables are written anew as a whole.
        number += 7
    assert killed >= 3
    assert contents(path) == unbroken
    assert check_store(path) == []


@pytest.mark.slow
def test_several_writers_killed_at_random_moments_are_bit_identical(tmp_path, unbroken):
    draw = random.Random(1)
    script = KILLED_AT.format(tests=str(RECORDER.parent), call="replace", number=10**6, after="").replace(
        "recorder.record(Path(sys.argv[1]))",
        "import time; recorder.record(Path(sys.argv[1]), before=lambda: time.sleep(0.1))",
    )
    killed = 0
    for trial in range(6):
        path = tmp_path / f"{trial}.zarr"
        for _ in range(2):
            writers = [start(path, "-c", script) for _ in range(3)]
            deadline = time.monotonic() + draw.uniform(0.5, 4.0)
            while time.monotonic() < deadline and any(one.poll() is None for one in writers):
                time.sleep(0.01)
            for writer in writers:
                writer.kill()
            killed += sum(writer.wait() == -signal.SIGKILL for writer in writers)
        last = [start(path, "-c", script) for _ in range(2)]
        assert [writer.wait() for writer in last] == [0, 0]
        assert contents(path) == unbroken
    assert killed >= 6


def test_a_writer_takes_over_what_a_killed_one_had_claimed(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    with open_writer(path) as mine:
        shard = next(iter(mine.missing()))
        other = start(path)
        time.sleep(0.2)
        assert other.poll() is None
        mine.write(shard, shard_of(mine, shard))
    assert other.wait() == 0
    assert contents(path) == unbroken


def test_what_a_kill_can_leave_is_removed(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    record(path, order=[0, 2], stop_after=2)
    (path / PLACE / "conv1/mean/c/1").mkdir()
    (path / PLACE / "conv1/mean/c/1/0.abc.partial").write_bytes(b"trunc")
    (path / PLACE / "zarr.json.partial").write_text("{")
    (path / "recordings/activations.partial").mkdir()
    (path / PLACE / "conv1/maps/c/3/0").mkdir(parents=True)
    (path / PLACE / "conv1/maps/c/3/0/0").touch()
    record(path)
    (path / "recordings/activations.partial").rmdir()
    assert contents(path) == unbroken


def test_stores_made_at_other_times_differ_in_the_time_only(tmp_path, unbroken):
    record(tmp_path / "s.zarr", created_at="2031-05-06T07:08:09Z")
    later = contents(tmp_path / "s.zarr")
    assert later != unbroken
    assert {name: data.replace(b"2031-05-06T07:08:09Z", CREATED.encode()) for name, data in later.items()} == unbroken


def test_same_call_again_does_nothing(tmp_path):
    path = tmp_path / "s.zarr"
    record(path)
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    with open_writer(path) as writer:
        assert writer.complete
        assert writer.written == [slice(0, 10)]
        assert list(writer.missing()) == []
        writer.finish()
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before


def test_another_key_is_refused_and_says_what_differs(tmp_path):
    path = tmp_path / "s.zarr"
    record(path, attrs={"model_hash": "m1", "rule": "epsilon"})
    before = contents(path)
    message = rf"model_hash: 'm1' there, 'm2' now.*or remove the folder .*s.zarr/{PLACE} to"
    with pytest.raises(StoreError, match=message):
        open_writer(path, key="k2", attrs={"model_hash": "m2", "rule": "epsilon"})
    with pytest.raises(StoreError, match=r"key: 'k' there, 'k3' now"):
        open_writer(path, key="k3", attrs={"model_hash": "m1", "rule": "epsilon"})
    with pytest.raises(StoreError, match=r"layers: \['conv1', 'conv2'\] there, \['conv1'\] now"):
        open_writer(path, layers=LAYERS[:1], attrs={"model_hash": "m1", "rule": "epsilon"})
    assert contents(path) == before


def test_overwrite_replaces_and_leaves_nothing_behind(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    record(path, key="other", attrs={"model_hash": "m1"}, shard_tokens=3)
    with open_writer(path, name="half", key="a") as writer:
        claimed = writer.missing()
        next(claimed)
        with pytest.raises(StoreError, match="Another process is writing"):
            open_writer(path, name="half", key="b", overwrite=True)
        claimed.close()
    open_writer(path, name="half", key="b", overwrite=True)
    record(path, overwrite=True)
    assert open_store(path, recording="half", incomplete="allow").attrs["key"] == "b"
    replaced = {name: data for name, data in contents(path).items() if not name.startswith("recordings/half")}
    assert replaced.keys() == unbroken.keys()
    assert replaced == unbroken


def test_other_clips_are_refused(tmp_path):
    path = tmp_path / "s.zarr"
    create_or_resume(path, TOKENS, attrs={"corpus_hash": "c1"})
    create_or_resume(path, TOKENS, attrs={"corpus_hash": "c1"})
    with pytest.raises(StoreError, match="other clips"):
        create_or_resume(path, TOKENS.iloc[:5], attrs={"corpus_hash": "c1"})
    with pytest.raises(StoreError, match=r"corpus_hash differ.*length, rate and normalisation"):
        create_or_resume(path, TOKENS, attrs={"corpus_hash": "c2"})


def test_something_else_is_not_overwritten(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(StoreError, match="not a store"):
        create_or_resume(tmp_path, TOKENS)
    with pytest.raises(StoreError, match="not a store"):
        create_or_resume(tmp_path / "thesis.tex", TOKENS)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_full_disk_is_explained_and_resumable(tmp_path, unbroken, monkeypatch):
    path = tmp_path / "s.zarr"
    original = writer_module.write_file

    def full(file, content):
        if file.match("conv2/maps/c/2/0/0"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(file, content)

    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "write_file", full)
        with pytest.raises(StoreError, match=r"No space is left.*run the same call again"):
            record(path)
    with open_writer(path) as writer:
        assert writer.written == [slice(0, 3), slice(3, 6)]
    record(path)
    assert contents(path) == unbroken


def test_file_size_limit_of_the_system(tmp_path):
    """The same with an error that the system itself raises."""
    path = tmp_path / "s.zarr"
    big = [LayerSpec("conv1", np.arange(4096) / 4096.0)]
    noise = np.random.default_rng(1).normal(size=(10, 4096))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with RecordingWriter(path, "activations", TOKENS, None, big, key="k", shard_tokens=5) as writer:
        (rows, *_), again = [next(writer.missing())], writer.missing()
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        try:
            with pytest.raises(StoreError, match="No space is left"):
                writer.write(rows, {"conv1": {"mean": noise[rows]}})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert writer.written == []
        for rows in again:
            writer.write(rows, {"conv1": {"mean": noise[rows]}})
        writer.finish()
    assert not list(path.rglob("*.partial"))
    np.testing.assert_array_equal(open_store(path).array("conv1")[:], noise.astype("float32"))


def test_recordings_have_free_names_and_say_what_they_are(tmp_path):
    path = tmp_path / "s.zarr"
    about = {"network_kind": "ciwgan", "network_seed": 4}
    record(path, attrs={**about, "part": "q_network"})
    record(path, name="relevance of [s]", key="r", attrs={**about, "quantity": "relevance", "rule": "epsilon"})
    record(path, name="untrained/seed_04", key="u", attrs={"seed": 4, "trained": False, "network_kind": "ciwgan"})
    experiment = open_store(path)
    assert experiment.recordings["recording"].tolist() == ["activations", "relevance of [s]", "untrained_04"]
    assert experiment.recording(quantity="relevance").name == "relevance of [s]"
    assert experiment.recording(rule="epsilon", seed=4).name == "relevance of [s]"
    assert experiment.recording(trained=False, seed=4).name == "untrained_04"
    assert experiment.recording(quantity="activation", trained=True).name == "activations"
    assert open_store(path, part="q_network").name == "activations"
    assert open_store(path, recording="untrained/seed_04").attrs["seed"] == 4
    with pytest.raises(
        ArgumentError, match=r"Not one but 3 .* by seed=4|network_seed=4.*'untrained_04' \(.*trained False"
    ):
        experiment.recording(seed=4)
    with pytest.raises(
        ArgumentError, match=r"None of the recordings .* by quantity='gradient'. There are: 'activations'"
    ):
        open_store(path, quantity="gradient")
    with pytest.raises(ArgumentError, match=r"has the attribute 'ruel'. There are: .*rule"):
        experiment.recording(ruel="epsilon")
    for name in ("a/b", "", "x.partial", "__x"):
        with pytest.raises(ArgumentError, match="A recording cannot be called"):
            open_writer(path, name=name)


def test_a_store_without_a_main_recording(tmp_path):
    path = tmp_path / "s.zarr"
    record(path, name="one")
    assert open_store(path).name == "one"
    record(path, name="two", key="2")
    experiment = open_store(path)
    assert len(experiment.select(word="ask").tokens) == 5
    assert "recordings one, two" in repr(experiment)
    with pytest.raises(ArgumentError, match=r"say which recording is meant.*There are: 'one', 'two'"):
        experiment.layer("conv1")
    assert experiment.recording("two").layers == ("conv1", "conv2")


def test_unfinished_cannot_be_finished(tmp_path):
    with open_writer(tmp_path / "s.zarr") as writer:
        rows = slice(3, 6)
        writer.write(rows, shard_of(writer, rows))
        with pytest.raises(StoreError, match="3 of 10 tokens and cannot be finished"):
            writer.finish()


def test_shards_of_another_shape(tmp_path):
    with open_writer(tmp_path / "s.zarr") as writer:
        rows = slice(0, 3)
        values = shard_of(writer, rows)
        with pytest.raises(ArgumentError, match=r"missing or unknown: \['conv1/maps'\]"):
            writer.write(rows, {**values, "conv1": {"mean": values["conv1"]["mean"]}})
        wrong = {**values["conv1"], "mean": values["conv2"]["mean"]}
        with pytest.raises(
            ArgumentError, match=r"conv1/mean must have the shape \(3, 8\) \(token 3, sample 8\), but got"
        ):
            writer.write(rows, {**values, "conv1": wrong})
        with pytest.raises(ArgumentError, match=r"are no shard .* whose shards have 3 tokens"):
            writer.write(slice(0, 2), values)
        assert writer.written == []
        record(tmp_path / "s.zarr", stop_after=4)
        with pytest.raises(ArgumentError, match=r"missing or unknown: \['conv2/coverage'\]"):
            writer.finish()


def test_tables_that_cannot_be_stored(tmp_path):
    with pytest.raises(DataError, match="'split' is not in the tokens table"):
        create_or_resume(tmp_path / "s", TOKENS.drop(columns="split"))
    with pytest.raises(StoreError, match="'t0' more than once"):
        create_or_resume(tmp_path / "s", pd.concat([TOKENS, TOKENS]))
    with pytest.raises(StoreError, match="no rows"):
        create_or_resume(tmp_path / "s", TOKENS.iloc[:0])
    with pytest.raises(StoreError, match="Column 'odd' of the tokens table cannot be stored"):
        create_or_resume(tmp_path / "s", TOKENS.assign(odd=[{}] * 10))
    phones = pd.DataFrame({"token": ["x"], "phone_index": 0, "label": "s", "onset_s": 0.0, "offset_s": 0.1})
    with pytest.raises(StoreError, match="names the token 'x'"):
        create_or_resume(tmp_path / "s", TOKENS, phones)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("name", ["", "a/b", "__x", ".."])
def test_names_that_are_no_layer(name):
    with pytest.raises(ArgumentError, match="cannot be called"):
        LayerSpec(name, np.arange(2.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "token", "dims": ["token"]}, "every layer has that array"),
        ({"name": "own"}, "needs its dimensions"),
        ({"name": "maps"}, "needs the size of its dimension 'channel'"),
        ({"name": "mean", "dims": ["token", "letter"]}, r"'mean' has the dimensions \('token', 'sample'\)"),
        ({"name": "own", "dims": ["sample", "token"]}, "must be its first"),
        ({"name": "own", "dims": ["token"], "dtype": "int8"}, "'dtype'"),
    ],
)
def test_variables_that_cannot_be(options, message):
    with pytest.raises(ArgumentError, match=message):
        VariableSpec(**options)


def test_layers_that_cannot_be():
    with pytest.raises(ArgumentError, match="has samples and needs their times"):
        LayerSpec("a", None)
    with pytest.raises(ArgumentError, match="no name twice"):
        LayerSpec("a", [0.0], [VariableSpec("mean"), VariableSpec("mean")])
    with pytest.raises(ArgumentError, match="a value for each 'channel' of its variables, but got 2"):
        LayerSpec("a", [0.0], usual_variables(3), coords={"names": ("channel", ["x", "y"])})


def test_nested_attributes_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="'card' must be text"):
        open_writer(tmp_path / "s.zarr", attrs={"card": {"a": 1}})


def test_source_date_epoch(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    create_or_resume(tmp_path / "s.zarr", TOKENS)
    assert zarr.open_group(tmp_path / "s.zarr", mode="r").attrs["created_at"] == "2023-11-14T22:13:20Z"


def test_shards_are_whole_batches_neither_many_nor_large():
    series = [LayerSpec("a", np.arange(50.0))]
    assert tokens_in_shard(series, 1000) == shards.SHARD_TOKENS
    assert tokens_in_shard(series, 1000, 48) == 96
    assert tokens_in_shard(series, 1000, 500) == 500
    # Eight shards, be they smaller, as long as they have so many tokens.
    assert [tokens_in_shard(series, tokens, least=32) for tokens in (8, 130, 400, 2000)] == [32, 32, 50, 128]
    assert -(-100_000 // tokens_in_shard(series, 100_000)) <= shards.MOST_SHARDS
    maps = [LayerSpec("a", np.arange(1000.0), usual_variables(1000))]
    assert 1 < tokens_in_shard(maps, 1000) * 4 * 1000 * 1001 <= shards.SHARD_BYTES


@pytest.mark.parametrize("total", [1, 63, 64, 65, 127, 300])
@pytest.mark.parametrize("shard", [1, 5, 64, 96, 127, 128])
@pytest.mark.parametrize("channels", [1, 7, 64, 97, 768])
def test_chunks_fill_shards(total, shard, channels):
    rows = shards.Rows(total, shard)
    chunks, cut = shards.cut((total, channels, 3000), rows)
    assert all(whole % part == 0 for whole, part in zip(cut, chunks, strict=True))
    assert cut[0] >= min(total, shard)
    assert cut[1] >= channels
    assert (rows.count - 1) * shard < total <= rows.count * cut[0] if rows.count > 1 else total <= cut[0]
    assert chunks[1] <= shards.CHUNK_CHANNELS
