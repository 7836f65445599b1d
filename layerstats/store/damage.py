"""What is wrong with a store, and what mends it: the messages, and reading that notices."""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.core.codec_pipeline import BatchedCodecPipeline
from zarr.registry import register_pipeline
from zarr.storage import LocalStore

from layerstats.errors import StoreError
from layerstats.store.groups import METADATA, PARTIAL
from layerstats.store.layout import recording_of
from layerstats.store.schema import PHONES, RECORDINGS, RESULT_KINDS, TOKENS

_CHUNK = re.compile(r"/c(/\d+)*$")


def damaged(root: Path, place: Path | str, what: str) -> StoreError:
    """Return the error that says what is wrong with a part of a store, and what mends it.

    Parameters
    ----------
    root
        The store.
    place
        File or folder in it.
    what
        What is wrong with it.
    """
    place = Path(place)
    inside = place.relative_to(root) if place.is_relative_to(root) else place
    return StoreError(f"The store {root} is damaged: {inside.as_posix()} {what}. {remedy(root, inside)}")


def remedy(root: Path, inside: Path) -> str:
    """Say what mends a part of a store, by its path inside."""
    parts = inside.parts
    if parts[:1] in ((TOKENS,), (PHONES,)):
        return "Run the call that recorded it again: it writes the tables anew."
    if len(parts) == 2 and parts[0] in (RECORDINGS, *RESULT_KINDS) and parts[1] == METADATA:
        return f"Remove the file {root / inside} and run a call that wrote something into {parts[0]} again."
    recording = recording_of(parts)
    if recording is not None:
        folder = root.joinpath(*recording)
        return f"Remove the folder {folder} and run the call that recorded it again, or restore the file from a copy."
    if len(parts) > 1 and parts[0] in RESULT_KINDS:
        folder = root.joinpath(*parts[:2])
        return f"Remove the folder {folder} and run the call that wrote the table again, or restore it from a copy."
    return f"Restore the file from a copy, or remove {root} and record again."


class CheckedStore(LocalStore):
    """The files of a store for reading; a chunk that should be there and is not is an error, not a gap of NaN.

    Parameters
    ----------
    root
        The store.
    whole
        Whether every chunk must be there. Those of a half-written recording need not.
    """

    def __init__(self, root: Path, *, whole: bool = True, read_only: bool = True) -> None:
        super().__init__(root, read_only=read_only)
        self.whole = whole

    def with_read_only(self, read_only: bool = False) -> CheckedStore:
        """Return the same store, writable or not; it is never written to."""
        return type(self)(self.root, whole=self.whole, read_only=read_only)

    async def get(self, key: str, prototype: BufferPrototype | None = None, byte_range: Any = None) -> Buffer | None:
        """Read a file, as `LocalStore` does."""
        try:
            found = await super().get(key, prototype, byte_range)
        except OSError as error:
            raise damaged(self.root, self.root / key, f"cannot be read ({error.strerror})") from error
        if self.whole and _CHUNK.search(key) and (found is None or len(found) == 0):
            raise damaged(self.root, self.root / key, "is missing" if found is None else "is empty")
        return found

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """List a folder as `LocalStore` does, without what processes are preparing there."""
        async for name in super().list_dir(prefix):
            if not name.endswith(PARTIAL):
                yield name


class CheckedPipeline(BatchedCodecPipeline):
    """Zarr's way of reading chunks, which names the file where one cannot be decoded."""

    async def read(self, batch_info: Iterable[Any], out: Any, drop_axes: tuple[int, ...] = ()) -> Any:
        """Read chunks into `out`."""
        batch = list(batch_info)
        try:
            return await super().read(batch, out, drop_axes)
        except StoreError:
            raise
        except (RuntimeError, ValueError, TypeError, OSError, EOFError, zlib.error) as error:
            if len(batch) > 1:
                for chunk in batch:
                    await self.read([chunk], out, drop_axes)
            where = batch[0][0]
            store = getattr(where, "store", None)
            if not isinstance(store, CheckedStore):
                raise
            root = store.root
            raise damaged(root, root / where.path, f"cannot be decoded ({error})") from error


register_pipeline(CheckedPipeline)
# Zarr's configuration is the process's: two threads that change it at once would leave it changed.
_CHANGING_CONFIG = threading.Lock()
_CHECKED = {"codec_pipeline.path": f"{CheckedPipeline.__module__}.{CheckedPipeline.__qualname__}"}


def open_array(root: Path, inside: str, *, whole: bool = True) -> zarr.Array:
    """Open an array of a store for reading, by its path inside.

    Raises
    ------
    StoreError
        It is missing or its metadata are damaged; its chunks are looked at when they are read.
    """
    if not (root / inside / METADATA).exists():
        raise damaged(root, root / inside / METADATA, "is missing")
    try:
        with _CHANGING_CONFIG, zarr.config.set(_CHECKED):
            return zarr.open_array(CheckedStore(root, whole=whole), path=inside, mode="r", zarr_format=3)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(root, root / inside / METADATA, f"cannot be read ({error})") from error


def open_group(root: Path, inside: str, *, whole: bool = True) -> xr.Dataset:
    """Open a layer as a dataset whose values stay on disk, by its path inside the store; arrays were looked at."""
    with _CHANGING_CONFIG, zarr.config.set(_CHECKED):
        return xr.open_zarr(CheckedStore(root, whole=whole), group=inside, consolidated=False, chunks=None)


def missing_files(root: Path, array: zarr.Array, rows: int) -> list[Path]:
    """Return the files of an array's first `rows` rows that are not there or empty."""
    folder = root / array.path / "c"
    files = [range(-(-size // one)) for size, one in zip(array.shape, array.shards or array.chunks, strict=True)]
    files[0] = range(-(-rows // (array.shards or array.chunks)[0]))
    places = (folder.joinpath(*map(str, place)) for place in np.ndindex(*map(len, files)))
    return [place for place in places if not place.is_file() or place.stat().st_size == 0]
