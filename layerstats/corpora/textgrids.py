"""Any folder of recordings with Praat TextGrids, as forced aligners and annotators make them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pandas as pd

from layerstats.checks import check_choice, check_not_negative
from layerstats.corpora.audio import AudioFile, Channel, FileAudio, Segment, one_rate, probe_files
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.folders import check_new_token, corpus_folder, count_note
from layerstats.corpora.label_sets import LABEL_SETS, SILENCES, to_timit
from layerstats.corpora.pairs import Pair, find_pairs
from layerstats.corpora.phones import phones_table
from layerstats.corpora.praat import Interval, TextGrid, read_textgrid
from layerstats.corpora.speakers import SpeakerOf, speaker_rule
from layerstats.corpora.tiers import AUTO, Labels, find_labels
from layerstats.errors import ArgumentError, CorpusError

# What a tier of words has where nothing is said.
_PAUSES = SILENCES | {"spn", "<p>", "_", "{sl}"}
# What aligners and annotators write there for sounds that are no words, in brackets; "<unk>" is a word nobody knows.
_NOISE = re.compile(
    r"[<\[{(](?:nib|usb|nz|ns|br|lg|ls|cg|noise|vocnoise|breath|breathing|inhale|exhale|laugh|laughter|cough|lipsmack|click|"
    r"music)[>\]})]",
    re.IGNORECASE,
)
_ID_LETTERS = 40
_HALF = 1e-6
_SENTENCES = 1.5  # words an interval, from which on tokens are utterances


@dataclass(frozen=True)
class _Options:
    """What the caller wants of every recording."""

    word_tier: str | None
    phone_tier: str | None
    speaker_of: SpeakerOf
    split: str
    tolerance_s: float
    unit: str


@dataclass
class _Rows:
    """What is gathered over the recordings of a corpus."""

    tokens: list[tuple]
    phones: list[tuple]
    segments: dict[str, Segment]
    behind: list[str]
    wordless: list[str]
    noises: list[str]


def read_textgrids(
    path: str | Path,
    word_tier: str | None = AUTO,
    phone_tier: str | None = AUTO,
    speaker: str = AUTO,
    split: str = "train",
    channel: Channel = None,
    tolerance_s: float = 0.05,
    audio: str | Path | None = None,
    labels: str = AUTO,
    damaged: str = "error",
    unit: str = "interval",
) -> Corpus:
    """Read a folder of recordings, each with a TextGrid of the same name.

    Parameters
    ----------
    path : str or Path
        Folder of the TextGrids, searched with its subfolders. Recordings lie beside them or in another folder below it.
    word_tier : str or None, default "auto"
        Interval tier of the words, each of which becomes a token; pauses (empty, "sp", "sil", "<p:>") do not. "auto"
        finds the names that aligners and annotators use (words, ORT-MAU, Wort, ...); case does not matter.
        None makes every recording one token, whose word is the file's name.
    phone_tier : str or None, default "auto"
        Interval tier of the phones (phones, segments, MAU, ...); None reads none.
    speaker : str, default "auto"
        "folder": the name of the recording's folder. "prefix": the part of the file's name before the first "_" or "-".
        "tier": what stands before " - " in the names of the tiers ("S1 - words"). "tier:NAME": the label of that tier
        in the middle of the word. "table:FILE": a CSV file with the columns `recording` and `speaker`. "auto" is
        "tier" where tiers are so named, else "folder".
    split : str, default "train"
        Split of all tokens; see `Corpus.split_speakers`.
    channel : int, "mix" or None, default None
        Which channel of stereo recordings.
    tolerance_s : float, default 0.05
        By how much a TextGrid may be longer or shorter than its recording, in seconds. Labels end with the recording.
    audio : str or Path, optional
        Folder of the recordings where it is not below `path`; a relative one is looked for there first.
    labels : {"auto", "timit", "arpabet", "sampa", "x-sampa", "ipa", "keep"}, default "auto"
        What the labels of phones are. `label` has TIMIT's where there is one, `source_label` what the file has. "auto"
        recognises the set by all labels of the corpus, and keeps them where they fit several sets that differ; "keep"
        changes none. The notes of the corpus say what was done.
    damaged : {"error", "skip", "keep"}, default "error"
        Whether a sound file that cannot be read is an error, or left out ("skip").
    unit : {"interval", "recording"}, default "interval"
        Whether a token is an interval of the tier of words, or a whole recording with all that is said in it, as
        networks that read letters hear it; of several speakers' tiers each makes a token of the recording.

    Returns
    -------
    Corpus
        Further columns of `tokens`: `recording, word_index`.

    Raises
    ------
    CorpusError
        If a recording has no TextGrid or the reverse, a TextGrid has another length than its recording or lacks a
        tier, a word has no phones, or a TextGrid cannot be read.
    AudioError
        If a sound file cannot be read.

    Examples
    --------
    >>> corpus = read_textgrids("my_recordings", word_tier="Words", speaker="prefix")
    >>> corpus.notes
    ("Words were read from the tiers named 'Words'.",)
    >>> corpus.tokens[["word", "speaker"]].values.tolist()
    [['ask', 'anna'], ['ask', 'ben']]
    """
    labels = str(labels).lower()
    check_choice("labels", labels, LABEL_SETS)
    check_not_negative("tolerance_s", tolerance_s)
    check_choice("unit", unit, ("interval", "recording"))
    if not isinstance(split, str) or not split:
        raise ArgumentError(f"The 'split' parameter must be a name, for instance 'train', but got {split!r} instead.")
    folder = corpus_folder(path, "TextGrids")
    pairs, notes = find_pairs(folder, None if audio is None else _audio_folder(folder, audio))
    options = _Options(word_tier, phone_tier, speaker_rule(speaker, folder), split, tolerance_s, unit)
    recordings, left_out = probe_files([pair.audio for pair in pairs], channel, damaged)
    rate_hz = one_rate(recordings.values())
    pairs = [pair for pair in pairs if pair.audio in recordings]
    grids = [read_textgrid(pair.grid) for pair in pairs]
    rows = _Rows([], [], {}, [], [], [])
    used: set[tuple[str | None, str | None]] = set()
    for pair, grid in zip(pairs, grids, strict=True):
        found = _labels_of(grid, recordings[pair.audio], options)
        used |= {(one.word_tier, one.phone_tier) for one in found}
        _add_tokens(rows, pair, recordings[pair.audio], grid, found, options)
    if not rows.tokens:
        raise CorpusError(f"The tiers of words in {folder} have no words: every interval is empty or a pause.")
    phones, about_labels = _phones(rows.phones, labels)
    columns = ["token", "word", "speaker", "split", "duration_s", "recording", "word_index"]
    tokens = pd.DataFrame(rows.tokens, columns=columns)
    notes = (*notes, *_notes(used, grids, rows, unit), *about_labels, *left_out)
    return Corpus("textgrids", tokens, phones_table(phones), rate_hz, FileAudio(rows.segments, channel), notes)


def _audio_folder(folder: Path, audio: str | Path) -> Path:
    below = folder / Path(audio).expanduser()
    return below if below.is_dir() else corpus_folder(audio, "recordings")


def _labels_of(grid: TextGrid, recording: AudioFile, options: _Options) -> tuple[Labels, ...]:
    """Return the words and phones of each speaker, in seconds of the recording."""
    shift = _shift(grid, recording, options.tolerance_s)
    whole = Interval(shift, shift + recording.duration_s, recording.path.stem)
    found = []
    for labels in find_labels(grid, options.word_tier, options.phone_tier, whole):
        said = [word for word in labels.words if options.word_tier is None or word.text.lower() not in _PAUSES]
        words = tuple(_moved(word, shift) for word in said)
        found.append(replace(labels, words=words, phones=tuple(_moved(phone, shift) for phone in labels.phones)))
    return tuple(found)


def _shift(grid: TextGrid, recording: AudioFile, tolerance_s: float) -> float:
    """Return the time in the TextGrid at which the recording begins: a part cut out may have kept its times."""
    end = abs(grid.stop_s - recording.duration_s)
    if end <= tolerance_s:
        return 0.0
    if abs(grid.stop_s - grid.start_s - recording.duration_s) <= tolerance_s:
        return grid.start_s
    raise CorpusError(
        f"The TextGrid {grid.path} ends at {grid.stop_s:.3f} s, but its recording lasts {recording.duration_s:.3f} s. "
        f"Cut one of them, or pass a larger tolerance_s if they belong together."
    )


def _moved(interval: Interval, shift: float) -> Interval:
    return interval if shift == 0 else Interval(interval.start_s - shift, interval.stop_s - shift, interval.text)


def _add_tokens(
    rows: _Rows,
    pair: Pair,
    recording: AudioFile,
    grid: TextGrid,
    labels: Sequence[Labels],
    options: _Options,
) -> None:
    heard = [(word, one) for one in labels for word in one.words]
    said = [(word, one) for word, one in heard if one.word_tier is None or not _NOISE.fullmatch(word.text)]
    rows.noises.extend(word.text for word, one in heard if one.word_tier is not None and _NOISE.fullmatch(word.text))
    if options.unit == "recording":
        said = [(_utterance(words, recording), one) for one in labels if (words := [w for w, by in said if by is one])]
    if not said:
        rows.wordless.append(pair.grid.name)
    for index, (word, one) in enumerate(sorted(said, key=lambda item: item[0].start_s)):
        whole = one.word_tier is None or options.unit == "recording"
        token = pair.name if whole and len(said) == 1 else f"{pair.name}_{index:02d}_{word.text[:_ID_LETTERS]}"
        check_new_token(token, rows.segments, pair.audio)
        segment = _segment(recording, word, options.tolerance_s)
        duration = (segment.stop - segment.start) / recording.rate_hz
        rows.segments[token] = segment
        who = options.speaker_of(pair, grid, one.speaker, (word.start_s + word.stop_s) / 2)
        rows.tokens.append((token, word.text, who, options.split, duration, pair.name, index))
        if options.phone_tier is not None:
            rows.phones.extend(_phones_within(one.phones, word, token, duration, grid.path))
    end = recording.duration_s - 0.5 / recording.rate_hz
    rows.behind.extend(phone.text for one in labels for phone in one.phones if phone.text and phone.start_s >= end)


def _utterance(words: Sequence[Interval], recording: AudioFile) -> Interval:
    """Return a whole recording, with all words of a speaker as its text."""
    text = " ".join(word.text for word in sorted(words, key=lambda word: word.start_s))
    return Interval(0.0, recording.duration_s, text)


def _segment(recording: AudioFile, word: Interval, tolerance_s: float) -> Segment:
    start = max(round(word.start_s * recording.rate_hz), 0)
    stop = min(round(word.stop_s * recording.rate_hz), recording.samples)
    if not start < stop or word.start_s < -tolerance_s:
        raise CorpusError(
            f"The word {word.text!r} at {word.start_s:.3f} s lies outside the recording {recording.path}."
        )
    return Segment(recording.path, start, stop)


def _phones_within(
    phones: tuple[Interval, ...], word: Interval, token: str, duration_s: float, file: Path
) -> list[tuple]:
    """Return phones whose larger part lies in the word, or whose first half does, cut at its boundaries."""
    found = []
    begin = max(word.start_s, 0.0)
    for phone in islice(phones, bisect_right(phones, word.start_s, key=lambda one: one.stop_s), None):
        if phone.start_s >= word.stop_s:
            break
        start, stop = max(phone.start_s, word.start_s), min(phone.stop_s, word.stop_s)
        half = (phone.stop_s - phone.start_s) / 2
        most = stop - start > half + _HALF or (stop - start > half - _HALF and phone.start_s >= word.start_s - _HALF)
        onset, offset = max(start - begin, 0.0), min(stop - begin, duration_s)
        if phone.text and most and offset - onset > _HALF:
            found.append((token, phone.text, onset, offset, phone.text))
    if not found:
        raise CorpusError(
            f"No phones for the word {word.text!r} at {word.start_s:.3f} s in {file}. Mend the phone tier, "
            "or read none with the option phone_tier=none (None in Python)."
        )
    return found


def _phones(intervals: list[tuple], labels: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return intervals with TIMIT's labels where there are such, and what was recognised."""
    table = pd.DataFrame(intervals, columns=["token", "label", "onset_s", "offset_s", "source_label"])
    spelled, notes = to_timit(table["source_label"].tolist(), labels)
    return table.assign(label=pd.Series(spelled, dtype="str", index=table.index)), notes


def _notes(
    used: set[tuple[str | None, str | None]], grids: Sequence[TextGrid], rows: _Rows, unit: str
) -> tuple[str, ...]:
    """Say what is worth saying of tiers, encodings and labels."""
    notes = []
    for what, at, plain in (("Words", 0, "words"), ("Phones", 1, "phones")):
        names = sorted({pair[at] or "" for pair in used} - {"", plain})
        if names:
            notes.append(f"{what} were read from the tiers named {', '.join(map(repr, names))}.")
    latin = [grid.path.name for grid in grids if grid.encoding == "Latin-1"]
    notes += count_note(latin, len(grids), "TextGrids are not in Unicode and were read as Latin-1")
    notes += count_note(rows.wordless, len(grids), "TextGrids have no words")
    labelled = len(rows.tokens) + len(rows.noises)
    notes += count_note(rows.noises, labelled, "words are noises and were left out")
    total = len(rows.phones) + len(rows.behind)
    notes += count_note(rows.behind, total, "phones lie behind the end of their recording and were left out")
    words = sum(len(row[1].split()) for row in rows.tokens) / len(rows.tokens)
    if words > _SENTENCES and unit != "recording":
        notes.append(
            f"Tokens are utterances of {words:.1f} words on average. Name a tier of words as word_tier, or slice them "
            "into words by forced alignment (slice_words)."
        )
    return tuple(notes)
