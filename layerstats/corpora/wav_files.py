"""Sound files of 16 bits, written whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from layerstats.checks import require
from layerstats.files import replacing


def write_wav(file: str | Path, samples: np.ndarray, rate_hz: int) -> None:
    """Write samples (sample,) between -1 and 1 as a 16-bit WAV file; what lies outside is cut off.

    Raises
    ------
    MissingDependencyError
        If soundfile is not installed.
    FileError
        If the file cannot be written.
    """
    soundfile = require("soundfile", "write sound files", "speech")
    values = np.rint(samples * 32768).clip(-32768, 32767).astype(np.int16)
    with replacing(file) as partial, partial.open("wb") as opened:
        soundfile.write(opened, values, rate_hz, format="WAV", subtype="PCM_16")
