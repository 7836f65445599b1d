"""The sounds of a design: taken from files or synthesised, and written equally loud."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from layerstats.corpora.audio import check_samples
from layerstats.corpora.decoding import decoded, open_sound
from layerstats.corpora.espeak import SpeechRequest, synthesise
from layerstats.corpora.wav_files import write_wav
from layerstats.errors import ArgumentError, AudioError
from layerstats.files import replacing

# Below the design's.
FOLDER = "clips"
LOUDNESS = ("rms", "peak", "none")
# Root mean square of speech in full scale: -26 dB, as recommendations on the quality of telephone speech have it.
_RMS = 10 ** (-26 / 20)
_PEAK = 0.5
# Nothing may be louder, so that no player cuts it off.
_HIGHEST = 0.99
# Stretches that count as speech: of 20 ms, at most 30 dB below the loudest.
_STRETCH_S, _QUIET = 0.02, 10 ** (-30 / 20)

Sound = tuple[np.ndarray, int]


def write_sounds(
    files: Sequence[str],
    sources: Mapping[str, Path | SpeechRequest],
    known: Mapping[str, str],
    loudness: str,
    folder: Path,
) -> dict[str, str]:
    """Write sounds below a folder, and return the SHA-256 of each.

    Sounds of a design that was written before (`known` has their hashes) are copied as they are. Of "rms" the level is
    -26 dB of full scale, or lower for all where a sound would not fit.

    Raises
    ------
    ArgumentError
        It is not known where a sound comes from.
    AudioError
        A sound is missing, damaged or silent, or is not the one that the design was written with.
    """
    unknown = [file for file in files if file not in sources]
    if unknown:
        raise ArgumentError(f"It is not known where the sound {unknown[0]!r} comes from: 'sounds' lacks it.")
    new = [file for file in files if file not in known]
    places = {(folder / file).resolve(): file for file in files}
    for file in new:
        source = sources[file]
        if isinstance(source, Path) and source.resolve() in places:
            raise ArgumentError(
                f"The sound {source} would be overwritten by this design before it is read. Write the design "
                "to another folder."
            )
    spoken = _synthesised({file: sources[file] for file in new})
    levels = {file: _level(*_heard(sources[file], spoken)) for file in new}
    for file, gain in zip(new, _gains(list(levels.values()), loudness), strict=True):
        samples, rate_hz = _heard(sources[file], spoken)
        write_wav(folder / file, samples * np.float32(gain), rate_hz)
    for file in files:
        if file in known:
            _copy(sources[file], known[file], folder / file)
    return {file: known.get(file) or hash_of_file(folder / file) for file in files}


def remove_sounds(files: Iterable[str], folder: Path) -> None:
    """Remove sounds of a design that was replaced; what is no sound of it stays."""
    for file in files:
        if file.startswith(f"{FOLDER}/") and ".." not in file:
            (folder / file).unlink(missing_ok=True)


def hash_of_file(file: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    AudioError
        It is not there.
    """
    if not file.is_file():
        raise AudioError(f"There is no sound file {file}.")
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _synthesised(sources: Mapping[str, Path | SpeechRequest]) -> dict[SpeechRequest, Sound]:
    requests = list(dict.fromkeys(source for source in sources.values() if isinstance(source, SpeechRequest)))
    spoken = synthesise(requests) if requests else []
    scale = np.float32(32768)
    return {
        request: (said.samples.astype(np.float32) / scale, said.rate_hz)
        for request, said in zip(requests, spoken, strict=True)
    }


def _heard(source: Path | SpeechRequest, spoken: Mapping[SpeechRequest, Sound]) -> Sound:
    """Return a sound, (sample,) or (sample, channel), and its sampling rate in Hz."""
    if isinstance(source, SpeechRequest):
        return spoken[source]
    with open_sound(Path(source)) as sound:
        rate_hz = int(sound.samplerate)
    samples = decoded(Path(source))
    check_samples(samples, str(source))
    return (samples[:, 0] if samples.shape[1] == 1 else samples), rate_hz


def _level(samples: np.ndarray, rate_hz: int) -> tuple[float, float]:
    """Return the root mean square of the stretches that are not silent, and the peak."""
    mono = samples if samples.ndim == 1 else np.sqrt(np.square(samples).mean(axis=1))
    stretch = max(1, min(len(mono), round(_STRETCH_S * rate_hz)))
    whole = mono[: len(mono) // stretch * stretch].reshape(-1, stretch).astype(float)
    powers = np.square(whole).mean(axis=1)
    loud = powers[powers >= powers.max() * _QUIET**2]
    return float(np.sqrt(loud.mean())), float(np.abs(samples).max())


def _gains(levels: Sequence[tuple[float, float]], loudness: str) -> np.ndarray:
    """Return what each sound is multiplied by."""
    if not levels:
        return np.empty(0)
    rms, peak = np.array(levels).T
    if loudness == "none":
        return np.ones(len(levels))
    if loudness == "peak":
        return _PEAK / peak
    gains = _RMS / rms
    # One sound that would not fit lowers all, so that they stay equally loud.
    return gains * min(1.0, _HIGHEST / float((gains * peak).max()))


def _copy(source: Path | SpeechRequest, known: str, file: Path) -> None:
    source = Path(str(source))
    if hash_of_file(source) != known:
        raise AudioError(f"The sound {source} is not the one that the design was written with: it was changed since.")
    if source.resolve() == file.resolve():
        return
    with replacing(file) as partial:
        shutil.copyfile(source, partial)
