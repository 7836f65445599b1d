"""Simulated listening tests of many shapes, the same wherever they are made: what R said of them is in a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special


@dataclass(frozen=True, eq=False)
class SimulatedDesign:
    """A model and its data."""

    name: str
    formula: str
    link: str
    threshold: str
    frame: pd.DataFrame


# Raters, clips, categories, standard deviation of raters, of clips, of a rater's slope, and the formula.
SHAPES = [
    (8, 12, 5, 1.0, 0.0, 0.0, "rating ~ condition + (1 | rater)"),
    (20, 10, 5, 1.5, 0.5, 0.0, "rating ~ condition + (1 | rater) + (1 | clip)"),
    (12, 30, 4, 0.5, 1.0, 0.0, "rating ~ condition + (1 | rater) + (1 | clip)"),
    (25, 25, 3, 0.8, 0.8, 0.0, "rating ~ condition + level + (1 | rater) + (1 | clip)"),
    (10, 20, 7, 1.0, 0.3, 0.0, "rating ~ condition * level + (1 | rater) + (1 | clip)"),
    (30, 12, 5, 1.0, 0.0, 0.8, "rating ~ level + (1 + level | rater)"),
    (24, 16, 5, 0.8, 0.6, 0.6, "rating ~ level + (1 + level | rater) + (1 | clip)"),
    (15, 40, 5, 2.0, 1.5, 0.0, "rating ~ condition + (1 | rater) + (1 | clip)"),
    (6, 60, 5, 1.0, 1.0, 0.0, "rating ~ condition + level + (1 | rater) + (1 | clip)"),
    (18, 18, 5, 0.1, 0.1, 0.0, "rating ~ condition + (1 | rater) + (1 | clip)"),
    (16, 24, 2, 1.0, 0.7, 0.0, "rating ~ condition + level + (1 | rater) + (1 | clip)"),
]
SETTINGS = [("logit", "flexible"), ("probit", "flexible"), ("logit", "equidistant"), ("probit", "equidistant")]


def simulated_designs() -> list[SimulatedDesign]:
    """Return 44 designs: every shape with every link and kind of thresholds; legacy generators have fixed streams."""
    found = []
    for number, shape in enumerate(SHAPES):
        for place, (link, threshold) in enumerate(SETTINGS):
            kind = "flexible" if shape[2] == 2 else threshold
            frame = _ratings(shape, link, np.random.RandomState(100 * number + place))
            found.append(SimulatedDesign(f"design_{number:02d}_{place}", shape[6], link, kind, frame))
    return found


def _ratings(shape: tuple, link: str, draws: np.random.RandomState) -> pd.DataFrame:
    raters, clips, categories, rater_sd, clip_sd, slope_sd, _ = shape
    share = 1.0 if clips <= 20 else 0.6
    rater, clip = (part.ravel() for part in np.meshgrid(np.arange(raters), np.arange(clips), indexing="ij"))
    kept = draws.uniform(size=len(rater)) < share
    rater, clip = rater[kept], clip[kept]
    condition = clip % 3
    level = np.round(draws.normal(size=clips), 2)[clip]
    predictor = np.array([0.0, 0.8, -0.5])[condition] + 0.4 * level
    predictor += rater_sd * draws.normal(size=raters)[rater] + clip_sd * draws.normal(size=clips)[clip]
    predictor += slope_sd * draws.normal(size=raters)[rater] * level
    uniform = draws.uniform(size=len(rater))
    latent = predictor + (special.logit(uniform) if link == "logit" else special.ndtri(uniform))
    thresholds = np.linspace(-1.5, 1.5, categories - 1) if categories > 2 else np.zeros(1)
    return pd.DataFrame(
        {
            "rating": 1 + (latent[:, None] > thresholds).sum(axis=1),
            "rater": [f"r{number:02d}" for number in rater],
            "clip": [f"c{number:02d}" for number in clip],
            "condition": np.array(["a", "b", "c"])[condition],
            "level": level,
        }
    )


if __name__ == "__main__":
    import sys
    from pathlib import Path

    folder = Path(sys.argv[1])
    listed = []
    for design in simulated_designs():
        design.frame.to_csv(folder / f"{design.name}.csv", index=False)
        listed.append((design.name, design.formula, design.link, design.threshold))
    pd.DataFrame(listed, columns=["name", "formula", "link", "threshold"]).to_csv(folder / "designs.csv", index=False)
