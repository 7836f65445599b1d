"""Make words.csv: second formants of two words as ten simulated speakers say them, for the examples of the README.

Run it as `python data/tables/make_words.py`. Word B has its formant raised by some 80 Hz in the middle; speakers differ
in its height and in this difference, repetitions in height and slope, and neighbouring measurements share their errors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FILE = Path(__file__).with_name("words.csv")
SPEAKERS, REPETITIONS, POINTS = 10, 4, 15


def words_table() -> pd.DataFrame:
    """One row a measurement: `speaker, word, repetition, trajectory, time, f2` (Hz; time from 0 to 1)."""
    generator = np.random.default_rng(2024)
    time = np.linspace(0, 1, POINTS)
    rows = []
    for speaker in range(SPEAKERS):
        height = generator.normal(1450, 90)
        effect = generator.normal(80, 25)
        for word in "AB":
            for repetition in range(1, REPETITIONS + 1):
                curve = height + 180 * np.sin(np.pi * time) ** 2 + 60 * (time - 0.5)
                if word == "B":
                    curve = curve + effect * np.sin(np.pi * time) ** 2
                curve = curve + generator.normal(0, 20) + generator.normal(0, 25) * (time - 0.5) + _errors(generator)
                for point, value in zip(time, curve, strict=True):
                    name = f"s{speaker + 1:02d}"
                    rows.append((name, word, repetition, f"{name}_{word}_{repetition}", round(point, 4), round(value)))
    return pd.DataFrame(rows, columns=["speaker", "word", "repetition", "trajectory", "time", "f2"])


def _errors(generator: np.random.Generator) -> np.ndarray:
    """Errors of measurement, AR(1) with rho = 0.6 and a standard deviation of 15 Hz."""
    errors = np.empty(POINTS)
    errors[0] = generator.normal(0, 15)
    for point in range(1, POINTS):
        errors[point] = 0.6 * errors[point - 1] + generator.normal(0, 15 * np.sqrt(1 - 0.6**2))
    return errors


if __name__ == "__main__":
    words_table().to_csv(FILE, index=False, lineterminator="\n")
