"""A listening test before anyone has listened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from layerstats.checks import check_choice, check_positive, check_seed
from layerstats.corpora.espeak import SpeechRequest
from layerstats.errors import ArgumentError
from layerstats.listening.design.canonical import plain_rows, sha256_of
from layerstats.listening.design.design_checks import (
    SOUND_COLUMNS,
    check_alternatives,
    check_clips,
    check_contrasts,
    check_points,
    check_trials,
)
from layerstats.listening.design.design_json import earlier_design, write_contents
from layerstats.listening.design.session_rules import rules_of_sessions
from layerstats.listening.design.sound_files import LOUDNESS, remove_sounds, write_sounds
from layerstats.stats.ratings.cleaning import check_rules
from layerstats.store.provenance import timestamp
from layerstats.tables.answers import check_task

# Columns of clips that hold text, even where all of it looks like numbers.
TEXT_COLUMNS = ("clip", "role", "expected", "prompt", "file", "file_a", "file_b", "file_x")
# What design.json has in a form of its own, or not at all.
_APART = ("scale", "sounds", "history")


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

    Examples
    --------
    >>> ScalePoint(5, "Excellent", anchor="as clear as speech can be").label
    'Excellent'
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
        missing: identification shows none; and columns of the clips' own (`condition`, `system`, `target`, ...; of
        pairs `clip_a`, `clip_b`, `condition_a`, `condition_b`).
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
    loudness
        How sounds are made equally loud when they are written: "rms" (of the stretches that are not silent), "peak",
        or "none".
    sounds
        Where each sound is taken from when the design is written: a file, or speech to be synthesised.
    sound_hashes
        SHA-256 of each sound of a design that was written; empty before.
    history
        When the design was written, and what its parts were then: `written` (UTC), `by` ("layerstats", or "hand" where
        the file was found changed) and `hashes`, by part.

    Raises
    ------
    ArgumentError
        A setting is not allowed: a scale that does not rise, a contrast of unknown conditions, a rule without a name.
    DataError
        A table is incomplete or contradicts itself: a clip twice in a session, a trial of an unknown clip.
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
    loudness: str = "rms"
    sounds: Mapping[str, Path | SpeechRequest] = field(default_factory=dict, repr=False)
    sound_hashes: Mapping[str, str] = field(default_factory=dict, repr=False)
    history: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        check_task(self.task)
        check_seed(self.seed)
        check_choice("loudness", self.loudness, LOUDNESS)
        check_clips(self.clips, self.task)
        object.__setattr__(self, "clips", _texts(self.clips, TEXT_COLUMNS))
        check_trials(self.trials, self.clips, self.task)
        object.__setattr__(self, "trials", _texts(self.trials, ["clip"]))
        check_points([point.value for point in self.scale], self.task)
        check_alternatives(self.alternatives, self.task)
        object.__setattr__(self, "rules", check_rules(self.rules))
        check_contrasts(self.contrasts, self.clips)
        if self.equivalence_margin is not None:
            check_positive("equivalence_margin", self.equivalence_margin)

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of the canonical JSON of each part: sounds, clips, trials, asked, rules, contrasts, margin."""
        asked = [self.title, self.task, self.question, self.alternatives, self.texts, self.loudness]
        points = [[point.value, point.label, point.anchor] for point in self.scale]
        return {
            "sounds": sha256_of(self.sound_hashes),
            "clips": sha256_of(plain_rows(self.clips)),
            "trials": sha256_of(plain_rows(self.trials)),
            "asked": sha256_of([*asked, points]),
            "rules": sha256_of(self.rules),
            "contrasts": sha256_of(self.contrasts),
            "equivalence_margin": sha256_of(self.equivalence_margin),
        }

    @property
    def hash(self) -> str:
        """SHA-256 of all parts: what a page and its answers carry."""
        return sha256_of(self.hashes)

    @property
    def sound_files(self) -> list[str]:
        """Paths of all sounds below the design's folder, each once."""
        named = [str(file) for name in SOUND_COLUMNS[self.task] for file in self.clips[name].tolist()]
        return list(dict.fromkeys(named))

    @property
    def sessions(self) -> int:
        """How many sessions there are, a rater each."""
        return len(set(self.trials["session"].tolist()))

    def complete_rules(self, rules: Sequence[Mapping[str, Any] | str]) -> tuple[dict[str, Any], ...]:
        """Return rules for cleaning in full, with what is known of sessions: see `rules_of_sessions`."""
        return rules_of_sessions(rules, self.trials, self.clips)

    def changes(self, since: ListeningDesign | str | None = None) -> pd.DataFrame:
        """Say which parts are other than they were, and when that was first seen.

        Parameters
        ----------
        since : ListeningDesign or str, optional
            An earlier design, or its hash, as answers carry it; by default the design as it was first written.

        Returns
        -------
        DataFrame
            A row a part that changed: `part, hash_before, hash_after, written_before, written_after`, times in UTC.
            Empty where nothing did.

        Raises
        ------
        ArgumentError
            No design in the history has that hash, so that what changed cannot be told.
        """
        before = self._state(since)
        written = str(before["written"]) if before is not None else ""
        rows = []
        for part, now in self.hashes.items():
            if before is not None and before["hashes"].get(part) != now:
                when = next((str(entry["written"]) for entry in self.history if entry["hashes"].get(part) == now), "")
                rows.append((part, before["hashes"].get(part), now, written, when))
        return pd.DataFrame(rows, columns=["part", "hash_before", "hash_after", "written_before", "written_after"])

    def _state(self, since: ListeningDesign | str | None) -> Mapping[str, Any] | None:
        if isinstance(since, ListeningDesign):
            written = since.history[-1]["written"] if since.history else ""
            return {"written": written, "hashes": since.hashes}
        if since is None:
            return self.history[0] if self.history else None
        for entry in self.history:
            if sha256_of(entry["hashes"]) == since:
                return entry
        if since == self.hash:
            return {"written": "", "hashes": self.hashes}
        raise ArgumentError(
            f"The design has no state {since[:12]!r} in its history: the answers belong to another design, or its "
            "history was removed."
        )

    def write(self, folder: str | Path, *, overwrite: bool = False) -> ListeningDesign:
        """Write `design.json`, and the sounds below `clips/` as 16-bit WAV files of one loudness.

        Parameters
        ----------
        folder : path
            Made where it is not there.
        overwrite : bool
            Whether a design that is there may be replaced; it stays in the history.

        Returns
        -------
        ListeningDesign
            As it was written, with the hashes of its sounds; `read_design` gives the same.

        Raises
        ------
        ArgumentError
            A design is there already, or a sound is known of no file.
        AudioError
            A sound is missing, damaged or silent.
        """
        folder = Path(folder)
        earlier, replaced = earlier_design(folder, overwrite)
        hashes = write_sounds(self.sound_files, self.sounds, self.sound_hashes, self.loudness, folder)
        sounds = {file: folder / file for file in hashes}
        # What stood in the folder comes first, unless this design goes on from it.
        before = () if list(self.history[: len(earlier)]) == list(earlier) else earlier
        written = replace(self, sounds=sounds, sound_hashes=hashes, history=(*before, *self.history))
        # The history is no part of what is hashed.
        now = written.hashes
        if not written.history or written.history[-1]["hashes"] != now:
            entry = {"written": timestamp(), "by": "layerstats", "hashes": now}
            written = replace(written, history=(*written.history, entry))
        write_contents(written._contents() | {"hash": sha256_of(now)}, folder)
        remove_sounds(replaced - set(hashes), folder)
        return written

    def _contents(self) -> dict[str, Any]:
        """Return what `design.json` holds."""
        told = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in _APART}
        return {**told, "scale": [asdict(point) for point in self.scale], "history": self.history}


def _texts(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return a table with text, or None, in the columns that it has."""
    texts = {}
    for name in columns:
        if name in frame:
            values = [None if pd.isna(value) else str(value) for value in frame[name].tolist()]
            texts[name] = pd.Series(values, index=frame.index, dtype=object)
    return frame.assign(**texts).reset_index(drop=True)
