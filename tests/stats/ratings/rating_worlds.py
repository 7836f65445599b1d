"""Ratings with known effects of raters and clips."""

from __future__ import annotations

import numpy as np
import pandas as pd


def crossed_ratings(raters, clips, *, conditions=2, effect=0.0, rater=0.5, clip=0.5, noise=1.0, seed=0, heard=None):
    """Return continuous ratings: `clips` a condition, each heard by all raters, or by `heard` of them."""
    random = np.random.default_rng(seed)
    of_rater = random.normal(0, rater, raters)
    rows = []
    for condition in range(conditions):
        for number in range(clips):
            of_clip = random.normal(0, clip)
            who = range(raters) if heard is None else sorted(random.choice(raters, heard, replace=False))
            for one in who:
                value = 3 + effect * (condition == 1) + of_rater[one] + of_clip + random.normal(0, noise)
                rows.append((f"r{one:03d}", f"c{condition}_{number:03d}", f"k{condition}", value))
    return pd.DataFrame(rows, columns=["rater", "clip", "condition", "rating"])


def vcc_2018(real_data):
    table = pd.read_csv(real_data("ratings", "vcc2018", "vcc2018_training_data.csv"))
    parts = table["WAV_PATH"].str.removesuffix(".wav").str.split("_")
    table["system"] = parts.str[-1] + "_" + parts.str[0]
    return table.rename(columns={"JUDGE": "rater", "WAV_PATH": "clip", "MOS": "rating"})


def mean_squares(matrix):
    """Return mean squares between rows, between columns and left, and the sizes, of a complete table."""
    rows, columns = matrix.shape
    of_rows, of_columns = matrix.mean(axis=1), matrix.mean(axis=0)
    left = matrix - of_rows[:, None] - of_columns[None, :] + matrix.mean()
    return (
        columns * of_rows.var(ddof=1),
        rows * of_columns.var(ddof=1),
        np.sum(left**2) / ((rows - 1) * (columns - 1)),
    )
