"""Small corpora that the tests write themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from layerstats.corpora import demo_corpus


@pytest.fixture(scope="session")
def small_demo():
    """Eight voices, the eight words."""
    return demo_corpus(voices=8)


@pytest.fixture
def noise():
    """Return a function that gives (sample,) noise, seeded."""

    def make(samples: int, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).uniform(-0.5, 0.5, samples)

    return make


@pytest.fixture
def write_sphere():
    """Return a function that writes 16-bit PCM as NIST SPHERE, as the LDC distributes TIMIT."""

    def write(path: Path, codes: np.ndarray, rate_hz: int = 16000, coding: str = "pcm") -> None:
        fields = [
            "NIST_1A",
            "   1024",
            f"sample_count -i {len(codes)}",
            "sample_n_bytes -i 2",
            "channel_count -i 1",
            "sample_byte_format -s2 01",
            f"sample_rate -i {rate_hz}",
            f"sample_coding -s{len(coding)} {coding}",
            "end_head",
        ]
        header = "\n".join(fields).encode("ascii") + b"\n"
        path.write_bytes(header.ljust(1024, b" ") + codes.astype("<i2").tobytes())

    return write


PHN = "0 1000 h#\n1000 1500 sh\n1500 2600 iy\n2600 3000 w\n3000 4000 ao\n4000 4900 sh\n4900 6000 h#\n"
WRD = "1000 2600 she\n2600 4900 wash\n"


@pytest.fixture
def write_timit(noise, write_sphere):
    """Return a function that writes one TIMIT sentence and gives its 16-bit samples."""

    def write(
        folder: Path, name: str = "sa1", upper: bool = False, samples: int = 6000, phn: str = PHN, wrd: str = WRD
    ):
        folder.mkdir(parents=True, exist_ok=True)
        codes = np.round(noise(samples) * 32767).astype("<i2")
        case = str.upper if upper else str.lower
        if upper:
            write_sphere(folder / case(f"{name}.wav"), codes)
        else:
            soundfile.write(folder / f"{name}.wav", codes, 16000, subtype="PCM_16")
        (folder / case(f"{name}.phn")).write_text(phn)
        (folder / case(f"{name}.wrd")).write_text(wrd)
        return codes

    return write
