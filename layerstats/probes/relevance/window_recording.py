"""Windows of emitted letters into a store: their relevance, what was heard, and sums by speaker and letter."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from layerstats.checks import check_count
from layerstats.corpora import Corpus
from layerstats.models import device_for
from layerstats.parallel import run_tasks
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.recording.key import model_hash
from layerstats.probes.recording.plan import part_of_shards
from layerstats.probes.recording.recorded import check_recorded
from layerstats.probes.recording.sent_network import SentNetwork, load_in_worker
from layerstats.probes.relevance.heard_beside import beside
from layerstats.probes.relevance.reading import check_reader, padded
from layerstats.probes.relevance.window_alignments import alignments_of
from layerstats.probes.relevance.window_quantity import ALIGNED_SAMPLE, WindowRelevance, check_numbers, maps_of
from layerstats.probes.relevance.window_speech import WindowSpeech
from layerstats.probes.relevance.window_sums import WindowSums, lags
from layerstats.store import (
    LayerSpec,
    RecordingWriter,
    SumWriter,
    content_hash,
    missing_together,
    tokens_in_shard,
    untrained_name,
)

# By how much, of their size, values may move from one machine to another: shares of z near 0 are without bound.
_OTHER_MACHINE = 0.02
Arrays = dict[str, np.ndarray]
# Of what was heard, of its relevance, and of sums by speaker and letter.
Writers = tuple[RecordingWriter, RecordingWriter, SumWriter]


class WindowRecorder:
    """Records the relevance of the windows of a corpus, a shard at a time, and adds them up as it goes.

    Parameters
    ----------
    network : torch.nn.Module
        A `Wav2Letter`, or a network with the same attributes.
    corpus : Corpus
        Utterances.
    windows : DataFrame
        As `emitted_letters` gives them.
    target, method, start, maps, shared, alignments, options
        As for `WindowRelevance`.
    batch_size : int
        Windows that go through the network together.
    device : str
        "auto" (a GPU where there is one), or a torch device.
    """

    def __init__(
        self,
        network: nn.Module,
        corpus: Corpus,
        windows: pd.DataFrame,
        *,
        target: str,
        method: str,
        start: str | None,
        maps: bool,
        shared: bool,
        alignments: bool,
        batch_size: int,
        device: str,
        options: Mapping[str, Any],
    ) -> None:
        check_count("batch_size", batch_size)
        self.reader, self.network, self.batch_size = check_reader(network), network, batch_size
        self.place = device_for(network, device)
        self.speech = WindowSpeech(self.reader, corpus, windows, self.place)
        self.asked = {"target": target, "method": method, "start": start, "maps": maps, "shared": shared}
        self.asked["alignments"] = alignments
        # Of sums too: those of recordings without stored alignments stay as they were.
        self.alignments = alignments_of(method, by_time=alignments)
        self.options = options
        self.corpus = corpus
        self._joined: Writers | None = None

    def record(
        self,
        store: str | os.PathLike[str],
        recording: str,
        attrs: Mapping[str, object],
        progress: Callable[[int, int], None] | None,
        *,
        workers: int = 1,
        client: Any = None,
        shard: tuple[int, int] | None = None,
    ) -> None:
        """Write what is missing; nothing is begun unless the first window can be measured."""
        part = part_of_shards(shard, workers, client)
        elsewhere = workers > 1 or client is not None
        weights = model_hash(self.network)
        # As it is now: below, its modules are changed for a while.
        sent = SentNetwork.of(self.network, self) if elsewhere else None
        with padded(self.reader, "valid"), self._home():
            self.relevance = WindowRelevance(self.speech, self.network, options=self.options, **self.asked)
            found, heard = self.relevance.measure(np.array([0]))
            self._checked([0], self.relevance.reduced(found), self.relevance.reduced_input(heard))
            about = {**self.relevance.attributes(), **{k: v for k, v in found.attrs.items() if k != "target"}}
            about |= {"model": type(self.network).__name__, "model_hash": weights, **attrs}
            about |= {"batch_size": self.batch_size, "device": self.place.type, **self._about_speech()}
            writers = self._writers(store, recording, about, self._key(weights, about))
            self._check_written(store, writers[1], "sum", *([ALIGNED_SAMPLE] if self.relevance.alignments else []))
            if sent is None:
                self._write(writers, progress, part)
            else:
                # How the recording is cut was decided when it was begun.
                cut = writers[0].name, writers[1].rows_of(0).stop
                task = WindowsTask(sent, Path(store).absolute(), recording, *cut, about, self._key(weights, about))
                self._write_elsewhere(task, writers, workers, client, progress)
            if not any(writer.lacking() for writer in writers):
                for writer in writers:
                    writer.finish()

    @contextmanager
    def _home(self) -> Iterator[None]:
        """Keep the network where it runs, in the type in which it runs, from the first batch to the last."""
        home = next(self.network.parameters()).device
        self.network.to(self.place)
        try:
            with torch.inference_mode(False):
                yield
        finally:
            self.network.to(home)

    def _write_elsewhere(
        self,
        task: WindowsTask,
        writers: Writers,
        workers: int,
        client: Any,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        """Let other processes write the shards that are missing."""
        lacking = sorted({number for writer in writers for number in writer.lacking()})
        total, shard = len(self.speech.windows), writers[1].rows_of(0).stop

        def moved(done: int, tasks: int) -> None:
            if progress is not None:
                progress(max(0, total - shard * (tasks - done)), total)

        windows = self.speech.tokens["token"]
        run_tasks(
            partial(write_windows, task),
            lacking,
            workers=workers,
            client=client,
            progress=moved,
            describe=lambda number: f"shard {number + 1} (from window {windows.iloc[number * shard]!r} on)",
        )

    def write_shard(self, number: int, task: WindowsTask) -> None:
        """Write one shard of what another process has begun."""
        with padded(self.reader, "valid"), self._home():
            if self._joined is None:
                self.relevance = WindowRelevance(self.speech, self.network, options=self.options, **self.asked)
                self._joined = self._writers(task.store, task.recording, task.about, task.key, task)
            self._write(self._joined, None, (number, self._joined[1].shards))

    def _write(
        self, writers: Writers, progress: Callable[[int, int], None] | None, part: tuple[int, int] = (0, 1)
    ) -> None:
        heard, relevance, sums = writers
        total = len(self.speech.windows)
        done = sum(rows.stop - rows.start for rows in relevance.written)
        for rows, mine in missing_together([relevance, heard, sums], part):
            parts: list[tuple[Arrays, Arrays]] = []
            added = WindowSums(self.alignments)
            for some in self.speech.groups(rows, self.batch_size):
                parts.append(self._measured(some, added, aligned=self.relevance.alignments))
                done += len(some) if relevance in mine else 0
                if progress is not None:
                    progress(done, total)
            # The recording comes last: where its shard is there, nothing of it is missing elsewhere.
            if sums in mine:
                sums.write(rows, added.by_speaker)
            for writer, place in ((heard, 1), (relevance, 0)):
                if writer in mine:
                    writer.write(rows, {INPUT: _joined([part[place] for part in parts])})

    def _measured(self, rows: np.ndarray, added: WindowSums | None, *, aligned: bool) -> tuple[Arrays, Arrays]:
        more: Arrays = {}
        if aligned:
            found, heard, more[ALIGNED_SAMPLE] = self.relevance.measure_aligned(rows)
        else:
            found, heard = self.relevance.measure(rows)
        arrays, of_input = self.relevance.reduced(found), self.relevance.reduced_input(heard)
        self._checked(rows, arrays, of_input)
        if added is not None:
            values = maps_of(found)
            quantities = {"input": heard.transpose(1, 2).cpu().numpy(), "relevance": values}
            some = self.speech.windows.iloc[rows]
            letters = np.array([ascii_lowercase.index(letter) for letter in some["letter"]])
            added.add(some["speaker"].tolist(), letters, quantities, values)
        return {**arrays, **more}, of_input

    def _checked(self, rows: Any, *several: Arrays) -> None:
        tokens = self.speech.windows["token"].iloc[rows].tolist()
        for arrays in several:
            check_numbers(arrays, tokens)

    def _writers(
        self,
        store: str | os.PathLike[str],
        recording: str,
        about: Mapping[str, object],
        key: str,
        joined: WindowsTask | None = None,
    ) -> Writers:
        """Begin or go on with recording, input and sums; or join another process, which has begun them."""
        speech, tokens = self.speech, self.speech.tokens
        layers = [self._layer(self.relevance.input_variables), self._layer(self.relevance.variables)]
        # All who share an input have its shards.
        shard = joined.shard if joined else tokens_in_shard([layers[0], layers[0]], len(tokens), 1)

        def under(name: str, layer: LayerSpec, key: str, attrs: Mapping[str, object]) -> RecordingWriter:
            store_attrs = {"corpus_hash": speech.content_hash(), "torch_version": torch.__version__}
            options: dict[str, Any] = {"key": key, "attrs": attrs, "store_attrs": store_attrs, "shard_tokens": shard}
            options["joining"] = joined is not None
            return RecordingWriter(store, name, tokens, speech.phones, [layer], **options)

        told = {"quantity": INPUT, "trained": True, **self._about_speech()}
        of_input = content_hash("windows", speech.content_hash(), speech.windows, self.relevance.maps)
        relevance = under(recording, layers[1], key, about)
        if joined:
            heard = under(joined.heard, layers[0], of_input, told)
        else:
            heard = beside(
                recording, self.relevance.maps, lambda name: self._input(store, under(name, layers[0], of_input, told))
            )
        sums = SumWriter(
            store,
            recording,
            tokens,
            letters=list(ascii_lowercase),
            alignments=self.alignments,
            frequency_hz=speech.frequency_hz,
            lag_s=lags(speech.frames) * speech.hop_s,
            quantities=("input", "relevance"),
            key=key,
            attrs={**about, "recording": recording},
            shard_tokens=shard,
            joining=joined is not None,
        )
        return heard, relevance, sums

    def _layer(self, variables: list) -> LayerSpec:
        speech = self.speech
        bands = ("frequency", "channel") if self.relevance.maps else ("frequency",)
        labels = {"frequency": "frequency_hz", "channel": "channel_frequency_hz"}
        return LayerSpec(
            INPUT,
            speech.time_s,
            variables,
            attrs={
                "layer": INPUT,
                "hop_s": speech.hop_s,
                "receptive_field_s": speech.hop_s,
                "offset_s": 0.0,
                "geometry": "layers",
                "context": "local",
                "channels": len(speech.frequency_hz),
                "output_axes": ["token", "sample", "frequency"],
            },
            coords={
                **{labels[band]: (band, speech.frequency_hz) for band in bands},
                **(self._alignment_labels() if any(one.name == ALIGNED_SAMPLE for one in variables) else {}),
            },
        )

    def _alignment_labels(self) -> dict[str, tuple[str, list[str]]]:
        named = {"letter": list(ascii_lowercase), "alignment": list(self.relevance.stored_alignments)}
        return {name: (name, labels) for name, labels in named.items()}

    def _about_speech(self) -> dict[str, object]:
        speech = self.speech
        front_end = {f"front_end_{name}": value for name, value in speech.reader.front_end.configuration.items()}
        return {"corpus": self.corpus.name, "window_frames": speech.frames, **front_end}

    def _key(self, weights: str, about: Mapping[str, object]) -> str:
        speech = self.speech
        how = {name: value for name, value in about.items() if name not in ("device", "batch_size")}
        return content_hash("windows", weights, speech.content_hash(), speech.windows, how, self.batch_size)

    def _input(self, store: str | os.PathLike[str], writer: RecordingWriter) -> RecordingWriter:
        """Return the writer of what was heard, which another method or network may have written."""
        self._check_written(store, writer, "mean")
        return writer

    def _check_written(self, store: str | os.PathLike[str], writer: RecordingWriter, *variables: str) -> None:
        """Compare the first batch that is on disk with what the network hears, or gives of it, now."""
        if not writer.written:
            return
        first = self.speech.groups(writer.written[0], self.batch_size)[0]
        relevance, heard = self._measured(first, None, aligned=ALIGNED_SAMPLE in variables)
        arrays = {INPUT: {one: (heard if one == "mean" else relevance)[one] for one in variables}}
        rows = np.arange(int(first[0]), int(first[-1]) + 1)
        check_recorded(store, writer.name, rows, arrays, {INPUT: _OTHER_MACHINE}, {INPUT: 0.0}, rows[:0])


@dataclass(frozen=True, eq=False)
class WindowsTask:
    """What a process needs to write any shard of windows that another one has begun; it can be pickled."""

    recorder: SentNetwork
    store: Path
    recording: str
    heard: str
    shard: int
    about: Mapping[str, object]
    key: str
    _here: dict[str, Any] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # What was loaded stays where it is.
        return {**self.__dict__, "_here": {}}

    def loaded(self) -> WindowRecorder:
        """Return the recorder, loaded once a process."""
        if not self._here:
            self._here["recorder"] = load_in_worker(self.recorder, self.store)
        return self._here["recorder"]


def write_windows(task: WindowsTask, number: int) -> None:
    """Measure and write one shard of windows, if nobody has."""
    task.loaded().write_shard(number, task)


def untrained_recording(recording: str, seed: int) -> str:
    """Return what the relevance of windows by an untrained network is called.

    Examples
    --------
    >>> untrained_recording("adapted", 3)
    'adapted_untrained_03'
    """
    return f"{recording}_{untrained_name(seed)}"


def _joined(parts: list[Arrays]) -> Arrays:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
