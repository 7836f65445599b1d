"""LibriSpeech: utterances of read books."""

from __future__ import annotations

from pathlib import Path

from layerstats.corpora.corpus import Corpus
from layerstats.corpora.folders import corpus_folder, count_note, find_files, read_text
from layerstats.corpora.sharing import LIBRISPEECH
from layerstats.corpora.whole_files import corpus_of_files
from layerstats.errors import CorpusError

_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


def read_librispeech(path: str | Path, damaged: str = "error") -> Corpus:
    """Read LibriSpeech (Panayotov et al. 2015): a token is an utterance.

    Parameters
    ----------
    path : str or Path
        The corpus (`LibriSpeech/test-other/SPEAKER/CHAPTER/*.flac`) or one of its subsets.
    damaged : {"error", "skip", "keep"}, default "error"
        Whether a file that cannot be read is an error, or left out ("skip").

    Returns
    -------
    Corpus
        Without phones. `word` is the whole transcript in lower case; `split` follows the subset's name
        (dev is "validation"). Further columns of `tokens`: `subset, chapter`, and `sex` where `SPEAKERS.TXT` is
        there.

    Raises
    ------
    CorpusError
        If there are no utterances, or one has no text in its chapter's `.trans.txt`.

    Examples
    --------
    >>> read_librispeech("LibriSpeech/dev-clean").tokens[["token", "word", "speaker"]]
                token            word speaker
    0  84-121123-0000  go do you hear      84
    """
    folder = corpus_folder(path, "LibriSpeech")
    sexes = _speaker_sexes(folder)
    transcripts: dict[Path, dict[str, str]] = {}
    rows = []
    for file in find_files(folder, [".flac"]):
        chapter = file.parent
        if chapter not in transcripts:
            transcripts[chapter] = _read_transcripts(chapter)
        text = transcripts[chapter].pop(file.stem, "")
        if not text:
            raise CorpusError(
                f"{file} has no line in the .trans.txt of its chapter, or one without text. Add it, or "
                "take the file out."
            )
        speaker = chapter.parent.name
        subset = chapter.parent.parent.resolve().name
        known: dict[str, object] = {
            "token": file.stem,
            "word": text,
            "speaker": speaker,
            "split": _SPLITS.get(subset.split("-")[0], "train"),
            "subset": subset,
            "chapter": chapter.name,
        }
        if sexes:
            known["sex"] = sexes.get(speaker, "unknown")
        rows.append((file, known))
    missing = [name for lines in transcripts.values() for name in lines]
    notes = count_note(missing, len(missing) + len(rows), "utterances of the transcripts have no sound file here")
    return corpus_of_files("librispeech", rows, folder, damaged=damaged, notes=notes, sharing=LIBRISPEECH)


def _read_transcripts(chapter: Path) -> dict[str, str]:
    found = {}
    for file in sorted(chapter.glob("*.trans.txt")):
        for line in read_text(file)[0].splitlines():
            name, *text = line.split(maxsplit=1)[:2] or [""]
            if name:
                found[name] = " ".join(text).strip().lower()
    return found


def _speaker_sexes(folder: Path) -> dict[str, str]:
    file = next((root / "SPEAKERS.TXT" for root in (folder, folder.parent) if (root / "SPEAKERS.TXT").is_file()), None)
    sexes = {}
    for line in read_text(file)[0].splitlines() if file else ():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) > 2 and not line.startswith(";"):
            sexes[fields[0]] = fields[1]
    return sexes
