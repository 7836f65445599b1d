"""Speech synthesis by espeak-ng, with the boundaries of its phones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from layerstats.checks import require
from layerstats.errors import CorpusError, MissingDependencyError

PURPOSE = "build the demo corpus"


@dataclass(frozen=True)
class SpeechRequest:
    """A text and the voice that says it.

    Parameters
    ----------
    voice : str
        espeak-ng's name: an accent, or accent+variant.
    rate_wpm : int
        Speed in words a minute.
    pitch, pitch_range : int
        On espeak's scales, 0 to 99.
    text : str
        What is said.
    """

    voice: str
    rate_wpm: int
    pitch: int
    pitch_range: int
    text: str


@dataclass(frozen=True, eq=False)
class SpokenText:
    """Synthetic speech: int16 (sample,) and its phones.

    `phones` holds (label in IPA, first sample, sample after the last); pauses at both ends are cut off.
    `word_positions` holds for each phone where in the text its word begins.
    """

    samples: np.ndarray = field(repr=False)
    rate_hz: int
    phones: tuple[tuple[str, int, int], ...]
    word_positions: tuple[int, ...]


def synthesise(requests: Iterable[SpeechRequest]) -> list[SpokenText]:
    """Speak texts with espeak-ng; the same request always gives the same samples.

    Raises
    ------
    MissingDependencyError
        If espeakng-loader is not installed, or the platform cannot fork.
    CorpusError
        If espeak-ng does not know a voice or says nothing for a text.

    Examples
    --------
    >>> (spoken,) = synthesise([SpeechRequest("en-us+f1", 160, 50, 50, "wash")])
    >>> [label for label, start, stop in spoken.phones]
    ['w', 'ˈɑː', 'ʃ']
    """
    wanted = list(requests)
    loader = require("espeakng_loader", PURPOSE, "speech")
    if not hasattr(os, "fork"):
        raise MissingDependencyError(f"To {PURPOSE}, espeak-ng needs Linux or macOS. Read recorded speech instead.")
    jobs = [[item.voice, item.rate_wpm, item.pitch, item.pitch_range, item.text] for item in wanted]
    order = {"library": loader.get_library_path(), "data": loader.get_data_path(), "jobs": jobs}
    worker = Path(__file__).with_name("espeak_worker.py")
    # By way of a file, so that speech of hours is not in memory twice.
    with tempfile.TemporaryFile() as stream:
        done = subprocess.run(
            [sys.executable, "-I", str(worker)],
            input=json.dumps(order).encode() + b"\n",
            stdout=stream,
            stderr=subprocess.PIPE,
        )
        if done.returncode != 0:
            raise CorpusError(f"espeak-ng ended with status {done.returncode}: {done.stderr.decode().strip()[-500:]}")
        stream.seek(0)
        rate_hz = int(json.loads(stream.readline())["rate_hz"])
        if rate_hz <= 0:
            raise CorpusError(f"espeak-ng did not start with its data in {order['data']}. Reinstall espeakng-loader.")
        return [_read_answer(stream, item, rate_hz) for item in wanted]


def _read_answer(stream: IO[bytes], request: SpeechRequest, rate_hz: int) -> SpokenText:
    header = json.loads(stream.readline())
    if header["error"]:
        raise CorpusError(f"espeak-ng could not say {request.text!r} as {request.voice!r}: {header['error']}.")
    wave = np.frombuffer(stream.read(2 * header["samples"]), dtype=np.int16)
    starts = [sample for sample, _, _ in header["events"]]
    # An event marks where a phone starts; it lasts until the next. Pauses have no label, and a phone
    # that an accent drops (the r of "year") has no length.
    intervals = [
        (label, start, stop, position)
        for (start, label, position), stop in zip(header["events"], [*starts[1:], len(wave)], strict=True)
        if stop > start
    ]
    spoken = [index for index, (label, _, _, _) in enumerate(intervals) if label]
    if not spoken:
        raise CorpusError(f"espeak-ng says nothing for {request.text!r}. Check the spelling of this word.")
    kept = intervals[spoken[0] : spoken[-1] + 1]
    begin, end = kept[0][1], kept[-1][2]
    said = [(label, start - begin, stop - begin, position) for label, start, stop, position in kept if label]
    phones = tuple((label, start, stop) for label, start, stop, _ in said)
    return SpokenText(wave[begin:end].copy(), rate_hz, phones, tuple(position for *_, position in said))
