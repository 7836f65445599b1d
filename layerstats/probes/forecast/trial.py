"""A few tokens of a corpus recorded on trial: how long that takes, what memory it needs, and what lies on the disk."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from layerstats.corpora import Clips
from layerstats.models import part
from layerstats.probes.quantity import Quantity
from layerstats.probes.recording.recorder import record
from layerstats.store import SHARD_TOKENS, Experiment, LayerSpec, RecordingWriter, VariableSpec, tokens_in_shard

MEGABYTE = 2**20
_STATM = Path("/proc/self/statm")
_PAUSE_S = 0.005
# Written by numbers of their own, so that a trial shard is as hard to compress as a real one.
_SPREAD = 1e-3
_WORKER = """
import sys
import layerstats.probes
from layerstats.probes.forecast.trial import memory_mb
print(memory_mb())
"""


def memory_mb() -> float:
    """Return the memory that this process has now, in MB; the most it ever had where the system does not tell."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
    if sys.platform == "win32":
        return math.nan
    import resource

    # In kilobytes on Linux, in bytes on a Mac.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MEGABYTE if sys.platform == "darwin" else 2**10)


@contextmanager
def watched_memory() -> Iterator[list[tuple[float, float]]]:
    """Watch how much memory the process has: pairs of the time (`time.perf_counter`) and MB beyond those at first."""
    seen: list[tuple[float, float]] = []
    before, ended = memory_mb(), threading.Event()

    def watch() -> None:
        while not ended.wait(_PAUSE_S):
            seen.append((time.perf_counter(), memory_mb() - before))

    thread = threading.Thread(target=watch, name="watch-memory", daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
        seen.append((time.perf_counter(), memory_mb() - before))


@dataclass(frozen=True)
class Trial:
    """What a recording of a few tokens took.

    Parameters
    ----------
    experiment : Experiment
        What was recorded, in a folder that is removed later.
    clips : Clips
        The few tokens.
    fixed : bool
        Whether every token takes the same time, however long it is.
    start_s : float
        Seconds from the call to the first batch: the network is looked at, and hashed.
    check_s, batch_s : float
        Seconds of looking for damage in the audio, and of all batches.
    start_mb, batch_mb : float
        Memory that was needed before the first batch, and with the batches.
    device_mb : float
        Memory of the GPU; NaN where there is none.
    """

    experiment: Experiment
    clips: Clips
    fixed: bool
    start_s: float
    check_s: float
    batch_s: float
    start_mb: float
    batch_mb: float
    device_mb: float


def spread_over_lengths(clips: Clips, tokens: int) -> Clips:
    """Return some tokens of clips, from the shortest to the longest, which is among them."""
    order = np.argsort(clips.tokens["duration_s"].to_numpy(), kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, min(tokens, len(order))).round().astype(int))]
    return replace(clips, corpus=clips.corpus.subset(tokens=clips.tokens["token"].iloc[np.sort(chosen)].tolist()))


def record_trial(
    model: nn.Module,
    clips: Clips,
    folder: Path,
    quantity: Quantity,
    layers: str | Sequence[str] | None,
    **options: Any,
) -> Trial:
    """Record a few tokens into a folder, and measure what that takes.

    Parameters
    ----------
    model, quantity, layers, options
        As for `record`.
    clips : Clips
        A few tokens, which become one batch or few.
    folder : path
        Where to.
    """
    begun: list[float] = []
    ended: list[float] = []

    def forward(_module: nn.Module, _args: tuple) -> None:
        begun.append(time.perf_counter())

    def moved(_done: int, _total: int) -> None:
        ended.append(time.perf_counter())

    at = time.perf_counter()
    clips.check_audio()
    start = time.perf_counter()
    gpu = torch.cuda.is_available() and options.get("device", "auto") != "cpu"
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    hook = part(model).register_forward_pre_hook(forward)
    try:
        with watched_memory() as memory:
            experiment = record(model, clips, folder / "trial.zarr", quantity, layers, progress=moved, **options)
    finally:
        hook.remove()
    # The passes before the last ones are those that looked at the network.
    batches = begun[len(begun) - len(ended) :]
    return Trial(
        experiment,
        clips,
        # A network that fills its input with silence works as long on a short word.
        fixed=getattr(getattr(model, "hearing", None), "fixed_samples", None) is not None,
        check_s=start - at,
        start_s=batches[0] - start,
        batch_s=ended[-1] - batches[0],
        start_mb=max([mb for moment, mb in memory if moment < batches[0]], default=0.0),
        batch_mb=max([mb for moment, mb in memory if moment >= batches[0]], default=0.0),
        device_mb=torch.cuda.max_memory_allocated() / MEGABYTE if gpu else math.nan,
    )


def worker_start() -> tuple[float, float]:
    """Return the seconds that a process needs until it could load a network, and the MB that it then has."""
    begin = time.perf_counter()
    command = [sys.executable, "-c", _WORKER]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - begin, float(told)


@dataclass(frozen=True)
class TrialShard:
    """What one shard of the whole recording took to write, of values that the trial gave, and how the whole is cut.

    Parameters
    ----------
    begin_s : float
        Seconds until the store stands, with the tables of all tokens.
    write_s : float
        Seconds of writing a shard.
    shards, tokens : int
        How many shards there will be, and the tokens of each.
    files : int
        How many files the finished recording will have, those of its store included.
    tables_mb : float
        What the store has on the disk besides values.
    values_mb : float
        What its values will have.
    shard_mb : float
        Values of a shard before they are compressed.
    """

    begin_s: float
    write_s: float
    shards: int
    tokens: int
    files: int
    tables_mb: float
    values_mb: float
    shard_mb: float


def write_trial(trial: Trial, clips: Clips, folder: Path, batch_size: int) -> TrialShard:
    """Begin the whole recording in a folder and write one shard of it, of the values of the trial again and again.

    Parameters
    ----------
    trial : Trial
        The few tokens.
    clips : Clips
        All tokens.
    folder : path
        Where to.
    batch_size : int
        As for the recording.
    """
    specs = layer_specs(trial.experiment)
    begin = time.perf_counter()
    clips.content_hash()
    together, least = (1, batch_size) if clips.ragged else (batch_size, SHARD_TOKENS)
    shard = tokens_in_shard(specs, len(clips.tokens), together, len(clips.phones), least)
    writer = RecordingWriter(
        folder / "whole.zarr", "trial", clips.tokens, clips.phones, specs, key="trial", shard_tokens=shard
    )
    begun_s = time.perf_counter() - begin
    tables = [file.stat().st_size for file in writer.path.rglob("*") if file.is_file()]
    rows = next(iter(writer.missing()))
    values = _repeated(trial.experiment, specs, rows.stop, len(writer.phone_rows(rows)))
    begin = time.perf_counter()
    writer.write(rows, values)
    write_s = time.perf_counter() - begin
    shards = math.ceil(len(clips.tokens) / shard)
    in_shards = sum(one.by_shard is not None for spec in specs for one in spec.variables)
    return TrialShard(
        begin_s=begun_s,
        write_s=write_s,
        shards=shards,
        tokens=min(shard, len(clips.tokens)),
        files=len(tables) + shards * in_shards,
        tables_mb=sum(tables) / MEGABYTE,
        values_mb=_values_mb(trial, clips),
        shard_mb=sum(array.nbytes for arrays in values.values() for array in arrays.values()) / MEGABYTE,
    )


def layer_specs(experiment: Experiment) -> list[LayerSpec]:
    """Return what a store was told of the layers of a recording."""
    specs = []
    for layer in experiment.layers:
        variables = []
        for name in experiment.variables:
            dimensions = experiment.dimensions(layer, name)
            sizes = zip(dimensions, experiment.array(layer, name).shape, strict=True)
            of_others = {one: int(size) for one, size in sizes if one not in ("token", "phone", "sample")}
            variables.append(VariableSpec(name, dimensions, of_others))
        specs.append(LayerSpec(layer, experiment.times(layer), variables))
    return specs


def _repeated(
    experiment: Experiment, specs: Sequence[LayerSpec], tokens: int, phones: int
) -> dict[str, dict[str, np.ndarray]]:
    """Return values of so many tokens and phones, made of those of the trial."""
    random = np.random.default_rng(0)
    values: dict[str, dict[str, np.ndarray]] = {}
    for spec in specs:
        values[spec.name] = {}
        for one in spec.variables:
            there = np.asarray(experiment.array(spec.name, one.name)[...])
            rows = np.arange(tokens if one.by_shard == "token" else phones) % max(len(there), 1)
            factor = 1 + _SPREAD * random.random((len(rows), *[1] * (there.ndim - 1)), dtype=np.float32)
            values[spec.name][one.name] = there[rows] * factor
    return values


def _values_mb(trial: Trial, clips: Clips) -> float:
    """Return what the values of all tokens have on the disk, by what those of a few have."""
    few = trial.clips
    # What is behind the end of a clip of its own length is compressed to nothing.
    by_token = clips.lengths().sum() / few.lengths().sum()
    by_phone = len(clips.phones) / max(len(few.phones), 1)
    total = 0.0
    for layer in trial.experiment.layers:
        for name in trial.experiment.variables:
            files = (trial.experiment.folder / layer / name / "c").rglob("*")
            size = sum(file.stat().st_size for file in files if file.is_file())
            first = trial.experiment.dimensions(layer, name)[0]
            total += size * {"token": by_token, "phone": by_phone}.get(first, 1.0)
    return total / MEGABYTE
