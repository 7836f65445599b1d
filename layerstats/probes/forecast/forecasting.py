"""What a recording will take in time, memory and disk, from a few tokens of it, on one worker or on many."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import torch
from torch import nn

from layerstats.checks import check_count
from layerstats.corpora import Clips, Corpus, clips_for
from layerstats.errors import ArgumentError
from layerstats.models import device_for, part
from layerstats.probes.activations import Activation
from layerstats.probes.forecast.trial import (
    MEGABYTE,
    Trial,
    TrialShard,
    record_trial,
    spread_over_lengths,
    worker_start,
    write_trial,
)
from layerstats.probes.quantity import Quantity
from layerstats.tables import PrintedResult, check_frame

# Arrays of a shard: of its batches, together, filled up to whole chunks, and compressed.
_COPIES = 4


@dataclass(frozen=True, repr=False)
class Forecast(PrintedResult):
    """What a recording will take.

    Parameters
    ----------
    table : DataFrame
        A row for what is stored ("means", "phones", "maps") and a number of workers: `stored, workers, total_s,
        start_s, token_ms, worker_mb, all_workers_mb, device_mb, disk_mb, shards, files`.
    notes : tuple of str
        What it was measured on, and what it leaves out.
    """

    main_tables: ClassVar[tuple[str, ...]] = ("table",)
    table: pd.DataFrame
    notes: tuple[str, ...]


def forecast_recording(
    model: nn.Module,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str] | None = None,
    quantities: Mapping[str, Quantity] | None = None,
    layers: str | Sequence[str] | None = None,
    *,
    workers: Sequence[int] = (1, 2, 4, 8),
    tokens: int | None = None,
    batch_size: int = 32,
    device: str = "auto",
    **options: Any,
) -> Forecast:
    """Say from a few tokens what a recording will take in time, memory and disk.

    Tokens from the shortest to the longest are recorded into a folder that is removed again, once for each thing that
    may be stored; one shard of the whole recording is written. The rest is arithmetic.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    corpus : Corpus or Clips
        All of the speech.
    store : path, optional
        Where it is to be recorded: the trial is written to the same disk, and that disk's room is compared.
    quantities : mapping of str to Quantity, optional
        What may be stored, by name; by default means over channels, with them phones (where the corpus has any), and
        with them full maps.
    layers, batch_size, device, options
        As for `record`: prepare_input, input_axes, axes, choose_output, input_hop_s.
    workers : sequence of int
        Numbers of workers to say it for. One is this process with all its threads; more are processes with one thread
        each, on this machine or on others like it.
    tokens : int, optional
        How many are recorded; by default ten, on a GPU at least a whole batch.

    Returns
    -------
    Forecast

    Raises
    ------
    ArgumentError, AudioError, DataError, NetworkError
        As for `record`: what stops the recording stops this.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import ConvolutionalEncoder
    >>> speech = demo_corpus(words=["ask", "wash"], voices=8)
    >>> forecast = forecast_recording(ConvolutionalEncoder(outputs=2, width=1), speech, workers=[1])
    >>> forecast.table["stored"].tolist()
    ['means', 'phones', 'maps']
    """
    clips = clips_for(part(model), corpus)
    for count in workers:
        check_count("workers", count)
    if not workers:
        raise ArgumentError("The 'workers' parameter must hold at least one number of workers.")
    place = device_for(part(model), device)
    few = spread_over_lengths(clips, tokens or (max(10, batch_size) if place.type == "cuda" else 10))
    options = {**options, "batch_size": batch_size, "device": device}
    kinds = quantities or _usual(clips)
    with tempfile.TemporaryDirectory(prefix="layerstats-plan-", dir=_folder(store)) as folder:
        trials = {name: _tried(model, few, clips, Path(folder) / name, kinds[name], layers, options) for name in kinds}
        slower = 1.0
        if max(workers) > 1 and place.type == "cpu" and torch.get_num_threads() > 1:
            name = next(iter(kinds))
            slower = _on_one_thread(model, few, Path(folder) / "alone", kinds[name], layers, options)
            slower /= trials[name][0].batch_s
    weights_mb = sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers())) / MEGABYTE
    # The first one had to import and to allocate what the others found there, and how a network is looked at does not
    # depend on what is stored of it.
    process = _Process(next(iter(trials.values()))[0], *worker_start(), weights_mb, slower, batch_size)
    rows = [_row(name, count, clips, *trials[name], process) for name in kinds for count in sorted(set(workers))]
    notes = _notes(clips, few, rows, store, place)
    return Forecast(check_frame(pd.DataFrame(rows)), tuple(notes))


def _usual(clips: Clips) -> dict[str, Quantity]:
    phones = {"phones": Activation(phones=True)} if len(clips.phones) else {}
    return {"means": Activation(), **phones, "maps": Activation(phones=bool(phones), maps=True)}


def _folder(store: str | os.PathLike[str] | None) -> Path | None:
    """Return the nearest folder above a store that is there."""
    if store is None:
        return None
    return next((folder for folder in Path(store).absolute().parents if folder.is_dir()), None)


def _tried(
    model: nn.Module,
    few: Clips,
    clips: Clips,
    folder: Path,
    quantity: Quantity,
    layers: str | Sequence[str] | None,
    options: Mapping[str, Any],
) -> tuple[Trial, TrialShard]:
    folder.mkdir()
    trial = record_trial(model, few, folder, quantity, layers, **options)
    return trial, write_trial(trial, clips, folder, options["batch_size"])


def _on_one_thread(
    model: nn.Module,
    few: Clips,
    folder: Path,
    quantity: Quantity,
    layers: str | Sequence[str] | None,
    options: Mapping[str, Any],
) -> float:
    """Return the seconds of the same batches on one thread, as workers have."""
    folder.mkdir()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return record_trial(model, few, folder, quantity, layers, **options).batch_s
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class _Process:
    """What a process needs, whatever is stored: to be started, and for the network in its batches."""

    first: Trial
    worker_s: float
    base_mb: float
    weights_mb: float
    slower: float
    batch_size: int

    def memory_mb(self, tokens: int) -> float:
        fuller = max(1.0, min(self.batch_size, tokens) / len(self.first.clips.tokens))
        return self.base_mb + self.weights_mb + max(self.first.start_mb, self.first.batch_mb * fuller)


def _row(
    stored: str, workers: int, clips: Clips, trial: Trial, shard: TrialShard, process: _Process
) -> dict[str, object]:
    tokens, few = len(clips.tokens), len(trial.clips.tokens)
    total = tokens / few if trial.fixed else clips.lengths().sum() / trial.clips.lengths().sum()
    start = process.first.check_s * tokens / few + process.first.start_s + shard.begin_s
    batches, writing = trial.batch_s * total, shard.shards * shard.write_s
    if workers > 1:
        start += process.worker_s
        # A worker takes shard after shard, so that the last one may leave others idle.
        seconds = (batches * process.slower + writing) * math.ceil(shard.shards / workers) / shard.shards
    elif torch.get_num_threads() < (os.cpu_count() or 1):
        # A shard is written while the network works on the next one.
        seconds = max(batches, writing) + shard.write_s
    else:
        seconds = batches + writing
    worker_mb = process.memory_mb(tokens) + _COPIES * shard.shard_mb
    return {
        "stored": stored,
        "workers": workers,
        "total_s": start + seconds,
        "start_s": start,
        "token_ms": 1000 * batches / tokens,
        "worker_mb": worker_mb,
        "all_workers_mb": workers * worker_mb,
        "device_mb": trial.device_mb,
        "disk_mb": shard.tables_mb + shard.values_mb,
        "shards": shard.shards,
        "files": shard.files,
    }


def _notes(
    clips: Clips,
    few: Clips,
    rows: Sequence[Mapping[str, Any]],
    store: str | os.PathLike[str] | None,
    place: torch.device,
) -> list[str]:
    cores, threads = os.cpu_count() or 1, torch.get_num_threads()
    one = few.lengths() / few.rate_hz
    notes = [
        f"Measured on {len(few.tokens)} of {len(clips.tokens)} tokens ({one.min():.2f} to {one.max():.2f} s long) on "
        f"{torch.cuda.get_device_name(place) if place.type == 'cuda' else f'{threads} of {cores} cores'}; "
        "other work on this machine at the time counts in."
    ]
    most = max(int(row["workers"]) for row in rows)
    if most > cores:
        notes.append(
            f"More than {cores} workers are faster only on several machines: this one has {cores} cores. Each is taken "
            "to be as fast as one core of this machine."
        )
    if place.type == "cuda" and most > 1:
        notes.append("Workers are taken to have a GPU each.")
    few_shards = min(int(row["shards"]) for row in rows)
    if most > few_shards:
        notes.append(f"Workers that have something to do: {few_shards} at most. A shard is the work of one.")
    folder = _folder(store)
    if folder is not None:
        free_mb = shutil.disk_usage(folder).free / MEGABYTE
        large = sorted({str(row["stored"]) for row in rows if float(row["disk_mb"]) > free_mb})
        if large:
            notes.append(
                f"The disk of {folder} has room for {free_mb:.0f} MB, which is too little for {', '.join(large)}."
            )
    return notes
