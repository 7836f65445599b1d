"""A recording that is killed goes on and ends with the same bytes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from layerstats.store import open_store

SMALL_SPEECH = Path(__file__).with_name("small_speech.py")

RECORD = """
import runpy, sys, time
from layerstats.probes import record_activations
from layerstats.store import shards
shards.SHARD_TOKENS = 8
small = runpy.run_path(sys.argv[1])
def tell(done, total):
    print(done, flush=True)
    time.sleep(0.05)
record_activations(
    small["small_network"](), small["small_clips"](tokens=61), sys.argv[2], layers=["1", "5"], batch_size=4,
    maps=True, phones=True, progress=tell,
)
"""


def record(store, kill_at=None):
    """Record in a process of its own; return the numbers of tokens it told of, and how it ended."""
    # Outside any repository, whose revision could change meanwhile; one thread, so that sums have one order.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", RECORD, str(SMALL_SPEECH), str(store)]
    told = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=store.parent) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told.append(int(line))
            if told[-1] == kill_at:
                process.send_signal(signal.SIGKILL)
    return told, process.returncode


def tree(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def test_killed_and_resumed_is_bit_identical(tmp_path):
    killed, unbroken = tmp_path / "killed.zarr", tmp_path / "unbroken.zarr"
    told, ended = record(killed, kill_at=24)
    assert ended == -signal.SIGKILL
    written = int(open_store(killed, incomplete="allow").recordings["tokens"].iloc[0])
    assert 16 <= written < 61

    told, ended = record(killed)
    # It began where the killed run had stopped.
    assert (told[0], told[-1], ended) == (written + 4, 61, 0)
    assert record(unbroken)[1] == 0
    assert tree(killed) == tree(unbroken)
