"""The judges that a name stands for: a judge in a file of its own joins by one line here."""

from __future__ import annotations

from collections.abc import Callable

from layerstats.checks import check_choice
from layerstats.judges.people import open_people
from layerstats.judges.protocol import Judge, JudgeOptions
from layerstats.judges.word_recogniser import open_word_recogniser
from layerstats.judges.words_classifier import open_words_classifier

JUDGES: dict[str, Callable[[JudgeOptions], Judge]] = {
    "classifier": open_words_classifier,
    "pocketsphinx": open_word_recogniser,
    "people": open_people,
}
# Files of this kind are networks.
_CHECKPOINT = ".safetensors"


def open_judge(name: str, *, words: tuple[str, ...] | None = None, device: str = "auto") -> Judge:
    """Make the judge that a name stands for.

    Parameters
    ----------
    name : str
        "classifier" (the shipped words classifier), a checkpoint of any network with one output a word, by its path
        ("PATH.safetensors" or "classifier:PATH"; it is called as its file is), "pocketsphinx", or "people:PATH" (a
        table of `token, rater, response`).
    words : tuple of str, optional
        What pocketsphinx may hear; by default the words of Beguš & Zhou (2022).
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Raises
    ------
    ArgumentError
        There is no judge of that name, or its words or checkpoint cannot be used.

    Examples
    --------
    >>> open_judge("pocketsphinx", words=("ask", "wash")).responses
    ('ask', 'wash', '(nothing)')
    """
    kind, colon, path = name.partition(":")
    if kind not in JUDGES and name.endswith(_CHECKPOINT):
        kind, colon, path = "classifier", ":", name
    check_choice("judges", kind, JUDGES)
    return JUDGES[kind](JudgeOptions(path if colon else None, words, device))
