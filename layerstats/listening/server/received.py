"""What was handed in: checked against the design, and kept, one file a submission."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
import time
from collections import Counter
from pathlib import Path

from layerstats.errors import DataError, FileError
from layerstats.files import explaining
from layerstats.listening.design import ListeningDesign
from layerstats.listening.page import Submission, parse_submission

# How long a session that was begun and not handed in counts as taken.
HELD_S = 2 * 3600
MOST_RATERS = 100_000


class AnswersConflictError(DataError):
    """Other answers were handed in under the same submission, or answers of another design."""


class ReceivedAnswers:
    """The folder of what was handed in, one file a submission; safe to use from several threads.

    Parameters
    ----------
    folder : path
        Made where it is not there. Submissions that are in it already count.
    design : ListeningDesign
        The test that is asked.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from layerstats.listening import make_design
    >>> table = pd.DataFrame({"clip": ["n", "m"], "file": ["n.wav", "m.wav"], "condition": ["natural", "maximized"]})
    >>> design = make_design(table, raters_per_clip=2, trials_per_session=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     received = ReceivedAnswers(folder, design)
    ...     received.number, received.session_for("ann"), received.session_for("bob")
    (0, (1, False), (2, False))
    """

    def __init__(self, folder: str | Path, design: ListeningDesign) -> None:
        self.folder = Path(folder)
        self.design_hash = design.hash
        self.task = design.task
        self._choices = _choices(design)
        self._typed = design.task == "identification" and not design.alternatives
        trials = zip(*(design.trials[name].tolist() for name in ("session", "position", "clip")), strict=True)
        self._trials: dict[int, list[str]] = {}
        for session, _, clip in sorted(trials):
            self._trials.setdefault(int(session), []).append(str(clip))
        training = design.clips.loc[design.clips["role"] == "training", "clip"]
        self._training = set(map(str, training.tolist()))
        self._lock = threading.Lock()
        # Who began which session, and when; and who handed which in.
        self._begun: dict[str, tuple[int, float]] = {}
        self._done: dict[str, int] = {}
        for file in sorted(self.folder.glob("*.json")):
            self._count(_read(file))

    @property
    def number(self) -> int:
        """How many submissions there are."""
        return len(list(self.folder.glob("*.json")))

    def session_for(self, rater: str) -> tuple[int, bool]:
        """Return the session that a rater does, and whether it was handed in already.

        It is always the same for a rater; else the one that fewest do or did, of several the first. What was begun two
        hours ago and not handed in does not count.

        Raises
        ------
        DataError
            More raters came than any test has.
        """
        with self._lock:
            if rater in self._done:
                return self._done[rater], True
            now = time.monotonic()
            if rater not in self._begun:
                if len(self._begun) >= MOST_RATERS:
                    self._begun = {who: own for who, own in self._begun.items() if now - own[1] < HELD_S}
                if len(self._begun) >= MOST_RATERS:
                    raise DataError("Too many people have begun this test.")
                busy = [session for session, since in self._begun.values() if now - since < HELD_S]
                taken = Counter([*self._done.values(), *busy])
                self._begun[rater] = (min(self._trials, key=lambda session: (taken[session], session)), now)
            return self._begun[rater][0], False

    def keep(self, text: bytes) -> tuple[Submission, bool]:
        """Check a submission and write it, whole or not at all.

        Parameters
        ----------
        text : bytes
            JSON as the page posts it.

        Returns
        -------
        (Submission, bool)
            What was handed in, and whether it is new: what was sent again changes nothing.

        Raises
        ------
        DataError
            It is not what the page hands out, or holds an answer that the design does not allow.
        AnswersConflictError
            Something else was handed in under the same submission, or the answers are of another design.
        FileError
            It cannot be written.
        """
        submission = parse_submission(text)
        self._check(submission)
        file = self.folder / _file_name(submission)
        content = json.dumps(submission.model_dump(), ensure_ascii=False, indent=1) + "\n"
        with self._lock:
            if not file.exists() and _write_once(file, content.encode("utf-8")):
                self._count(submission)
                return submission, True
            if _kept(file) != submission:
                raise AnswersConflictError("Other answers were handed in under this submission already.")
            return submission, False

    def _count(self, submission: Submission) -> None:
        self._begun.pop(submission.rater, None)
        self._done[submission.rater] = submission.session

    def _check(self, submission: Submission) -> None:
        if submission.design_hash != self.design_hash or submission.task != self.task:
            raise AnswersConflictError("These answers are of another design. Reload the page.")
        clips = self._trials.get(submission.session)
        if clips is None:
            raise DataError(f"The design has no session {submission.session}.")
        asked = list(enumerate(clips, start=1))
        given = [(answer.position, answer.clip) for answer in submission.answers]
        if given != asked:
            raise DataError(
                f"The answers are not those of session {submission.session}, which has {len(asked)} trials."
            )
        for answer in submission.answers:
            if answer.training != (answer.clip in self._training):
                raise DataError(f"Trial {answer.position} says wrongly whether it is for practice.")
            value = answer.rating if self.task == "opinion" else answer.response
            allowed = value is not None and (self._typed or value in self._choices)
            if not allowed and not answer.problem:
                raise DataError(f"Trial {answer.position} has an answer that could not be chosen.")


def _choices(design: ListeningDesign) -> set[object]:
    return {point.value for point in design.scale} if design.task == "opinion" else set(design.alternatives)


def _read(file: Path) -> Submission:
    try:
        return parse_submission(file.read_bytes())
    except DataError as error:
        raise DataError(f"{file} is not what was handed in: {error} Take it away, or choose another folder.") from None


def _write_once(file: Path, content: bytes) -> bool:
    """Write a file whole, unless it is there: another server may write into the folder. Say whether it was written."""
    partial = file.with_name(f"{file.name}.{secrets.token_hex(8)}.partial")
    with explaining(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("xb") as opened:
                opened.write(content)
                opened.flush()
                # Whoever is told that the answers are here will delete their own: a power cut must not.
                os.fsync(opened.fileno())
            try:
                os.link(partial, file)
            except FileExistsError:
                return False
            except OSError:
                # Some disks know no second name of a file.
                os.replace(partial, file)
            return True
        finally:
            partial.unlink(missing_ok=True)


def _kept(file: Path) -> Submission:
    """Read what was handed in before; where that cannot be done, the answers may be sent again later."""
    try:
        return _read(file)
    except (DataError, OSError) as problem:
        raise FileError(str(problem)) from None


def _file_name(submission: Submission) -> str:
    # Of everything by which submissions differ, so that nobody's name becomes part of a path.
    whose = "\n".join([submission.design_hash, str(submission.session), submission.submission])
    return f"session-{submission.session:04d}_{hashlib.sha256(whose.encode()).hexdigest()[:24]}.json"
