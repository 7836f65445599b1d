"""Waveforms and phones of single tokens above averaged series, on the series' own axis of time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns
from layerstats.errors import AudioError, DataError
from layerstats.plots.frames import rows

if TYPE_CHECKING:
    from layerstats.corpora import Clips, Corpus
    from layerstats.store import Experiment

# More steps of a second than this cannot be seen in a small panel, nor more of a phone.
STEPS = 160


@dataclass(frozen=True, eq=False)
class SoundsAbove:
    """What stands above averaged series: the sound of one token of each group, and its phones.

    Attributes
    ----------
    waveforms
        ``group, x, low, high``: the waveform's ends in each step of time, as parts of its peak.
    phones
        ``group, label, start, end``, in the units of `x`: ms of the clip, or normalised time.
    tokens
        ``group, token, speaker, why``: what is shown, and why.
    along
        What `x` is: "time_ms" of the clip, or normalised "time".
    missing
        Tokens whose sound is not at hand.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> speech = demo_corpus(words=["ask"], voices=2)
    >>> sounds_above(pd.DataFrame({"group": ["ask"], "token": speech.tokens["token"][:1]}), speech).told
    'Above: waveform and phones of en-us+f1_ask.'
    """

    waveforms: pd.DataFrame
    phones: pd.DataFrame
    tokens: pd.DataFrame
    along: str = "time_ms"
    missing: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """A sentence for the caption: which tokens are shown, and which could not be."""
        names = ", ".join(map(str, dict.fromkeys(self.tokens["token"])))
        why = {why for why in self.tokens["why"] if why}
        chosen = f"the {why.pop()} token of each: " if len(why) == 1 else ""
        said = f"Above: waveform and phones of {chosen}{names}." if names else ""
        lacking = f"No sound at hand of {', '.join(self.missing)}." if self.missing else ""
        return " ".join(filter(None, (said, lacking)))


def sounds_above(
    tokens: pd.DataFrame,
    corpus: Corpus,
    placed: Experiment | Clips | None = None,
    *,
    along: str = "time_ms",
) -> SoundsAbove:
    """Read the sounds that stand above averaged series: of the first token of each group.

    A mean has no sound of its own, so that of its most typical token stands for it: what `tokens_of_interest` puts
    first. Phones of other tokens begin and end elsewhere, so boundaries do not go down into the series.

    Parameters
    ----------
    tokens : columns `group, token`
        And `phone_index` where series are those of phones; `zero_s`, where time is 0 elsewhere than at the beginning of
        the clip; and `why`, for the caption.
    corpus
        The speech that was recorded.
    placed
        What says where words and phones stand in the clips that were heard (its `tokens` and `phones`): the store, or
        `Clips`. By default clips are the tokens, as they are.
    along : {"time_ms", "time"}
        The axis of the series: milliseconds of the clip; or normalised time, from the beginning to the end of the
        phone, or of the word where no phone is named.

    Raises
    ------
    ArgumentError
        If `along` is another axis.
    DataError
        If a column is missing.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> speech = demo_corpus(words=["ask"], voices=2)
    >>> first = pd.DataFrame({"group": ["ask"], "token": speech.tokens["token"][:1]})
    >>> sounds_above(first, speech, along="time").phones["label"].tolist()
    ['ae', 's', 'k']
    """
    check_choice("along", along, ("time_ms", "time"))
    check_columns(tokens, ["group", "token"], "the table of tokens whose sounds stand above")
    words, phones = (
        (corpus.tokens.assign(onset_s=0.0), corpus.phones) if placed is None else (placed.tokens, placed.phones)
    )
    check_columns(words, ["token", "onset_s", "duration_s"], "the table of words whose sounds stand above")
    known, words = set(corpus.tokens["token"]), words.drop_duplicates("token").set_index("token")
    waves, labels, found, missing = [], [], [], []
    for row in tokens.drop_duplicates("group").to_dict("records"):
        group, token = str(row["group"]), str(row["token"])
        samples = _samples(corpus, token) if token in known & set(words.index) else None
        if samples is None:
            missing.append(token)
            continue
        word, own = cast(Any, words.loc[token]), rows(phones, phones["token"] == token)
        zero_s, unit_s, ends = _axis(row, word, own, along)
        wave = _wave(samples, corpus.rate_hz, float(word["onset_s"]), float(word["duration_s"]))
        waves.append(_inside(wave.assign(group=group, x=(wave["x"] - zero_s) / unit_s), ends))
        starts, stops = ((own[name] - zero_s) / unit_s for name in ("onset_s", "offset_s"))
        marks = pd.DataFrame({"group": group, "label": own["label"].astype(str), "start": starts, "end": stops})
        labels.append(marks.loc[(marks["end"] > ends[0] + 1e-9) & (marks["start"] < ends[1] - 1e-9)])
        said = {"speaker": str(row.get("speaker", word.get("speaker", ""))), "why": str(row.get("why", ""))}
        found.append({"group": group, "token": token, **said})
    return SoundsAbove(
        _joined(waves, ["group", "x", "low", "high"]),
        _joined(labels, ["group", "label", "start", "end"]),
        pd.DataFrame(found, columns=["group", "token", "speaker", "why"]),
        along,
        tuple(missing),
    )


def envelope(samples: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the middle of each step in samples, and the lowest and highest value in it: what a drawn line covers."""
    edges = np.unique(np.linspace(0, samples.size, min(steps, samples.size) + 1).astype(int))
    starts = edges[:-1]
    middles = (starts + edges[1:]) / 2
    return middles, np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)


def _samples(corpus: Corpus, token: str) -> np.ndarray | None:
    try:
        return np.asarray(corpus.audio(token), dtype=np.float32)
    except AudioError:
        return None


def _axis(row: Mapping[Any, Any], word: Any, phones: pd.DataFrame, along: str) -> tuple[float, float, Any]:
    """Return which second of the clip is 0, how many seconds are 1, and which ends the axis has."""
    if along == "time_ms":
        zero_s = float(row.get("zero_s", 0.0))
        return zero_s, 1e-3, (-np.inf, np.inf)
    start, end = float(word["onset_s"]), float(word["onset_s"]) + float(word["duration_s"])
    if "phone_index" in row:
        phone = rows(phones, phones["phone_index"] == row["phone_index"])
        if phone.empty:
            raise DataError(
                f"Token {row['token']!r} has no phone of the number {row['phone_index']}: it cannot be shown."
            )
        start, end = (float(phone[name].iloc[0]) for name in ("onset_s", "offset_s"))
    return start, end - start, (0.0, 1.0)


def _wave(samples: np.ndarray, rate_hz: float, onset_s: float, duration_s: float) -> pd.DataFrame:
    """Return the envelope in seconds of the clip, as parts of its peak; what lies behind a trimmed end is not heard."""
    heard = samples[: max(1, round(duration_s * rate_hz))]
    # A phone is a small part of its word: finer than can be seen of the whole.
    middles, low, high = envelope(heard, 8 * _steps(len(heard) / rate_hz))
    peak = float(np.abs(heard).max()) or 1.0
    return pd.DataFrame({"x": onset_s + middles / rate_hz, "low": low / peak, "high": high / peak})


def _steps(duration_s: float) -> int:
    return STEPS * max(1, math.ceil(duration_s))


def _inside(wave: pd.DataFrame, ends: tuple[float, float]) -> pd.DataFrame:
    """Return the part of a waveform between the ends of the axis, in as many steps as can be seen."""
    part = rows(wave, (wave["x"] >= ends[0]) & (wave["x"] <= ends[1]))
    steps = _steps(0.0 if np.isfinite(ends[0]) else float(np.ptp(part["x"])) / 1000)
    step = np.arange(len(part)) * min(steps, len(part)) // max(len(part), 1)
    joined = part.groupby(step).agg({"group": "first", "x": "mean", "low": "min", "high": "max"})
    peak = float(np.abs(joined[["low", "high"]].to_numpy()).max(initial=0.0)) or 1.0
    return pd.DataFrame(joined.assign(low=joined["low"] / peak, high=joined["high"] / peak))


def _joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return (
        pd.concat(parts, ignore_index=True).loc[:, columns] if parts else pd.DataFrame({name: [] for name in columns})
    )
