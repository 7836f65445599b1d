"""A recording shared among processes has the bytes of one that was made here, whatever is killed meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError, DataError, NetworkError, StoreError, WorkerError
from layerstats.parallel import TaskFailures
from layerstats.probes import Activation, Gradient, plan_recording, record, record_shard, record_untrained
from layerstats.probes.recording.sent_network import SentNetwork
from layerstats.store import open_store

LAYERS = ["input", "1", "5"]


@pytest.fixture(autouse=True)
def _same_each_time(monkeypatch, tmp_path):
    # Outside any repository, whose revision could change meanwhile; one thread, so that sums have one order.
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("layerstats.store.shards.SHARD_TOKENS", 8)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def speech(small):
    return small.small_network(), small.small_clips(tokens=61)


def made(speech, store: Path, quantity=None, **options) -> dict[str, bytes]:
    quantity = quantity or Activation(("mean", "root_mean_square"), maps=True, phones=True)
    record(*speech, store, quantity, LAYERS, batch_size=4, **options)
    return tree(store)


def tree(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_processes_write_the_same_bytes(speech, tmp_path, workers):
    seen = []
    shared = made(speech, tmp_path / "shared.zarr", workers=workers, progress=lambda *done: seen.append(done))
    assert shared == made(speech, tmp_path / "here.zarr")
    assert seen[-1] == (61, 61)
    assert len(seen) == 8


def test_untrained_networks_are_shared_as_wholes(speech, tmp_path, monkeypatch):
    # Workers decide on the shards of these themselves.
    monkeypatch.undo()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.chdir(tmp_path)
    options = {"layers": LAYERS[1:], "batch_size": 4}
    for name, workers in (("here.zarr", 1), ("shared.zarr", 2)):
        record(*speech, tmp_path / name, Activation(), **options)
        record_untrained(*speech, tmp_path / name, range(2), **options, workers=workers)
    assert tree(tmp_path / "shared.zarr") == tree(tmp_path / "here.zarr")
    assert open_store(tmp_path / "shared.zarr").recordings["complete"].tolist() == [True] * 3


def test_gradients_are_shared_too(small, tmp_path):
    speech = nn.Sequential(small.small_network(), nn.Flatten(), nn.LazyLinear(2)), small.small_clips(tokens=20)
    with torch.no_grad():
        speech[0](torch.zeros(1, 1024))
    layers = {"layers": ["0.1"], "batch_size": 4}
    record(*speech, tmp_path / "here.zarr", Gradient(0), **layers)
    record(*speech, tmp_path / "shared.zarr", Gradient(0), **layers, workers=2)
    assert tree(tmp_path / "shared.zarr") == tree(tmp_path / "here.zarr")


def test_parts_in_any_order_make_the_whole(speech, tmp_path):
    for number in (3, 1, 2):
        made(speech, tmp_path / "parts.zarr", shard=(number, 3))
        complete = open_store(tmp_path / "parts.zarr", incomplete="allow").recordings["complete"].tolist()
        assert complete == [number == 2]
    assert tree(tmp_path / "parts.zarr") == made(speech, tmp_path / "here.zarr")


def test_a_part_that_was_recorded_has_nothing_to_do(speech, tmp_path):
    made(speech, tmp_path / "parts.zarr", shard=(1, 3))
    before = tree(tmp_path / "parts.zarr")
    seen = []
    made(speech, tmp_path / "parts.zarr", shard=(1, 3), progress=lambda *done: seen.append(done))
    assert (tree(tmp_path / "parts.zarr"), seen) == (before, [])
    # More parts than shards: the last ones have none.
    made(speech, tmp_path / "parts.zarr", shard=(60, 60))
    assert tree(tmp_path / "parts.zarr") == before


@pytest.mark.parametrize("part", [(0, 3), (4, 3), (65, 64)])
def test_there_is_no_such_part(speech, tmp_path, part):
    with pytest.raises(ArgumentError, match=f"There is no part {part[0]} of {part[1]}"):
        made(speech, tmp_path / "parts.zarr", shard=part)
    assert not (tmp_path / "parts.zarr").exists()


def test_a_part_has_no_workers(speech, tmp_path):
    with pytest.raises(ArgumentError, match="by this process alone"):
        made(speech, tmp_path / "parts.zarr", shard=(1, 2), workers=2)


def test_shards_of_a_plan_are_written_in_any_order(speech, tmp_path):
    options = {"layers": LAYERS, "batch_size": 4}
    quantity = Activation(("mean", "root_mean_square"), maps=True, phones=True)
    plan = pickle.loads(pickle.dumps(plan_recording(*speech, tmp_path / "plan.zarr", quantity, **options)))
    reports = [record_shard(plan, number) for number in (7, 0, 3, 3, 1, 2, 6, 5, 4)]
    assert [report.written for report in reports] == [True, True, True, False, True, True, True, True, True]
    assert sum(report.tokens for report in reports if report.written) == 61
    assert not open_store(tmp_path / "plan.zarr", incomplete="allow").recordings["complete"].any()
    assert made(speech, tmp_path / "plan.zarr") == made(speech, tmp_path / "here.zarr")


def test_a_worker_must_see_the_store(speech, tmp_path):
    plan = plan_recording(*speech, tmp_path / "plan.zarr", Activation(), LAYERS)
    (tmp_path / "plan.zarr").rename(tmp_path / "elsewhere.zarr")
    with pytest.raises(WorkerError, match="layerstats cluster"):
        record_shard(plan, 0)
    assert not (tmp_path / "plan.zarr").exists()


def test_a_recording_that_was_replaced_is_not_written_to(small, speech, tmp_path):
    plan = plan_recording(*speech, tmp_path / "plan.zarr", Activation(), LAYERS)
    plan_recording(*speech, tmp_path / "other.zarr", Activation(maps=True), LAYERS)
    os.rename(tmp_path / "plan.zarr", tmp_path / "first.zarr")
    os.rename(tmp_path / "other.zarr", tmp_path / "plan.zarr")
    with pytest.raises(StoreError, match="another recording"):
        record_shard(plan, 0)


class FailsAt(nn.Module):
    """A network that gives NaN, or fails, for tokens as loud as some are."""

    def __init__(self, network: nn.Module, loudness: float, how: str) -> None:
        super().__init__()
        self.network, self.loudness, self.how = network, loudness, how

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        loud = waveforms.square().sum(dim=1) > self.loudness
        if self.how == "fails" and loud.any():
            raise ValueError("too loud")
        return self.network(torch.where(loud[:, None], torch.nan, waveforms))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_token_that_failed_is_named(small, tmp_path, workers):
    clips = small.small_clips(tokens=40)
    loudness = (clips.waveforms(slice(None)) ** 2).sum(axis=1)
    # Not one of the tokens that are looked at first.
    bad = 16 + int(loudness[16:].argmax())
    assert loudness[bad] == loudness.max()
    limit = float(sorted(loudness)[-2]) + 1e-3
    network = FailsAt(small.small_network(), limit, "nan")
    with pytest.raises(DataError, match=f"NaN or infinite values for token 't0{bad}'"):
        record(network, clips, tmp_path / "s.zarr", Activation(), "network.*", batch_size=4, workers=workers)
    written = open_store(tmp_path / "s.zarr", incomplete="allow").recordings["tokens"].tolist()
    # With workers, one failed shard does not lose the others.
    assert written == ([32] if workers == 2 else [bad // 8 * 8])


def test_failures_of_several_shards_are_all_named(small, tmp_path):
    clips = small.small_clips(tokens=40)
    loudness = (clips.waveforms(slice(None)) ** 2).sum(axis=1)
    limit = float(max(loudness[:4])) + 1e-3
    bad = [number for number in range(5) if max(loudness[number * 8 : number * 8 + 8]) > limit]
    assert len(bad) > 1
    network = FailsAt(small.small_network(), limit, "nan")
    with pytest.raises(TaskFailures) as raised:
        record(network, clips, tmp_path / "s.zarr", Activation(), "network.*", batch_size=4, workers=2)
    assert [failure.task.split(" (")[0] for failure in raised.value.failures] == [
        f"shard {one + 1} of 5" for one in bad
    ]


def test_what_a_network_raises_names_the_tokens(small, tmp_path):
    clips = small.small_clips(tokens=40)
    loudness = (clips.waveforms(slice(None)) ** 2).sum(axis=1)
    bad = 16 + int(loudness[16:].argmax())
    network = FailsAt(small.small_network(), float(sorted(loudness)[-2]) + 1e-3, "fails")
    with pytest.raises(NetworkError, match=f"too loud.*token 't0{bad}'"):
        record(network, clips, tmp_path / "s.zarr", Activation(), "network.*", batch_size=4, workers=2)


def test_networks_that_cannot_be_sent_are_refused(small, tmp_path):
    network = small.small_network()
    network.register_forward_hook(lambda *one: None)
    with pytest.raises(ArgumentError, match="cannot be sent to another process"):
        record(network, small.small_clips(), tmp_path / "s.zarr", Activation(), "1", workers=2)


def test_networks_of_a_file_are_found_by_others(tmp_path):
    (tmp_path / "my_network.py").write_text(
        "from torch import nn\nclass Mine(nn.Linear):\n    pass\ndef network():\n    return Mine(2, 2)\n"
    )
    from layerstats.cli.network_file import load_network

    network, _ = load_network(f"{tmp_path}/my_network.py:network")
    sent = SentNetwork.of(network)
    assert [name for name, _ in sent.files] == ["my_network"]
    del sys.modules["my_network"]
    assert sent.load().weight.equal(network.weight)
    (tmp_path / "my_network.py").unlink()
    del sys.modules["my_network"]
    with pytest.raises(WorkerError, match="not seen by this worker"):
        sent.load()


def test_a_full_disk_is_told_and_the_next_call_goes_on(speech, tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Files of a shard of maps do not fit, those that the recording begins with do; workers inherit it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
    try:
        with pytest.raises(StoreError, match=r"No space is left .* run the same call again"):
            made(speech, tmp_path / "shared.zarr", workers=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert made(speech, tmp_path / "shared.zarr") == made(speech, tmp_path / "here.zarr")


SCRIPT = """
import runpy, sys, time
from layerstats.probes import Activation, record
from layerstats.store import shards

def tell(done, total):
    print(done, flush=True)
    time.sleep(60)

if __name__ == "__main__":
    shards.SHARD_TOKENS = 8
    small = runpy.run_path(sys.argv[1])
    record(
        small["small_network"](), small["small_clips"](tokens=61), sys.argv[2],
        Activation(("mean", "root_mean_square"), maps=True, phones=True), ["input", "1", "5"],
        batch_size=4, workers=2, progress=tell,
    )
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_kill_at_the_wall_time_leaves_whole_shards_and_no_process(speech, tmp_path, how):
    script, small = tmp_path / "script.py", Path(__file__).resolve().parent.parent / "small_speech.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(small), str(tmp_path / "shared.zarr")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()
        run.send_signal(how)
        # Ends when the last process that could write there has ended.
        run.stdout.read()
    assert run.returncode == -how
    assert not open_store(tmp_path / "shared.zarr", incomplete="allow").recordings["complete"].any()
    assert made(speech, tmp_path / "shared.zarr", workers=2) == made(speech, tmp_path / "here.zarr")


def kill_at_random(pids, after_s: float, done: threading.Event) -> threading.Thread:
    """Kill one of some processes after a while, if what they do is not finished before."""

    def kill() -> None:
        if done.wait(after_s):
            return
        running = pids()
        if running:
            os.kill(random.choice(running), signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(int(os.environ.get("LAYERSTATS_MOMENTS", "4"))))
def test_a_worker_killed_at_any_moment_changes_nothing(speech, tmp_path, moment):
    here = made(speech, tmp_path / "here.zarr")
    start, done = time.monotonic(), threading.Event()
    after_s = 0.5 + 4.5 * random.Random(moment).random()
    thread = kill_at_random(
        lambda: [process.pid for process in multiprocessing.active_children() if process.pid], after_s, done
    )
    try:
        shared = made(speech, tmp_path / "shared.zarr", workers=2)
    finally:
        done.set()
        thread.join()
    assert shared == here
    assert time.monotonic() - start < 120
