"""Balanced series of tokens by speakers, and the models of the field on them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm import FitTask


def table(speakers=6, tokens=3, points=9, difference=0.3, shape=0.0, cell_sd=0.5, uneven=True, seed=0) -> pd.DataFrame:
    """Curves with a level difference; with `uneven`, odd speakers have one token more of each label."""
    generator = np.random.default_rng(seed)
    time = np.linspace(0, 1, points)
    rows = []
    for speaker in range(speakers):
        of_speaker = 0.5 * generator.normal(size=3)
        for number, label in enumerate("ab"):
            of_cell = cell_sd * generator.normal(size=3)
            for token in range(tokens + uneven * (speaker % 2)):
                level, slope, wave = 0.6 * generator.normal(size=3) + of_speaker + of_cell
                curve = np.sin(3 * time) + level + slope * (time - 0.5) + wave * np.cos(6 * time)
                curve = curve + number * (difference + shape * np.sin(6 * time))
                value = curve + 0.3 * generator.normal(size=points)
                name = f"s{speaker}"
                rows += [
                    (f"{name}{label}{token}", name, f"{name}/{label}", label, *one)
                    for one in zip(time, value, strict=False)
                ]
    return pd.DataFrame(rows, columns=["token", "speaker", "cell", "label", "time", "value"])


def level_and_shape(data: pd.DataFrame, *random: str, rho: float | str | None = 0.3) -> FitTask:
    formula = " + ".join(["value ~ label + s(time, k=6) + s(time, by=label_ordered, k=6)", *random])
    return FitTask(
        formula,
        data,
        engine="structured",
        rho=rho,
        series="token",
        order="time",
        factors={"label": ["a", "b"]},
        ordered={"label_ordered": ("label", "a")},
    )


def joint(data: pd.DataFrame, *random: str, rho: float | None = 0.3) -> FitTask:
    formula = " + ".join(["value ~ s(time, k=6) + s(time, by=is_b, k=6)", *random])
    data = data.assign(is_b=(data["label"] == "b").astype(float))
    return FitTask(formula, data, engine="structured", rho=rho, series="token", order="time")


@pytest.fixture(scope="session")
def make():
    """Return the functions of this file, which tests cannot import."""
    return SimpleNamespace(table=table, level_and_shape=level_and_shape, joint=joint)


@pytest.fixture(scope="session")
def curves():
    """Return a table whose difference is large, so that labels at random differ in shape too."""
    return table(shape=3.0)
