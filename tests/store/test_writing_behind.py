"""A shard that a thread writes while the next one is computed: the same bytes, claims and errors."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import closing

import pytest
from recorder import all_values, contents, open_writer, record, shard_of

from layerstats.errors import StoreError
from layerstats.store import writer as writer_module

COVERAGE = {"conv2": {"coverage": all_values()["conv2"]["coverage"]}}


@pytest.fixture
def slow_disk(monkeypatch):
    """Return an event that all files wait for."""
    go, original = threading.Event(), writer_module.write_file

    def slow(file, content):
        assert go.wait(60)
        original(file, content)

    monkeypatch.setattr(writer_module, "write_file", slow)
    return go


@pytest.fixture
def full_disk(monkeypatch):
    original = writer_module.write_file

    def full(file, content):
        if file.match("conv2/maps/c/1/0/0"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(file, content)

    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "write_file", full)
        yield patch.undo


def behind(path, before=None):
    with open_writer(path) as writer, closing(writer.missing()) as missing:
        for rows in missing:
            if before is not None:
                before(rows)
            writer.write_behind(rows, shard_of(writer, rows))
        writer.finish(COVERAGE)


def test_the_bytes_are_the_same(tmp_path):
    behind(tmp_path / "behind.zarr")
    record(tmp_path / "before.zarr")
    assert contents(tmp_path / "behind.zarr") == contents(tmp_path / "before.zarr")


def test_the_next_shard_is_computed_meanwhile_and_claims_last_until_it_is_there(tmp_path, slow_disk):
    with open_writer(tmp_path / "s.zarr") as writer, open_writer(tmp_path / "s.zarr") as other:
        with closing(writer.missing()) as missing:
            writer.write_behind(first := next(missing), shard_of(writer, first))
            second = next(missing)  # though nothing could be written yet
            assert (first.start, second.start, other.written) == (0, 3, [])
            with closing(other.missing()) as others:
                assert next(others).start == 6
            slow_disk.set()
            writer.write_behind(second, shard_of(writer, second))
            assert slice(0, 3) in other.written
        assert other.written == [slice(0, 3), slice(3, 6)]


def test_an_error_comes_with_the_next_shard_and_nothing_else_is_lost(tmp_path, full_disk):
    path, begun = tmp_path / "s.zarr", []
    with pytest.raises(StoreError, match=r"No space is left.*run the same call again"):
        behind(path, lambda rows: begun.append(rows.start))
    assert begun == [0, 3, 6]
    with open_writer(path) as writer:
        assert writer.written == [slice(0, 3)]
    full_disk()
    behind(path)
    record(tmp_path / "unbroken.zarr")
    assert contents(path) == contents(tmp_path / "unbroken.zarr")


def test_an_error_of_the_last_shard_comes_with_the_end(tmp_path, full_disk):
    path = tmp_path / "s.zarr"
    record(path, order=[0, 2, 3], stop_after=3)
    with pytest.raises(StoreError, match="No space is left"):
        behind(path)
    full_disk()
    behind(path)


def test_who_stops_has_its_own_reason_and_keeps_what_was_measured(tmp_path):
    def stop(rows):
        if rows.start == 6:
            raise RuntimeError("the network failed")

    with pytest.raises(RuntimeError, match="the network failed"):
        behind(tmp_path / "s.zarr", stop)
    with open_writer(tmp_path / "s.zarr") as writer:
        assert writer.written == [slice(0, 3), slice(3, 6)]
