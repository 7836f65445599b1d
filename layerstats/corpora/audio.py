"""Sound files: opening, checking, slicing, and where a corpus gets its audio from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from layerstats.checks import check_choice, require
from layerstats.corpora.decoding import decoded, frames_of, open_sound, read_stretch, seeks_exactly
from layerstats.corpora.headers import length_fault
from layerstats.errors import ArgumentError, AudioError, CorpusError

Channel = int | Literal["mix"] | None
# What becomes of audio that cannot be used.
DAMAGED = ("error", "skip", "keep")
_MEND = "Replace it or take it out of the corpus."


class AudioSource(Protocol):
    """Where a corpus gets its audio from, one token at a time."""

    def load(self, token: str) -> np.ndarray:
        """Return the audio of a token: float32 (sample,), mono, at the corpus's rate."""
        ...

    def fingerprints(self, tokens: Iterable[str]) -> list[str]:
        """Return what identifies the audio of each token, the same on every machine."""
        ...


@dataclass(frozen=True)
class AudioFile:
    """What the header of a sound file says."""

    path: Path
    rate_hz: int
    samples: int
    channels: int

    @property
    def duration_s(self) -> float:
        """Duration in seconds."""
        return self.samples / self.rate_hz


def probe_audio(path: Path, channel: Channel = None) -> AudioFile:
    """Read the header of a sound file, refusing what cannot be read as mono speech.

    Parameters
    ----------
    path : Path
        WAV, FLAC, NIST SPHERE or anything else that libsndfile reads.
    channel : int, "mix" or None, default None
        Which channel of a stereo file is meant, counted from 0; "mix" averages all.

    Raises
    ------
    AudioError
        If the file is corrupt, empty or cut short, or has more than one channel and `channel` is None.
    """
    with open_sound(path) as sound:
        rate_hz, channels, samples = int(sound.samplerate), int(sound.channels), frames_of(sound, path)
    fault = length_fault(path)
    if fault is not None:
        raise AudioError(f"Cannot read all of the sound file {path}: {fault}. {_MEND}")
    if samples == 0:
        raise AudioError(f"The sound file {path} is empty (0 samples). {_MEND}")
    _check_channel(channels, channel, path)
    return AudioFile(path, rate_hz, samples, channels)


def probe_files(
    paths: Iterable[Path], channel: Channel = None, damaged: str = "error"
) -> tuple[dict[Path, AudioFile], tuple[str, ...]]:
    """Read the headers of the sound files of a corpus.

    Parameters
    ----------
    paths : iterable of Path
        The files.
    channel : int, "mix" or None
        See `probe_audio`.
    damaged : {"error", "skip", "keep"}, default "error"
        Whether a file that cannot be read is an error, or left out ("skip").

    Returns
    -------
    found : dict of Path to AudioFile
        The files that can be read, in their order.
    notes : tuple of str
        One that says which files were left out, or none.

    Raises
    ------
    AudioError
        If a file cannot be read and is not to be left out; it says how many others there are.
    """
    check_choice("damaged", damaged, DAMAGED)
    found: dict[Path, AudioFile] = {}
    faults: list[AudioError] = []
    for path in paths:
        try:
            found[path] = probe_audio(path, channel)
        except AudioError as error:
            faults.append(error)
    if not faults:
        return found, ()
    if damaged == "skip" and found:
        return found, (f"{len(faults)} sound files cannot be read and were left out, for instance: {faults[0]}",)
    more = f" ({len(faults) - 1} more of {len(faults) + len(found)} files cannot be read.)" if len(faults) > 1 else ""
    raise AudioError(f"{faults[0]}{more}") from faults[0]


def read_audio(path: Path, start: int = 0, stop: int | None = None, channel: Channel = None) -> np.ndarray:
    """Read a stretch of a sound file as mono float32 in [-1, 1].

    Integer formats are divided by their full scale, so that -1 is the lowest code: unsigned 8-bit codes
    are centred on 128 and divided by 128. Formats in which a decoder needs what came before, such as MP3 and Ogg, are
    decoded from their start.

    Parameters
    ----------
    path : Path
        Sound file.
    start, stop : int
        First sample and the one after the last, in samples of the file; `stop=None` is the end.
    channel : int, "mix" or None, default None
        See `probe_audio`.

    Returns
    -------
    ndarray
        float32 (sample,).

    Raises
    ------
    AudioError
        If the stretch is not in the file, is silent, or holds NaN or infinite values.
    """
    with open_sound(path) as sound:
        _check_channel(sound.channels, channel, path)
        exact, frames = seeks_exactly(sound), frames_of(sound, path)
    end = frames if stop is None else stop
    if not 0 <= start < end <= frames:
        raise AudioError(
            f"Samples {start} to {end} are not in {path}, which has {frames}. The file is cut short or its "
            f"labels belong to another recording."
        )
    values = read_stretch(path, start, end) if exact else decoded(path)[start:end]
    if len(values) != end - start:
        raise AudioError(f"{path} broke off after {start + len(values)} of {end} samples: the file is corrupt.")
    mono = values.mean(axis=1) if channel == "mix" else values[:, channel or 0]
    check_samples(mono, f"{path} (samples {start} to {end})")
    return np.ascontiguousarray(mono, dtype=np.float32)


def check_samples(samples: np.ndarray, what: str) -> None:
    """Raise `AudioError` where audio is empty, silent, or holds NaN or infinite values."""
    if samples.size == 0:
        raise AudioError(f"The audio of {what} is empty (0 samples).")
    if not np.isfinite(samples).all():
        bad = int((~np.isfinite(samples)).sum())
        raise AudioError(f"NaN or infinite values in the audio of {what}: {bad} of {samples.size} samples.")
    if samples.min() == samples.max():
        raise AudioError(
            f"The audio of {what} is silent: every sample is {float(samples.flat[0]):g}, so it has no peak to "
            f"normalise to. Replace it or take it out of the corpus."
        )


def resample(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Resample (sample,) with soxr's high quality; the same array where the rates agree."""
    if from_hz == to_hz:
        return samples
    soxr = require("soxr", "resample audio", "speech")
    return np.asarray(soxr.resample(samples, from_hz, to_hz, quality="HQ"), dtype=np.float32)


def _check_channel(channels: int, channel: Channel, path: Path) -> None:
    if channel is None and channels > 1:
        raise AudioError(
            f"{path} has {channels} channels, and a network hears one. Say which: channel=0 for the first, "
            f"channel='mix' for the average of all."
        )
    if isinstance(channel, str) and channel != "mix":
        raise ArgumentError(f"The 'channel' parameter must be a number, 'mix' or None, but got {channel!r} instead.")
    if isinstance(channel, int) and not 0 <= channel < channels:
        raise AudioError(f"{path} has {channels} channel(s), so there is no channel {channel} (counted from 0).")


@dataclass(frozen=True)
class Segment:
    """A stretch of a sound file, in samples of the file."""

    path: Path
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class FileAudio:
    """Audio read from files when it is asked for.

    Parameters
    ----------
    segments : mapping of str to Segment
        Where each token's audio is.
    channel : int, "mix" or None
        See `probe_audio`.
    """

    segments: Mapping[str, Segment]
    channel: Channel = None

    def load(self, token: str) -> np.ndarray:
        """Return the audio of a token, float32 (sample,), at the rate of the file."""
        segment = self.segments[token]
        return read_audio(segment.path, segment.start, segment.stop, self.channel)

    def fingerprints(self, tokens: Iterable[str]) -> list[str]:
        """Return the SHA-256 of each token's file, with the stretch and the channel."""
        digests: dict[Path, str] = {}
        found = []
        for token in tokens:
            segment = self.segments[token]
            if segment.path not in digests:
                with segment.path.open("rb") as file:
                    digests[segment.path] = hashlib.file_digest(file, "sha256").hexdigest()
            found.append(f"{digests[segment.path]}:{segment.start}:{segment.stop}:{self.channel}")
        return found


@dataclass(frozen=True, eq=False)
class MemoryAudio:
    """Audio held in memory as 16-bit integers, for corpora that are built rather than read."""

    samples: Mapping[str, np.ndarray] = field(repr=False)

    def load(self, token: str) -> np.ndarray:
        """Return the audio of a token, float32 (sample,)."""
        return self.samples[token].astype(np.float32) / np.float32(32768)

    def fingerprints(self, tokens: Iterable[str]) -> list[str]:
        """Return the SHA-256 of each token's samples."""
        return [hashlib.sha256(self.samples[token].astype("<i2").tobytes()).hexdigest() for token in tokens]


@dataclass(frozen=True, eq=False)
class SlicedAudio:
    """Stretches of the tokens of another source.

    Parameters
    ----------
    source : AudioSource
        Where the whole tokens are.
    stretches : mapping of str to (str, int, int)
        Of each token the one that it is a part of, its first sample there and the one after its last.
    """

    source: AudioSource
    stretches: Mapping[str, tuple[str, int, int]] = field(repr=False)
    _last: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def load(self, token: str) -> np.ndarray:
        """Return the audio of a token, float32 (sample,)."""
        whole, start, stop = self.stretches[token]
        samples = self._last.get(whole)
        if samples is None:  # the words of an utterance are asked for one after another
            samples = self.source.load(whole)
            self._last.clear()
            self._last[whole] = samples
        stretch = samples[start:stop]
        check_samples(stretch, f"token {token!r}")
        return stretch

    def fingerprints(self, tokens: Iterable[str]) -> list[str]:
        """Return what identifies the whole tokens, with the stretches."""
        stretches = [self.stretches[token] for token in tokens]
        wholes = list(dict.fromkeys(whole for whole, _, _ in stretches))
        known = dict(zip(wholes, self.source.fingerprints(wholes), strict=True))
        return [f"{known[whole]}:{start}:{stop}" for whole, start, stop in stretches]


def one_rate(files: Iterable[AudioFile]) -> int:
    """Return the sampling rate that all files share.

    Raises
    ------
    CorpusError
        If two files have different rates.
    """
    first: AudioFile | None = None
    for file in files:
        first = first or file
        if file.rate_hz != first.rate_hz:
            raise CorpusError(
                f"All files of a corpus must have one sampling rate, but {first.path} has {first.rate_hz} Hz and "
                f"{file.path} has {file.rate_hz} Hz. Resample one of them, or read them as two corpora."
            )
    if first is None:
        raise CorpusError("There are no sound files to read.")
    return first.rate_hz
