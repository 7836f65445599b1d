"""Tables of clips, and the sounds that they name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora.wav_files import write_wav

RATE_HZ = 16000


@pytest.fixture(scope="session")
def clip_table():
    """A function that makes a table of so many clips of each condition, of words in turn."""
    return _clip_table


@pytest.fixture(scope="session")
def write_tones():
    """A function that writes a tone for each clip of a table, each of another level."""
    return _write_tones


def _clip_table(conditions: dict[str, int], words: tuple[str, ...] = ("yes", "no")) -> pd.DataFrame:
    rows = [
        {"clip": f"{condition}_{number:02d}", "condition": condition, "target": words[number % len(words)]}
        for condition, count in conditions.items()
        for number in range(count)
    ]
    table = pd.DataFrame(rows)
    return table.assign(file=[f"{clip}.wav" for clip in table["clip"]])


def _write_tones(table: pd.DataFrame, folder: Path) -> None:
    for number, file in enumerate(table["file"]):
        times = np.arange(RATE_HZ // 5) / RATE_HZ
        tone = np.sin(2 * np.pi * (300 + 20 * number) * times) * (0.02 + 0.9 * number / len(table))
        write_wav(folder / file, tone, RATE_HZ)
