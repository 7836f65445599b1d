"""Speech Commands v0.02: one-second recordings of 35 words."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

from layerstats.corpora.corpus import Corpus
from layerstats.corpora.folders import (
    as_words,
    check_words_found,
    corpus_folder,
    count_note,
    find_files,
    is_ours,
    read_text,
    refuse_lost_folder,
)
from layerstats.corpora.sharing import SPEECH_COMMANDS
from layerstats.corpora.whole_files import corpus_of_files
from layerstats.errors import CorpusError

SPEECH_COMMANDS_WORDS = (
    *("backward", "bed", "bird", "cat", "dog", "down", "eight", "five", "follow", "forward", "four", "go"),
    *("happy", "house", "learn", "left", "marvin", "nine", "no", "off", "on", "one", "right", "seven"),
    *("sheila", "six", "stop", "three", "tree", "two", "up", "visual", "wow", "yes", "zero"),
)
_LISTS = {"validation_list.txt": "validation", "testing_list.txt": "test"}
_NAME = re.compile(r"(?P<speaker>[^_]+)_nohash_(?P<repetition>\d+)")


def read_speech_commands(path: str | Path, words: str | Iterable[str] | None = None, damaged: str = "error") -> Corpus:
    """Read Speech Commands v0.02 (Warden 2018, arXiv:1804.03209).

    The split is that of the official `validation_list.txt` and `testing_list.txt`; the speaker is the
    first part of the file name, so that no speaker is in two splits. Folders such as `_background_noise_`
    are not words.

    Parameters
    ----------
    path : str or Path
        Folder with a folder a word and the two lists.
    words : str or iterable of str, optional
        Some of the words; by default all that are there, out of the official 35.
    damaged : {"error", "skip", "keep"}, default "error"
        Whether a file that cannot be read is an error, or left out ("skip").

    Returns
    -------
    Corpus
        Without phones; further column of `tokens`: `repetition`. A recording lasts a second, more than a
        clip of 16,384 samples holds between two silences of 25 ms: see `Clips`.

    Raises
    ------
    CorpusError
        If a list or a word is missing, a folder is not one of the words, or a file name has no speaker.

    Examples
    --------
    >>> read_speech_commands("speech_commands_v0.02", words=["yes", "no"]).words
    ('no', 'yes')
    """
    folder = corpus_folder(path, "Speech Commands")
    splits = _read_lists(folder)
    listed = len(splits)
    wanted = as_words(words)
    entries = sorted(entry for entry in folder.iterdir() if is_ours(entry.name) and not entry.name.startswith("_"))
    for entry in entries:
        refuse_lost_folder(entry)
    folders = [entry for entry in entries if entry.is_dir()]
    strange = [entry.name for entry in folders if entry.name not in SPEECH_COMMANDS_WORDS]
    if strange:
        raise CorpusError(f"{folder} has folders that are not words of Speech Commands: {', '.join(strange[:5])}.")
    check_words_found(wanted, (entry.name for entry in folders), f"Speech Commands in {folder}")
    rows = []
    for entry in folders:
        if wanted is not None and entry.name not in wanted:
            continue
        for file in find_files(entry, [".wav"]):
            name = _NAME.fullmatch(file.stem)
            if file.parent != entry:
                raise CorpusError(
                    f"{file} lies in a folder below its word's, which Speech Commands has not. Take it out."
                )
            if name is None:
                raise CorpusError(f"The name of {file} must be SPEAKER_nohash_N.wav, as in Speech Commands.")
            known = {
                "token": f"{entry.name}_{file.stem}",
                "word": entry.name,
                "speaker": name["speaker"],
                "split": splits.pop(f"{entry.name}/{file.name}", "train"),
                "repetition": int(name["repetition"]),
            }
            rows.append((file, known))
    missing = [name for name in splits if wanted is None or name.partition("/")[0] in wanted]
    notes = count_note(missing, listed, "recordings of the lists for validation and testing are not in the folder")
    return corpus_of_files("speech_commands", rows, folder, damaged=damaged, notes=notes, sharing=SPEECH_COMMANDS)


def _read_lists(folder: Path) -> dict[str, str]:
    splits = {}
    for name, split in _LISTS.items():
        file = folder / name
        if not file.is_file():
            raise CorpusError(f"{folder} has no {name}, the official list of the {split} recordings. Add it.")
        # Lists that people made themselves begin with "./", or have the backslashes of Windows.
        lines = (line.strip().replace("\\", "/") for line in read_text(file)[0].splitlines())
        splits |= {posixpath.normpath(line).lstrip("/"): split for line in lines if line}
    return splits
