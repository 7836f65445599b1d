"""Catch trials: a voice says what to answer, so that who does not listen shows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from layerstats.corpora.espeak import SpeechRequest

# Clear voices of the synthesiser, at a slow speed.
_VOICES = ("en-us+f1", "en-us+m1", "en-gb-x-rp+f2", "en-gb-x-rp+m3")
_RATE_WPM, _PITCH, _PITCH_RANGE = 140, 50, 50
# Said where answers are typed, or where two sounds must be told apart.
_WORDS = ("water", "seven", "yellow", "morning", "paper", "window")


def catch_trials(task: str, answers: Sequence[str], number: int) -> list[dict[str, Any]]:
    """Return catch trials with the right answers spread over `answers`.

    Parameters
    ----------
    task : str
        Of the test.
    answers : sequence of str
        What can be answered; none where it is typed.
    number : int
        At least so many.

    Returns
    -------
    list of dict
        Of each its `clip`, `expected`, and `said`: of each sound (`file`, or `file_a`, ...) what a voice says.

    Examples
    --------
    >>> [(trial["clip"], trial["said"]["file"].text) for trial in catch_trials("opinion", ["1", "5"], 2)]
    [('catch_1', 'Please choose 1.'), ('catch_5', 'Please choose 5.')]
    """
    if number == 0:
        return []
    expected = list(answers) or list(_WORDS)
    if task in ("preference", "abx"):
        expected = ["a", "b"]
    trials: list[dict[str, Any]] = []
    for voice, answer in product(_VOICES, expected):
        if len(trials) >= max(number, len(expected)):
            break
        turn = len(trials) // len(expected)
        name = f"catch_{answer}" if turn == 0 else f"catch_{answer}_{turn + 1}"
        trials.append({"clip": name, "expected": answer, "said": _said(task, answer, bool(answers), voice, turn)})
    return trials


def _said(task: str, answer: str, listed: bool, voice: str, turn: int) -> dict[str, SpeechRequest]:
    def say(text: str) -> SpeechRequest:
        return SpeechRequest(voice, _RATE_WPM, _PITCH, _PITCH_RANGE, text)

    if task == "preference":
        right, wrong = say("Please choose this one."), say("Please choose the other one.")
        return {"file_a": right, "file_b": wrong} if answer == "a" else {"file_a": wrong, "file_b": right}
    if task == "abx":
        first, second = say(_WORDS[turn]), say(_WORDS[turn + 1])
        return {"file_a": first, "file_b": second, "file_x": first if answer == "a" else second}
    return {"file": say(f"Please choose {answer}." if listed else f"Please type the word {answer}.")}
