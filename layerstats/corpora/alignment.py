"""Forced alignment: phone boundaries for speech whose words are known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from layerstats.corpora.audio import SlicedAudio, check_samples, resample
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.decoder import PADDING_S, RATE_HZ, decode, make_decoder, padded_audio
from layerstats.corpora.phones import phones_table
from layerstats.errors import AudioError, CorpusError

FRAME_S = 0.01
# A frame stands for its window of 25.625 ms; between two frames, the boundary lies between their centres.
BOUNDARY_S = 0.025625 / 2 - FRAME_S / 2
_PAUSES = ("<sil>", "<s>", "</s>", "[NOISE]", "[SPEECH]", "SIL")
_COLUMNS = ("token", "label", "onset_s", "offset_s", "source_label")
_NOT_SPELLING = re.compile(r"[^\w'\- ]+")
ARPABET = frozenset(
    (
        *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH"),
        *("K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
    )
)


@dataclass(frozen=True)
class _Said:
    """A phone in a token: its label, its times in seconds, and the number of its word (None for a pause)."""

    label: str
    onset_s: float
    offset_s: float
    word: int | None


def align(
    corpus: Corpus, *, pronunciations: Mapping[str, str] | None = None, slice_words: bool = False
) -> tuple[Corpus, pd.DataFrame]:
    """Find phone boundaries with pocketsphinx, given what is said in each token.

    The model is pocketsphinx's own, of American English; boundaries come in steps of 10 ms. Sentences are
    aligned word by word; a pause between words is a phone `sil`.

    Parameters
    ----------
    corpus : Corpus
        Speech whose `word` column says what is said. Its own phones are replaced.
    pronunciations : mapping of str to str, optional
        Pronunciations of words that the dictionary lacks, in ARPABET: {"kazoo": "K AH Z UW"}.
    slice_words : bool, default False
        Make every word of an utterance a token of its own; columns `utterance` and `word_index` say whence it is.

    Returns
    -------
    aligned : Corpus
        The same tokens, or their words, with `phones` (`label` in lower-case ARPABET without stress, `source_label` as
        pocketsphinx has it).
    unaligned : DataFrame
        Tokens that stay without phones, or are left out where words are sliced: `token, word, reason`. The reason
        names the words that are not in the dictionary, or says why the audio cannot be used.

    Raises
    ------
    CorpusError
        If no token could be aligned, or a pronunciation is not in ARPABET.
    MissingDependencyError
        If pocketsphinx is not installed.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> aligned, unaligned = align(demo_corpus(words=["wash"], voices=["en-us+m3"]))
    >>> aligned.phones["label"].tolist(), len(unaligned)
    (['w', 'aa', 'sh'], 0)
    """
    decoder = make_decoder("align words with their audio")
    for word, phones in (pronunciations or {}).items():
        _add_word(decoder, word, phones)
    texts = {word: _spelled(word) for word in corpus.words}
    unknown = _unknown_words(decoder, texts)
    said: dict[str, list[_Said]] = {}
    unaligned: list[tuple[str, str, str]] = []
    for token, word in zip(corpus.tokens["token"], corpus.tokens["word"], strict=True):
        if word in unknown:
            unaligned.append((token, word, f"not in the dictionary: {', '.join(unknown[word])}"))
            continue
        try:
            phones = _align_token(decoder, corpus, token, texts[word])
        except AudioError as error:
            unaligned.append((token, word, str(error)))
            continue
        if phones:
            said[token] = phones
        else:
            unaligned.append((token, word, "no alignment of these words with this audio was found"))
    table = pd.DataFrame(unaligned, columns=["token", "word", "reason"]).astype("str")
    if not said:
        reasons = "; ".join(table["reason"].unique()[:5])
        raise CorpusError(f"No token of {corpus.name!r} could be aligned: {reasons}.")
    if slice_words:
        return _words_of(corpus, said, texts), table
    intervals = [_row(token, phone, 0.0) for token, phones in said.items() for phone in phones]
    return replace(corpus, phones=phones_table(pd.DataFrame(intervals, columns=list(_COLUMNS)))), table


def _row(token: str, phone: _Said, start_s: float) -> tuple:
    label = phone.label
    return token, label.lower(), max(phone.onset_s - start_s, 0.0), phone.offset_s - start_s, label


def _words_of(corpus: Corpus, said: Mapping[str, list[_Said]], texts: Mapping[str, str]) -> Corpus:
    """Return the corpus of the words of the utterances."""
    rows, intervals, stretches = [], [], {}
    for known in corpus.tokens.to_dict("records"):
        utterance, rate_hz = str(known["token"]), corpus.rate_hz
        for index, word in enumerate(texts[known["word"]].split()):
            phones = [phone for phone in said.get(utterance, ()) if phone.word == index]
            if not phones:
                continue
            token = f"{utterance}_{index:02d}_{word}"
            start, stop = (round(time_s * rate_hz) for time_s in (phones[0].onset_s, phones[-1].offset_s))
            stretches[token] = (utterance, start, stop)
            own = {"token": token, "word": word, "duration_s": (stop - start) / rate_hz}
            rows.append({**known, **own, "utterance": utterance, "word_index": index})
            intervals += [_row(token, phone, start / rate_hz) for phone in phones]
    phones = phones_table(pd.DataFrame(intervals, columns=list(_COLUMNS)))
    return replace(corpus, tokens=pd.DataFrame(rows), phones=phones, source=SlicedAudio(corpus.source, stretches))


def _add_word(decoder: Any, word: str, phones: str) -> None:
    unknown = [phone for phone in phones.upper().split() if phone not in ARPABET]
    if unknown or not phones.split():
        raise CorpusError(
            f"The pronunciation of {word!r} must be in ARPABET without stress, such as 'K AH Z UW', but got {phones!r}."
        )
    decoder.add_word(word.lower(), phones.upper(), True)


def _spelled(word: str) -> str:
    return _NOT_SPELLING.sub(" ", word).lower()


def _unknown_words(decoder: Any, texts: Mapping[str, str]) -> dict[str, list[str]]:
    unknown = {}
    for word, text in texts.items():
        missing = [part for part in text.split() if decoder.lookup_word(part) is None]
        if missing or not text.split():
            unknown[word] = missing or [word]
    return unknown


def _align_token(decoder: Any, corpus: Corpus, token: str, text: str) -> list[_Said]:
    """Return the phones of one token; none where it failed."""
    audio = corpus.audio(token)
    check_samples(audio, f"token {token!r}")
    speech = resample(audio, corpus.rate_hz, RATE_HZ)
    found = _align_speech(decoder, speech, text)
    while found and found[-1][1] is None:
        found.pop()
    while found and found[0][1] is None:
        found.pop(0)
    duration = len(speech) / RATE_HZ
    rows = []
    for label, word, start, stop in found:
        onset, offset = (min(max(frame * FRAME_S + BOUNDARY_S - PADDING_S, 0.0), duration) for frame in (start, stop))
        if offset > onset:
            rows.append(_Said(label, onset, offset, word))
    return rows


def _align_speech(decoder: Any, speech: np.ndarray, text: str) -> list[tuple[str, int | None, int, int]]:
    """Return phones as (label, number of the word or None for a pause, first frame, frame after the last)."""
    data = padded_audio(speech)
    try:
        # First the words and the pauses between them, then the phones within that.
        decoder.set_align_text(text)
        decode(decoder, data)
        decoder.set_alignment()
        decode(decoder, data)
    except RuntimeError:
        return []  # reported by the caller: this is how the aligner says that no path fits
    alignment = decoder.get_alignment()
    if alignment is None:
        return []
    found, word = [], -1
    for part in alignment.words():
        pause = part.name in _PAUSES
        word += not pause
        found += [(one.name, None if pause else word, one.start, one.start + one.duration) for one in part]
    return found
