"""From a table of clips to a listening test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete, check_not_negative, check_seed
from layerstats.errors import ArgumentError, DataError
from layerstats.listening.design.design_checks import SOUND_COLUMNS, check_alternatives
from layerstats.listening.design.listening_design import ListeningDesign, ScalePoint
from layerstats.listening.design.pairs import paired_clips
from layerstats.listening.design.session_plan import SessionPlan, plan_sessions
from layerstats.listening.design.session_rules import rules_of_sessions
from layerstats.listening.design.trial_clips import Extras, add_catch_trials, name_sounds, take_training
from layerstats.listening.design.wording import INSTRUCTIONS, OPINION_SCALE, QUESTIONS, TEXTS, TITLE
from layerstats.tables.answers import check_task

# Of a session, without references, catch and training trials: about five minutes of short clips.
USUAL_TRIALS = 20


def make_design(
    clips: pd.DataFrame,
    *,
    task: str = "opinion",
    raters_per_clip: int = 5,
    trials_per_session: int | None = None,
    catch: int = 2,
    references: int | None = None,
    training: int | None = None,
    scale: Sequence[ScalePoint] | None = None,
    alternatives: Sequence[str] | str | None = None,
    contrasts: Sequence[str] = (),
    match: Sequence[str] | None = None,
    balance: Sequence[str] | None = None,
    show: str | None = None,
    rules: Sequence[Mapping[str, Any] | str] | None = None,
    equivalence_margin: float | None = None,
    title: str = TITLE,
    question: str | None = None,
    texts: Mapping[str, str] | None = None,
    loudness: str = "rms",
    folder: str | Path = ".",
    seed: int = 0,
) -> ListeningDesign:
    """Design a listening test: who hears which clip, in which order, and what is fixed before anyone listens.

    Every clip is heard by exactly `raters_per_clip` raters, each of whom does one session; conditions are spread over
    sessions as equally as can be (counts differ by one at most), no rater hears a clip twice, and orders are drawn
    without long runs of a condition. The same seed gives the same design.

    Parameters
    ----------
    clips : DataFrame
        A row a clip: `clip`, `file`, and what is known of it: `condition`, `target` (the word that is said or was
        aimed at), `speaker`, ... `role` where not all are to be tested: "reference" (hidden among the others),
        "training", "catch" (with `expected`, in place of those that are made). Whatever is in the table is tested:
        leave in what failed. For preference and ABX either single clips, which `contrasts` and `match` pair, or pairs
        with `file_a` and `file_b` (ABX: `file_x` and `expected` too).
    task : {"opinion", "preference", "abx", "identification"}
        What is asked.
    raters_per_clip : int
        How many raters hear each clip.
    trials_per_session : int, optional
        How many tested clips a rater hears at most: by default 20, or all where there are fewer. References, catch and
        training trials come on top.
    catch : int
        Catch trials of each session, in which a synthetic English voice says what to answer. Where the table has rows
        of the role "catch", these are taken.
    references : int, optional
        Hidden references of each session; by default two, or as many as the table has.
    training : int, optional
        Trials before those that count: rows of the role "training", all by default. Where the table has none, so many
        clips are drawn, and not tested then.
    scale : sequence of ScalePoint, optional
        Of opinion; 1 (Bad) to 5 (Excellent) by default.
    alternatives : sequence of str, or "targets", optional
        Of identification: what can be chosen, "targets" for all words of the column `target`; typed by default. Of
        preference: ("a", "b", "same") allows for no difference.
    contrasts : sequence of str
        Differences that will be tested, such as "maximized - natural", one family.
    match : sequence of str, optional
        Columns in which the two sounds of a pair agree; `target` by default, where there is one.
    balance : sequence of str, optional
        Columns of which every rater hears all values as equally as can be, the second within the first, ...; by default
        `condition`, and within it `target` in identification.
    show : str, optional
        Column whose text is shown while a clip is rated, such as the word. Never in identification.
    rules : sequence of mapping or str, optional
        Rules for cleaning, which are fixed by it (`layerstats.stats.ratings.cleaning_rules` lists them); by default
        those that judge raters by the catch trials and references that each session has. `session_incomplete` gets the
        trials of a session.
    equivalence_margin : float, optional
        Difference on the scale below which conditions count as equivalent.
    title, question, texts
        What raters read; `texts` replaces some of the places "consent", "headphones", "instructions", "thanks".
    loudness : {"rms", "peak", "none"}
        How sounds are made equally loud when the design is written.
    folder : path
        What relative paths of sounds are relative to.
    seed : int
        Of everything that is drawn.

    Returns
    -------
    ListeningDesign
        Write it with its `write`.

    Raises
    ------
    ArgumentError
        What is asked for is not possible, such as sessions longer than there are clips; says what would be.
    DataError
        A column is missing, or the table contradicts itself.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": ["n1", "n2", "m1", "m2"], "file": ["n1.wav", "n2.wav", "m1.wav", "m2.wav"],
    ...                       "condition": ["natural", "natural", "maximized", "maximized"]})
    >>> design = make_design(table, raters_per_clip=3, trials_per_session=2, contrasts=["maximized - natural"])
    >>> design.sessions, design.trials["clip"].value_counts()[["n1", "n2", "m1", "m2"]].tolist()
    (6, [3, 3, 3, 3])
    """
    check_task(task)
    check_seed(seed)
    rng = np.random.default_rng(seed)
    table, notes = _table(clips, task, contrasts, match, rng)
    answers = _alternatives(table, task, alternatives)
    points = tuple(OPINION_SCALE if scale is None else scale) if task == "opinion" else ()
    if scale is not None and task != "opinion":
        raise ArgumentError(f"Only opinions are given on a scale, but the task is {task!r}.")
    table = _expected(table, task, points, show)
    strata = _strata(table, task, balance)
    table, training_note = take_training(table, training, strata, rng)
    trials = (
        min(USUAL_TRIALS, int(np.count_nonzero(table["role"] == "test")))
        if trials_per_session is None
        else trials_per_session
    )
    notes += _balance_notes(table, task, strata, trials, answers)
    listed = [str(point.value) for point in points] or list(answers)
    check_not_negative("catch", catch)
    table, said = add_catch_trials(table, task, listed, catch)
    extras = Extras.of(table, references, catch)
    sessions = plan_sessions(table, SessionPlan(raters_per_clip, trials, extras, strata), task, rng)
    table, sounds = name_sounds(table, SOUND_COLUMNS[task], said, Path(folder), rng)
    return ListeningDesign(
        title=title,
        task=task,
        question=QUESTIONS[task] if question is None else question,
        clips=table,
        trials=sessions,
        scale=points,
        alternatives=tuple(answers),
        rules=rules_of_sessions(_rules_of(extras) if rules is None else rules, sessions, table),
        contrasts=tuple(contrasts),
        equivalence_margin=equivalence_margin,
        seed=seed,
        texts={**TEXTS, "instructions": INSTRUCTIONS[task], **(texts or {})},
        notes=(*notes, *training_note),
        loudness=loudness,
        sounds=sounds,
    )


def _table(
    clips: pd.DataFrame, task: str, contrasts: Sequence[str], match: Sequence[str] | None, rng: np.random.Generator
) -> tuple[pd.DataFrame, list[str]]:
    """Return a row a clip, or pair, with its role."""
    what = "the table of clips"
    check_columns(clips, ["clip"], what)
    table = clips.reset_index(drop=True)
    if "role" not in table:
        table = table.assign(role="test")
    table = table.assign(role=table["role"].astype(object).fillna("test"))
    notes: list[str] = []
    if task in ("preference", "abx") and "file_a" not in table:
        check_columns(table, ["file"], f"{what} (or 'file_a' and 'file_b')")
        others = [role for role in table["role"].tolist() if role != "test"]
        if others:
            raise DataError(
                f"Clips of {what} are paired, so that none can have a role of its own, but one is {others[0]!r}. "
                "Give pairs: file_a and file_b."
            )
        columns = (["target"] if "target" in table else []) if match is None else list(match)
        table, notes = paired_clips(table, contrasts, columns, task, rng)
        table = table.assign(role="test")
    sounds = SOUND_COLUMNS[task]
    check_columns(table, sounds, what)
    check_complete(table, ["clip", "role", *sounds], what)
    if "test" not in table["role"].tolist():
        raise DataError(f"No clip of {what} is to be tested: none has the role 'test'.")
    names = table["clip"].astype(str)
    twice = [name for name, again in zip(names.tolist(), names.duplicated().tolist(), strict=True) if again]
    if twice:
        raise DataError(f"The clip {twice[0]!r} is twice in {what}.")
    return table.assign(clip=names.astype(object)), notes


def _alternatives(table: pd.DataFrame, task: str, alternatives: Sequence[str] | str | None) -> tuple[str, ...]:
    if alternatives == "targets":
        check_columns(table, ["target"], "the table of clips")
        found = table.loc[table["role"] == "test", "target"].dropna().astype(str)
        listed = tuple(sorted(set(found)))
    elif isinstance(alternatives, str):
        raise ArgumentError(f"The alternatives must be a list or 'targets', but got {alternatives!r}.")
    elif alternatives is None:
        listed = ("a", "b") if task in ("preference", "abx") else ()
    else:
        listed = tuple(alternatives)
    if task == "opinion" and listed:
        raise ArgumentError(f"Opinions are given on a scale, but got the alternatives {listed!r}.")
    check_alternatives(listed, task)
    return listed


def _expected(table: pd.DataFrame, task: str, points: Sequence[ScalePoint], show: str | None) -> pd.DataFrame:
    """Fill in the right answers that are known, and what is shown."""
    given = table["expected"] if "expected" in table else pd.Series(None, index=table.index, dtype=object)
    expected = given.astype(object).where(given.notna(), None)
    if task == "identification" and "target" in table:
        expected = expected.where(expected.notna(), table["target"].astype(object))
    if points:
        # A hidden reference is as good as it gets, where the table does not say otherwise.
        best = expected.notna() | (table["role"] != "reference")
        expected = expected.where(best, str(points[-1].value))
    prompt: Any = None
    if show is not None:
        if task == "identification":
            raise ArgumentError(f"Identification asks what is heard without showing it, but show={show!r} would.")
        check_columns(table, [show], "the table of clips")
        prompt = table[show]
    elif "prompt" in table:
        prompt = table["prompt"]
    return table.assign(expected=expected, prompt=prompt)


def _strata(table: pd.DataFrame, task: str, balance: Sequence[str] | None) -> list[str]:
    if balance is not None:
        check_columns(table, balance, "the table of clips")
        return list(balance)
    wanted = ["condition", "target"] if task == "identification" else ["condition"]
    return [name for name in wanted if name in table]


def _balance_notes(
    table: pd.DataFrame, task: str, strata: Sequence[str], trials: int, answers: Sequence[str]
) -> list[str]:
    """Say which raters cannot hear everything, and where guessing pays; refuse clips of no stratum.

    Raises
    ------
    DataError
        A clip that is tested lacks a value of a column that is balanced.
    """
    tested = pd.DataFrame(table.loc[np.asarray(table["role"] == "test")])
    check_complete(tested, strata, "the tested clips", advice="Name the condition of every clip.")
    notes = []
    counts = Counter(tested[strata[0]].astype(str).tolist()) if strata else Counter()
    rare = min(counts.values(), default=0) * trials / len(tested)
    if counts and rare < 1:
        notes.append(
            f"{trials} of {len(tested)} clips a session are too few for every rater to hear every {strata[0]} "
            f"({len(counts)} there are): differences between them rest on different raters too."
        )
    if task == "identification" and answers:
        right = Counter(str(value) for value in tested["expected"].dropna().tolist())
        often = [right[answer] for answer in answers]
        if max(often) > min(often) + 1:
            notes.append(
                f"The alternatives are not equally often right ({min(often)} to {max(often)} clips): who guesses the "
                "frequent ones is right more often than by chance."
            )
    return notes


def _rules_of(extras: Extras) -> list[str]:
    """Return the rules that can judge what every session has."""
    return [
        name for name, number in (("catch_missed", extras.catch), ("references_missed", extras.reference)) if number
    ]
