"""Values by phone: the phones of a shard of tokens are kept apart until all are there, since they fill no shard."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
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


@dataclass(frozen=True)
class PhoneShards:
    """Where the phones of a recording lie: in pieces by the shard of their token, and in shards of their own.

    Parameters
    ----------
    recording
        Folder of the recording.
    rows
        The phones in shards.
    shard_of_phone
        For every phone the shard that its token is in, (phone,).
    """

    recording: Path
    rows: Rows
    shard_of_phone: np.ndarray

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self.shard_of_phone, kind="stable")

    @cached_property
    def _sorted(self) -> np.ndarray:
        return self.shard_of_phone[self._order]

    def of(self, shard: int) -> np.ndarray:
        """Return the rows of the phones in a shard of tokens, as they lie in its piece."""
        # A table of millions of phones is not gone through for every shard.
        return self._order[slice(*np.searchsorted(self._sorted, (shard, shard + 1)))]

    def beside(self, shard: int) -> list[int]:
        """Return the shards of phones that a shard of tokens has a part in."""
        return np.unique(self.of(shard) // self.rows.shard).tolist()

    def is_ready(self, number: int, layer: str, variable: str) -> bool:
        """Tell whether all pieces of a shard of phones are there."""
        shards = np.unique(self.shard_of_phone[self.rows.of(number)]).tolist()
        return all(is_written(piece_file(self.recording, shard, layer, variable)) for shard in shards)

    def assemble(self, number: int, layer: str, variable: str, array: zarr.Array) -> None:
        """Write a shard of phones from its pieces, unless it is there."""
        file = shard_file(self.recording / layer / variable, number, array.ndim)
        if is_written(file):
            return
        try:
            write_file(file, encode(self._values(number, layer, variable, array), array))
        except FileNotFoundError:
            # Another process may have finished the recording meanwhile, and pieces are gone then.
            if not is_written(file):
                raise

    def _values(self, number: int, layer: str, variable: str, array: zarr.Array) -> np.ndarray:
        span = self.rows.of(number)
        values = np.empty((span.stop - span.start, *array.shape[1:]), dtype=array.dtype)
        for shard in np.unique(self.shard_of_phone[span]).tolist():
            phones = self.of(shard)
            inside = (phones >= span.start) & (phones < span.stop)
            piece = np.load(piece_file(self.recording, shard, layer, variable), mmap_mode="r", allow_pickle=False)
            values[phones[inside] - span.start] = piece[inside]
        return values
