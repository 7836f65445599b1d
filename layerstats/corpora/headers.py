"""What the header of a sound file promises, beside what the file holds: a cut file reads without an error."""

from __future__ import annotations

import re
import struct
from pathlib import Path

# Sizes that programs write where they do not know the length: a stream, or a file made in a pipe.
_STREAMED = 0x7FFFF000
# Less than this behind the last chunk is a tag or padding, not audio.
_TAGS = 1024
_SPHERE_FIELD = rb"^%s -i (\d+)"
_HEAD, _TAIL = 4096, 65536 + 282  # the longest page of an Ogg stream
# Bit rates of MPEG layer III in kbit/s, and sampling rates in Hz, by what stands in a frame's header.
_RATES_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_HZ = (44100, 48000, 32000)
_HZ_DIVISOR = {3: 1, 2: 2, 0: 4}
_FRAMES = 400


def length_fault(path: Path) -> str | None:
    """Say what is wrong where the header of a sound file and the file's length disagree, so that speech is lost.

    Parameters
    ----------
    path : Path
        A file of any format; what is neither RIFF, W64, AIFF, AU, NIST SPHERE, Ogg nor MP3 is not looked into.

    Returns
    -------
    str or None
        The end of a sentence that began with the file's name; None where nothing is wrong.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cut.au"
    >>> _ = file.write_bytes(b".snd" + (24).to_bytes(4, "big") + (900).to_bytes(4, "big") + bytes(612))
    >>> length_fault(file)
    'it was cut short: its header promises 900 bytes of audio, and 600 are there'
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"FORM"):
            return _chunked(file, head, size)
        if head.startswith(b"riff") and len(head) >= 24:  # Sony's W64
            return _cut(struct.unpack("<Q", head[16:24])[0], size)
        if head.startswith(b".snd") and len(head) >= 12:
            start, promised = struct.unpack(">II", head[4:12])
            return None if promised >= _STREAMED else _cut(promised, size - start)
        if head.startswith(b"NIST_1A"):
            return _sphere(head, size)
        if head.startswith(b"OggS"):
            return _ogg(file, size)
        return None if says_length(path) else _mpeg(file, _mpeg_start(head))


def said_samples(path: Path) -> int | None:
    """Return the samples that the header of a compressed WAV file promises: its last block is padded.

    Parameters
    ----------
    path : Path
        A file of any format.

    Returns
    -------
    int or None
        What the chunk `fact` says; None where there is none.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    at = head.find(b"fact")
    if head[:4] != b"RIFF" or at < 0 or len(head) < at + 12:
        return None
    return struct.unpack("<I", head[at + 8 : at + 12])[0] or None


def says_length(path: Path) -> bool:
    """Tell whether an MP3 has a header of Xing, LAME or Fraunhofer; else its length is a guess from one bit rate."""
    with path.open("rb") as file:
        file.seek(_mpeg_start(file.read(10)))
        return re.search(b"Xing|Info|VBRI", file.read(256)) is not None


def _mpeg_start(head: bytes) -> int:
    """Find where the frames of an MP3 begin, behind a tag."""
    if not head.startswith(b"ID3") or len(head) < 10:
        return 0
    return 10 + sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def _cut(promised: int, there: int, unit: int = 2) -> str | None:
    if there > promised - unit:
        return None
    return f"it was cut short: its header promises {promised} bytes of audio, and {max(there, 0)} are there"


def _chunked(file, head: bytes, size: int) -> str | None:
    """Read RIFF and AIFF: chunks of a name and a length, one of which holds the audio."""
    order = ">" if head[:4] in (b"FORM", b"RIFX") else "<"
    position, unit = 12, 1
    while position + 8 <= size:
        file.seek(position)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        position += 8
        if name == b"fmt ":
            unit = max(struct.unpack(f"{order}12xH", file.read(14).ljust(14, b"\0"))[0], 1)
        if name in (b"data", b"SSND"):
            there = size - position
            if head.startswith(b"RF64") and length == 0xFFFFFFFF and head[12:16] == b"ds64":
                length = struct.unpack("<Q", head[28:36])[0]
            elif length >= _STREAMED and length > there:
                return None
            fault = _cut(length, there, unit)
            return fault or _audio_behind(file, position + length, size, order, length)
        position += length + length % 2
    return None


def _audio_behind(file, position: int, size: int, order: str, length: int) -> str | None:
    """Count bytes behind the audio that are no chunks: audio too, of a file whose header was never finished."""
    padded = position + length % 2
    if any(_are_chunks(file, start, size, order) for start in (padded, position)) or size - padded < _TAGS:
        return None
    file.seek(padded)
    if not any(block.strip(b"\0") for block in iter(lambda: file.read(2**20), b"")):
        return None  # room that was set aside
    return (
        f"its header promises {length} bytes of audio, and {size - padded} more follow, as where a recording was "
        "not closed"
    )


def _are_chunks(file, position: int, size: int, order: str) -> bool:
    while position + 8 <= size:
        file.seek(position)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        if not re.fullmatch(rb"[\x20-\x7e]{4}", name) or position + 8 + length > size:
            return False
        position += 8 + length + length % 2
    return True


def _sphere(head: bytes, size: int) -> str | None:
    fields = {}
    for name in (b"sample_count", b"sample_n_bytes", b"channel_count"):
        found = re.search(_SPHERE_FIELD % name, head, re.MULTILINE)
        fields[name] = int(found[1]) if found else None
    length = head[8:16].strip()
    if b"shorten" in head or not length.isdigit() or not fields[b"sample_count"] or not fields[b"sample_n_bytes"]:
        return None
    unit = fields[b"sample_n_bytes"] * (fields[b"channel_count"] or 1)
    return _cut(fields[b"sample_count"] * unit, size - int(length), unit)


def _ogg(file, size: int) -> str | None:
    """Check that the last page of an Ogg stream says that it is the last."""
    file.seek(max(size - _TAIL, 0))
    tail = file.read()
    last = tail.rfind(b"OggS")
    ends = 0 <= last < len(tail) - 5 and tail[last + 5] & 4
    return None if ends else "it was cut short: its last page is missing"


def _mpeg(file, position: int) -> str | None:
    """Check an MP3: without a length in its header, only one of one bit rate is read to its end."""
    rates = set()
    for _ in range(_FRAMES):
        file.seek(position)
        frame = _mpeg_frame(file.read(4))
        if frame is None:
            break
        rates.add(frame[0])
        position += frame[1]
    if len(rates) < 2:
        return None
    return "it is an MP3 of varying bit rate whose header does not say its length, so that speech would be lost"


def _mpeg_frame(header: bytes) -> tuple[int, int] | None:
    """Return the bit rate in kbit/s and the length in bytes of a frame of layer III; None where there is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, rate, hertz, padding = (header[1] >> 3) & 3, header[2] >> 4, (header[2] >> 2) & 3, (header[2] >> 1) & 1
    if version == 1 or not 0 < rate < 15 or hertz == 3:
        return None
    kilobits = (_RATES_1 if version == 3 else _RATES_2)[rate - 1]
    per_frame = 144_000 if version == 3 else 72_000
    return kilobits, per_frame * kilobits // (_HZ[hertz] // _HZ_DIVISOR[version]) + padding
