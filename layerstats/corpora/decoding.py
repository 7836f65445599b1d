"""Decoding sound files: where seeking is exact by seeking, else once from the start."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from layerstats.checks import require
from layerstats.corpora.folders import is_pointer
from layerstats.corpora.headers import said_samples, says_length
from layerstats.errors import AudioError

# Codings in which a sample does not depend on those before it, beside FLAC, whose frames stand alone.
_EXACT = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"})
_COMPRESSED_CONTAINERS = frozenset({"OGG", "MP3"})
# Frames of a file whose header does not say how many there are.
UNKNOWN_LENGTH = 2**62
_BLOCK = 2**16
_SHORTEN = (
    "it is a NIST SPHERE file compressed with 'shorten'. Decompress it first: sph2pipe -f wav {name} {stem}_pcm.wav"
)


class _DecodedFiles:
    """The files decoded last, up to a size in bytes; the very last one whatever its size."""

    def __init__(self, most: int) -> None:
        self._most, self._held, self._lock = most, 0, Lock()
        self._files: OrderedDict[tuple[str, int, int], np.ndarray] = OrderedDict()

    def get(self, path: Path) -> np.ndarray:
        state = path.stat()
        key = (str(path), state.st_mtime_ns, state.st_size)
        with self._lock:
            if key not in self._files:
                self._files[key] = _decode(path)
                self._held += self._files[key].nbytes
            self._files.move_to_end(key)
            while len(self._files) > 1 and self._held > self._most:
                self._held -= self._files.popitem(last=False)[1].nbytes
            return self._files[key]


_DECODED = _DecodedFiles(256 * 2**20)


def open_sound(path: Path) -> Any:
    """Open a sound file with libsndfile.

    Raises
    ------
    AudioError
        If there is no such file, or it is not one that libsndfile reads; says what it is where that can be seen.
    """
    soundfile = require("soundfile", "read sound files", "speech")
    try:
        absent = _why_absent(path)
        if absent is None:
            return soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"Cannot read the sound file {path}: {_reason(path, error.error_string)}") from error
    except (OSError, TypeError, ValueError) as error:
        raise AudioError(f"Cannot open the sound file {path}: {error}") from error
    raise AudioError(absent)


def _why_absent(path: Path) -> str | None:
    if path.is_symlink() and not path.exists():
        return (
            f"The sound file {path} is a link to {path.readlink()}, which is not there. Fetch it (git annex get, "
            "dvc pull), or take the link out of the corpus."
        )
    return None if path.is_file() else f"There is no sound file {path}."


def seeks_exactly(sound: Any) -> bool:
    """Tell whether a stretch read after a seek holds the same samples as that stretch of the whole file decoded.

    In MP3 and Ogg it does not (up to 138 ms into the stretch were measured to be wrong), nor where a sample is coded by
    its difference from the last.
    """
    known = sound.seekable() and sound.frames < UNKNOWN_LENGTH
    return known and sound.subtype in _EXACT and sound.format not in _COMPRESSED_CONTAINERS


def frames_of(sound: Any, path: Path) -> int:
    """Return how many samples of a channel a sound file holds; decodes it where its header does not say."""
    if sound.frames >= UNKNOWN_LENGTH or (sound.format == "MP3" and not says_length(path)):
        return len(decoded(path))
    return _said(sound, path)


def _said(sound: Any, path: Path) -> int:
    said = None if seeks_exactly(sound) else said_samples(path)
    return int(sound.frames) if said is None else min(said, int(sound.frames))


def read_stretch(path: Path, start: int, stop: int) -> np.ndarray:
    """Read by seeking: float32 (sample, channel), fewer samples where the file breaks off."""
    with open_sound(path) as sound:
        try:
            sound.seek(start)
            return sound.read(stop - start, dtype="float32", always_2d=True)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise _broken(path, f"samples {start} to {stop}", error) from error


def decoded(path: Path) -> np.ndarray:
    """Decode a whole file from its start: float32 (sample, channel), not to be written to.

    Files decoded lately are kept, so that the words of a recording cost one decoding.

    Raises
    ------
    AudioError
        If the file breaks off.
    """
    return _DECODED.get(path)


def _decode(path: Path) -> np.ndarray:
    with open_sound(path) as sound:
        if sound.frames >= UNKNOWN_LENGTH:
            values = _decode_endless(sound)
        else:
            # In one call: between two, soundfile seeks.
            try:
                values = sound.read(_said(sound, path), dtype="float32", always_2d=True)
            except (RuntimeError, ValueError, MemoryError) as error:
                raise _broken(path, "all", error) from error
    values.setflags(write=False)
    return values


def _decode_endless(sound: Any) -> np.ndarray:
    """Decode what does not say where it ends, as FLAC made in a stream."""
    blocks: list[np.ndarray] = []
    read = _BLOCK
    while read == _BLOCK:
        block = np.full((_BLOCK, sound.channels), np.nan, np.float32)
        try:
            read = len(sound.read(out=block))
        except (RuntimeError, ValueError):
            # At the end the block is filled up to there, then a seek fails.
            read = int(np.isfinite(block[:, 0]).sum())
        blocks.append(block[:read])
    return np.concatenate(blocks)


def _broken(path: Path, what: str, error: Exception) -> AudioError:
    return AudioError(
        f"Cannot read {what} of the sound file {path}: it is cut short or corrupt ({error}). Replace it or take it out "
        "of the corpus."
    )


def _reason(path: Path, error: str) -> str:
    with path.open("rb") as file:
        header = file.read(1024)
    if not header:
        return "it is empty (0 bytes)."
    if header.startswith(b"NIST_1A") and b"shorten" in header:
        return _SHORTEN.format(name=path.name, stem=path.stem)
    if is_pointer(header):
        return "it is a pointer of git-lfs whose content was not fetched. Fetch it: git lfs pull"
    return f"it is corrupt or of an unknown format ({error})."
