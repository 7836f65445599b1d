"""A corpus in one small file: beeps, `PITCH_SPEAKER_N.wav`."""

from pathlib import Path

from layerstats.corpora.corpus import Corpus
from layerstats.corpora.folders import corpus_folder, find_files
from layerstats.corpora.whole_files import corpus_of_files
from layerstats.errors import CorpusError


def read_beeps(path: str | Path, damaged: str = "error", most: int = 100) -> Corpus:
    """Read beeps, at most so many of a pitch and speaker."""
    folder, rows = corpus_folder(path, "beeps"), []
    for file in find_files(folder, [".wav"]):
        parts = file.stem.split("_")
        if len(parts) != 3:
            raise CorpusError(f"The name of {file} must be PITCH_SPEAKER_N.wav.")
        if int(parts[2]) < most:
            rows.append((file, {"token": file.stem, "word": parts[0], "speaker": parts[1], "split": "test"}))
    return corpus_of_files("beeps", rows, folder, damaged=damaged)
