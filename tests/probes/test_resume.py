"""A recording that is killed goes on and ends with the same bytes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import torch

from layerstats.probes import record_activations
from layerstats.store import open_store

SMALL_SPEECH = Path(__file__).with_name("small_speech.py")

CHILD = """
import runpy, sys, time
import torch
from layerstats.probes import record_activations
torch.set_num_threads(int(sys.argv[3]))
small = runpy.run_path(sys.argv[1])
def tell(done, total):
    print(done, flush=True)
    time.sleep(0.05)
record_activations(
    small["small_network"](), small["small_clips"](tokens=61), sys.argv[2], layers=["1", "5"], batch_size=4,
    maps=True, progress=tell,
)
print("finished", flush=True)
"""


def tree(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def test_killed_and_resumed_is_bit_identical(tmp_path, small, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.chdir(tmp_path)  # outside any repository, whose revision could change meanwhile
    arguments = [str(SMALL_SPEECH), str(tmp_path / "killed.zarr"), str(torch.get_num_threads())]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip() == "24":
            child.send_signal(signal.SIGKILL)
            break
    rest = child.stdout.read()
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    assert "finished" not in rest
    written = int(open_store(tmp_path / "killed.zarr", incomplete="allow").recordings["tokens"].iloc[0])
    assert 0 < written < 61

    options = {"layers": ["1", "5"], "batch_size": 4, "maps": True}
    moves = []
    for name in ("killed", "unbroken"):
        clips = small.small_clips(tokens=61)
        record_activations(
            small.small_network(),
            clips,
            tmp_path / f"{name}.zarr",
            progress=lambda done, total: moves.append(done),
            **options,
        )
    # The resumed run began where the killed one had stopped.
    assert moves[0] == written + 4
    assert tree(tmp_path / "killed.zarr") == tree(tmp_path / "unbroken.zarr")
