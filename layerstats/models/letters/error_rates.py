"""How far what was read is from what was said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from layerstats.checks import require
from layerstats.errors import ArgumentError

PURPOSE = "count errors of letters and words"


@dataclass(frozen=True)
class ErrorRates:
    """Errors (substitutions, deletions and insertions) in proportion to what was said; over 1 is possible.

    Parameters
    ----------
    letter_error_rate, word_error_rate : float
        Over all texts together, so that long texts weigh more. Spaces between words count as letters.
    letters, words : int
        How many were said.
    """

    letter_error_rate: float
    word_error_rate: float
    letters: int
    words: int


def error_rates(reference: str | Iterable[str], read: str | Iterable[str]) -> ErrorRates:
    """Compare what was read with what was said.

    Parameters
    ----------
    reference : str or iterable of str
        What was said; the text of a token, or of each of several tokens.
    read : str or iterable of str
        What was read, in the same order.

    Raises
    ------
    ArgumentError
        If there are not as many texts on both sides, or one that was said is empty.
    MissingDependencyError
        If jiwer is not installed.

    Examples
    --------
    >>> error_rates("the quick fox", "the quik fox")
    ErrorRates(letter_error_rate=0.0769..., word_error_rate=0.333..., letters=13, words=3)
    """
    jiwer = require("jiwer", PURPOSE, "networks")
    said, heard = as_texts(reference), as_texts(read)
    if len(said) != len(heard) or not said:
        raise ArgumentError(f"Error rates compare text with text, but got {len(said)} said and {len(heard)} read.")
    if not all(text.strip() for text in said):
        raise ArgumentError("Errors are counted in proportion to what was said, but one of these texts is empty.")
    letters, words = jiwer.process_characters(said, heard), jiwer.process_words(said, heard)
    return ErrorRates(
        letter_error_rate=float(letters.cer),
        word_error_rate=float(words.wer),
        letters=letters.hits + letters.substitutions + letters.deletions,
        words=words.hits + words.substitutions + words.deletions,
    )


def spoken_letters(reference: str, read: str) -> list[tuple[str, int]]:
    """Find what was said at each letter of what was read, by an alignment with the fewest errors.

    Parameters
    ----------
    reference : str
        What was said.
    read : str
        What was read.

    Returns
    -------
    list of (str, int)
        For each letter that was read, the letter that was said in its place ("" where it was put in) and its position
        in `reference` (of what was put in, that of the letter which follows).

    Raises
    ------
    MissingDependencyError
        If jiwer is not installed.

    Examples
    --------
    >>> spoken_letters("quick", "kwik")
    [('q', 0), ('u', 1), ('i', 2), ('k', 4)]
    >>> spoken_letters("fox", "foxy")[-1]
    ('', 3)
    """
    jiwer = require("jiwer", PURPOSE, "networks")
    if not reference:
        return [("", 0)] * len(read)
    # Spaces at the ends stay, so that positions are those of the texts.
    letters = jiwer.Compose([jiwer.ReduceToListOfListOfChars()])
    chunks = jiwer.process_characters(reference, read, letters, letters).alignments[0]
    found = []
    for chunk in chunks:
        for index in range(chunk.hyp_end_idx - chunk.hyp_start_idx):
            inserted = chunk.type == "insert"
            place = chunk.ref_start_idx + (0 if inserted else index)
            found.append(("" if inserted else reference[place], place))
    return found


def as_texts(texts: str | Iterable[str]) -> list[str]:
    """Return a text, or several, as a list."""
    return [texts] if isinstance(texts, str) else list(texts)
