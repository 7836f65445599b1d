"""A listening test before anyone has listened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from layerstats.tables.answers import check_task


@dataclass(frozen=True)
class ScalePoint:
    """One point of a scale of opinion.

    Attributes
    ----------
    value
        What is stored.
    label
        What stands on the button, such as "Good".
    anchor
        What the point means, in the instructions; may be empty.
    """

    value: int
    label: str
    anchor: str = ""


@dataclass(frozen=True, eq=False)
class ListeningDesign:
    """A listening test: what is asked, who hears which clip in which order, and what will be done with the answers.

    Attributes
    ----------
    title
        What raters see on top of the page.
    task
        "opinion", "preference", "abx" or "identification".
    question
        What is asked at every trial.
    clips
        A row a clip (or a pair, or an ABX triple): `clip`, unique; `role` ("test", "reference", "catch", "training");
        `expected`, the right answer as text, or missing; `file`, the path of the sound below the design's folder, or
        of pairs `file_a`, `file_b` (and `file_x` of ABX); `prompt`, text shown at this trial, such as the word, or
        missing: identification shows none; and columns of the clips' own (`condition`, `system`, `target`, ...).
    trials
        A row a trial: `session` (1, 2, ...; a rater does one), `position` from 1, `clip`, and of pairs `swapped`,
        whether a is played as the second.
    scale
        Points of the scale, of opinion.
    alternatives
        What can be chosen, of preference ("a", "b", perhaps "same"), ABX and identification; empty where the answer
        is typed.
    rules
        Rules for cleaning, in their order: each a mapping with `rule`, its name, and its options
        (`layerstats.stats.ratings.cleaning`).
    contrasts
        The differences of conditions that will be tested, "a - b" in names of conditions, one family.
    equivalence_margin
        Difference on the scale below which conditions count as equivalent; None where that is not asked.
    seed
        Of everything that was drawn.
    texts
        What the page says by place: "consent", "instructions", "headphones", "thanks", ...
    notes
        What a reader should know of the design, in sentences.
    """

    title: str
    task: str
    question: str
    clips: pd.DataFrame
    trials: pd.DataFrame
    scale: tuple[ScalePoint, ...] = ()
    alternatives: tuple[str, ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()
    contrasts: tuple[str, ...] = ()
    equivalence_margin: float | None = None
    seed: int = 0
    texts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_task(self.task)
