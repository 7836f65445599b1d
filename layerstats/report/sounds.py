"""Sounds of tokens, as small files beside a page, with what is drawn of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, require
from layerstats.errors import AudioError, DataError
from layerstats.files import explaining, plain_stem, replacing

if TYPE_CHECKING:
    from layerstats.corpora import Corpus

COLUMNS = ("token", "word", "speaker", "why")
# Of a longer token what lies about its phone, or how it begins.
LONGEST_S, AROUND_PHONE_S = 3.0, 0.5
# More steps than this cannot be told apart in a small picture.
STEPS = 160
PEAK = 0.9


@dataclass(frozen=True)
class TokenSound:
    """A token's sound as a page shows it.

    `file` is empty where the sound is not passed on, and `duration_s` 0 where it could not be read. `low` and `high`
    are the waveform's ends in each step of time, in per cent of its peak; `phones` are ``(label, begin, end, marked)``
    in seconds of the stretch.
    """

    token: str
    word: str
    speaker: str
    why: str
    note: str = ""
    file: str = ""
    duration_s: float = 0.0
    low: tuple[int, ...] = ()
    high: tuple[int, ...] = ()
    phones: tuple[tuple[str, float, float, bool], ...] = ()


def write_sounds(frame: pd.DataFrame, corpus: Corpus, stem: Path, *, copied: bool) -> list[TokenSound]:
    """Read the sound of each row's token, and write it as ``STEM_TOKEN.flac`` where it may be `copied`.

    Parameters
    ----------
    frame : columns `token, word, speaker, why`, perhaps `distance, phone_index`
        A row a sound.
    corpus
        It may lack some of the tokens, not all.
    stem
        How the names of files begin.
    copied
        Whether files are written.

    Raises
    ------
    DataError
        A column is missing, or the corpus has none of the tokens.
    """
    check_columns(frame, COLUMNS, "the table of sounds")
    known = set(corpus.tokens["token"])
    if len(frame) and known.isdisjoint(map(str, frame["token"])):
        raise DataError(
            f"The corpus {corpus.name!r} has none of these {len(frame)} tokens, the first of which is "
            f"{str(frame['token'].iloc[0])!r}. Name the corpus that was recorded."
        )
    taken: set[str] = set()
    return [_heard(row, corpus, known, stem, taken, copied) for row in frame.to_dict("records")]


def _heard(row: dict, corpus: Corpus, known: Collection[str], stem: Path, taken: set[str], copied: bool) -> TokenSound:
    names: dict[str, Any] = {name: str(row[name]) for name in ("token", "word", "speaker")}
    why = str(row["why"])
    if not pd.isna(row.get("distance", np.nan)):
        why += f", {row['distance']:.1f} SD from its group's curve"
    token = names["token"]
    if token not in known:
        return TokenSound(**names, why=why, note=f"The corpus {corpus.name} at hand does not have it.")
    try:
        samples = np.asarray(corpus.audio(token), dtype=np.float32)
    except AudioError as error:
        return TokenSound(**names, why=why, note=str(error))
    peak = float(np.abs(samples).max(initial=0.0))
    if not peak:
        return TokenSound(**names, why=why, note="It is silent.")
    phones = corpus.phones.loc[corpus.phones["token"] == token]
    marked = row.get("phone_index")
    begin_s, end_s = _stretch(len(samples) / corpus.rate_hz, phones, marked)
    whole = end_s - begin_s > len(samples) / corpus.rate_hz - 1e-6
    samples = samples[round(begin_s * corpus.rate_hz) : round(end_s * corpus.rate_hz)]
    # As loud as others: what one listens for is not how near the microphone was.
    samples = samples * (PEAK / max(float(np.abs(samples).max(initial=0.0)), peak / 100))
    low, high = _envelope(samples)
    file = f"{plain_stem(stem.name, token, taken=taken)}.flac" if copied else ""
    if file:
        _write_flac(stem.parent / file, samples, corpus.rate_hz)
    return TokenSound(
        **names,
        why=why,
        note="" if whole else f"From {begin_s:.2f} to {end_s:.2f} s of a longer token.",
        file=file,
        duration_s=round(len(samples) / corpus.rate_hz, 4),
        low=low,
        high=high,
        phones=_phones(phones, marked, begin_s, end_s),
    )


def _stretch(duration_s: float, phones: pd.DataFrame, marked: object) -> tuple[float, float]:
    if duration_s <= LONGEST_S:
        return 0.0, duration_s
    phone = phones.loc[phones["phone_index"] == marked]
    if phone.empty:
        return 0.0, LONGEST_S
    onset, offset = float(phone["onset_s"].iloc[0]), float(phone["offset_s"].iloc[0])
    return max(0.0, onset - AROUND_PHONE_S), min(duration_s, onset + LONGEST_S, offset + AROUND_PHONE_S)


def _envelope(samples: np.ndarray) -> tuple[tuple[int, ...], tuple[int, ...]]:
    from layerstats.plots.sounds_above import envelope

    low, high = (np.rint(100 / PEAK * ends).astype(int) for ends in envelope(samples, STEPS)[1:])
    return tuple(low.tolist()), tuple(high.tolist())


def _phones(
    phones: pd.DataFrame, marked: object, begin_s: float, end_s: float
) -> tuple[tuple[str, float, float, bool], ...]:
    rows = phones.loc[:, ["label", "phone_index", "onset_s", "offset_s"]].itertuples(index=False)
    inside = [
        (str(label), round(max(onset, begin_s) - begin_s, 4), round(min(offset, end_s) - begin_s, 4), index == marked)
        for label, index, onset, offset in rows
        if onset < end_s and offset > begin_s
    ]
    return tuple(inside)


def _write_flac(file: Path, samples: np.ndarray, rate_hz: int) -> None:
    """FLAC: every browser plays it, nothing of the sound is lost, and it is about half as large as WAV."""
    soundfile = require("soundfile", "write sound files", "speech")
    with explaining(file), replacing(file) as partial, partial.open("wb") as opened:
        soundfile.write(opened, np.rint(samples * 32767).astype(np.int16), rate_hz, format="FLAC", subtype="PCM_16")
