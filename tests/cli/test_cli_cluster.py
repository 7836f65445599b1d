"""`layerstats record` with workers, parts and a cluster, and `layerstats cluster`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from layerstats.store import open_store

SMALL_SPEECH = Path(__file__).resolve().parent.parent / "probes" / "small_speech.py"
RECORD = ["record", "network.py:network", "--layers", "0", "--words", "ask,wash"]


@pytest.fixture
def run(tmp_path):
    """Run the command line in a process of its own."""
    (tmp_path / "network.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Mine(nn.Sequential):\n    pass\n\n\n"
        "def network():\n    torch.manual_seed(0)\n"
        "    return Mine(nn.Sequential(nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 4, 9, stride=8)))\n"
    )
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "OMP_NUM_THREADS": "1"}

    def call(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "layerstats.cli", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return call


def tree(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.mark.slow
def test_parts_and_workers_make_the_same_store(run, tmp_path):
    assert run(*RECORD, "here.zarr").returncode == 0
    for part in ("2/2", "1/2"):
        done = run(*RECORD, "parts.zarr", "--shard", part)
        assert done.returncode == 0, done.stderr
    done = run(*RECORD, "shared.zarr", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "parts.zarr") == tree(tmp_path / "here.zarr") == tree(tmp_path / "shared.zarr")


@pytest.mark.parametrize(
    ("shard", "reason"), [("65/64", "no part 65 of 64"), ("0/64", "count from 1 to 64"), ("3", "as 3/64, but got '3'")]
)
def test_parts_that_do_not_exist(run, tmp_path, shard, reason):
    done = run(*RECORD, "s.zarr", "--shard", shard)
    assert (done.returncode, reason in done.stderr) == (2, True)
    assert not (tmp_path / "s.zarr").exists()


def test_a_scheduler_that_is_not_there(run, tmp_path):
    for arguments in ([*RECORD, "s.zarr", "--client", "tcp://127.0.0.1:9"], ["cluster", "tcp://127.0.0.1:9"]):
        done = run(*arguments)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert "No scheduler can be reached at 'tcp://127.0.0.1:9'" in done.stderr


@pytest.fixture
def cluster(tmp_path):
    """Start a scheduler and two workers as people do in a shell; give the scheduler file and the processes."""
    pytest.importorskip("distributed")
    file, place = tmp_path / "scheduler.json", tmp_path / "dask"
    place.mkdir()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    shared = {"env": environment, "cwd": place, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    scheduler = subprocess.Popen(
        [*dask, "scheduler", "--scheduler-file", str(file), "--port", "0", "--no-dashboard"], **shared
    )
    started = [scheduler]
    try:
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        for _ in range(2):
            worker = [*dask, "worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard"]
            started.append(subprocess.Popen(worker, **shared))
        yield file, started
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
        for process in started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.mark.slow
def test_a_cluster_of_the_shell_records(run, cluster, tmp_path):
    file, _ = cluster
    assert run(*RECORD, "here.zarr").returncode == 0
    done = run(*RECORD, "shared.zarr", "--client", str(file))
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "here.zarr") == tree(tmp_path / "shared.zarr")
    told = run("cluster", str(file), "--folder", str(tmp_path), "--patience-s", "60")
    assert told.returncode == 0, told.stderr
    assert told.stdout.split("\n")[0].split() == [
        *("worker", "machine", "process", "threads", "memory_limit_mb", "memory_mb", "sees_folder", "writes_folder")
    ]
    assert told.stdout.count("True  ") + told.stdout.count("True\n") >= 2
    missing = run("cluster", str(file), "--folder", str(tmp_path / "nowhere"))
    assert (missing.returncode, "There is no folder" in missing.stderr) == (2, True)


@pytest.mark.slow
def test_a_scheduler_that_ends_is_told_and_the_next_call_goes_on(run, cluster, tmp_path):
    file, (scheduler, *_) = cluster
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "layerstats.cli", "record", "network.py:network", "shared.zarr", "--layers", "0"]
    recording = subprocess.Popen(
        [*command, "--client", str(file)], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list((tmp_path / "shared.zarr").glob("recordings/*/0/mean/c/*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    scheduler.kill()
    _, told = recording.communicate(timeout=120)
    assert recording.returncode == 2, told
    assert "cannot be reached any more" in told
    written = open_store(tmp_path / "shared.zarr", incomplete="allow").recordings["tokens"].iloc[0]
    assert written > 0
    here = ["record", "network.py:network", "--layers", "0"]
    assert run(*here, "shared.zarr").returncode == 0
    assert run(*here, "here.zarr").returncode == 0
    assert tree(tmp_path / "here.zarr") == tree(tmp_path / "shared.zarr")


@pytest.mark.parametrize(
    ("how", "reason"),
    [(["--workers", "0"], "'workers'"), (["--shard", "1/2", "--workers", "2"], "by this process alone")],
)
def test_sharing_that_cannot_be_is_told_before_a_corpus_is_read(run, how, reason):
    done = run(*RECORD, "s.zarr", *how)
    assert (done.returncode, reason in done.stderr, "reading" in done.stderr) == (2, True, False), done.stderr
