"""Writing a recording: a killed run ends as an unbroken one, and nothing is overwritten by mistake."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr

from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.store import LayerSpec, RecordingWriter, chunks, create_or_resume, provenance
from layerstats.store import writer as writer_module

CREATED = "2026-01-02T03:04:05Z"
TOKENS = pd.DataFrame(
    {
        "token": [f"t{index}" for index in range(10)],
        "word": ["ask", "tʃin"] * 5,
        "speaker": ["s1", "s1", "s2", "s2", "s3"] * 2,
        "split": "train",
    }
)
LAYERS = [
    LayerSpec("conv1", np.arange(8) / 8, channels=3, attrs={"slope": 0.2}),
    LayerSpec("conv2", np.arange(2) / 2, 5),
]


def values(start, stop):
    random = np.random.default_rng(0)
    maps = {layer.name: random.normal(size=(10, layer.channels, layer.samples)) for layer in LAYERS}
    return {name: array.mean(axis=1)[start:stop] for name, array in maps.items()}, {
        name: array[start:stop] for name, array in maps.items()
    }


def open_writer(path, key="k", group="activations", **options):
    # The working directory may get another commit while the tests run.
    options = {"chunk_tokens": 3, "maps": True, "created_at": CREATED, "store_attrs": {"git_revision": "g"}, **options}
    return RecordingWriter(path, group, TOKENS, None, LAYERS, key=key, **options)


def record(path, batch=2, stop_after=None, **options):
    with open_writer(path, **options) as writer:
        for start in range(writer.completed, 10, batch):
            if stop_after is not None and start >= stop_after:
                return
            writer.append(*values(start, min(start + batch, 10)))
        writer.finish()


def contents(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.fixture(autouse=True, params=[1, 2], ids=["schema 1", "schema 2"])
def begun_with(request, monkeypatch):
    """Stores that an earlier package began are continued by this one, to the same bytes."""
    monkeypatch.setattr(provenance, "SCHEMA_VERSION", request.param)
    monkeypatch.setattr(chunks, "CHUNK_CHANNELS", 2)
    return request.param


@pytest.fixture
def unbroken(tmp_path):
    record(tmp_path / "unbroken.zarr")
    return contents(tmp_path / "unbroken.zarr")


def test_values_are_those_given(tmp_path):
    record(tmp_path / "s.zarr")
    means, maps = values(0, 10)
    group = zarr.open_group(tmp_path / "s.zarr", mode="r")
    np.testing.assert_array_equal(group["activations/conv1/mean"][:], means["conv1"].astype(np.float32))
    np.testing.assert_array_equal(group["activations/conv2/maps"][:], maps["conv2"].astype(np.float32))
    assert list(group["activations/conv1/token"][:]) == list(TOKENS["token"])
    assert group["activations/conv1"].attrs["slope"] == 0.2


def test_maps_are_cut_along_channels_from_version_2_on(tmp_path, begun_with):
    record(tmp_path / "s.zarr")
    group = zarr.open_group(tmp_path / "s.zarr", mode="r")
    assert group.attrs["schema_version"] == begun_with
    shapes = {1: [(3, 3, 8), (3, 5, 2)], 2: [(3, 2, 8), (3, 2, 2)]}
    assert [group[f"activations/{layer}/maps"].chunks for layer in ("conv1", "conv2")] == shapes[begun_with]
    assert [group[f"activations/{layer}/mean"].chunks for layer in ("conv1", "conv2")] == [(3, 8), (3, 2)]


@pytest.mark.parametrize("stop_after", [0, 2, 4, 8])
@pytest.mark.parametrize("batch", [1, 4, 10])
def test_resumed_is_bit_identical(tmp_path, unbroken, stop_after, batch):
    path = tmp_path / "s.zarr"
    record(path, stop_after=stop_after)
    with open_writer(path) as writer:
        assert writer.completed == stop_after // 3 * 3
        assert not writer.complete
    record(path, batch=batch, created_at="2030-01-01T00:00:00Z")
    assert contents(path) == unbroken


def test_killed_in_the_middle_of_a_chunk_is_bit_identical(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    record(path, stop_after=6)
    # What a kill can leave: a chunk written before its count, a truncated one, temporary files.
    (path / "activations/conv1/mean/c/2").mkdir()
    (path / "activations/conv1/mean/c/2/0").write_bytes(b"trunc")
    (path / "activations/conv1/mean/c/2/0.12.partial").write_bytes(b"x")
    (path / "activations/zarr.json.partial").write_text("{")
    record(path)
    assert contents(path) == unbroken


def test_real_kill_is_bit_identical(tmp_path, unbroken, begun_with):
    path = tmp_path / "s.zarr"
    script = textwrap.dedent(f"""
        import importlib.util, os, signal
        spec = importlib.util.spec_from_file_location("t", {str(Path(__file__))!r})
        t = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(t)
        t.provenance.SCHEMA_VERSION, t.chunks.CHUNK_CHANNELS = {begun_with}, 2
        replace, left = os.replace, [1000]
        def killing(*arguments):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            replace(*arguments)
        from pathlib import Path
        with t.open_writer(Path({str(path)!r})) as writer:
            os.replace = killing  # every file of a chunk ends in one of these
            for start in range(0, 10):
                writer.append(*t.values(start, start + 1))
                if writer.completed == 6:
                    left[0] = 3  # with some chunks of channels there, and some not
        """)
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == -signal.SIGKILL
    attributes = json.loads((path / "activations/zarr.json").read_text())["attributes"]
    assert (attributes["tokens_written"], attributes["complete"]) == (6, False)
    assert (path / "activations/conv1/maps/c/2").exists()
    record(path)
    assert contents(path) == unbroken


@pytest.mark.parametrize("lost", ["tokens/zarr.json", "activations/zarr.json"])
def test_killed_while_creating_is_bit_identical(tmp_path, unbroken, lost):
    path = tmp_path / "s.zarr"
    record(path, stop_after=0)
    metadata = json.loads((path / "zarr.json").read_text())
    if lost.startswith("tokens"):
        metadata["attributes"]["complete"] = False
        (path / "zarr.json").write_text(json.dumps(metadata))
    (path / lost).unlink()
    record(path)
    assert contents(path) == unbroken


def test_killed_before_the_last_mark_is_bit_identical(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    with open_writer(path) as writer:
        writer.append(*values(0, 10))
        writer._write(1)
        assert writer.completed == 10
    assert contents(path) != unbroken
    record(path)
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
        assert writer.completed == 10
        writer.finish()
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before


def test_another_key_is_refused_and_says_what_differs(tmp_path):
    path = tmp_path / "s.zarr"
    record(path, attrs={"model_hash": "m1", "layers_asked": "conv*"})
    before = contents(path)
    with pytest.raises(
        StoreError,
        match=r"model_hash: 'm1' there, 'm2' now.*Choose another path, or remove the folder .*s.zarr/activations to",
    ):
        open_writer(path, key="k2", attrs={"model_hash": "m2", "layers_asked": "conv*"})
    with pytest.raises(StoreError, match=r"key: 'k' there, 'k3' now"):
        open_writer(path, key="k3", attrs={"model_hash": "m1", "layers_asked": "conv*"})
    with pytest.raises(StoreError, match="maps: True there, False now"):
        open_writer(path, maps=False, attrs={"model_hash": "m1", "layers_asked": "conv*"})
    assert contents(path) == before


def test_overwrite_replaces_and_leaves_nothing_behind(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    record(path, key="other", attrs={"model_hash": "m1"}, chunk_tokens=2)
    record(path, overwrite=True)
    replaced = contents(path)
    # The root said whose model it was first, and does not know of a hash now.
    assert replaced.keys() == unbroken.keys()
    assert replaced["activations/zarr.json"] == unbroken["activations/zarr.json"]


def test_other_clips_are_refused(tmp_path):
    path = tmp_path / "s.zarr"
    create_or_resume(path, TOKENS, attrs={"corpus_hash": "c1"})
    create_or_resume(path, TOKENS, attrs={"corpus_hash": "c1"})
    with pytest.raises(StoreError, match="other clips"):
        create_or_resume(path, TOKENS.iloc[:5], attrs={"corpus_hash": "c1"})
    with pytest.raises(StoreError, match="corpus_hash differ"):
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
    original = zarr.Array.__setitem__

    def full(array, selection, new):
        if "/maps" in str(array.store_path) and isinstance(selection, slice) and selection.start == 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(array, selection, new)

    with monkeypatch.context() as patch:
        patch.setattr(zarr.Array, "__setitem__", full)
        with pytest.raises(StoreError, match=r"No space is left.*run the same call again"):
            record(path)
    with open_writer(path) as writer:
        assert writer.completed == 6
    record(path)
    assert contents(path) == unbroken


def test_file_size_limit_of_the_system(tmp_path):
    """The same with an error that the system itself raises inside Zarr's threads."""
    path = tmp_path / "s.zarr"
    big = [LayerSpec("conv1", np.arange(4096) / 4096.0)]
    noise = np.random.default_rng(1).normal(size=(10, 4096))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with RecordingWriter(path, "activations", TOKENS, None, big, key="k", chunk_tokens=5) as writer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        try:
            with pytest.raises(StoreError, match="No space is left"):
                writer.append({"conv1": noise})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with RecordingWriter(path, "activations", TOKENS, None, big, key="k", chunk_tokens=5) as writer:
        assert writer.completed == 0
        writer.append({"conv1": noise})
        writer.finish()
    np.testing.assert_array_equal(
        zarr.open_array(path / "activations/conv1/mean", mode="r")[:], noise.astype("float32")
    )


def test_two_writers_at_once(tmp_path):
    path = tmp_path / "s.zarr"
    with open_writer(path), pytest.raises(StoreError, match="Another process is writing"):
        open_writer(path)
    open_writer(path).close()


def test_untrained_recordings_stand_beside_the_main_one(tmp_path):
    path = tmp_path / "s.zarr"
    record(path, attrs={"model_hash": "m1", "seed": 4})
    record(path, group="untrained/seed_00", key="u0", attrs={"model_hash": "m2", "seed": 0})
    root = zarr.open_group(path, mode="r")
    assert root.attrs["model_hash"] == "m1"
    assert root.attrs["seed"] == 4
    assert root["untrained/seed_00"].attrs["model_hash"] == "m2"
    with pytest.raises(ArgumentError, match="Invalid name of a recording"):
        open_writer(path, group="untrained/seed")


def test_unfinished_cannot_be_finished_and_too_many_are_refused(tmp_path):
    with open_writer(tmp_path / "s.zarr") as writer:
        writer.append(*values(0, 4))
        with pytest.raises(StoreError, match="4 of 10 tokens"):
            writer.finish()
        with pytest.raises(StoreError, match="has 10 tokens, and 7 more came"):
            writer.append(*values(0, 7))


def test_batches_of_another_shape(tmp_path):
    means, maps = values(0, 2)
    with open_writer(tmp_path / "s.zarr") as writer:
        with pytest.raises(ArgumentError, match=r"missing or unknown.*conv2/mean"):
            writer.append({"conv1": means["conv1"]}, maps)
        with pytest.raises(ArgumentError, match=r"conv2/mean must have shape \('token', 2\), but got \(2, 8\)"):
            writer.append({"conv1": means["conv1"], "conv2": means["conv1"]}, maps)
        assert writer.completed == 0


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


def test_nested_attributes_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="'card' must be text"):
        open_writer(tmp_path / "s.zarr", attrs={"card": {"a": 1}})


def test_source_date_epoch(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    create_or_resume(tmp_path / "s.zarr", TOKENS)
    assert zarr.open_group(tmp_path / "s.zarr", mode="r").attrs["created_at"] == "2023-11-14T22:13:20Z"


def test_chunks_do_not_depend_on_batches(tmp_path, unbroken):
    record(tmp_path / "s.zarr", batch=7)
    assert contents(tmp_path / "s.zarr") == unbroken
    assert writer_module.CHUNK_TOKENS % 32 == 0
