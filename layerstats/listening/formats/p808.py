"""Results of the P.808 toolkit on Mechanical Turk: questions with the address of their clip beside them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from layerstats.errors import DataError
from layerstats.listening.formats.mturk import UPLOAD_COLUMNS, assignment_columns, assignment_notes, with_keys
from layerstats.listening.formats.parsed import Declared, Parsed, lower_names, numbers_of
from layerstats.listening.formats.rating_labels import ratings_of
from layerstats.listening.formats.source import Source

# A question of the test, or (t) of its training.
_QUESTION = re.compile(r"answer\.((?:q|t)\w*?\d+)_url$")
# Scales of P.835 and P.804; the overall impression is the rating.
_OVERALL = "ovrl"
# Where an assignment has its clips with a known answer: the address, the answer, and what they are.
_KNOWN_ANSWERS = (
    ("input.tp", "input.tp_ans", "catch"),
    ("input.gold_clips", "input.gold_clips_ans", "reference"),
    ("input.gold_clips2", "input.gold_clips2_ans", "reference"),
)


def is_p808(source: Source) -> bool:
    """Whether a file is the results of the P.808 toolkit."""
    names = [name.lower() for name in source.header]
    return "workerid" in names and any(_QUESTION.match(name) for name in names)


def parse_p808(source: Source, declared: Declared) -> Parsed:
    """Take the ratings of every question; trapping clips are catch trials, gold questions references.

    Raises
    ------
    DataError
        No question has its address.
    """
    cells, problems = source.sheet.cells(source.name, optional=UPLOAD_COLUMNS)
    cells = cells.rename(columns={name: "WorkerId" for name in cells if name.lower() == "workerid"})
    names = lower_names(cells)
    own = declared.mapping.own_columns(cells, ("clip", "rating", "role", "expected", "position"), repr(source.name))
    questions = [match[1] for match in (_QUESTION.match(name) for name in names) if match]
    if not questions:
        raise DataError(
            f"{source.name!r} has no question with its address (Answer.q1 beside Answer.q1_url). Its columns are: "
            f"{', '.join(cells.columns[:60])}."
        )
    parts = [_question(cells, names, question, place) for place, question in enumerate(questions, start=1)]
    declared_columns = pd.DataFrame(own, index=cells.index, dtype=str)
    parts = [None if part is None else part.assign(**declared_columns) for part in parts]
    frame = pd.concat([part for part in parts if part is not None]).sort_values("source_row", kind="stable")
    frame = with_keys(frame.reset_index(drop=True))
    ratings, _ = ratings_of(frame["rating"], declared.mapping.labels)
    given = ratings[~np.isnan(ratings)]
    scale = (1, 5) if not len(given) or given.min() >= 1 else (-3, 3)
    notes = [*assignment_notes(cells)]
    others = sorted(name for name in frame if name.startswith("rating_"))
    if others:
        notes.append(f"The rating is the overall one; the others are {', '.join(others)}.")
    return Parsed(frame, problems, task="opinion", scale=scale, notes=tuple(notes))


def _question(cells: pd.DataFrame, names: dict[str, str], question: str, place: int) -> pd.DataFrame | None:
    """Return the answers to one question; None where nothing but its address is there."""
    stem = f"answer.{question}"
    scales = [name for name in names if name == stem or re.fullmatch(rf"{re.escape(stem)}_(?!url$)[a-z]+", name)]
    main = next((name for name in (stem, f"{stem}_{_OVERALL}", *scales) if name in names), None)
    if main is None:
        return None
    frame = pd.DataFrame({name: cells[column] for name, column in assignment_columns(cells, True).items()})
    address = cells[names[f"{stem}_url"]].str.strip()
    frame = frame.assign(clip=address, rating=cells[names[main]], position=str(place), source_row=cells.index)
    frame["role"] = "training" if question.startswith("t") else "test"
    frame["expected"] = ""
    for url, answer, role in _KNOWN_ANSWERS:
        if url in names:
            known = cells[names[url]].str.strip()
            same = (known != "") & np.array([one in other for one, other in zip(known, address, strict=True)])
            frame["role"] = frame["role"].mask(same, role)
            if answer in names:
                frame["expected"] = frame["expected"].mask(same, cells[names[answer]].str.strip())
    plays = names.get(f"answer.audio_n_play_{question}")
    if plays:
        frame["plays"] = numbers_of(cells[plays])
    for name in scales:
        if name != main:
            frame[f"rating_{name.removeprefix(stem).strip('_')}"] = ratings_of(cells[names[name]], {})[0]
    return frame
