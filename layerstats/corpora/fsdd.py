"""The Free Spoken Digit Dataset: digits, six speakers, 8 kHz."""

from __future__ import annotations

import re
from pathlib import Path

from layerstats.corpora.corpus import Corpus
from layerstats.corpora.folders import corpus_folder, find_files
from layerstats.corpora.sharing import SPOKEN_DIGITS
from layerstats.corpora.whole_files import corpus_of_files
from layerstats.errors import CorpusError

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# The dataset's own rule: these repetitions of each digit and speaker are for testing.
_TEST_REPETITIONS = range(5)
_NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>.+)_(?P<repetition>\d+)", re.ASCII)


def read_fsdd(path: str | Path, damaged: str = "error") -> Corpus:
    """Read the Free Spoken Digit Dataset.

    Parameters
    ----------
    path : str or Path
        The dataset, or its folder `recordings` with `DIGIT_SPEAKER_N.wav`.
    damaged : {"error", "skip", "keep"}, default "error"
        Whether a file that cannot be read is an error, or left out ("skip").

    Returns
    -------
    Corpus
        Without phones. `word` is the digit's name; `split` is the dataset's own (repetitions 0 to 4 are the test
        side), in which speakers are on both sides: use `Corpus.split_speakers` for held-out speakers. Further
        columns of `tokens`: `digit, repetition`.

    Raises
    ------
    CorpusError
        If there are no recordings or a file name is not DIGIT_SPEAKER_N.

    Examples
    --------
    >>> read_fsdd("free-spoken-digit-dataset").words  # of three recordings
    ('one', 'zero')
    """
    folder = corpus_folder(path, "FSDD")
    recordings = folder / "recordings" if (folder / "recordings").is_dir() else folder
    rows = []
    for file in find_files(recordings, [".wav"]):
        name = _NAME.fullmatch(file.stem)
        if name is None:
            raise CorpusError(f"The name of {file} must be DIGIT_SPEAKER_N.wav, as in FSDD.")
        digit, repetition = int(name["digit"]), int(name["repetition"])
        known = {
            "token": file.stem,
            "word": DIGITS[digit],
            "speaker": name["speaker"],
            "split": "test" if repetition in _TEST_REPETITIONS else "train",
            "digit": digit,
            "repetition": repetition,
        }
        rows.append((file, known))
    return corpus_of_files("fsdd", rows, recordings, damaged=damaged, sharing=SPOKEN_DIGITS)
