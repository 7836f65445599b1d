"""From what a network says of letters, frame by frame, to text and back: numpy only."""

from layerstats.models.letters.alphabet import ALPHABETS, Alphabet
from layerstats.models.letters.decoding import beam_search, greedy, likeliest_texts
from layerstats.models.letters.error_rates import ErrorRates, error_rates, spoken_letters
from layerstats.models.letters.forced import LetterAlignment, align

__all__ = [
    "ALPHABETS",
    "Alphabet",
    "ErrorRates",
    "LetterAlignment",
    "align",
    "beam_search",
    "error_rates",
    "greedy",
    "likeliest_texts",
    "spoken_letters",
]
