"""Runs in a process of its own: espeak-ng through its C interface, one fork a word.

espeak-ng keeps the echo, the phase of the voice and the state of its random numbers from one word to
the next, so that a word would sound otherwise after other words. Every word is therefore spoken by a
fresh copy of the process, made right after the library was set up. Only the standard library is used
here, so that the process starts at once.

Reads from standard input a line of JSON: {"library", "data", "jobs": [[voice, rate, pitch, range, text]]}.
Writes for each job, in order, a line of JSON {"samples", "events": [[sample, phone, position in the text of the word
that it is in]], "error"} and then the
samples as 16-bit integers of this machine's byte order; before them, one line {"rate_hz", "version"}.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections import deque

SYNCHRONOUS_OUTPUT = 2
PHONEME_EVENTS_IN_IPA = 0x0001 | 0x0002
DONT_EXIT = 0x8000
UTF8 = 1
EVENT_END, EVENT_WORD, EVENT_PHONEME = 0, 1, 7
PARAMETER_RATE, PARAMETER_VOLUME, PARAMETER_PITCH, PARAMETER_RANGE = 1, 2, 3, 4
COPIES = 8  # at work at the same time
VOLUME = 60  # of 100: at full volume some voices reach the limits of 16 bits and are cut off there


class EventId(ctypes.Union):
    """What an event names."""

    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", EventId),
    ]


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


def speak(library: ctypes.CDLL, job: list) -> tuple[dict, bytes]:
    """Speak one text and collect its samples and phone events."""
    voice, rate, pitch, pitch_range, text = job
    samples: list[bytes] = []
    events: list[tuple[int, str, int]] = []
    words = [0]

    def collect(wave, count, event):  # type: ignore[no-untyped-def]
        if wave and count > 0:
            samples.append(ctypes.string_at(wave, 2 * count))
        index = 0
        while event[index].type != EVENT_END:
            if event[index].type == EVENT_WORD:
                words.append(event[index].text_position - 1)
            if event[index].type == EVENT_PHONEME:
                # The union has no room for an end mark behind eight bytes.
                raw = ctypes.string_at(ctypes.addressof(event[index].id), 8).split(b"\0")[0]
                events.append((event[index].sample, raw.decode("utf-8", errors="ignore"), words[-1]))
            index += 1
        return 0

    callback = Callback(collect)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        return {"samples": 0, "events": [], "error": f"it has no voice {voice!r}"}, b""
    library.espeak_SetParameter(PARAMETER_RATE, rate, 0)
    library.espeak_SetParameter(PARAMETER_VOLUME, VOLUME, 0)
    library.espeak_SetParameter(PARAMETER_PITCH, pitch, 0)
    library.espeak_SetParameter(PARAMETER_RANGE, pitch_range, 0)
    encoded = text.encode("utf-8")
    status = library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, UTF8, None, None)
    if status != 0:
        return {"samples": 0, "events": [], "error": f"it reported status {status}"}, b""
    wave = b"".join(samples)
    return {"samples": len(wave) // 2, "events": events, "error": None}, wave


def start_copy(library: ctypes.CDLL, job: list) -> tuple[int, int]:
    """Fork a copy of this process that speaks one text; return its process id and the pipe that it writes to."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        header, wave = speak(library, job)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(header).encode() + b"\n" + wave)
        os._exit(0)
    os.close(writing)
    return child, reading


def finish_copy(child: int, reading: int) -> bytes:
    """Return what a copy wrote, once it has ended."""
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if status != 0 or not answer:
        lost = {"samples": 0, "events": [], "error": f"its process ended with status {status}"}
        return json.dumps(lost).encode() + b"\n"
    return answer


def main() -> None:
    """Answer the jobs on standard input."""
    request = json.loads(sys.stdin.readline())
    library = ctypes.CDLL(request["library"])
    library.espeak_Info.restype = ctypes.c_char_p
    rate = library.espeak_Initialize(SYNCHRONOUS_OUTPUT, 0, request["data"].encode(), PHONEME_EVENTS_IN_IPA | DONT_EXIT)
    library.espeak_ListVoices(None)  # reads all voice files, which every copy would do again
    library.espeak_ng_SetRandSeed(1)  # the library seeds its noise by the clock
    version = library.espeak_Info(None).decode() if rate > 0 else ""
    out = sys.stdout.buffer
    out.write(json.dumps({"rate_hz": rate, "version": version}).encode() + b"\n")
    out.flush()
    running: deque[tuple[int, int]] = deque()
    for job in request["jobs"] if rate > 0 else []:
        if len(running) == COPIES:
            out.write(finish_copy(*running.popleft()))
        running.append(start_copy(library, job))
    for copy in running:
        out.write(finish_copy(*copy))
    out.flush()


if __name__ == "__main__":
    main()
