"""What all writers of shards do: claim, write, go on, finish; by any number of processes, which may be killed."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self, TypeVar

from layerstats.errors import ArgumentError, OtherRecordingError, StoreError
from layerstats.files import explaining
from layerstats.store.claims import claimed, is_being_written
from layerstats.store.consolidated import consolidate
from layerstats.store.create import RESUME
from layerstats.store.groups import METADATA, read_attributes, remove_partial_files, write_group
from layerstats.store.locks import locked
from layerstats.store.schema import check_current
from layerstats.store.shards import Rows, is_written

# Not part of what was written: they may differ between two runs that share a place.
BOOKKEEPING = {
    *("key", "complete", "created_at", "shard_tokens", "shard_starts", "shard_speakers"),
    *("tokens_written", "chunk_tokens"),
}
_PAUSE_S = 0.05
# Another process may be putting together what it recorded by phone.
_PATIENCE_S = 3600.0


class Sharded(Protocol):
    """A group in shards as it lies on disk."""

    @property
    def folder(self) -> Path:
        """Its folder."""
        ...

    @property
    def attributes(self) -> dict[str, Any]:
        """Its attributes, checked."""
        ...

    @property
    def complete(self) -> bool:
        """Whether it is finished."""
        ...

    @property
    def rows(self) -> Rows:
        """Its rows in shards."""
        ...

    def is_empty(self) -> bool:
        """Tell whether nothing was written yet but the beginning."""
        ...


class ShardedWriter(ABC):
    """Writes one group of a store in shards; a context manager. What the group is, its kinds say in the hooks below."""

    path: Path
    name: str
    # What it is in messages, what its rows are, and what has to be equal where it is gone on with.
    _kind: ClassVar[str]
    _unit: ClassVar[str]
    _same: ClassVar[tuple[str, ...]]
    _place: Sharded
    _rows: Rows

    def __init__(self) -> None:
        self._there: set[int] = set()
        self._behind: Future[None] | None = None
        self._claims = ExitStack()

    @abstractmethod
    def _open(self, version: int) -> Sharded:
        """Return what is on disk."""

    @abstractmethod
    def _write_beginning(self, attributes: Mapping[str, object]) -> None:
        """Write the group without values."""

    @abstractmethod
    def _check_whole(self) -> None:
        """Look for all files that should be there."""

    @abstractmethod
    def _files(self, number: int) -> Iterable[Path]:
        """Return the files whose presence says that a shard was written."""

    @abstractmethod
    def _write_rest(self, values: Mapping[str, Any]) -> None:
        """Write what is in no shard, when all of those are there."""

    @property
    def complete(self) -> bool:
        """Whether all is written and marked so, so that there is nothing to do."""
        return self._place.complete

    @property
    def written(self) -> list[slice]:
        """The rows that are on disk, a slice a shard."""
        if self.complete:
            return [slice(0, self._rows.total)]
        return [self._rows.of(number) for number in range(self._rows.count) if self._has(number)]

    @property
    def shards(self) -> int:
        """How many shards there are, written or not."""
        return self._rows.count

    def lacking(self, part: tuple[int, int] = (0, 1)) -> list[int]:
        """Return the numbers of the shards that nobody has written yet; of a part, as `missing` takes it."""
        return [
            number for number in range(part[0], self._rows.count, part[1]) if not (self.complete or self._has(number))
        ]

    def rows_of(self, number: int) -> slice:
        """Return the rows of a shard."""
        return self._rows.of(number)

    def missing(self, part: tuple[int, int] = (0, 1)) -> Generator[slice, None, None]:
        """Yield the rows of one shard after the other that nobody has written yet, for this process to write.

        Those that other processes have claimed are waited for at the end, and taken over where such a process ends
        without having written them.

        Parameters
        ----------
        part
            (3, 64): only every 64th shard, from the fourth on, for machines that share the work.

        Raises
        ------
        StoreError
            The file system has no locks.
        """
        with closing(missing_together([self], part)) as together:
            for rows, _ in together:
                yield rows

    def finish(self, values: Mapping[str, Any] | None = None) -> None:
        """Mark what was written as complete, when all shards are there.

        Parameters
        ----------
        values
            What is in no shard, if there is anything.

        Raises
        ------
        ArgumentError
            Of these a variable is missing or unknown, or an array has another shape than announced.
        StoreError
            Rows are still missing, or the disk is full.
        """
        self._wait_behind()
        if self.complete:
            return
        folder = self._place.folder
        with explaining(self.path, StoreError, full=RESUME):
            with locked(folder, str(folder), patience_s=_PATIENCE_S):
                if not self._is_finished():
                    self._finish(values or {})
            self._place = self._open(int(read_attributes(self.path)["schema_version"]))
            with locked(self.path, f"the tables of {self.path}"):
                self._tidy()

    def close(self) -> None:  # noqa: B027 - for callers that close what they open
        """Nothing is left open: what was written is on disk, and claims end with the loop over `missing`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _write_behind(self, write: Callable[[], None]) -> None:
        """Let a thread write a shard, after the one before; its claim ends when it is on disk."""
        self._wait_behind()
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="write-shard")
        self._behind = thread.submit(write)
        thread.shutdown(wait=False)

    def _wait_behind(self) -> None:
        """Wait for the shard that a thread writes; what stopped that is raised here."""
        behind, self._behind = self._behind, None
        with self._claims.pop_all():
            if behind is not None:
                behind.result()

    def _begin(self, recorded: dict, beginning: Mapping[str, object], overwrite: bool, created_at: str) -> None:
        """Begin, or go on with, what `recorded` says; `beginning` are attributes that whoever goes on takes over."""
        with locked(self.path, f"the tables of {self.path}"):
            root = read_attributes(self.path)
            version = int(root["schema_version"])
            self._place = self._open(version)
            folder = self._place.folder
            if version > 2 and not (folder.parent / METADATA).exists():
                write_group(folder.parent)
            if (folder / METADATA).exists() and self._is_gone_on_with(recorded, overwrite):
                if version > 2 and self.complete:
                    self._tidy()
                return
            check_current(root, self.path)
            if (folder / METADATA).exists():
                created_at = self._created_before(recorded) or created_at
            self._write_beginning({**recorded, **beginning, "created_at": created_at, "complete": False})
            self._place = self._open(version)

    def _join(self, recorded: dict) -> None:
        """Go on with what another process has begun, and may be writing; nothing is begun here."""
        self._place = self._open(int(read_attributes(self.path)["schema_version"]))
        if not (self._place.folder / METADATA).exists():
            raise StoreError(f"There is no {self._kind} {self.name!r} in {self.path} any more.")
        attributes = self._place.attributes
        if not self._is_same(attributes, recorded):
            raise OtherRecordingError(self._another_key(attributes, recorded))

    def _created_before(self, recorded: dict) -> str | None:
        """Return when the same was begun first, where it is begun again."""
        there = read_attributes(self._place.folder)
        return there.get("created_at") if self._is_same(there, recorded) else None

    def _is_same(self, there: Mapping[str, object], recorded: Mapping[str, object]) -> bool:
        return all(there.get(name) == recorded[name] for name in self._same)

    def _is_gone_on_with(self, recorded: dict, overwrite: bool) -> bool:
        """Tell whether what is there is the same, all of whose files were looked for, and not to be replaced."""
        folder = self._place.folder
        if overwrite and not self._is_same(read_attributes(folder), recorded):
            if is_being_written(folder):
                raise StoreError(f"Another process is writing {folder}. Wait until it has finished.")
            return False
        attributes = self._place.attributes
        if not self._is_same(attributes, recorded):
            raise OtherRecordingError(self._another_key(attributes, recorded))
        if not attributes["complete"]:
            check_current(read_attributes(self.path), self.path)
            if self._place.is_empty() and not is_being_written(folder):
                # There is nothing to go on with, and what is said of it may have been corrected since.
                return False
        self._check_whole()
        return True

    def _finish(self, values: Mapping[str, Any]) -> None:
        written = sum(rows.stop - rows.start for rows in self.written)
        if written < self._rows.total:
            raise StoreError(
                f"The {self._kind} {self.name!r} has {written} of {self._rows.total} {self._unit} and cannot be "
                "finished yet."
            )
        self._write_rest(values)
        write_group(self._place.folder, {**read_attributes(self._place.folder), "complete": True})

    def _is_finished(self) -> bool:
        """Tell whether some process has finished it meanwhile."""
        return bool(read_attributes(self._place.folder)["complete"])

    def _tidy(self) -> None:
        """Remove what processes left, and name what is there in the root; needs the lock of the store."""
        remove_partial_files(self._place.folder)
        consolidate(self.path)

    def _number(self, rows: slice) -> int:
        number = self._rows.number(rows)
        if number is None:
            raise ArgumentError(
                f"The rows {rows} are no shard of {self.name!r}, whose shards have {self._rows.shard} {self._unit}. "
                "Write what `missing` gives, all of it at once."
            )
        return number

    def _has(self, number: int) -> bool:
        if number not in self._there:
            if not all(map(is_written, self._files(number))):
                return False
            self._there.add(number)
        return True

    def _is_needed(self, number: int) -> bool:
        return not (self.complete or self._has(number) or self._is_finished())

    @contextmanager
    def _claimed(self, number: int) -> Iterator[bool | None]:
        """Claim a shard, and say whether it is this process's to write; None where another one is at it."""
        if not self._is_needed(number):
            yield False
            return
        with claimed(self._place.folder, number) as mine:
            yield self._is_needed(number) if mine else None

    def _another_key(self, there: Mapping[str, object], recorded: Mapping[str, object]) -> str:
        names = sorted((there.keys() | recorded.keys()) - BOOKKEEPING)
        changes = [
            f"{name}: {there.get(name)!r} there, {recorded.get(name)!r} now"
            for name in names
            if there.get(name) != recorded.get(name)
        ]
        what = "; ".join(changes) or f"key: {there.get('key')!r} there, {recorded['key']!r} now"
        return (
            f"{self.path} already holds another {self._kind} {self.name!r} ({what}). Choose another path or name, or "
            f"remove the folder {self._place.folder} to replace it."
        )


Writer = TypeVar("Writer", bound=ShardedWriter)


def missing_together(
    writers: Iterable[Writer], part: tuple[int, int] = (0, 1)
) -> Generator[tuple[slice, list[Writer]], None, None]:
    """Yield the rows of one shard after the other, and which of several writers of equal shards lack them.

    What they share is so computed once a shard. The shards that other processes have claimed are waited for at the end.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import pandas as pd
    >>> from layerstats.store import OutcomeWriter, VariableSpec
    >>> starts = pd.DataFrame({"start": ["yes_0", "no_0"], "target": ["yes", "no"], "number": 0, "seed": [1, 2]})
    >>> starts["token"] = ""
    >>> scores = [VariableSpec("scores_after", ("start", "class"), {"class": 2})]
    >>> about = {"key": "k", "attrs": {"set_up": "s", "network": "n1"}, "coords": {"class": ("class", ["no", "yes"])}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = OutcomeWriter(f"{folder}/s.zarr", "first.n1", starts, scores, **about)
    ...     second = OutcomeWriter(f"{folder}/s.zarr", "second.n1", starts, scores, **about)
    ...     with first, second:
    ...         for rows, lacking in missing_together([first, second]):
    ...             for writer in lacking:
    ...                 writer.write(rows, {"scores_after": np.eye(2)[rows]})
    ...         rows, len(lacking)
    (slice(0, 2, None), 2)
    """
    writers = list(writers)
    waiting = writers
    try:
        while waiting:
            busy: list[Writer] = []
            progressed = False
            for number in range(part[0], waiting[0]._rows.count, part[1]):
                with ExitStack() as claims:
                    mine, others = claims.enter_context(_all_claimed(waiting, number))
                    busy += [writer for writer in others if writer not in busy]
                    if mine:
                        progressed = True
                        yield waiting[0]._rows.of(number), mine
                    for writer in mine:
                        if writer._behind is not None:
                            writer._claims.push(claims.pop_all())
            waiting = busy
            if waiting and not progressed:
                time.sleep(_PAUSE_S)
        for writer in writers:
            writer._wait_behind()
    finally:
        # Whoever stopped has a reason of its own, but what is being written is kept.
        for writer in writers:
            with suppress(Exception):
                writer._wait_behind()


@contextmanager
def _all_claimed(writers: Iterable[Writer], number: int) -> Iterator[tuple[list[Writer], list[Writer]]]:
    """Claim a shard of several writers: those that this process writes, and those that another process is at."""
    with ExitStack() as claims:
        found = [(writer, claims.enter_context(writer._claimed(number))) for writer in writers]
        yield [writer for writer, mine in found if mine], [writer for writer, mine in found if mine is None]
