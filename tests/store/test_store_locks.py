"""Several processes at one store: each ends well or with one line, and the store is as one of them alone makes it."""

import errno
import os
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import StoreError
from layerstats.store import LayerSpec, RecordingWriter, check_store, locks

TOKENS = pd.DataFrame({"token": [f"t{i}" for i in range(40)], "word": "a", "speaker": "s", "split": "test"})
TOKENS["extra"] = np.arange(40) / 3


def record(path, name="activations", seed=0):
    times = np.arange(16) / 16
    values = np.random.default_rng(seed).normal(size=(40, 16))
    options = {
        "key": f"k{seed}",
        "attrs": {"seed": seed, "model_hash": f"m{seed}"},
        "created_at": "2026-01-02T03:04:05Z",
    }
    layers = [LayerSpec("conv1", times)]
    with RecordingWriter(path, name, TOKENS, None, layers, shard_tokens=8, **options) as writer:
        for rows in writer.missing():
            writer.write(rows, {"conv1": {"mean": values[rows]}})
        writer.finish()


def contents(path):
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


RACE = """
import importlib.util, os, sys, time
spec = importlib.util.spec_from_file_location("t", sys.argv[1])
t = importlib.util.module_from_spec(spec)
spec.loader.exec_module(t)
from pathlib import Path
path, groups = Path(sys.argv[2]), sys.argv[3].split(",")
start = time.time() + 0.05
for number, group in enumerate(groups):
    if os.fork() == 0:
        time.sleep(max(0, start - time.time()))
        try:
            t.record(path, group, int(group[-2:]) + 1 if "_" in group else 0)
            said = "ok"
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(1, (said + "\\n").encode())
        os._exit(0)
for _ in groups:
    os.wait()
"""


def race(path, groups):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(RACE), __file__, str(path), ",".join(groups)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("trial", range(2))
def test_one_recording_by_many_at_once(tmp_path, trial):
    record(tmp_path / "alone.zarr")
    answers = race(tmp_path / "s.zarr", ["activations"] * 6)
    assert answers == ["ok"] * 6
    assert contents(tmp_path / "s.zarr") == contents(tmp_path / "alone.zarr")


def test_recordings_of_one_store_at_once(tmp_path):
    groups = ["activations", "untrained_00", "untrained_01", "untrained_02"]
    for number, group in enumerate(groups):
        record(tmp_path / "alone.zarr", group, number)
    assert race(tmp_path / "s.zarr", groups) == ["ok"] * 4
    assert contents(tmp_path / "s.zarr") == contents(tmp_path / "alone.zarr")
    assert check_store(tmp_path / "s.zarr") == []


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_without_locks(tmp_path, monkeypatch, code):
    def refuse(*arguments):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with pytest.raises(StoreError, match=r"has no locks .* LAYERSTATS_LOCKS=none and run the same call again"):
        record(tmp_path / "s.zarr")
    monkeypatch.setenv("LAYERSTATS_LOCKS", "none")
    record(tmp_path / "s.zarr")
    assert check_store(tmp_path / "s.zarr") == []


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch, code):
    def refuse(*arguments, **options):
        raise OSError(code, os.strerror(code), str(tmp_path / "s.zarr"))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(StoreError, match=r"s.zarr cannot be written \(.*\). Choose a place that you may write to"):
        record(tmp_path / "s.zarr")
