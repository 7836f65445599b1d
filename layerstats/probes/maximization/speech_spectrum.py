"""The mean magnitude spectrum of natural speech, measured on a corpus or read from a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.corpora import Clips, Corpus
from layerstats.errors import DataError
from layerstats.tables import read_table

COLUMNS = ("frequency_hz", "magnitude")
_BATCH = 64


@dataclass(frozen=True, eq=False)
class SpeechSpectrum:
    """Mean magnitudes of the Fourier transforms of clips with a peak of 1.

    Parameters
    ----------
    frequency_hz : ndarray
        Increasing, in Hz.
    magnitude : ndarray
        The transform's mean magnitude there, as an integral over time (the discrete transform divided by the sampling
        rate, in seconds): neither another rate nor more silence around a word changes it.
    source : str
        Where it comes from: a corpus's name, or a file's.
    tokens : int
        How many tokens it is the mean of; 0 where that is not known.
    sha256 : str
        Hash of what it was measured on, or of the file: by it stored phases find their magnitudes again.

    Raises
    ------
    DataError
        Fewer than two frequencies, frequencies that do not increase, or magnitudes that are negative, not finite or all
        zero.
    """

    frequency_hz: np.ndarray
    magnitude: np.ndarray
    source: str
    tokens: int
    sha256: str

    def __post_init__(self) -> None:
        frequency, magnitude = self.frequency_hz, self.magnitude
        if len(frequency) < 2 or not (np.diff(frequency) > 0).all():
            raise DataError(
                f"The spectrum {self.source!r} needs at least two frequencies in increasing order, but has "
                f"{len(frequency)} that are not."
            )
        if not np.isfinite(magnitude).all() or magnitude.min() < 0 or magnitude.max() == 0:
            raise DataError(
                f"The magnitudes of the spectrum {self.source!r} must be finite, not negative and not all 0."
            )

    def magnitudes_of(self, samples: int, rate_hz: int) -> np.ndarray:
        """Return the discrete magnitudes (frequency,) of a clip of so many samples, without a constant.

        Raises
        ------
        DataError
            The spectrum ends below half of `rate_hz`.
        """
        wanted = np.fft.rfftfreq(samples, 1 / rate_hz)
        # A spectrum that was measured ends half a step before half its rate where the number of samples is odd.
        step = float(np.diff(self.frequency_hz).max())
        if self.frequency_hz[-1] + step < wanted[-1]:
            raise DataError(
                f"The spectrum {self.source!r} ends at {self.frequency_hz[-1]:g} Hz, but the network hears up to "
                f"{wanted[-1]:g} Hz. Measure it on speech with a sampling rate of {rate_hz} Hz or more."
            )
        magnitudes = np.interp(wanted, self.frequency_hz, self.magnitude) * rate_hz
        magnitudes[0] = 0.0
        return magnitudes

    def to_frame(self) -> pd.DataFrame:
        """Return columns `frequency_hz, magnitude`, which `read_spectrum` reads again from a CSV file."""
        return pd.DataFrame({"frequency_hz": self.frequency_hz, "magnitude": self.magnitude})


def speech_spectrum(
    corpus: Corpus, *, rate_hz: int = 22050, samples: int = 22050, source: str | None = None
) -> SpeechSpectrum:
    """Measure the mean magnitude spectrum of a corpus: of every token as a clip with a peak of 1.

    Parameters
    ----------
    corpus : Corpus
        Natural speech, or the built-in corpus. Damaged tokens are left out, long ones cut off.
    rate_hz, samples : int
        Sampling rate in Hz and length of the clips.
    source : str, optional
        What the spectrum is called; by default the corpus's name.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> spectrum = speech_spectrum(demo_corpus(words=["wash"], voices=4))
    >>> spectrum.tokens, bool(spectrum.magnitude[300] > spectrum.magnitude[6000])
    (4, True)
    """
    clips = Clips(corpus, rate_hz=rate_hz, samples=samples, silence_s=0.0, too_long="trim", damaged="skip")
    total = np.zeros(samples // 2 + 1)
    for first in range(0, len(clips), _BATCH):
        total += np.abs(np.fft.rfft(clips.waveforms(slice(first, first + _BATCH)))).sum(axis=0)
    frequency = np.fft.rfftfreq(samples, 1 / rate_hz)
    # What it was measured on, not the numbers: the last digits of a transform differ between processors.
    return SpeechSpectrum(
        frequency, total / (len(clips) * rate_hz), source or corpus.name, len(clips), clips.content_hash()
    )


def read_spectrum(path: str | Path) -> SpeechSpectrum:
    """Read a spectrum from a table with the columns `frequency_hz` and `magnitude` (see `SpeechSpectrum`).

    Raises
    ------
    DataError
        A column is missing, or the spectrum is none.
    FileError
        The file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> flat = SpeechSpectrum(np.array([0.0, 8000.0]), np.array([0.01, 0.01]), "flat", 0, "")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     flat.to_frame().to_csv(f"{folder}/flat.csv", index=False)
    ...     read_spectrum(f"{folder}/flat.csv").magnitude.tolist()
    [0.01, 0.01]
    """
    table = read_table(path)
    check_columns(table, COLUMNS, f"the spectrum {Path(path).name}")
    frequency, magnitude = (table[name].to_numpy(dtype=float) for name in COLUMNS)
    sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return SpeechSpectrum(frequency, magnitude, Path(path).name, 0, sha256)
