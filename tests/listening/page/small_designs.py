"""Designs with a few short tones, one a task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.corpora.wav_files import write_wav
from layerstats.listening.design import ListeningDesign, ScalePoint

RATE_HZ = 16000
POINTS = ("Bad", "Poor", "Fair", "Good", "Excellent")


def tone(file: Path, pitch_hz: float, seconds: float = 0.3) -> Path:
    write_wav(file, 0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ), RATE_HZ)
    return file


def written_design(folder: Path, task: str, evil: str = "") -> Path:
    """Write a design of two sessions: of opinions with a trial for practice, of pairs with one of two swapped."""
    sounds = {f"clips/{number}.wav": tone(folder / f"{number}.wav", 300 + 100 * number) for number in range(5)}
    files = list(sounds)
    kind = "identification" if task == "typed" else task
    sessions = [["x", "y", "z"], ["y", "z", "x"]]
    if kind == "opinion":
        sessions = [["practice", *own] for own in sessions]
    clips = pd.DataFrame({"clip": ["practice", "x", "y", "z"], "role": ["training", "test", "catch", "test"]})
    clips = clips.assign(condition=["natural", "natural", None, "secret"], expected=[None, None, "4", None])
    columns = {"preference": ["file_a", "file_b"], "abx": ["file_a", "file_b", "file_x"]}.get(kind, ["file"])
    for shift, column in enumerate(columns):
        clips[column] = [files[number + (shift if column != "file_x" else 0)] for number in range(4)]
    if kind == "opinion":
        clips["prompt"] = ["yes", f"no {evil}", "yes", None]
    rows = [
        (session, position, clip) for session, own in enumerate(sessions, 1) for position, clip in enumerate(own, 1)
    ]
    trials = pd.DataFrame(rows, columns=["session", "position", "clip"])
    if kind in ("preference", "abx"):
        trials["swapped"] = trials["position"] % 2 == 0
    alternatives = {"preference": ("a", "b", "same"), "abx": ("a", "b"), "identification": ("ask", "wash", "year")}
    scale = [
        ScalePoint(value, label, "completely unclear" if value == 1 else "") for value, label in enumerate(POINTS, 1)
    ]
    design = ListeningDesign(
        title=f"A small test {evil}",
        task=kind,
        question=f"What do you think? {evil}",
        clips=clips,
        trials=trials,
        scale=tuple(scale) if kind == "opinion" else (),
        alternatives=() if task == "typed" else alternatives.get(kind, ()),
        texts={"instructions": f"Listen. {evil}"},
        loudness="none",
        sounds=sounds,
    )
    design.write(folder / "design", overwrite=True)
    return folder / "design"
