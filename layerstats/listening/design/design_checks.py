"""What a design must be before anyone may be asked: every reference to a clip, a condition or an answer exists."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns, check_complete
from layerstats.errors import ArgumentError, DataError, LayerstatsError
from layerstats.tables.answers import ROLES

# The sounds of a trial, by task.
SOUND_COLUMNS = {
    "opinion": ("file",),
    "identification": ("file",),
    "preference": ("file_a", "file_b"),
    "abx": ("file_a", "file_b", "file_x"),
}
# Of the name of a clip or of an alternative.
MOST_CHARACTERS = 300
_SIDES = ("", "_a", "_b", "_x")
# Columns of clips that say what is played and shown, and nothing of what an answer is about.
PAGE_COLUMNS = ("prompt", *(f"{name}{side}" for name in ("file", "taken_from") for side in _SIDES))
ALTERNATIVES = {"preference": (("a", "b"), ("a", "b", "same")), "abx": (("a", "b"),)}


def check_clips(clips: pd.DataFrame, task: str) -> None:
    """Raise `DataError` unless clips are unique, have a role and name the sounds that the task plays."""
    what = "the clips of the design"
    check_columns(clips, ["clip", "role", *SOUND_COLUMNS[task]], what)
    check_complete(clips, ["clip", "role", *SOUND_COLUMNS[task]], what)
    repeated = clips.loc[np.asarray(clips["clip"].duplicated()), "clip"].tolist()
    if repeated:
        raise DataError(f"The clip {repeated[0]!r} is twice in {what}: a clip has one row.")
    for name in clips["clip"].tolist():
        _check_in_one_line("clip", str(name), DataError)
    for role in dict.fromkeys(clips["role"].tolist()):
        check_choice("role", role, ROLES)
    for name in SOUND_COLUMNS[task]:
        for file in clips[name].tolist():
            _check_below(str(file))
    if task == "identification" and "prompt" in clips:
        shown = clips.loc[np.asarray(clips["prompt"].notna() & (clips["role"] == "test")), "clip"].tolist()
        if shown:
            raise DataError(
                f"Identification asks what is heard without showing it, but the clip {shown[0]!r} has a prompt. Leave "
                "the column 'prompt' empty, or ask for an opinion."
            )


def _check_in_one_line(what: str, name: str, error: type[LayerstatsError]) -> None:
    # Answers carry these names, and what is longer, or has such characters, is refused when they are handed in.
    if name != name.strip():
        raise error(f"The {what} {name[:60]!r} must not begin or end with a space: answers are read without it.")
    if len(name) > MOST_CHARACTERS or any(ord(sign) < 32 or ord(sign) == 127 for sign in name):
        shown = name if len(name) <= 60 else f"{name[:60]}..."
        raise error(
            f"The {what} {shown!r} must have at most {MOST_CHARACTERS} characters ({len(name)} here), no line break, "
            "tab or other control character: name it otherwise."
        )


def _check_below(file: str) -> None:
    # Pages and servers read these names: none may lead out of the design's folder, on any system.
    parts = file.replace("\\", "/").split("/")
    if not file or file.startswith(("/", "\\")) or ".." in parts or ":" in file or "\x00" in file:
        raise DataError(f"The sound {file!r} of a clip must be the path of a file below the design's folder.")


def check_trials(trials: pd.DataFrame, clips: pd.DataFrame, task: str) -> None:
    """Raise `DataError` unless trials name clips that there are, none twice in a session, at places of their own."""
    what = "the trials of the design"
    pairs = task in ("preference", "abx")
    columns = ["session", "position", "clip", *(["swapped"] if pairs else [])]
    check_columns(trials, columns, what)
    check_complete(trials, columns, what)
    unknown = sorted(set(trials["clip"]) - set(clips["clip"]))
    if unknown:
        raise DataError(f"The clip {unknown[0]!r} is in {what} but not in its clips.")
    for column, wrong in (("clip", "hears a clip twice"), ("position", "has two trials at one position")):
        twice = trials.loc[np.asarray(trials.duplicated(["session", column]))]
        if len(twice):
            row = twice.iloc[0]
            raise DataError(f"Session {row['session']} {wrong}: {column} {row[column]!r} in {what}.")
    for column in ("session", "position"):
        values = np.asarray(pd.to_numeric(trials[column], errors="coerce"), dtype=float)
        if not ((values >= 1) & (values % 1 == 0)).all():
            raise DataError(f"The column {column!r} of {what} must hold whole numbers from 1.")


def check_points(values: Sequence[int], task: str) -> None:
    """Raise `ArgumentError` unless an opinion has a scale of two or more rising whole numbers, and others none."""
    if task != "opinion" and values:
        raise ArgumentError(f"Only opinions are given on a scale, but the task is {task!r}, with {list(values)}.")
    whole = all(isinstance(value, int | np.integer) and not isinstance(value, bool) for value in values)
    if task == "opinion" and (len(values) < 2 or not whole or (np.diff(values) <= 0).any()):
        raise ArgumentError(f"The scale must have two or more rising whole numbers, but has {list(values)}.")


def check_alternatives(alternatives: Sequence[str], task: str) -> None:
    """Raise `ArgumentError` unless the alternatives are different texts, and those of the task where it has its own."""
    given = tuple(alternatives)
    if len(set(given)) < len(given) or any(not isinstance(item, str) or not item.strip() for item in given):
        raise ArgumentError(f"The alternatives must be different texts and none empty, but are {given!r}.")
    for item in given:
        _check_in_one_line("alternative", item, ArgumentError)
    if task in ALTERNATIVES and given not in ALTERNATIVES[task]:
        listed = " or ".join(map(repr, ALTERNATIVES[task]))
        raise ArgumentError(f"The alternatives of {task} must be {listed}, but are {given!r}.")
    if task == "identification" and len(given) == 1:
        raise ArgumentError(f"Identification needs two alternatives or more, or none (typed), but has {given!r}.")


def check_contrasts(contrasts: Sequence[str], clips: pd.DataFrame) -> None:
    """Raise `ArgumentError` unless every contrast names two different conditions of clips that are tested."""
    if not contrasts:
        return
    if len(set(contrasts)) < len(contrasts):
        raise ArgumentError(f"The contrasts must differ, but are {tuple(contrasts)!r}.")
    known = tested_conditions(clips)
    for contrast in contrasts:
        sides_of(contrast, known)


def tested_conditions(clips: pd.DataFrame) -> list[str]:
    """Return the names of the conditions of clips of the role "test", in their order; of pairs those of both sides."""
    tested = pd.DataFrame(clips.loc[np.asarray(clips["role"] == "test")])
    columns = [name for name in ("condition_a", "condition_b") if name in tested] or ["condition"]
    named = [str(value) for name in columns if name in tested for value in tested[name].dropna().tolist()]
    return list(dict.fromkeys(named))


def sides_of(contrast: str, known: Sequence[str]) -> tuple[str, str]:
    """Take "a - b" apart, where a and b are among the known conditions (whose names may hold " - " themselves).

    Raises
    ------
    ArgumentError
        There are no two such conditions.

    Examples
    --------
    >>> sides_of("maximized - natural", ["natural", "maximized"])
    ('maximized', 'natural')
    """
    parts = str(contrast).split(" - ")
    for cut in range(1, len(parts)):
        first, second = " - ".join(parts[:cut]).strip(), " - ".join(parts[cut:]).strip()
        if first in known and second in known and first != second:
            return first, second
    listed = ", ".join(map(repr, known)) or "none (there is no column 'condition')"
    raise ArgumentError(f"A contrast is written 'a - b' with names of two conditions ({listed}), but got {contrast!r}.")
