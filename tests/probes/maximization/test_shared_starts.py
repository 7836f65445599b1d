"""Blocks of starts that other processes maximize have the bytes of those that were maximized here."""

from __future__ import annotations

import pytest
import torch

from layerstats.errors import ArgumentError
from layerstats.models import ConvolutionalEncoder, seeded
from layerstats.probes import maximize_activations
from layerstats.store import open_store


def tree(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.fixture
def small(monkeypatch, tmp_path):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    # Outside any repository, whose revision could change meanwhile.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("layerstats.store.shards.SHARD_TOKENS", 4)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with seeded(0):
        yield ConvolutionalEncoder(outputs=2, width=1)
    torch.set_num_threads(threads)


def test_processes_write_the_same_bytes(small, tmp_path):
    seen = []
    options = {"starts": 7, "steps": 2, "batch_size": 2}
    shared = {"workers": 2, "progress": lambda *done: seen.append(done)}
    maximize_activations(small, ["0", "1"], tmp_path / "shared.zarr", **options, **shared)
    maximize_activations(small, ["0", "1"], tmp_path / "here.zarr", **options)
    assert tree(tmp_path / "shared.zarr") == tree(tmp_path / "here.zarr")
    assert seen[-1] == (14, 14)
    assert len(seen) == 4
    assert open_store(tmp_path / "shared.zarr").outcomes["complete"].all()


def test_a_part_is_made_by_one_process(small, tmp_path):
    with pytest.raises(ArgumentError, match="by this process alone"):
        maximize_activations(small, ["0"], tmp_path / "s.zarr", starts=2, steps=1, block=(0, 2), workers=2)
