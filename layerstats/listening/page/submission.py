"""What the page hands out when a rater has finished: one submission, as JSON or as CSV.

JSON, which the page posts and the server stores, one file a submission, is `Submission` as it stands below. CSV, which
the page offers for download, has a row an answer and the columns `SUBMISSION_COLUMNS`, in UTF-8 with a byte-order mark.
There text that a spreadsheet would take for a formula begins with an apostrophe (`layerstats.spreadsheets`); in JSON it
stands as it was typed. Empty cells are what is not known. To Mechanical Turk the page hands the JSON in the field
`MTURK_FIELD`, which batch results have as the column `Answer.layerstats_answers`.

Neither holds what would tell a rater who reads the page's source what a trial is for: `role` is "training" or empty,
and there is no `expected` and no condition. The design has these by `clip`; without it catch trials and references
cannot be told from others.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from layerstats.errors import DataError
from layerstats.listening.design.design_checks import MOST_CHARACTERS

FORMAT = "layerstats listening answers 1"
# The field in which Mechanical Turk gets a submission.
MTURK_FIELD = "layerstats_answers"
# Facts of the whole submission, repeated in every row of the CSV; the first are the identifiers of crowd platforms.
IDENTIFIERS = (
    "prolific_pid",
    "prolific_study_id",
    "prolific_session_id",
    "worker_id",
    "assignment_id",
    "hit_id",
)
SUBMISSION_COLUMNS = (
    "rater",
    "clip",
    "task",
    "role",
    "rating",
    "response",
    "session",
    "position",
    "seconds",
    "comment",
    "swapped",
    "plays",
    "problem",
    "answered_at",
    "started_at",
    "finished_at",
    "native_language",
    "headphones_correct",
    "headphones_trials",
    "headphones_passed",
    "completion_code",
    *IDENTIFIERS,
    "submission",
    "design_hash",
)

_Name = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Identifier = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Time = Annotated[str, Field(max_length=40, pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
_Seconds = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class GivenAnswer(_Strict):
    """One answer of a submission.

    Attributes
    ----------
    clip, position, training
        Which trial of the session: the clip, its position from 1, and whether it was for practice.
    rating
        Of opinion: the value of the point chosen.
    response
        Of other tasks: "a", "b" or "same" in the names of the clip's own sounds, whichever was played first; the
        alternative chosen; or what was typed.
    swapped
        Of pairs and ABX: whether b was played first.
    seconds
        From when the trial was shown until it was answered, without the time in which the page was closed.
    plays
        How often a sound was started, all sounds of the trial together.
    problem
        "not played" where a sound could not be played and the rater went on without an answer; else empty.
    answered_at
        UTC, ISO 8601.

    Examples
    --------
    >>> heard = {"clip": "n1", "position": 1, "training": False, "seconds": 2.5, "plays": 1}
    >>> GivenAnswer(**heard, rating=4, answered_at="2026-11-26T16:40:00Z").rating
    4
    """

    clip: _Name
    position: Annotated[int, Field(ge=1)]
    training: bool
    rating: int | None = None
    response: Annotated[str, Field(max_length=2000)] | None = None
    swapped: bool | None = None
    seconds: _Seconds
    plays: Annotated[int, Field(ge=0, le=1_000_000)]
    problem: Literal["", "not played"] = ""
    answered_at: _Time

    @model_validator(mode="after")
    def _answered_once(self) -> GivenAnswer:
        given = sum(value is not None for value in (self.rating, self.response))
        if given != (0 if self.problem else 1):
            raise ValueError("an answer is a rating or a response, and a trial with a problem has neither")
        return self


class HeadphoneCheck(_Strict):
    """How many of the trials of the headphone check were right, the last time that it was done.

    Attributes
    ----------
    correct, trials
        Right answers, of how many.
    passed
        Whether these were enough.
    attempts
        How often it was done.

    Examples
    --------
    >>> HeadphoneCheck(correct=6, trials=6, passed=True, attempts=1).passed
    True
    """

    correct: Annotated[int, Field(ge=0)]
    trials: Annotated[int, Field(ge=1, le=100)]
    passed: bool
    attempts: Annotated[int, Field(ge=1, le=100)]


class Submission(_Strict):
    """What one rater answered in one session.

    Attributes
    ----------
    format
        `FORMAT`.
    design_hash
        Of the design that the page was made of.
    submission
        Drawn at random by the page when the session began; the same in what is sent again.
    task, session
        As in the design.
    rater
        Who: the identifier of the crowd platform, or of the address (`?rater=`), or one drawn at random.
    identifiers
        What the crowd platform said, by `IDENTIFIERS`.
    native_language, comment
        As typed.
    headphones
        Outcome of the headphone check, where there was one.
    started_at, finished_at
        UTC, ISO 8601.
    completion_code
        What this rater was shown after the submission, where the page drew it.
    answers
        In the order of the session.
    """

    format: Literal["layerstats listening answers 1"]
    design_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{8,128}$")]
    submission: Annotated[str, Field(pattern=r"^[0-9a-zA-Z-]{8,64}$")]
    task: Literal["opinion", "preference", "abx", "identification"]
    session: Annotated[int, Field(ge=1)]
    rater: _Name
    identifiers: dict[str, _Identifier] = Field(default_factory=dict)
    native_language: Annotated[str, Field(max_length=300)] = ""
    comment: Annotated[str, Field(max_length=10_000)] = ""
    headphones: HeadphoneCheck | None = None
    started_at: _Time
    finished_at: _Time
    completion_code: Annotated[str, Field(max_length=64)] = ""
    answers: list[GivenAnswer]

    @model_validator(mode="after")
    def _known_identifiers(self) -> Submission:
        unknown = sorted(set(self.identifiers) - set(IDENTIFIERS))
        if unknown:
            raise ValueError(f"unknown identifiers: {', '.join(unknown)[:200]}")
        return self


def parse_submission(text: str | bytes) -> Submission:
    """Read a submission from its JSON.

    Parameters
    ----------
    text : str or bytes
        As it was posted, or stands in a file; bytes are UTF-8.

    Returns
    -------
    Submission
        With every field of the right type and within its bounds.

    Raises
    ------
    DataError
        The text is no JSON, or not what the page hands out; says which field is wrong.

    Examples
    --------
    >>> parse_submission("{}")
    Traceback (most recent call last):
    layerstats.errors.DataError: No answers of a listening test: format: field required (and 8 more).
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        # Python's own reader has a limit of depth and tells keys that come twice; NaN is no JSON.
        given = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_once)
        return Submission.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        where = ".".join(map(str, problems[0]["loc"])) or "the whole"
        reason = problems[0]["msg"][0].lower() + problems[0]["msg"][1:]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DataError(f"No answers of a listening test: {where[:100]}: {reason[:300]}{more}.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"No answers of a listening test: this is no JSON ({str(error)[:200]}).") from None


def submission_rows(submission: Submission) -> list[dict[str, Any]]:
    """Return a row an answer, with `SUBMISSION_COLUMNS`; None is what is not known.

    Parameters
    ----------
    submission : Submission
        What one rater answered.

    Returns
    -------
    list of dict
        What the page's CSV holds, text as it was typed.

    Examples
    --------
    >>> when = {"started_at": "2026-11-26T16:40:00Z", "finished_at": "2026-11-26T16:50:00Z"}
    >>> heard = {"clip": "n1", "position": 1, "training": False, "seconds": 2.5, "plays": 1}
    >>> answer = GivenAnswer(**heard, rating=4, answered_at="2026-11-26T16:41:00Z")
    >>> about = {"format": FORMAT, "design_hash": "0" * 16, "submission": "a" * 8, "task": "opinion", "session": 1}
    >>> row = submission_rows(Submission(**about, **when, rater="ann", answers=[answer]))[0]
    >>> row["rater"], row["clip"], row["rating"]
    ('ann', 'n1', 4)
    """
    headphones = submission.headphones
    whole: dict[str, Any] = {
        "rater": submission.rater,
        "task": submission.task,
        "session": submission.session,
        "comment": submission.comment or None,
        "started_at": submission.started_at,
        "finished_at": submission.finished_at,
        "native_language": submission.native_language or None,
        "headphones_correct": headphones.correct if headphones else None,
        "headphones_trials": headphones.trials if headphones else None,
        "headphones_passed": headphones.passed if headphones else None,
        "completion_code": submission.completion_code or None,
        **{name: submission.identifiers.get(name) or None for name in IDENTIFIERS},
        "submission": submission.submission,
        "design_hash": submission.design_hash,
    }
    rows = []
    for answer in submission.answers:
        own = {
            "clip": answer.clip,
            "role": "training" if answer.training else None,
            "rating": answer.rating,
            "response": answer.response,
            "position": answer.position,
            "seconds": answer.seconds,
            "swapped": answer.swapped,
            "plays": answer.plays,
            "problem": answer.problem or None,
            "answered_at": answer.answered_at,
        }
        rows.append({column: {**whole, **own}[column] for column in SUBMISSION_COLUMNS})
    return rows


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    # Half a character, which a browser leaves where it cuts a text off, cannot be written.
    return {key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
            for key, value in found.items()}  # fmt: skip
