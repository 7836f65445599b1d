"""TIMIT: words and phones sliced from read sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from layerstats.checks import check_choice
from layerstats.corpora.audio import FileAudio, Segment, one_rate, probe_files
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.folders import (
    as_words,
    beside,
    check_new_token,
    check_words_found,
    composed,
    corpus_folder,
    find_files,
    read_text,
)
from layerstats.corpora.phones import phones_table
from layerstats.corpora.sharing import TIMIT
from layerstats.errors import CorpusError

# The words of Beguš & Zhou (2022).
PAPER_WORDS = ("ask", "dark", "greasy", "oily", "rag", "wash", "water", "year")

# Labels of some sentences end some samples behind the audio; more than this many (20 ms at 16 kHz) is an error.
_TOLERANCE = 320
_FLAT_FOLDER = re.compile(r"(dr\d)-(\w+)", re.IGNORECASE)
_SAMPLE = re.compile(r"[0-9]{1,12}")
_DIALECT_FOLDER = re.compile(r"dr\d", re.IGNORECASE)


@dataclass(frozen=True)
class _Label:
    start: int
    stop: int
    text: str


@dataclass(frozen=True)
class _Sentence:
    name: str
    speaker: str
    dialect: str
    split: str
    path: Path
    samples: int
    words: tuple[_Label, ...]
    phones: tuple[_Label, ...]


def read_timit(
    path: str | Path,
    words: str | Iterable[str] | None = PAPER_WORDS,
    unit: str = "word",
    damaged: str = "error",
) -> Corpus:
    """Read TIMIT, in the LDC's layout or in NLTK's.

    The LDC's layout is `TRAIN/DR1/FCJF0/SA1.WAV` (NIST SPHERE, upper case), where the split is the folder's;
    NLTK's is `dr1-fvmh0/sa1.wav` (RIFF, lower case), where the split is that of `spkrinfo.txt` or else "train".
    Words are cut at the boundaries of the `.wrd` file and phones at those of the `.phn` file. Stops are two
    phones, as in TIMIT: a closure (`tcl`) and a release (`t`).

    Parameters
    ----------
    path : str or Path
        The corpus, or a part of it.
    words : str, iterable of str or None
        Which words to slice; by default those of Beguš & Zhou (2022), None for all. Ignored for sentences.
    unit : {"word", "sentence"}, default "word"
        Whether a token is a word or a whole sentence.
    damaged : {"error", "skip", "keep"}, default "error"
        Whether a file that cannot be read is an error, or left out ("skip").

    Returns
    -------
    Corpus
        Further columns of `tokens`: `sex, dialect, sentence, word_index`.

    Raises
    ------
    CorpusError
        If there are no sentences, labels are missing or lie behind the audio, or a word does not occur.
    AudioError
        If a sound file cannot be read; files compressed with shorten must be decompressed first.

    Examples
    --------
    >>> corpus = read_timit("TIMIT", words="she")
    >>> corpus.tokens[["word", "speaker", "sex", "dialect"]].values.tolist()
    [['she', 'fcjf0', 'F', 'dr1'], ['she', 'mdac0', 'M', 'dr1']]
    """
    check_choice("unit", unit, ("word", "sentence"))
    folder = corpus_folder(path, "TIMIT")
    uses = _speaker_uses(folder)
    # A dot in the stem: converted copies (SA1.WAV.wav) beside the originals.
    files = [file for file in find_files(folder, [".wav"]) if "." not in file.stem]
    if not files:
        raise CorpusError(f"No sentences of TIMIT (such as dr1-fvmh0/sa1.wav) below {folder}.")
    probed, notes = probe_files(files, damaged=damaged)
    rate_hz = one_rate(probed.values())
    sentences = [_read_sentence(folder, file.path, file.samples, uses) for file in probed.values()]
    wanted = as_words(words)
    rows, intervals, segments = [], [], {}
    for sentence in sentences:
        for index, unit_label in _units(sentence, unit, wanted):
            token = f"{sentence.speaker}_{sentence.name}"
            if unit == "word":
                token += f"_{index:02d}_{unit_label.text}"
            check_new_token(token, segments, sentence.path)
            rows.append(
                {
                    "token": token,
                    "word": unit_label.text,
                    "speaker": sentence.speaker,
                    "split": sentence.split,
                    "duration_s": (unit_label.stop - unit_label.start) / rate_hz,
                    "sex": sentence.speaker[0].upper(),
                    "dialect": sentence.dialect,
                    "sentence": sentence.name,
                    "word_index": index,
                }
            )
            segments[token] = Segment(sentence.path, unit_label.start, unit_label.stop)
            intervals.extend(_phones_within(sentence, unit_label, token, rate_hz))
    if unit == "word":
        said = {word.text for sentence in sentences for word in sentence.words}
        check_words_found(wanted, said, f"TIMIT in {folder}")
    phones = pd.DataFrame(intervals, columns=["token", "label", "onset_s", "offset_s"])
    return Corpus("timit", pd.DataFrame(rows), phones_table(phones), rate_hz, FileAudio(segments), notes, TIMIT)


def _units(sentence: _Sentence, unit: str, wanted: list[str] | None) -> list[tuple[int, _Label]]:
    if unit == "sentence":
        text = " ".join(word.text for word in sentence.words)
        return [(0, _Label(0, sentence.samples, text))]
    return [(index, word) for index, word in enumerate(sentence.words) if wanted is None or word.text in wanted]


def _phones_within(sentence: _Sentence, unit: _Label, token: str, rate_hz: int) -> list[tuple]:
    """Return phones whose larger part lies in the word, cut at its boundaries."""
    found = []
    for phone in sentence.phones:
        start, stop = max(phone.start, unit.start), min(phone.stop, unit.stop)
        if 2 * (stop - start) > phone.stop - phone.start:
            found.append((token, phone.text, (start - unit.start) / rate_hz, (stop - unit.start) / rate_hz))
    if not found:
        raise CorpusError(
            f"No phones for {unit.text!r} (samples {unit.start}-{unit.stop}) in the .phn file of {sentence.path}. "
            f"Mend the labels, or take the sentence out."
        )
    return found


def _read_sentence(folder: Path, path: Path, samples: int, uses: dict[str, str]) -> _Sentence:
    labels = {}
    for kind in (".wrd", ".phn"):
        file = beside(path, kind)
        if file is None:
            raise CorpusError(f"{path} has no {kind} file beside it. Add it, or take the sentence out.")
        labels[kind] = _read_labels(file, samples)
    parents = [part.lower() for part in (folder.resolve().name, *path.relative_to(folder).parts[:-1])]
    flat = _FLAT_FOLDER.fullmatch(path.parent.name)
    speaker = (flat.group(2) if flat else path.parent.name).lower()
    dialects = [flat.group(1).lower()] if flat else [part for part in parents if _DIALECT_FOLDER.fullmatch(part)]
    splits = [part for part in parents if part in ("train", "test")]
    return _Sentence(
        name=path.stem.lower(),
        speaker=speaker,
        dialect=dialects[-1] if dialects else "unknown",
        split=splits[-1] if splits else uses.get(speaker, "train"),
        path=path,
        samples=samples,
        words=labels[".wrd"],
        phones=labels[".phn"],
    )


def _read_labels(file: Path, samples: int) -> tuple[_Label, ...]:
    labels = []
    for number, line in enumerate(read_text(file)[0].splitlines(), start=1):
        if not line.strip():
            continue
        parts = line.split(maxsplit=2)
        if len(parts) != 3 or not all(_SAMPLE.fullmatch(part) for part in parts[:2]) or int(parts[0]) > int(parts[1]):
            raise CorpusError(
                f"Line {number} of {file} must be 'start stop label' in samples, the start not after the stop, but is "
                f"{line[:80]!r}."
            )
        start, stop = int(parts[0]), int(parts[1])
        if stop > samples + _TOLERANCE or start >= samples:
            raise CorpusError(
                f"{parts[2].strip()!r} in {file} ends at sample {stop}, but the audio has {samples}. "
                f"The labels belong to another recording, or the audio is cut short."
            )
        labels.append(_Label(start, min(stop, samples), composed(parts[2].strip().lower())))
    if not labels:
        raise CorpusError(f"{file} has no labels.")
    return tuple(labels)


def _speaker_uses(folder: Path) -> dict[str, str]:
    """Return the split of each speaker by TIMIT's own table, where it lies in the folder."""
    names = ("spkrinfo.txt", "SPKRINFO.TXT", "doc/spkrinfo.txt", "DOC/SPKRINFO.TXT")
    file = next((folder / name for name in names if (folder / name).is_file()), None)
    uses = {}
    for line in read_text(file)[0].splitlines() if file else ():
        fields = line.split()
        if len(fields) > 3 and not line.startswith(";"):
            uses[f"{fields[1]}{fields[0]}".lower()] = "test" if fields[3] == "TST" else "train"
    return uses
