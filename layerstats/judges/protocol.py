"""What a judge is, and the frame that all judges give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.corpora import Clips
from layerstats.errors import DataError

JUDGEMENT_COLUMNS = ("token", "judge", "response", "score")


@runtime_checkable
class Judge(Protocol):
    """Whoever says what a clip is.

    It may also have `scored`: whether it scores everything that it can say. Otherwise its first answers tell.
    """

    @property
    def name(self) -> str:
        """What stands in the column `judge`."""
        ...

    @property
    def responses(self) -> tuple[str, ...]:
        """What it can say; empty where it may say anything."""
        ...

    @property
    def attrs(self) -> Mapping[str, object]:
        """What identifies it, as plain values: the words it knows, a hash of its weights, the version of its model.

        Two judges of equal `attrs` say the same of the same clips.
        """
        ...

    def judge(self, clips: Clips) -> pd.DataFrame:
        """Say what every clip is.

        Parameters
        ----------
        clips : Clips
            What a network hears; ``clips.corpus`` has the speech itself, for a judge that listens otherwise.

        Returns
        -------
        DataFrame
            ``token, judge, response, score``. A judge that scores everything it can say has a row a token and response,
            the highest score being what it hears; any other has a row a token, and the score is missing. Where nobody
            was asked, or nothing was said, both are missing.
        """
        ...


@runtime_checkable
class NetworkJudge(Judge, Protocol):
    """A judge that is a network: of outcomes of maximizations it can hear what their target network heard.

    Examples
    --------
    >>> from layerstats.judges import open_judge
    >>> from layerstats.resources import bundled
    >>> judge = open_judge(str(bundled("data", "checkpoints", "words.safetensors")))
    >>> isinstance(judge, NetworkJudge), judge.scores(np.zeros((1, 16384), "float32")).shape
    (True, (1, 8))
    """

    @property
    def front_end(self) -> Mapping[str, object] | None:
        """Settings of the front end whose features it hears; None where it hears waveforms."""
        ...

    @property
    def network_hash(self) -> str:
        """Hash of its weights and settings (`layerstats.probes.model_hash`), by which a target network knows itself."""
        ...

    def scores(self, heard: np.ndarray) -> np.ndarray:
        """Return what every response is given, (start, response), of features (start, time, mel) or (start, sample)."""
        ...


@dataclass(frozen=True)
class JudgeOptions:
    """What is known where a judge is named.

    Parameters
    ----------
    path : str, optional
        What follows the colon in its name, for instance a checkpoint.
    words : tuple of str, optional
        What can be heard, for a judge that has no words of its own.
    device : str
        "auto" (a GPU where there is one), or a torch device, for a judge that is a network.

    Examples
    --------
    >>> JudgeOptions(words=("yes", "no")).device
    'auto'
    """

    path: str | None = None
    words: tuple[str, ...] | None = None
    device: str = "auto"


def check_judgements(frame: pd.DataFrame, judge: Judge, tokens: Sequence[str]) -> pd.DataFrame:
    """Return a judge's frame with text as text and scores as numbers, or say what is wrong with it.

    Parameters
    ----------
    frame : DataFrame
        What `judge.judge` gave.
    judge : Judge
        Who gave it.
    tokens : sequence of str
        The tokens that it was asked about.

    Raises
    ------
    DataError
        It is no frame, a column is missing, a score is no number, tokens are missing or strange, a response twice or
        not among the judge's, or a token has several responses of which one has no score.

    Examples
    --------
    >>> class Deaf:
    ...     name, responses, attrs = "deaf", ("yes", "no"), {}
    ...     def judge(self, clips):
    ...         return pd.DataFrame({"token": ["a"], "judge": "deaf", "response": ["maybe"], "score": [None]})
    >>> check_judgements(Deaf().judge(None), Deaf(), ["a"])
    Traceback (most recent call last):
    layerstats.errors.DataError: The judgements of 'deaf' have the response 'maybe', which is none of its responses.
    """
    what = f"The judgements of {judge.name!r}"
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{what} must be a data frame, but are {type(frame).__name__}.")
    check_columns(frame, JUDGEMENT_COLUMNS, what.replace("The", "the", 1))
    frame = frame.loc[:, list(JUDGEMENT_COLUMNS)].reset_index(drop=True)
    if pd.api.types.is_complex_dtype(frame["score"].dtype):
        raise DataError(f"{what} have complex scores; a score is a real number, or missing.")
    try:
        frame = frame.astype({"token": "str", "judge": "str", "response": "str", "score": "float64"})
    except (ValueError, TypeError) as error:
        raise DataError(f"{what} have a score that is no number ({error}).") from error
    strange = sorted(set(frame["judge"]) - {judge.name})
    if strange:
        raise DataError(f"The judge {judge.name!r} calls itself {strange[0]!r} in its judgements.")
    there = set(frame["token"])
    missing = [token for token in tokens if token not in there]
    unknown = sorted(there - set(tokens))
    if missing or unknown:
        reason = f"lack the token {missing[0]!r}" if missing else f"have a token that nobody asked for, {unknown[0]!r}"
        raise DataError(f"{what} {reason}.")
    # A missing response is not comparable with text. Without a score it says that nobody was asked.
    said = (
        frame["response"].dropna() if frame.loc[frame["response"].isna(), "score"].isna().all() else frame["response"]
    )
    unsayable = sorted(set(said) - set(judge.responses), key=str) if judge.responses else []
    if unsayable:
        raise DataError(f"{what} have the response {unsayable[0]!r}, which is none of its responses.")
    twice = frame.duplicated(["token", "response"])
    several = frame["token"].duplicated(keep=False) & frame["score"].isna()
    if twice.any() or several.any():
        token = frame.loc[twice | several, "token"].iloc[0]
        raise DataError(
            f"{what} must have a response once a token, each with a score where there are several, but "
            f"{token!r} has not."
        )
    return frame
