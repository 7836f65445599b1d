"""A recording by the workers of a cluster has the bytes of one that was made here, whatever is killed meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from layerstats.probes import Activation, record
from layerstats.store import open_store

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    with (
        # On a busy machine a worker that was killed is not back within 15 s.
        dask.config.set({"distributed.deploy.lost-worker-timeout": "10m"}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
    ):
        yield cluster


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        yield client


@pytest.fixture(autouse=True)
def _same_each_time(monkeypatch, tmp_path):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    # Outside any repository, whose revision could change meanwhile; one thread, so that sums have one order.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("layerstats.store.shards.SHARD_TOKENS", 8)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def made(small, store: Path, **options) -> dict[str, bytes]:
    record(
        small.small_network(), small.small_clips(tokens=61), store, Activation(maps=True), "1", batch_size=4, **options
    )
    return {str(file.relative_to(store)): file.read_bytes() for file in sorted(store.rglob("*")) if file.is_file()}


def test_a_cluster_writes_the_same_bytes(small, tmp_path, client):
    seen = []
    shared = made(small, tmp_path / "shared.zarr", client=client, progress=lambda *done: seen.append(done))
    assert shared == made(small, tmp_path / "here.zarr")
    assert seen[-1] == (61, 61)


@pytest.mark.parametrize("moment", range(int(os.environ.get("LAYERSTATS_MOMENTS", "4"))))
def test_a_worker_killed_at_any_moment_changes_nothing(small, tmp_path, client, moment):
    client.wait_for_workers(2, timeout=60)
    processes = list(client.run(os.getpid).values())
    chance = random.Random(moment)
    timer = threading.Timer(1.5 * chance.random(), os.kill, (chance.choice(processes), signal.SIGKILL))
    timer.start()
    try:
        shared = made(small, tmp_path / "shared.zarr", client=client)
    finally:
        timer.join()
    assert shared == made(small, tmp_path / "here.zarr")


OTHER = """
import runpy, sys
from distributed import Client
from layerstats.probes import Activation, record
from layerstats.store import shards

if __name__ == "__main__":
    shards.SHARD_TOKENS = 8
    small = runpy.run_path(sys.argv[1])
    with Client(sys.argv[3], set_as_default=False) as client:
        record(
            small["small_network"](), small["small_clips"](tokens=61), sys.argv[2], Activation(maps=True), "1",
            batch_size=4, client=client,
        )
"""


def test_two_clients_share_one_store(small, tmp_path, cluster, client):
    script, speech = tmp_path / "other.py", Path(__file__).resolve().parent.parent / "small_speech.py"
    script.write_text(OTHER)
    command = [sys.executable, str(script), str(speech), str(tmp_path / "shared.zarr"), cluster.scheduler_address]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as other:
        shared = made(small, tmp_path / "shared.zarr", client=client)
        _, told = other.communicate(timeout=300)
    assert other.returncode == 0, told
    assert open_store(tmp_path / "shared.zarr").recordings["complete"].all()
    assert shared == made(small, tmp_path / "here.zarr")
