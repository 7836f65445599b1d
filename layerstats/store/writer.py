"""Writing a recording: whole chunks of tokens, append-only, so that a killed run goes on where it stopped."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
import zarr
from numpy.typing import ArrayLike

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, StoreError
from layerstats.files import explaining
from layerstats.store.chunks import chunk_shape
from layerstats.store.create import RESUME, create_or_resume
from layerstats.store.groups import (
    METADATA,
    create_array,
    read_attributes,
    remove_partial_files,
    write_group,
)
from layerstats.store.layer_spec import LayerSpec
from layerstats.store.locks import hold, locked, release
from layerstats.store.provenance import timestamp
from layerstats.store.recordings import check_files, read_recording, summary_of
from layerstats.store.schema import (
    MAIN_RECORDING,
    SUMMARIES,
    UNTRAINED,
    check_recording_name,
    clean_attributes,
    unit_and_name,
)

# Of the tokens that are compressed together; also the most that a kill can lose.
CHUNK_TOKENS = 64
# Not part of what was recorded: they may differ between two runs that share a recording.
BOOKKEEPING = {"key", "complete", "tokens_written", "created_at", "chunk_tokens"}


class RecordingWriter:
    """Writes one recording of a store; a context manager that goes on where an earlier run of the same key stopped.

    Parameters
    ----------
    path, tokens, phones
        As for `create_or_resume`, which is called first.
    group
        `activations` or `untrained/seed_NN`.
    layers
        The layers, in their order in the network.
    key
        Hash of all that determines the values (weights, preprocessing, corpus, options). The same call again finds
        the same key and has nothing to do; another key in the same place is an error.
    attrs
        Provenance of the recording: `model_hash`, `seed`, preprocessing, ...
    store_attrs
        Provenance of the store (see `create_or_resume`).
    maps
        Whether full maps (token, channel, sample) are stored beside the means.
    summary
        What `append` is given of the channels, "mean" or "root_mean_square"; the arrays are named so.
    chunk_tokens
        Tokens per chunk. A multiple of the batch size makes a resumed run form the same batches.
    overwrite
        Replace a recording that has another key.
    created_at
        Time to be written instead of now (or of SOURCE_DATE_EPOCH).

    Raises
    ------
    StoreError
        The place holds a recording with another key, other clips or damaged files, is being written by another
        process, may not be written, or the disk is full.

    Examples
    --------
    >>> import tempfile, numpy as np, pandas as pd
    >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "dark"], "speaker": ["s1", "s2"], "split": "test"})
    >>> layer = LayerSpec("conv1", time_s=np.array([0.0, 0.1, 0.2]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with RecordingWriter(f"{folder}/s.zarr", "activations", tokens, None, [layer], key="k") as writer:
    ...         writer.append({"conv1": np.ones((2 - writer.completed, 3))})
    ...         writer.finish()
    ...         writer.complete
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        group: str,
        tokens: pd.DataFrame,
        phones: pd.DataFrame | None,
        layers: Sequence[LayerSpec],
        *,
        key: str,
        attrs: Mapping[str, object] | None = None,
        store_attrs: Mapping[str, object] | None = None,
        maps: bool = False,
        summary: str = "mean",
        chunk_tokens: int = CHUNK_TOKENS,
        overwrite: bool = False,
        created_at: str | None = None,
    ) -> None:
        check_recording_name(group)
        check_choice("summary", summary, SUMMARIES)
        self._check_layers(layers, maps)
        if chunk_tokens < 1:
            raise ArgumentError(f"The 'chunk_tokens' parameter must be at least 1, but got {chunk_tokens} instead.")
        self.path = create_or_resume(path, tokens, phones, attrs=store_attrs, created_at=created_at)
        self.group = group
        self.layers = tuple(layers)
        self.maps = maps
        self.summary = summary
        self.tokens = len(tokens)
        self._token_names = tokens["token"].to_numpy(dtype=object)
        self._folder = self.path.joinpath(*group.split("/"))
        with explaining(self._folder, StoreError, full=RESUME):
            self._lock = hold(self._folder, f"{group!r} of {self.path}")
        try:
            with explaining(self.path, StoreError, full=RESUME):
                names = [layer.name for layer in layers]
                kind = {} if summary == SUMMARIES[0] else {"summary": summary}
                recorded = clean_attributes({**(attrs or {}), **kind, "key": key, "layers": names, "maps": maps})
                self._attributes = self._begin(recorded, chunk_tokens, overwrite, created_at or timestamp())
                self._arrays = self._open_arrays()
        except BaseException:
            self.close()
            raise
        self._buffer: dict[str, list[np.ndarray]] = {name: [] for name in self._arrays}
        self._buffered = 0

    @staticmethod
    def _check_layers(layers: Sequence[LayerSpec], maps: bool) -> None:
        names = [layer.name for layer in layers]
        if not names or len(set(names)) < len(names):
            raise ArgumentError(f"A recording needs at least one layer and no name twice, but got {names}.")
        unknown = [layer.name for layer in layers if maps and not layer.channels]
        if unknown:
            raise ArgumentError(f"Maps were asked for, and the number of channels is not given for {unknown}.")

    @property
    def completed(self) -> int:
        """Number of tokens that are on disk; the next one to append is `tokens.iloc[completed]`."""
        return int(self._attributes["tokens_written"])

    @property
    def complete(self) -> bool:
        """Whether the recording is finished, so that there is nothing to do."""
        return bool(self._attributes["complete"])

    def append(self, means: Mapping[str, ArrayLike], maps: Mapping[str, ArrayLike] | None = None) -> None:
        """Add the next tokens, as many as the arrays have.

        Parameters
        ----------
        means
            The average over channels of every layer, (token, sample), or another `summary`.
        maps
            The activations of every layer, (token, channel, sample), where the recording has maps.

        Raises
        ------
        ArgumentError
            A layer is missing or unknown, or an array has another shape than announced.
        StoreError
            The disk is full, or more tokens come than the store has.
        """
        batch = self._check_batch(means, maps or {})
        tokens = len(next(iter(batch.values())))
        if self.completed + self._buffered + tokens > self.tokens:
            raise StoreError(f"{self.path} has {self.tokens} tokens, and {tokens} more came after the last one.")
        for name, values in batch.items():
            self._buffer[name].append(values)
        self._buffered += tokens
        whole = self._buffered - self._buffered % self._chunk_tokens
        if whole:
            self._write(whole)

    def finish(self) -> None:
        """Write what is left and mark the recording as complete.

        Raises
        ------
        StoreError
            Where tokens are still missing, or the disk is full.
        """
        if self.complete:
            return
        received = self.completed + self._buffered
        if received < self.tokens:
            raise StoreError(
                f"The recording {self.group!r} has {received} of {self.tokens} tokens and cannot be finished yet."
            )
        if self._buffered:
            self._write(self._buffered)
        with explaining(self.path, StoreError, full=RESUME):
            remove_partial_files(self._folder)
            self._update(complete=True)

    def close(self) -> None:
        """Let another process write; tokens that fill no chunk yet are dropped and will be recorded again."""
        lock, self._lock = self._lock, None
        release(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _chunk_tokens(self) -> int:
        return int(self._attributes["chunk_tokens"])

    def _begin(self, recorded: dict, chunk_tokens: int, overwrite: bool, created_at: str) -> dict:
        attributes: dict | None = None
        if (self._folder / METADATA).exists():
            attributes = self._resumed(recorded, overwrite)
        if attributes is None:
            self._check_summaries()
            attributes = {**recorded, "chunk_tokens": chunk_tokens, "created_at": created_at}
            attributes |= {"complete": False, "tokens_written": 0}
            self._name_in_parents(attributes)
            write_group(self._folder, attributes)
        elif attributes["complete"]:
            self._name_in_parents(attributes)
            return attributes
        if attributes["tokens_written"] == 0:
            self._create_layers(int(attributes["chunk_tokens"]))
        else:
            remove_partial_files(self._folder)
            # Rounded up: the last chunk of all is short, and may have been written before the kill.
            self._remove_unfinished_chunks(math.ceil(attributes["tokens_written"] / attributes["chunk_tokens"]))
        return attributes

    def _resumed(self, recorded: dict, overwrite: bool) -> dict | None:
        """Return the attributes of what is there, all of whose files were looked for; None where it is replaced."""
        if overwrite:
            attributes = read_attributes(self._folder)
            if any(attributes.get(name) != recorded[name] for name in ("key", "layers", "maps")):
                return None
        attributes = read_recording(self.path, self.group)
        if any(attributes.get(name) != recorded[name] for name in ("key", "layers", "maps")):
            raise StoreError(_another_key(self.path, self.group, attributes, recorded))
        if attributes["tokens_written"] > 0:
            check_files(self.path, self.group, attributes)
        return attributes

    def _check_summaries(self) -> None:
        """Refuse a recording that could not be compared with those that are there."""
        there = [self.path / MAIN_RECORDING, *(self.path / UNTRAINED).glob("seed_*")]
        for folder in there:
            if folder != self._folder and (folder / METADATA).exists():
                other = summary_of(read_attributes(folder))
                if other != self.summary:
                    raise StoreError(
                        f"{self.path} holds the {other!r} over channels in {folder.relative_to(self.path)}, and "
                        f"{self.summary!r} cannot be compared with it. Choose another path, or summary={other!r}."
                    )

    def _name_in_parents(self, attributes: Mapping[str, object]) -> None:
        # Recordings of other processes share the parents.
        with locked(self.path, f"the tables of {self.path}"):
            if self.group == MAIN_RECORDING:
                about_model = {name: attributes[name] for name in ("model_hash", "seed") if name in attributes}
                root = read_attributes(self.path)
                if not about_model.items() <= root.items():
                    write_group(self.path, {**root, **about_model})
            elif not (self.path / UNTRAINED / METADATA).exists():
                about = {"long_name": "recordings of the same architecture with random weights"}
                write_group(self.path / UNTRAINED, about)

    def _create_layers(self, chunk_tokens: int) -> None:
        # A store keeps its version, and whatever is added to it is written as that version says.
        version = int(read_attributes(self.path)["schema_version"])
        for child in self._folder.iterdir():
            if child.is_dir():
                shutil.rmtree(child)
        for layer in self.layers:
            folder = self._folder / layer.name
            attributes = clean_attributes({"layer": layer.name, **layer.attrs, **unit_and_name(self.summary)})
            write_group(folder, attributes)
            token = create_array(
                folder / "token", (self.tokens,), (self.tokens,), "text", ("token",), unit_and_name("token")
            )
            token[:] = self._token_names
            size = (layer.samples,)
            time_s = create_array(folder / "time_s", size, size, "float64", ("sample",), unit_and_name("time_s"))
            time_s[:] = np.asarray(layer.time_s, dtype=np.float64)
            shapes: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {self.summary: (("token", "sample"), size)}
            if self.maps and layer.channels:
                shapes["maps"] = (("token", "channel", "sample"), (layer.channels, layer.samples))
            for name, (dimensions, rest) in shapes.items():
                shape = (self.tokens, *rest)
                create_array(
                    folder / name,
                    shape,
                    chunk_shape(shape, chunk_tokens, version),
                    "float32",
                    dimensions,
                    # xarray's way of saying that time_s belongs to the axis `sample`
                    {**unit_and_name(name), "coordinates": "time_s"},
                )

    def _remove_unfinished_chunks(self, whole: int) -> None:
        for layer in self.layers:
            for name in (self.summary, "maps"):
                chunks = self._folder / layer.name / name / "c"
                for chunk in chunks.iterdir() if chunks.exists() else ():
                    # Anything else was put there by a file manager.
                    if chunk.name.isdecimal() and int(chunk.name) >= whole:
                        shutil.rmtree(chunk)

    def _open_arrays(self) -> dict[str, zarr.Array]:
        names = [f"{layer.name}/{kind}" for layer in self.layers for kind in (self.summary, "maps")]
        kept = [name for name in names if self.maps or not name.endswith("/maps")]
        config = {"write_empty_chunks": True}
        return {name: zarr.open_array(self._folder / name, mode="r+", config=config) for name in kept}

    def _check_batch(self, means: Mapping[str, ArrayLike], maps: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
        given = {f"{name}/{self.summary}": values for name, values in means.items()}
        given |= {f"{name}/maps": values for name, values in maps.items()}
        if given.keys() != self._arrays.keys():
            difference = sorted(given.keys() ^ self._arrays.keys())
            raise ArgumentError(f"A batch must have exactly the announced layers; missing or unknown: {difference}.")
        batch = {name: np.array(values, dtype=np.float32) for name, values in given.items()}
        tokens = {len(values) for values in batch.values()}
        for name, values in batch.items():
            if values.shape[1:] != self._arrays[name].shape[1:] or len(tokens) > 1:
                expected = ("token", *self._arrays[name].shape[1:])
                raise ArgumentError(f"{name} must have shape {expected}, but got {values.shape} instead.")
        return batch

    def _write(self, tokens: int) -> None:
        start = self.completed
        with explaining(self.path, StoreError, full=RESUME):
            for name, pieces in self._buffer.items():
                values = np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
                self._arrays[name][start : start + tokens] = values[:tokens]
                self._buffer[name] = [values[tokens:]] if len(values) > tokens else []
            self._update(tokens_written=start + tokens)
        self._buffered -= tokens

    def _update(self, **changes: object) -> None:
        self._attributes = {**self._attributes, **changes}
        write_group(self._folder, self._attributes)


def _another_key(path: Path, group: str, existing: Mapping[str, object], recorded: Mapping[str, object]) -> str:
    names = sorted((existing.keys() | recorded.keys()) - BOOKKEEPING)
    changes = [
        f"{name}: {existing.get(name)!r} there, {recorded.get(name)!r} now"
        for name in names
        if existing.get(name) != recorded.get(name)
    ]
    what = "; ".join(changes) or f"key: {existing.get('key')!r} there, {recorded['key']!r} now"
    return (
        f"{path} already holds another recording in {group!r} ({what}). Choose another path, or remove the folder "
        f"{path / group} to replace it."
    )
