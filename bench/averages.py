"""Averages of aligned windows and their tests: against reading the recordings, memory, and permutations."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pandas as pd

HOP_S = 0.008
ALIGNMENT = "max_relevance"
SPEAKERS = 50
# Windows of the published size, of which speed is told, a thousand a speaker: of many windows, what is done once a
# speaker and letter counts for little. And small ones, of which there are so many as to tell memory.
FULL, SMALL = (128, 206), (8, 16)
WINDOWS, A_SPEAKER, FEW, MANY = 4_000, 1_000, 100_000, 1_000_000
AVERAGES = """
import resource
import sys
sys.path.insert(0, sys.argv[1])
from averages import averaged, read_through
store, what = sys.argv[2:]
took = (averaged if what == "averages" else read_through)(store)
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def make_store(path: str, windows: int, size: tuple[int, int], speakers: int = SPEAKERS) -> None:
    """Write windows of noise by several speakers, and where each is aligned under every letter."""
    from layerstats.store import LayerSpec, RecordingWriter, VariableSpec

    bands, samples = size
    rng = np.random.default_rng(0)
    rows = np.arange(windows)
    table = pd.DataFrame({"token": [f"w{row}" for row in rows], "word": "noise", "split": "test"})
    table["speaker"] = [f"s{row * speakers // windows:02d}" for row in rows]
    table["letter"] = rng.choice(list(ascii_lowercase), size=windows)
    maps = [VariableSpec("mean"), VariableSpec("maps", sizes={"channel": bands})]
    places = {"letter": 26, "alignment": 1}
    aligned = [
        VariableSpec("sum", ("token", "sample")),
        VariableSpec("aligned_sample", ("token", "letter", "alignment"), places, dtype="int64"),
    ]
    of_bands = {"channel_frequency_hz": ("channel", 60.0 * np.arange(1, bands + 1))}
    of_letters = {"letter": ("letter", list(ascii_lowercase)), "alignment": ("alignment", [ALIGNMENT])}
    for name, variables, labels in (("input", maps, of_bands), ("adapted", aligned, of_letters)):
        layer = LayerSpec("input", np.arange(samples) * HOP_S, variables, coords=labels)
        about = {"quantity": "input" if name == "input" else "relevance", "trained": True}
        with RecordingWriter(path, name, table, None, [layer], key="k", attrs=about) as writer:
            for some in writer.missing():
                count = some.stop - some.start
                if name == "input":
                    values = rng.standard_normal((count, bands, samples), dtype=np.float32)
                    arrays = {"mean": values.mean(axis=1), "maps": values}
                else:
                    series = np.zeros((count, samples), dtype=np.float32)
                    arrays = {"sum": series, "aligned_sample": rng.integers(0, samples, (count, 26, 1))}
                writer.write(some, {"input": arrays})
            writer.finish()


def averaged(store: str, *, others: bool = False) -> float:
    """Return the processor time of averages by letter from the maps of a store, with all that reading takes."""
    from layerstats.stats.averages import aligned_averages

    begun = time.process_time()
    aligned_averages(store, alignment=ALIGNMENT, relevance="adapted", others=others, draws=20)
    return time.process_time() - begun


def read_through(store: str) -> float:
    """Return the processor time of one pass over the maps of a store."""
    from layerstats.stats.averages import read_windows

    begun = time.process_time()
    for _ in read_windows(store, alignment=ALIGNMENT, relevance="adapted").blocks():
        pass
    return time.process_time() - begun


def in_a_process(store: str, what: str) -> tuple[float, int]:
    """Return processor time and the most memory (MB) of averages, or of reading, in a process of its own."""
    command = [sys.executable, "-c", AVERAGES, str(Path(__file__).parent), store, what]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(said[0]), int(said[1])


def memory() -> None:
    """Print time and memory of averages of few and of many windows."""
    for windows in (FEW, MANY):
        with tempfile.TemporaryDirectory() as folder:
            make_store(f"{folder}/s.zarr", windows, SMALL)
            for what in ("reading", "averages"):
                took, most = in_a_process(f"{folder}/s.zarr", what)
                print(
                    f"{what} of {windows} windows of {SMALL[0]} x {SMALL[1]}: {took:.0f} CPU-s, {most} MB", flush=True
                )


def against_reading() -> None:
    """Print what averages of windows of the published size cost, in passes over the recordings."""
    with tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/s.zarr"
        make_store(store, WINDOWS, FULL, WINDOWS // A_SPEAKER)
        reading = min(read_through(store) for _ in range(3))
        for others, told in ((False, ""), (True, ", with other letters' windows aligned under each")):
            took = min(averaged(store, others=others) for _ in range(2))
            print(
                f"averages of {WINDOWS} windows of {FULL[0]} x {FULL[1]}{told}: {took / reading:.2f} x one pass over "
                f"the recordings ({reading:.1f} CPU-s; aim 1.2)",
                flush=True,
            )


def permutations() -> None:
    """Print how long 1,000 permutations with realignment take: 26 letters x 50 speakers on 2 cores."""
    from layerstats.stats.averages import AlignedWindows, pattern_tests

    rng = np.random.default_rng(0)
    each, bands, samples = 8, 32, 100
    speakers, labels = (one.ravel() for one in np.meshgrid(range(SPEAKERS), list(ascii_lowercase), indexing="ij"))
    speakers, labels = (np.repeat(one, each).astype(str).tolist() for one in (speakers, labels))
    values = rng.standard_normal((len(labels), bands, samples), dtype=np.float32)
    at = rng.integers(20, 80, size=(len(labels), 26))
    windows = AlignedWindows.from_arrays(values, labels, speakers, at, alignment=ALIGNMENT)
    begun, cpu = time.perf_counter(), time.process_time()
    found = pattern_tests(windows, permutations=1000, workers=2)
    wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(
        f"1,000 permutations with realignment of {len(found.table)} letters x {SPEAKERS} speakers, {len(labels)} "
        f"windows of {bands} x {samples}: {wall:.0f} s on 2 cores, {cpu:.0f} CPU-s (aim: under 60 s)",
        flush=True,
    )


if __name__ == "__main__":
    against_reading()
    memory()
    permutations()
