"""Files that travel inside a page, as data URIs."""

from __future__ import annotations

import base64
import io
from pathlib import Path

# A table as CSV that is larger stays in the folder: a page is mailed.
LARGEST_TABLE = 100_000
LARGEST_SOUND = 100_000
COLOURS = 128


def picture_uri(path: Path) -> str:
    """Return a PNG as a data URI, with as many colours as the figures need."""
    from PIL import Image

    with Image.open(path) as picture:
        # Without dithering: lines and text keep their edges.
        few = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    written = io.BytesIO()
    few.save(written, format="PNG", optimize=True)
    data = min(written.getvalue(), path.read_bytes(), key=len)
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def table_uri(path: Path) -> str | None:
    """Return a CSV file as a data URI, or None where it is too large to be mailed."""
    if path.stat().st_size > LARGEST_TABLE:
        return None
    return f"data:text/csv;base64,{base64.b64encode(path.read_bytes()).decode()}"


def sound_uri(path: Path) -> str | None:
    """Return a FLAC file as a data URI, or None where it is too large to be mailed."""
    if path.stat().st_size > LARGEST_SOUND:
        return None
    return f"data:audio/flac;base64,{base64.b64encode(path.read_bytes()).decode()}"


def picture_size(path: Path) -> tuple[int, int]:
    """Return width and height of a PNG in pixels, from its first bytes."""
    with path.open("rb") as file:
        head = file.read(24)
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
