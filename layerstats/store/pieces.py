"""Values by phone: the phones of a shard of tokens are kept apart until all are there, since they fill no shard."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zarr

from layerstats.store.claims import working_folder
from layerstats.store.shards import Rows, encode, is_written, shard_file, write_file


def piece_file(recording: Path, number: int, layer: str, variable: str) -> Path:
    """Return where the phones of a shard of tokens are kept."""
    return working_folder(recording, number) / layer / f"{variable}.npy"


def write_piece(file: Path, values: np.ndarray) -> None:
    """Keep the phones of a shard of tokens."""
    content = io.BytesIO()
    np.save(content, values, allow_pickle=False)
    write_file(file, content.getvalue())


def assemble(
    recording: Path,
    layer: str,
    variable: str,
    array: zarr.Array,
    rows: Rows,
    shard_of_phone: np.ndarray,
    phones_of: Callable[[int], np.ndarray],
) -> None:
    """Write the shards of a variable by phone from its pieces; those that are there already are passed over.

    Parameters
    ----------
    recording, layer, variable
        Folder and names.
    array
        Where it goes.
    rows
        The phones in shards.
    shard_of_phone
        For every phone the shard that its token is in, (phone,).
    phones_of
        The rows of the phones in a shard of tokens, as they lie in its piece.
    """
    for number in range(rows.count):
        file = shard_file(recording / layer / variable, number, array.ndim)
        if is_written(file):
            continue
        span = rows.of(number)
        values = np.empty((span.stop - span.start, *array.shape[1:]), dtype=array.dtype)
        for shard in np.unique(shard_of_phone[span]):
            phones = phones_of(int(shard))
            inside = (phones >= span.start) & (phones < span.stop)
            piece = np.load(piece_file(recording, int(shard), layer, variable), mmap_mode="r", allow_pickle=False)
            values[phones[inside] - span.start] = piece[inside]
        write_file(file, encode(values, array))
