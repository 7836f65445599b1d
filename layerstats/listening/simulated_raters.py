"""Raters who are not there: answers to a design with known effects, for demonstrations, tests and pilots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns, check_not_negative, check_seed
from layerstats.errors import ArgumentError, DataError
from layerstats.listening.design.design_checks import PAGE_COLUMNS
from layerstats.listening.design.listening_design import ListeningDesign
from layerstats.tables.answers import PROBLEM_COLUMNS, Answers

# What every simulated rater's name begins with.
NAME = "simulated rater"
# Between thresholds of the scale of opinion, on the scale of the logit: all five points are used at an effect of 0.
THRESHOLDS_APART = 1.5
# Seconds from the end of a clip to an answer: median and standard deviation of its logarithm.
SECONDS = (2.5, 0.4)


@dataclass(frozen=True)
class RaterWorld:
    """What is true of simulated raters, on the scale of the logit.

    Attributes
    ----------
    effects
        Of each condition; conditions that are not named have 0.
    by
        Column of the clips in which conditions stand; of pairs `BY_a` and `BY_b`.
    rater_sd, slope_sd, clip_sd
        Standard deviations over raters (how kind), over raters within conditions, and over clips.
    careless
        Share of raters who answer everything at random, catch trials too.
    attention
        Probability that another rater answers a catch trial, or a reference with a right answer, rightly.
    second
        Effect of being played second on being preferred.

    Examples
    --------
    >>> RaterWorld({"natural": 1.0, "maximized": 0.0}, careless=0.1).rater_sd
    1.0
    """

    effects: Mapping[str, float]
    by: str = "condition"
    rater_sd: float = 1.0
    slope_sd: float = 0.5
    clip_sd: float = 0.7
    careless: float = 0.0
    attention: float = 0.97
    second: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rater_sd", "slope_sd", "clip_sd"):
            check_not_negative(name, getattr(self, name))
        for name in ("careless", "attention"):
            if not 0 <= getattr(self, name) <= 1:
                raise ArgumentError(f"{name} must be between 0 and 1, but got {getattr(self, name)!r}.")


def simulate_answers(design: ListeningDesign, world: RaterWorld, *, seed: int = 0) -> Answers:
    """Answer a design as raters of a known world would; each session has one rater, "simulated rater 01" and so on.

    Of opinion a rating is the point of the scale in which effect + rater + clip + logistic noise falls. Of pairs that
    is the preference for a; of ABX and identification the right answer is heard with its logistic probability, and
    otherwise guessed.

    Parameters
    ----------
    design : ListeningDesign
        What is asked of whom.
    world : RaterWorld
        What is true.
    seed : int
        Of everything that is drawn; the same seed gives the same answers.

    Returns
    -------
    Answers
        Whose notes say that raters are simulated.

    Raises
    ------
    DataError
        The clips lack the column of conditions, or a right answer where one is needed.
    ArgumentError
        An effect is named of a condition that no clip has.

    Examples
    --------
    >>> from layerstats.listening.design import ScalePoint
    >>> clips = pd.DataFrame({"clip": ["a", "b"], "role": "test", "condition": ["old", "new"], "expected": None,
    ...                       "file": ["a.wav", "b.wav"]})
    >>> trials = pd.DataFrame({"session": [1, 1], "position": [1, 2], "clip": ["b", "a"]})
    >>> scale = tuple(ScalePoint(value, str(value)) for value in range(1, 6))
    >>> design = ListeningDesign("Old and new", "opinion", "How clear is it?", clips, trials, scale)
    >>> answers = simulate_answers(design, RaterWorld({"new": 20.0, "old": -20.0}), seed=1)
    >>> answers.table[["rater", "clip", "rating"]].values.tolist()
    [['simulated rater 1', 'b', 5], ['simulated rater 1', 'a', 1]]
    """
    check_seed(seed)
    clips, needed = design.clips, [world.by]
    if design.task == "preference":
        needed = [f"{world.by}_a", f"{world.by}_b"]
    check_columns(clips, ["clip", "role", *needed], "the clips of the design")
    known = sorted({str(value) for name in needed for value in clips[name].dropna()})
    for condition in world.effects:
        check_choice("effects", condition, known)
    # A seed of their own for clips and for each session: raters are the same however many there are.
    drawn = np.random.default_rng([seed, 0]).normal(0, world.clip_sd, len(clips))
    shifts = dict(zip(clips["clip"].astype(str), drawn.tolist(), strict=True))
    trials = design.trials.sort_values(["session", "position"], kind="stable").astype({"clip": "str"})
    known_clips = clips if "expected" in clips else clips.assign(expected=None)
    described = trials.merge(known_clips.astype({"clip": "str"}), on="clip", how="left", validate="many_to_one")
    digits = len(str(design.trials["session"].max()))
    parts = []
    for session, rows in described.groupby("session", sort=True):
        name = f"{NAME} {int(str(session)):0{digits}d}"
        rater = _Rater(design, world, np.random.default_rng([seed, int(str(session))]))
        parts.append(rater.answers(pd.DataFrame(rows), shifts).assign(rater=name))
    table = pd.concat(parts, ignore_index=True)
    first = ["rater", "clip", "task", "role", "rating" if design.task == "opinion" else "response", "expected"]
    rest = [name for name in table if name not in first and name not in PAGE_COLUMNS]
    values = [point.value for point in design.scale]
    scale = (min(values), max(values)) if values else None
    note = f"The {table['rater'].nunique()} raters are simulated: nobody listened."
    return Answers(table.loc[:, [*first, *rest]], pd.DataFrame(columns=list(PROBLEM_COLUMNS)), scale, (note,))


class _Rater:
    """One rater, who is kind or careless as drawn."""

    def __init__(self, design: ListeningDesign, world: RaterWorld, random: np.random.Generator) -> None:
        self.design, self.world, self.random = design, world, random
        self.careless = bool(random.random() < world.careless)
        self.shift = random.normal(0, world.rater_sd)
        self.slopes = {name: random.normal(0, world.slope_sd) for name in sorted(self._conditions())}

    def answers(self, rows: pd.DataFrame, shifts: Mapping[str, float]) -> pd.DataFrame:
        """Answer the trials of one session in their order."""
        answered = [self._answer(row, shifts[row["clip"]]) for row in rows.to_dict("records")]
        column = "rating" if self.design.task == "opinion" else "response"
        seconds = SECONDS[0] * np.exp(SECONDS[1] * self.random.standard_normal(len(rows)))
        return rows.assign(**{column: answered}, task=self.design.task, seconds=seconds.round(2))

    def _answer(self, row: dict, shift: float) -> object:
        options = self._options()
        expected = row.get("expected")
        has_answer = isinstance(expected, str) or (expected is not None and bool(pd.notna(expected)))
        if self.careless:
            return options[self.random.integers(len(options))]
        if has_answer and row["role"] in ("catch", "reference"):
            return self._heard(str(expected), self.world.attention, options)
        if self.design.task == "opinion":
            value = self._condition(row, self.world.by) + self.shift + shift + self.random.logistic()
            cuts = THRESHOLDS_APART * (np.arange(1, len(options)) - len(options) / 2)
            return options[int(np.searchsorted(cuts, value))]
        if self.design.task == "preference":
            return self._preferred(row, shift)
        if not has_answer:
            raise DataError(f"The clip {row['clip']!r} has no right answer in the column 'expected'.")
        chance = 1 / len(options) if self.design.alternatives else 0.0
        latent = self._condition(row, self.world.by) + self.shift + shift
        return self._heard(str(expected), chance + (1 - chance) / (1 + np.exp(-latent)), options)

    def _preferred(self, row: dict, shift: float) -> str:
        order = self.world.second * (1 if row.get("swapped") else -1)
        first, second = (self._condition(row, f"{self.world.by}_{side}") for side in "ab")
        value = first - second + shift + order + self.random.logistic()
        if "same" in self.design.alternatives and abs(value) < THRESHOLDS_APART / 2:
            return "same"
        return "a" if value > 0 else "b"

    def _heard(self, expected: str, probability: float, options: Sequence[object]) -> object:
        others = [option for option in options if str(option) != expected]
        if not others or self.random.random() < probability:
            return next((option for option in options if str(option) == expected), expected)
        return others[self.random.integers(len(others))]

    def _condition(self, row: dict, column: str) -> float:
        name = str(row[column])
        return self.world.effects.get(name, 0.0) + self.slopes.get(name, 0.0)

    def _conditions(self) -> set[str]:
        by = self.world.by
        names = [name for name in (by, f"{by}_a", f"{by}_b") if name in self.design.clips]
        return {str(value) for name in names for value in self.design.clips[name].dropna()}

    def _options(self) -> list:
        if self.design.task == "opinion":
            return sorted(point.value for point in self.design.scale)
        if self.design.alternatives:
            return list(self.design.alternatives)
        # What is typed is one of the words of the test.
        return sorted({str(value) for value in self.design.clips["expected"].dropna()})


def has_simulated_raters(table: pd.DataFrame) -> bool:
    """Whether answers are of raters that `simulate_answers` made, by their names.

    Examples
    --------
    >>> has_simulated_raters(pd.DataFrame({"rater": ["simulated rater 1", "r2"]}))
    True
    """
    check_columns(table, ["rater"], "the answers")
    return bool(table["rater"].astype(str).str.startswith(NAME).any())
