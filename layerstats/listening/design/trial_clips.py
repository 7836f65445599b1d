"""Clips beside those that are tested: training, references and catch trials; and where their sounds will be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layerstats.checks import check_not_negative
from layerstats.corpora.espeak import SpeechRequest
from layerstats.errors import ArgumentError, DataError
from layerstats.listening.design.catch_trials import catch_trials
from layerstats.listening.design.sound_files import FOLDER

# Hidden references of a session where nobody says how many.
MOST_REFERENCES = 2


@dataclass(frozen=True)
class Extras:
    """How many trials of a session are none of the tested clips, by role."""

    reference: int
    catch: int
    training: int

    @classmethod
    def of(cls, table: pd.DataFrame, references: int | None, catch: int) -> Extras:
        """Count them; every session has all training trials.

        Raises
        ------
        ArgumentError
            More are asked for than there are.
        """
        found = {role: table["role"].tolist().count(role) for role in ("reference", "catch", "training")}
        wanted = min(found["reference"], MOST_REFERENCES) if references is None else references
        check_not_negative("references", wanted)
        for name, number, there in (("references", wanted, found["reference"]), ("catch", catch, found["catch"])):
            if number > there:
                raise ArgumentError(
                    f"{name}={number} trials a session need as many clips of that role, but the table has {there}. "
                    f"Possible are 0 to {there}."
                )
        return cls(wanted, catch, found["training"])


def take_training(
    table: pd.DataFrame, training: int | None, balance: Sequence[str], rng: np.random.Generator
) -> tuple[pd.DataFrame, list[str]]:
    """Keep as many training trials as asked for; where the table has none, take clips out of those that are tested.

    Raises
    ------
    ArgumentError
        There are not so many.
    """
    given = np.flatnonzero(table["role"] == "training")
    if training is None:
        return table, []
    check_not_negative("training", training)
    if len(given):
        if training > len(given):
            raise ArgumentError(
                f"training={training} trials need as many clips of that role, but the table has {len(given)}."
            )
        return table.drop(index=table.index[given[training:]]).reset_index(drop=True), []
    tested = np.flatnonzero(table["role"] == "test")
    if training >= len(tested):
        raise ArgumentError(
            f"training={training} trials would leave none of {len(tested)} clips to be tested. Possible are 0 to "
            f"{len(tested) - 1}."
        )
    if not training:
        return table, []
    # One of each condition in turn, so that raters meet all of them before it counts.
    drawn = rng.permutation(tested)
    conditions = table[balance[0]].astype(str).tolist() if balance else [""] * len(table)
    own = pd.Series([conditions[row] for row in drawn.tolist()])
    turns = own.groupby(own).cumcount().to_numpy()
    taken = drawn[np.argsort(turns, kind="stable")[:training]]
    roles = table["role"].to_numpy(dtype=object, copy=True)
    roles[taken] = "training"
    note = f"{training} clips are for training and are not tested: the table has no clips of the role 'training'."
    return table.assign(role=roles), [note]


def add_catch_trials(
    table: pd.DataFrame, task: str, answers: Sequence[str], number: int
) -> tuple[pd.DataFrame, dict[str, dict[str, SpeechRequest]]]:
    """Add catch trials that a voice says, unless the table has its own; return what is said, by clip."""
    own = pd.DataFrame(table.loc[np.asarray(table["role"] == "catch")])
    if len(own):
        if pd.isna(own["expected"].tolist()).any():
            raise DataError("Clips of the role 'catch' need the column 'expected': the answer that they ask for.")
        return table, {}
    made = catch_trials(task, answers, number)
    taken = set(table["clip"])
    said: dict[str, dict[str, SpeechRequest]] = {}
    rows: list[dict[str, Any]] = []
    for trial in made:
        name = trial["clip"]
        while name in taken:
            name = f"{name}_"
        said[name] = trial["said"]
        rows.append({"clip": name, "role": "catch", "expected": trial["expected"]})
    if not rows:
        return table, {}
    # As objects: a column that has nothing for catch trials keeps its whole numbers and texts.
    added = pd.DataFrame(rows).reindex(columns=table.columns).astype(object)
    return pd.concat([table.astype(object), added], ignore_index=True).infer_objects(), said


def name_sounds(
    table: pd.DataFrame,
    columns: Sequence[str],
    said: Mapping[str, Mapping[str, SpeechRequest]],
    folder: Path,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, dict[str, Path | SpeechRequest]]:
    """Give every sound a name that tells raters nothing, and say where it comes from.

    Columns of the table that named files become `taken_from` (`taken_from_a`, ...), so that a clip can be traced.
    """
    sources: dict[str, list[Path | SpeechRequest]] = {}
    for column in columns:
        sources[column] = [
            said[clip][column] if clip in said else folder / str(file)
            for clip, file in zip(table["clip"], table[column], strict=True)
        ]
    different = list(dict.fromkeys(source for column in columns for source in sources[column]))
    numbers = rng.permutation(len(different)) + 1
    digits = max(4, len(str(len(different))))
    names = {
        source: f"{FOLDER}/{number:0{digits}d}.wav" for source, number in zip(different, numbers.tolist(), strict=True)
    }
    traced = {
        column.replace("file", "taken_from"): table[column].where(~table["clip"].isin(list(said)), None)
        for column in columns
    }
    placed = {column: [names[source] for source in sources[column]] for column in columns}
    return table.assign(**placed, **traced), {name: source for source, name in names.items()}
