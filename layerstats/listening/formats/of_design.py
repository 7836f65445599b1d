"""Answers beside the design that they belong to: what each clip is for, and what nobody answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError, DataError
from layerstats.listening.design import PAGE_COLUMNS, ListeningDesign
from layerstats.listening.formats.praat_text import stimulus_names
from layerstats.listening.formats.row_problems import RowProblems, told
from layerstats.spreadsheets import bare

_MOST_NAMED = 5


def with_design(frame: pd.DataFrame, design: ListeningDesign, problems: pd.DataFrame) -> RowProblems:
    """Return rows with the columns of their clips; rows whose clip is not in the design are problems.

    Parameters
    ----------
    frame : DataFrame
        `clip` is the name of a clip, or the address or path of its sound.
    design : ListeningDesign
        The listening test.
    problems : DataFrame
        What is known to be wrong already.

    Raises
    ------
    DataError
        No clip is in the design.
    """
    known = _names(design.clips)
    given = frame["clip"].str.strip()
    resolved = given.map({name: _found(str(name), known) for name in given.unique()})
    lacking = np.asarray(resolved.isna(), dtype=bool) & np.asarray(given != "", dtype=bool)
    if lacking.all():
        raise DataError(
            f"None of the clips that were answered is in the design {design.title!r}: they are called "
            f"{_shown(given.unique())}, those of the design {_shown(design.clips['clip'])}."
        )
    rows = RowProblems(frame.assign(clip=resolved.where(resolved.notna(), given)), problems)
    rows.report(lacking, "clip is not in the design", value="clip")
    clips = design.clips.set_index("clip").drop(columns=list(PAGE_COLUMNS), errors="ignore")
    of_clip = clips.reindex(rows.table["clip"])
    described = {str(name): np.asarray(of_clip[name]) for name in clips}
    if "role" in rows.table:
        # What was asked for practice was practice, whatever the clip is for otherwise.
        practice = (rows.table["role"] == "training").to_numpy(dtype=bool)
        described["role"] = np.where(practice, "training", described["role"])
    rows.table = rows.table.assign(**described)
    rows.table = _with_trials(rows.table, design.trials)
    return rows


def notes_on_changes(table: pd.DataFrame, design: ListeningDesign) -> list[str]:
    """Return what of a design was changed after the answers that carry its hash."""
    notes = []
    hashes = table["design_hash"].dropna().unique() if "design_hash" in table else []
    for given in hashes:
        if given == design.hash:
            continue
        try:
            changed = design.changes(str(given))["part"].tolist()
        except ArgumentError:
            notes.append(f"Answers say that they belong to the design {given[:12]}, which this one never was.")
        else:
            notes.append(f"The design was changed after answers were given to {given[:12]}: {', '.join(changed)}.")
    return notes


def notes_on_gaps(table: pd.DataFrame, design: ListeningDesign) -> list[str]:
    """Return what nobody answered: conditions, and clips."""
    asked = design.clips.loc[design.clips["role"] == "test"]
    answered = set(table["clip"])
    notes = []
    if "condition" in asked:
        conditions = asked["condition"].dropna().unique()
        none = [one for one in conditions if not answered & set(asked.loc[asked["condition"] == one, "clip"])]
        if none:
            notes.append(f"Nobody answered a clip of the condition {', '.join(map(str, none))}.")
    open_clips = [clip for clip in asked["clip"] if clip not in answered]
    if open_clips:
        notes.append(f"{told(len(open_clips), 'clip')} of {len(asked)} have no answer: {_shown(open_clips)}.")
    return notes


def _names(clips: pd.DataFrame) -> dict[str, str]:
    """Return clips by what answers may call them: their name, or that of their sound where it is of one clip only."""
    files = clips["file"].tolist() if "file" in clips else []
    stems = [_stem(str(file)) for file in files]
    count = Counter(stems)
    named = {stem: clip for clip, stem in zip(clips["clip"], stems, strict=False) if count[stem] == 1}
    in_praat = {name: clip for clip, name in stimulus_names(clips["clip"]).items()}
    return {**in_praat, **named, **{clip: clip for clip in clips["clip"]}}


def _found(name: str, known: Mapping[str, str]) -> str | None:
    return known.get(name) or known.get(_stem(name)) or known.get(str(bare(name)))


def _stem(name: str) -> str:
    return PurePosixPath(unquote(urlsplit(name.replace("\\", "/")).path)).stem


def _with_trials(table: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Add the order within pairs, and positions, where answers say their session but not these."""
    wanted = [name for name in ("swapped", "position") if name in trials and name not in table]
    if "session" not in table or not wanted:
        return table
    sessions = trials["session"].astype(str)
    of_trial = trials.assign(session=sessions).drop_duplicates(["session", "clip"]).set_index(["session", "clip"])
    found = of_trial.reindex(pd.MultiIndex.from_arrays([table["session"], table["clip"]]))
    if bool(found[wanted].isna().to_numpy().all()):
        return table
    return table.assign(**{name: found[name].to_numpy() for name in wanted})


def _shown(names: Iterable[object]) -> str:
    listed = [str(name) for name in names]
    return ", ".join(listed[:_MOST_NAMED]) + (", ..." if len(listed) > _MOST_NAMED else "")
