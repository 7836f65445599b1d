"""What a recording is said to take, against what it takes."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from layerstats.corpora import Clips, demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models import ConvolutionalEncoder, seeded
from layerstats.probes import Activation, forecast_recording, record
from layerstats.probes.forecast.trial import spread_over_lengths

# What else the machine does moves times, by far more than it moves anything else; time of the processor the least.
TIME, MEMORY, DISK = 5.0, 1.8, 1.15
IN_A_PROCESS = """
import sys, time
import torch
from pathlib import Path
begin = time.perf_counter()
from layerstats.corpora import Clips, demo_corpus
from layerstats.models import load_checkpoint
from layerstats.probes import Activation, record
network, _ = load_checkpoint(sys.argv[1])
torch.set_num_threads(int(sys.argv[4]))
quantity = {"means": Activation(), "phones": Activation(phones=True), "maps": Activation(phones=True, maps=True)}
record(network, Clips(demo_corpus(words=["ask", "wash", "dark"])), sys.argv[2], quantity[sys.argv[3]])
print(min(time.perf_counter() - begin, time.process_time()))
print(Path("/proc/self/status").read_text())
"""


@pytest.fixture(scope="module")
def clips():
    return Clips(demo_corpus(words=["ask", "wash", "dark"]))


@pytest.fixture(scope="module")
def network():
    with seeded(0):
        return ConvolutionalEncoder(outputs=3, width=4).eval()


@pytest.fixture(scope="module")
def forecast(clips, network):
    return forecast_recording(network, clips, workers=[1, 2, 4])


def row(forecast, stored, workers=1):
    table = forecast.table.set_index(["stored", "workers"])
    return table.loc[(stored, workers)]


QUANTITIES = {"means": Activation(), "phones": Activation(phones=True), "maps": Activation(phones=True, maps=True)}


@pytest.mark.parametrize("stored", list(QUANTITIES))
def test_the_disk_is_as_said(tmp_path, forecast, clips, network, stored):
    record(network, clips, tmp_path / "s.zarr", QUANTITIES[stored])
    files = [file for file in (tmp_path / "s.zarr").rglob("*") if file.is_file()]
    told = row(forecast, stored)
    real = sum(file.stat().st_size for file in files) / 2**20
    assert real / DISK < told["disk_mb"] < real * DISK
    assert told["files"] == pytest.approx(len(files), rel=0.1)
    folder = tmp_path / "s.zarr" / "recordings" / "activations" / "conv1" / "mean" / "c"
    assert told["shards"] == len(list(folder.iterdir()))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the memory of a process")
def test_time_and_memory_are_as_said(tmp_path, forecast, network):
    import torch

    from layerstats.models import ModelCard, save_checkpoint

    checkpoint = tmp_path / "network.safetensors"
    save_checkpoint(checkpoint, network, ModelCard("network", "", outputs=["ask", "wash", "dark"]))
    for stored in QUANTITIES:
        command = [sys.executable, "-c", IN_A_PROCESS, str(checkpoint), str(tmp_path / f"{stored}.zarr"), stored]
        command.append(str(torch.get_num_threads()))
        seconds, status = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n", 1)
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
        told = row(forecast, stored)
        assert float(seconds) / TIME < told["total_s"] < float(seconds) * TIME
        assert peak / MEMORY < told["worker_mb"] < peak * MEMORY


def test_workers_share_the_shards(forecast):
    for stored in QUANTITIES:
        two, four = row(forecast, stored, 2), row(forecast, stored, 4)
        assert four["total_s"] <= two["total_s"]
        assert four["all_workers_mb"] == 4 * four["worker_mb"] == 2 * two["all_workers_mb"]
    assert any("Workers that have something to do" in note for note in forecast.notes)


def test_more_is_stored_in_more_room(forecast):
    means, phones, maps = (row(forecast, stored) for stored in QUANTITIES)
    assert means["disk_mb"] < phones["disk_mb"] < maps["disk_mb"]
    assert means["files"] < phones["files"] < maps["files"]


def test_nothing_is_left_behind(tmp_path, clips, network):
    before = network.training, dict(network._forward_pre_hooks)
    forecast_recording(network, clips, tmp_path / "s.zarr", {"means": Activation()}, "conv5", workers=[1], tokens=4)
    assert list(tmp_path.iterdir()) == []
    assert (network.training, dict(network._forward_pre_hooks)) == before


def test_a_full_disk_is_foreseen(tmp_path, clips, network, monkeypatch):
    from shutil import _ntuple_diskusage

    monkeypatch.setattr("shutil.disk_usage", lambda _folder: _ntuple_diskusage(2**30, 2**30, 2**20 // 8))
    found = forecast_recording(network, clips, tmp_path / "s.zarr", workers=[1], layers="conv1")
    assert any("too little for" in note and "maps" in note for note in found.notes)


def test_tokens_of_all_lengths_are_tried(clips):
    few = spread_over_lengths(clips, 10)
    lengths, ours = clips.tokens["duration_s"], few.tokens["duration_s"]
    assert len(few.tokens) == 10
    assert (ours.min(), ours.max()) == (lengths.min(), lengths.max())
    assert abs(ours.median() - lengths.median()) < lengths.std()
    own = replace(clips, samples=None)
    assert spread_over_lengths(own, 5).lengths().max() == own.lengths().max()
    assert len(spread_over_lengths(few, 100).tokens) == 10


@pytest.mark.parametrize("workers", [[], [0]])
def test_numbers_of_workers_are_checked(clips, network, workers):
    with pytest.raises(ArgumentError, match="workers"):
        forecast_recording(network, clips, workers=workers)
