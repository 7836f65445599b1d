"""Any folder of recordings with Praat TextGrids, as forced aligners and annotators make them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from layerstats.checks import check_choice, require
from layerstats.corpora.audio import AudioFile, Channel, FileAudio, Segment, one_rate, probe_audio
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.folders import AUDIO_SUFFIXES, check_new_token, corpus_folder, find_files
from layerstats.corpora.phone_classes import OTHER, phone_class
from layerstats.corpora.phones import phones_table
from layerstats.errors import CorpusError

PAUSES = frozenset({"", "sp", "sil", "spn", "<eps>", "<sil>", "<p:>", "#"})
_STRESSED = re.compile(r"([A-Z]{1,2})[0-2]?")


@dataclass(frozen=True)
class _Interval:
    start_s: float
    stop_s: float
    text: str


@dataclass(frozen=True)
class _Labels:
    words: tuple[_Interval, ...]
    phones: tuple[_Interval, ...]


def read_textgrids(
    path: str | Path,
    word_tier: str | None = "words",
    phone_tier: str | None = "phones",
    speaker: str = "folder",
    split: str = "train",
    channel: Channel = None,
    tolerance_s: float = 0.01,
) -> Corpus:
    """Read a folder of recordings, each with a TextGrid of the same name beside it.

    Parameters
    ----------
    path : str or Path
        Folder, searched with its subfolders.
    word_tier : str or None, default "words"
        Interval tier of the words, each of which becomes a token; pauses (empty, "sp", "sil") do not.
        None makes every recording one token, whose word is the file's name.
    phone_tier : str or None, default "phones"
        Interval tier of the phones; None reads none. ARPABET with stress ("AE1") becomes lower case
        without; other labels stay as they are.
    speaker : {"folder", "prefix"}, default "folder"
        Whether the speaker is the name of the recording's folder or the part of the file's name before
        the first "_" or "-".
    split : str, default "train"
        Split of all tokens; see `Corpus.split_speakers`.
    channel : int, "mix" or None, default None
        Which channel of stereo recordings.
    tolerance_s : float, default 0.01
        By how much a TextGrid may be longer or shorter than its recording, in seconds.

    Returns
    -------
    Corpus
        Further columns of `tokens`: `recording, word_index`.

    Raises
    ------
    CorpusError
        If a recording has no TextGrid or the reverse, a TextGrid has another length than its recording or lacks a
        tier, a word has no phones, or a TextGrid cannot be read.
    """
    check_choice("speaker", speaker, ("folder", "prefix"))
    folder = corpus_folder(path, "TextGrids")
    pairs = _pairs(folder)
    recordings = [probe_audio(audio, channel) for audio, _ in pairs]
    rate_hz = one_rate(recordings)
    rows, intervals, segments = [], [], {}
    for recording, (audio, grid) in zip(recordings, pairs, strict=True):
        labels = _read_grid(grid, recording, word_tier, phone_tier, tolerance_s)
        name = audio.relative_to(folder).with_suffix("").as_posix().replace("/", "_")
        who = audio.parent.resolve().name if speaker == "folder" else re.split(r"[_-]", audio.stem)[0]
        for index, word in enumerate(labels.words):
            token = name if word_tier is None else f"{name}_{index:02d}_{word.text}"
            check_new_token(token, segments, audio)
            segment = _segment(recording, word)
            duration = (segment.stop - segment.start) / rate_hz
            segments[token] = segment
            rows.append((token, word.text, who, split, duration, name, index))
            if phone_tier is not None:
                intervals.extend(_phones_within(labels.phones, word, token, duration, grid))
    columns = ["token", "word", "speaker", "split", "duration_s", "recording", "word_index"]
    phones = pd.DataFrame(intervals, columns=["token", "label", "onset_s", "offset_s", "source_label"])
    tokens = pd.DataFrame(rows, columns=columns)
    return Corpus("textgrids", tokens, phones_table(phones), rate_hz, FileAudio(segments, channel))


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    recordings = find_files(folder, AUDIO_SUFFIXES)
    grids = {grid.with_suffix(""): grid for grid in find_files(folder, [".TextGrid"])}
    alone = [str(audio) for audio in recordings if audio.with_suffix("") not in grids]
    stems = {audio.with_suffix("") for audio in recordings}
    alone += [str(grid) for stem, grid in grids.items() if stem not in stems]
    if alone:
        raise CorpusError(
            f"Recordings and TextGrids must come in pairs of the same name, but {len(alone)} files stand alone, "
            f"for instance {alone[0]}."
        )
    if not recordings:
        raise CorpusError(f"No recordings with TextGrids below {folder}.")
    return [(audio, grids[audio.with_suffix("")]) for audio in recordings]


def _read_grid(
    file: Path, recording: AudioFile, word_tier: str | None, phone_tier: str | None, tolerance_s: float
) -> _Labels:
    textgrid = require("praatio.textgrid", "read TextGrids", "speech")
    errors = require("praatio.utilities.errors", "read TextGrids", "speech")
    try:
        grid = textgrid.openTextgrid(str(file), includeEmptyIntervals=False)
    except (errors.PraatioException, ValueError, IndexError, KeyError) as error:
        raise CorpusError(f"Cannot read the TextGrid {file}: {type(error).__name__}: {error}") from error
    if abs(grid.maxTimestamp - recording.duration_s) > tolerance_s:
        raise CorpusError(
            f"The TextGrid {file} ends at {grid.maxTimestamp:.3f} s, but its recording lasts "
            f"{recording.duration_s:.3f} s. Cut one of them, or pass a larger tolerance_s if they belong together."
        )
    whole = (_Interval(0.0, recording.duration_s, recording.path.stem),)
    words = whole if word_tier is None else _tier(grid, word_tier, file)
    phones = () if phone_tier is None else _tier(grid, phone_tier, file)
    return _Labels(tuple(word for word in words if word.text.lower() not in PAUSES), phones)


def _tier(grid: object, name: str, file: Path) -> tuple[_Interval, ...]:
    names = grid.tierNames  # type: ignore[attr-defined]
    if name not in names:
        raise CorpusError(
            f"The TextGrid {file} has no tier {name!r}; its tiers are {', '.join(map(repr, names))}. "
            f"Name them as word_tier= and phone_tier=."
        )
    entries = grid.getTier(name).entries  # type: ignore[attr-defined]
    if any(len(entry) != 3 for entry in entries):
        raise CorpusError(f"The tier {name!r} of {file} is a tier of points; intervals are needed.")
    return tuple(_Interval(float(start), float(stop), text.strip()) for start, stop, text in entries)


def _segment(recording: AudioFile, word: _Interval) -> Segment:
    start = round(word.start_s * recording.rate_hz)
    stop = min(round(word.stop_s * recording.rate_hz), recording.samples)
    if not start < stop:
        raise CorpusError(
            f"The word {word.text!r} at {word.start_s:.3f} s lies outside the recording {recording.path}."
        )
    return Segment(recording.path, start, stop)


def _phones_within(
    phones: tuple[_Interval, ...], word: _Interval, token: str, duration_s: float, file: Path
) -> list[tuple]:
    """Phones whose larger part lies in the word, cut at its boundaries."""
    found = []
    for phone in phones:
        start, stop = max(phone.start_s, word.start_s), min(phone.stop_s, word.stop_s)
        if phone.text and 2 * (stop - start) > phone.stop_s - phone.start_s:
            onset, offset = start - word.start_s, min(stop - word.start_s, duration_s)
            found.append((token, _plain_label(phone.text), onset, offset, phone.text))
    if not found:
        raise CorpusError(
            f"No phones for the word {word.text!r} at {word.start_s:.3f} s in {file}. Mend the phone tier, or "
            f"pass phone_tier=None."
        )
    return found


def _plain_label(text: str) -> str:
    if text.lower() in PAUSES:
        return "sil"
    stressed = _STRESSED.fullmatch(text)
    plain = stressed.group(1).lower() if stressed else text
    return text if phone_class(plain) == OTHER else plain
