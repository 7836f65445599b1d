"""How the arrays of a layer are cut into chunks, by the schema version of the store."""

from __future__ import annotations

import math

# A chunk is decoded whole, whatever is read of it. Smaller ones cost more files and more time a value, larger ones
# more memory to whoever reads a few channels.
CHUNK_BYTES = 2**20
CHUNK_CHANNELS = 64
_VALUE_BYTES = 4


def chunk_shape(shape: tuple[int, ...], chunk_tokens: int, schema_version: int) -> tuple[int, ...]:
    """Return the chunks of an array (token, ..., sample) of a layer.

    Parameters
    ----------
    shape
        Of the array: (token, sample) or (token, channel, sample).
    chunk_tokens
        Tokens in a chunk.
    schema_version
        Of the store. Up to version 1 a chunk holds all channels, from version 2 on a part of them, as equal as can be.

    Examples
    --------
    >>> chunk_shape((1067, 1024, 16), 64, schema_version=2)
    (64, 64, 16)
    >>> chunk_shape((1067, 64, 4096), 32, schema_version=2)
    (32, 2, 4096)
    >>> chunk_shape((1067, 1024, 16), 64, schema_version=1)
    (64, 1024, 16)
    """
    tokens, rest = min(chunk_tokens, shape[0]), shape[1:]
    if schema_version < 2 or len(rest) == 1:
        return (tokens, *rest)
    channels, samples = rest
    most = min(max(1, CHUNK_BYTES // (_VALUE_BYTES * tokens * samples)), CHUNK_CHANNELS)
    return (tokens, math.ceil(channels / math.ceil(channels / most)), samples)
