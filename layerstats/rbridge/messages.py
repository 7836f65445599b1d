"""What travels between a session and its worker: length-prefixed pickles of R values taken apart into bytes.

Standard library only: the worker must start fast.
"""

from __future__ import annotations

import pickle
import struct
from typing import IO, NamedTuple

_LENGTH = struct.Struct("<Q")

# R's NA in integer and logical vectors.
NA_INTEGER = -(2**31)


class RValue(NamedTuple):
    """One R value taken apart.

    Attributes
    ----------
    kind
        ``"double"``, ``"integer"``, ``"logical"`` (payload: bytes of C doubles or ints, column-major), ``"character"``
        (payload: list of str or None), ``"pooled"`` (a long character vector; payload: bytes of 1-based int codes and
        the list of distinct strings), ``"list"`` (payload: list of `RValue`) or ``"null"``.
    payload
        As above.
    attributes
        R's attributes by name.
    """

    kind: str
    payload: object
    attributes: dict[str, RValue]


class RCall(NamedTuple):
    """A request: the R function and its named arguments."""

    function: str
    arguments: dict[str, RValue]


class RAnswer(NamedTuple):
    """A worker's answer.

    Attributes
    ----------
    status
        ``"ready"`` (after start-up), ``"value"``, ``"error"``, ``"memory"`` or ``"missing"``.
    value
        The result, where the status is ``"value"``.
    message, call
        What went wrong and in which call.
    warnings
        R's warnings during the call.
    """

    status: str
    value: RValue | None = None
    message: str = ""
    call: str = ""
    warnings: tuple[str, ...] = ()


def write_message(stream: IO[bytes], message: object) -> None:
    """Write one message and flush."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def read_message(stream: IO[bytes]) -> object:
    """Read one message.

    Raises
    ------
    EOFError
        If the other side has gone.
    """
    (length,) = _LENGTH.unpack(_read_exactly(stream, _LENGTH.size))
    return pickle.loads(_read_exactly(stream, length))


def _read_exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the other side of the pipe has gone")
    return data
