"""LibriSpeech: utterances of read books."""

from __future__ import annotations

from pathlib import Path

from layerstats.corpora.corpus import Corpus
from layerstats.corpora.folders import corpus_folder, find_files
from layerstats.corpora.whole_files import corpus_of_files
from layerstats.errors import CorpusError

_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


def read_librispeech(path: str | Path) -> Corpus:
    """Read LibriSpeech (Panayotov et al. 2015): a token is an utterance.

    Parameters
    ----------
    path : str or Path
        The corpus (`LibriSpeech/test-other/SPEAKER/CHAPTER/*.flac`) or one of its subsets.

    Returns
    -------
    Corpus
        Without phones. `word` is the whole transcript in lower case; `split` follows the subset's name
        (dev is "validation"). Further columns of `tokens`: `subset, chapter`, and `sex` where `SPEAKERS.TXT` is
        there.

    Raises
    ------
    CorpusError
        If there are no utterances, or one is missing in its chapter's `.trans.txt`.
    """
    folder = corpus_folder(path, "LibriSpeech")
    sexes = _speaker_sexes(folder)
    transcripts: dict[Path, dict[str, str]] = {}
    rows = []
    for file in find_files(folder, [".flac"]):
        chapter = file.parent
        if chapter not in transcripts:
            transcripts[chapter] = _read_transcripts(chapter)
        if file.stem not in transcripts[chapter]:
            raise CorpusError(f"{file} has no line in the .trans.txt of its chapter. Add it, or take the file out.")
        speaker = chapter.parent.name
        subset = chapter.parent.parent.resolve().name
        known: dict[str, object] = {
            "token": file.stem,
            "word": transcripts[chapter][file.stem],
            "speaker": speaker,
            "split": _SPLITS.get(subset.split("-")[0], "train"),
            "subset": subset,
            "chapter": chapter.name,
        }
        if sexes:
            known["sex"] = sexes.get(speaker, "unknown")
        rows.append((file, known))
    return corpus_of_files("librispeech", rows, folder)


def _read_transcripts(chapter: Path) -> dict[str, str]:
    found = {}
    for file in sorted(chapter.glob("*.trans.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, text = line.strip().partition(" ")
            if name:
                found[name] = text.strip().lower()
    return found


def _speaker_sexes(folder: Path) -> dict[str, str]:
    file = next((root / "SPEAKERS.TXT" for root in (folder, folder.parent) if (root / "SPEAKERS.TXT").is_file()), None)
    sexes = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file else ():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) > 2 and not line.startswith(";"):
            sexes[fields[0]] = fields[1]
    return sexes
