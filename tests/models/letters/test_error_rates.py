import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.models.letters import error_rates


def edits(said, read):
    """Least number of substitutions, deletions and insertions, by the textbook recursion."""
    table = np.zeros((len(said) + 1, len(read) + 1), dtype=int)
    table[:, 0], table[0] = np.arange(len(said) + 1), np.arange(len(read) + 1)
    for row in range(1, len(said) + 1):
        for column in range(1, len(read) + 1):
            table[row, column] = min(
                table[row - 1, column] + 1,
                table[row, column - 1] + 1,
                table[row - 1, column - 1] + (said[row - 1] != read[column - 1]),
            )
    return table[-1, -1]


def test_rates_are_edits_in_proportion_to_what_was_said():
    said = ["the quick fox", "it's a jug", "yes"]
    read = ["the kwik fox", "its jug and more", ""]
    rates = error_rates(said, read)
    letters = sum(edits(a, b) for a, b in zip(said, read, strict=True))
    words = sum(edits(a.split(), b.split()) for a, b in zip(said, read, strict=True))
    assert (rates.letters, rates.words) == (26, 7)
    assert rates.letter_error_rate == pytest.approx(letters / 26)
    assert rates.word_error_rate == pytest.approx(words / 7)


def test_nothing_wrong():
    rates = error_rates(["ask me"], ["ask me"])
    assert (rates.letter_error_rate, rates.word_error_rate) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("said", "read", "message"),
    [(["a"], ["a", "b"], "1 said and 2 read"), ([], [], "0 said"), (["a", " "], ["a", "b"], "is empty")],
)
def test_what_cannot_be_compared(said, read, message):
    with pytest.raises(ArgumentError, match=message):
        error_rates(said, read)
