"""Channels are read in blocks: each chunk of the store once, few at a time, in memory that does not grow with them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from layerstats.stats import word_series
from layerstats.stats.contrasts.channel_values import READ_BYTES, ChannelRows, channel_blocks, rows_of_series
from layerstats.store import open_store, store_arrays

SAMPLES = 16


class CountedMaps:
    """Stands for the array of a store, and keeps account of the chunks that are decoded."""

    def __init__(self, values: np.ndarray, chunks: tuple[int, int, int]) -> None:
        self.values, self.chunks = values, chunks
        self.shape, self.dtype = values.shape, values.dtype
        self.times = np.zeros(tuple(-(-size // step) for size, step in zip(values.shape, chunks, strict=True)))
        self.most_bytes = 0

    @property
    def oindex(self) -> CountedMaps:
        return self

    def __getitem__(self, selection: tuple) -> np.ndarray:
        tokens, channels = (np.arange(size)[own] for size, own in zip(self.shape, selection, strict=False))
        touched = np.ix_(np.unique(tokens // self.chunks[0]), np.unique(channels // self.chunks[1]), [0])
        self.times[touched] += 1
        self.most_bytes = max(self.most_bytes, self.times[touched].size * np.prod(self.chunks) * self.dtype.itemsize)
        return self.values[np.ix_(tokens, channels)]


def rows_of_all(tokens: int) -> ChannelRows:
    """Every sample of every token, the last token first."""
    token = np.repeat(np.arange(tokens)[::-1], SAMPLES)
    return ChannelRows(token, np.tile(np.arange(SAMPLES), tokens), np.arange(tokens * SAMPLES))


def small_store(path, channels: int, tokens: int = 64):
    values = np.random.default_rng(0).normal(size=(tokens, channels, SAMPLES)).astype(np.float32)
    table = pd.DataFrame(
        {
            "token": [f"t{number:03}" for number in range(tokens)],
            "word": np.where(np.arange(tokens) % 2 == 1, "wash", "ask"),
            "speaker": [f"p{number % 5}" for number in range(tokens)],
            "split": "test",
        }
    )
    return open_store(store_arrays(path, table, {"conv4": values}, time_s={"conv4": np.arange(SAMPLES) / SAMPLES}))


@pytest.mark.parametrize("channels", [50, 300])
def test_each_chunk_is_decoded_once_and_few_at_a_time(channels):
    tokens, chunks = 70, (8, 20, SAMPLES)
    maps = CountedMaps(np.random.default_rng(0).normal(size=(tokens, channels, SAMPLES)).astype(np.float32), chunks)
    rows = rows_of_all(tokens)
    # Room for 50 channels, and so for two columns of chunks.
    memory = 50 * 8 * rows.count / 1e6
    store = SimpleNamespace(array=lambda layer, variable: maps)
    blocks = channel_blocks(store, "conv4", rows, memory)
    assert [block.start for block in blocks] == list(range(0, channels, 40))
    expected = maps.values[::-1].transpose(1, 0, 2).reshape(channels, -1)
    np.testing.assert_array_equal(np.concatenate([rows.read(maps, block) for block in blocks]), expected)
    assert (maps.times == 1).all()
    assert maps.most_bytes <= READ_BYTES
    some = np.array([3, 4, 7, channels - 1])
    np.testing.assert_array_equal(rows.read(maps, some), expected[some])
    assert maps.times.sum() == maps.times.size + 2 * len(maps.times)


def test_chunks_that_are_larger_than_what_is_read_at_once_come_one_by_one():
    tokens, channels = 4, 2 * READ_BYTES // (4 * SAMPLES)
    maps = CountedMaps(np.zeros((tokens, channels, SAMPLES), np.float32), (1, channels, SAMPLES))
    rows_of_all(tokens).read(maps, slice(0, 2))
    assert maps.most_bytes == 4 * channels * SAMPLES
    assert (maps.times == 1).all()


def test_memory_of_reading_does_not_grow_with_channels(tmp_path):
    peaks = []
    for channels in (64, 1024):
        experiment = small_store(tmp_path / f"{channels}.zarr", channels)
        _, rows = rows_of_series(experiment, "conv4", word_series(experiment, "conv4", samples=None), None)
        # Room for four channels.
        tracemalloc.start()
        for block in channel_blocks(experiment, "conv4", rows, memory_mb=0.1):
            assert rows.read(experiment.array("conv4", "maps"), block).shape[1] == rows.count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Garbage of Zarr's holds a chunk or two until it is collected; chunks of all channels take seven times as much.
    assert peaks[1] < 3 * peaks[0]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_peak_memory_of_a_process_does_not_grow_with_channels(tmp_path):
    # Not `ru_maxrss`, which begins with the memory of the process that started this one.
    script = textwrap.dedent("""
        import re, sys
        from pathlib import Path
        from layerstats.stats import channel_contrasts
        from layerstats.store import open_store
        result = channel_contrasts(open_store(sys.argv[1]), "conv4", words=("wash", "ask"), memory_mb=5)
        peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
        print(result.sizes["channel"], peak)
        """)
    peaks = []
    # Both are read in several blocks: the second needs some room beside what is left of the first.
    for channels in (512, 2048):
        path = small_store(tmp_path / f"{channels}.zarr", channels, tokens=256).path
        answer = subprocess.run([sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True)
        fitted, peak = map(int, answer.stdout.split())
        assert fitted == channels
        peaks.append(peak)
    # Chunks of all channels make it a fifth more.
    assert peaks[1] < 1.08 * peaks[0]
