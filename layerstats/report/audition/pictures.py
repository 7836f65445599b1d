"""Spectrograms as small pictures: a pixel a value, in a palette of 256 colours."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np

# Differences this large, in decibels, have the ends of their palette.
MOST_DIFFERENCE_DB = 60.0
SPECTROGRAM, DIFFERENCE = "magma", "RdBu_r"


def spectrogram(features: np.ndarray) -> bytes:
    """Return features (time, mel) between 0 and 1 as a PNG: time to the right, frequency upwards."""
    return _png(features, SPECTROGRAM)


def difference(before: np.ndarray, after: np.ndarray, range_db: float) -> bytes:
    """Return `after` minus `before`, both (time, mel), as a PNG: red is more afterwards, blue is less."""
    change_db = (after - before) * range_db
    return _png(0.5 + change_db / (2 * MOST_DIFFERENCE_DB), DIFFERENCE)


def gradient(name: str) -> str:
    """Return a palette as a CSS gradient from its lowest colour to its highest."""
    colours = _palette(name)[::15]
    return f"linear-gradient(to right, {', '.join('#' + bytes(colour).hex() for colour in colours)})"


def _png(values: np.ndarray, palette: str) -> bytes:
    from PIL import Image

    indices = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    # The first row of a picture is its upper edge.
    picture = Image.fromarray(np.ascontiguousarray(indices.T[::-1]))
    picture.putpalette(_palette(palette).tobytes())
    written = BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


@cache
def _palette(name: str) -> np.ndarray:
    """Return 256 colours, uint8 (colour, channel)."""
    from matplotlib import colormaps

    return colormaps[name](np.arange(256), bytes=True)[:, :3]
