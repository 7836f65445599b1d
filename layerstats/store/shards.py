"""How the arrays of a layer are cut: a shard of tokens is one file of an array, written whole, beside and renamed."""

from __future__ import annotations

import math
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr
from zarr.storage import MemoryStore

from layerstats.store.compression import COMPRESSION
from layerstats.store.layer_spec import LayerSpec, VariableSpec

# Of the tokens of a shard: what a kill can lose, and what one task writes.
SHARD_TOKENS = 128
SHARD_BYTES = 2**26
# A store of fewer tokens has smaller shards where it is asked for, so that processes share the work.
SHARED_SHARDS = 8
# Beyond so many shards they become larger instead: a folder of a hundred thousand files is of use to nobody.
MOST_SHARDS = 256
# A chunk is decoded whole, whatever is read of it. Smaller ones cost more time a value, larger ones more memory to
# whoever reads a few tokens or channels.
CHUNK_TOKENS = 64
CHUNK_BYTES = 2**20
CHUNK_CHANNELS = 64


def tokens_in_shard(
    layers: Sequence[LayerSpec], tokens: int, batch_size: int = 1, phones: int = 0, least: int = SHARD_TOKENS
) -> int:
    """Return how many tokens a shard should have: whole batches, neither many files nor much memory.

    Parameters
    ----------
    layers
        What is recorded.
    tokens
        Number of tokens of the store.
    batch_size
        Tokens that are computed together. A shard of whole batches makes a resumed run form the same ones.
    phones
        Number of phones of the store, whose variables are computed with those of their tokens.
    least
        Tokens from which a shard may be one by itself: a small store has eight shards, if they have so many tokens.

    Examples
    --------
    >>> tokens_in_shard([LayerSpec("conv1", [0.0, 0.5])], tokens=1000, batch_size=48)
    96
    >>> tokens_in_shard([LayerSpec("conv1", [0.0, 0.5])], tokens=130, least=32)
    32
    >>> vectors = LayerSpec("conv1", None, [VariableSpec("phones", sizes={"channel": 768})])
    >>> tokens_in_shard([vectors] * 13, tokens=1000, batch_size=16, phones=60_000)
    16
    """
    values = {"token": 0, "phone": 0}
    for layer in layers:
        for variable in layer.variables:
            if variable.by_shard in values:
                values[variable.by_shard] += math.prod(layer.shape(variable.name, 1, 1))
    row_bytes = 4 * values["token"] + math.ceil(4 * values["phone"] * phones / tokens)
    return _rows_in_file(row_bytes, tokens, batch_size, least)


def _rows_in_file(row_bytes: int, rows: int, batch_size: int, least: int = SHARD_TOKENS) -> int:
    usual = min(SHARD_TOKENS, max(least, math.ceil(rows / SHARED_SHARDS)))
    wanted = max(usual, math.ceil(rows / MOST_SHARDS))
    fitting = min(wanted, SHARD_BYTES // row_bytes) if row_bytes else wanted
    return max(1, fitting // batch_size) * batch_size


def chunk_rows(shard_rows: int) -> int:
    """Return the rows of a chunk: a divisor of the rows of a shard, 64 at most.

    Examples
    --------
    >>> chunk_rows(128), chunk_rows(96), chunk_rows(5), chunk_rows(127)
    (64, 48, 5, 127)
    """
    best = max(rows for rows in range(1, min(shard_rows, CHUNK_TOKENS) + 1) if shard_rows % rows == 0)
    # Of a prime number of rows there are no parts.
    return best if best >= min(shard_rows, CHUNK_TOKENS) // 4 else shard_rows


@dataclass(frozen=True)
class Rows:
    """The rows of an axis in shards.

    Parameters
    ----------
    total
        Number of rows.
    shard
        Rows of a shard; the last one may have fewer.
    """

    total: int
    shard: int

    @property
    def count(self) -> int:
        """Number of shards."""
        return -(-self.total // self.shard)

    def of(self, number: int) -> slice:
        """Return the rows of a shard."""
        return slice(number * self.shard, min((number + 1) * self.shard, self.total))

    def number(self, rows: slice) -> int | None:
        """Return the shard whose rows these are, or None."""
        number = (rows.start or 0) // self.shard
        return number if 0 <= number < self.count and self.of(number) == slice(rows.start or 0, rows.stop) else None

    @property
    def stored(self) -> int:
        """Rows of a shard as it is cut on disk: of a short axis no more chunks than it needs."""
        rows = chunk_rows(self.shard)
        return min(self.shard, max(1, -(-self.total // rows)) * rows)


def cut(shape: tuple[int, ...], rows: Rows) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the chunks and the shards of an array whose first axis is cut into `rows`.

    A chunk of an array of three axes or more holds a part of the second one, as equal as can be, so that some channels
    of all tokens can be read without the others.

    Examples
    --------
    >>> cut((1067, 1024, 16), Rows(1067, 128))
    ((64, 64, 16), (128, 1024, 16))
    >>> cut((1067, 64, 4096), Rows(1067, 32))
    ((32, 2, 4096), (32, 64, 4096))
    """
    first = min(chunk_rows(rows.shard), rows.stored)
    if len(shape) < 3:
        return (first, *shape[1:]), (rows.stored, *shape[1:])
    second = shape[1]
    most = min(max(1, CHUNK_BYTES // (4 * first * math.prod(shape[2:]))), CHUNK_CHANNELS, second)
    # A divisor, since chunks divide a shard.
    part = max(size for size in range(1, most + 1) if second % size == 0)
    if part < most // 2:
        part = math.ceil(second / math.ceil(second / most))
    return (first, part, *shape[2:]), (rows.stored, math.ceil(second / part) * part, *shape[2:])


def starts_in_block(variables: Sequence[VariableSpec], starts: int, batch_size: int = 1) -> int:
    """Return how many starts of a maximization a block should have, as `tokens_in_shard` does for tokens.

    Examples
    --------
    >>> codes = VariableSpec("codes_after", ("start", "code"), {"code": 256})
    >>> starts_in_block([codes], starts=350_000, batch_size=100)
    1300
    """
    return _rows_in_file(sum(4 * math.prod(variable.sizes.values()) for variable in variables), starts, batch_size)


def cut_block(variable: VariableSpec, block: int) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Return the chunks and the shards of a variable by start or speaker, of which a block is one file.

    Who reads a few rows decodes a chunk, who reads a column decodes as few as can be.

    Examples
    --------
    >>> cut_block(VariableSpec("codes_after", ("start", "code"), {"code": 256}), 1300)
    ((650, 256), (1300, 256))
    """
    rest = tuple(int(variable.sizes[name]) for name in variable.dimensions[1:])
    if not rest:
        return (block,), None
    row = np.dtype(variable.dtype).itemsize * math.prod(rest)
    if len(rest) > 1 and row > CHUNK_BYTES:
        # Of a row that is too much for a chunk, a chunk holds a part of the next dimension.
        fitting = max(1, CHUNK_BYTES * rest[0] // row)
        part = max(size for size in range(1, fitting + 1) if rest[0] % size == 0)
        return (1, part, *rest[1:]), (block, *rest)
    most = max(1, CHUNK_BYTES // (4 * math.prod(rest)))
    chunk = max(rows for rows in range(1, min(block, most) + 1) if block % rows == 0)
    return (chunk, *rest), (block, *rest)


def encode(values: np.ndarray, array: zarr.Array) -> bytes:
    """Return the file of a shard of an array.

    The whole shard is encoded at once: writing parts of one into a file that is there loses data (zarr-python#3682).
    """
    shape = array.shards or array.chunks
    memory = MemoryStore()
    alone = zarr.create_array(
        memory,
        shape=shape,
        chunks=array.chunks,
        shards=array.shards,
        dtype=array.dtype,
        fill_value=array.fill_value,
        compressors=[COMPRESSION],
        zarr_format=3,
        # A shard of gaps only is a file too: its presence says that it was written.
        config={"write_empty_chunks": True},
    )
    padded = np.full(shape, array.fill_value, dtype=array.dtype)
    padded[tuple(map(slice, values.shape))] = values
    alone[...] = padded
    (content,) = (data for name, data in memory._store_dict.items() if not name.endswith("zarr.json"))
    return content.to_bytes()


def shard_file(folder: Path, number: int, dimensions: int) -> Path:
    """Return the file of a shard of an array of so many dimensions."""
    return folder.joinpath("c", str(number), *["0"] * (dimensions - 1))


def is_written(file: Path) -> bool:
    """Tell whether a shard is there: it appears whole or not at all."""
    return file.is_file() and file.stat().st_size > 0


def write_file(file: Path, content: bytes) -> None:
    """Write a file beside its place and rename it; it is on the disk before it has its name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(partial, file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
