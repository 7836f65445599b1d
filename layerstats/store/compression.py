"""The compression of arrays: gzip, which base R decodes too, without the time that its frames usually carry."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

from zarr.codecs import GzipCodec

if TYPE_CHECKING:
    from zarr.core.array_spec import ArraySpec
    from zarr.core.buffer import Buffer


class TimelessGzip(GzipCodec):
    """gzip whose bytes depend on the values only; what it writes every gzip decoder reads.

    Examples
    --------
    >>> TimelessGzip(level=1).to_dict()
    {'name': 'gzip', 'configuration': {'level': 1}}
    """

    def _encode_sync(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer:
        content = gzip.compress(chunk_bytes.to_bytes(), self.level, mtime=0)
        return chunk_spec.prototype.buffer.from_bytes(content)

    async def _encode_single(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer:
        return await asyncio.to_thread(self._encode_sync, chunk_bytes, chunk_spec)


# gzip frames have a checksum, so that a flipped bit is an error and not another value. Levels above 1 cost time and
# gain nothing on activations.
COMPRESSION = TimelessGzip(level=1)
