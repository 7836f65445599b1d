"""What a network hears: every token made into a clip, all of one length or each as long as it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_positive
from layerstats.corpora.audio import DAMAGED, check_samples, resample
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.damage import find_damage, refuse_damage, refuse_noise
from layerstats.errors import ArgumentError, AudioError, CorpusError


def _peak(speech: np.ndarray) -> np.ndarray:
    return speech / np.abs(speech).max()


def _rms(speech: np.ndarray) -> np.ndarray:
    return speech / np.sqrt(np.mean(np.square(speech, dtype=np.float64)))


def _standard(speech: np.ndarray) -> np.ndarray:
    # The small number is that of Wav2Vec2FeatureExtractor.
    wide = speech.astype(np.float64)
    return (wide - wide.mean()) / np.sqrt(wide.var() + 1e-7)


def _none(speech: np.ndarray) -> np.ndarray:
    return speech


NORMALISATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "peak": _peak,
    "rms": _rms,
    "standard": _standard,
    "none": _none,
}


@dataclass(frozen=True, eq=False)
class Clips:
    """Tokens as a network hears them: resampled, normalised, between silences, zero-padded.

    Parameters
    ----------
    corpus : Corpus
        The speech.
    rate_hz : int, default 16000
        Sampling rate of the network's input, in Hz.
    samples : int or None, default 16384
        Length of every clip, in samples. None: every clip is as long as its token with its two silences.
    silence_s : float, default 0.025
        Silence before and after the speech, in seconds; zeros then fill the clip.
    too_long : {"error", "trim", "skip"}, default "error"
        What becomes of a token that does not fit with its two silences: an error that names it, its end cut off
        (`trimmed` in `tokens`), or left out (`skipped_tokens` in `attrs`).
    damaged : {"error", "skip", "keep"}, default "error"
        What becomes of a token whose audio is silent, cannot be read or turns into noise at full scale
        (`find_damage`): an error that names it, left out (all audio is then read at once), or, if it is noise, taken
        as it is.
    normalisation : {"peak", "rms", "standard", "none"}, default "peak"
        What is done to the samples of the speech, without its silences: a peak of 1, a root mean square of 1, a mean of
        0 and a variance of 1 (as the feature extractor of wav2vec2), or nothing: they are in [-1, 1] as in the file.
    longest : int, optional
        Longest clip, in samples, where clips are as long as their tokens: what is longer is too long.

    Raises
    ------
    AudioError
        If a token is too long and `too_long` is "error".
    CorpusError
        If every token was skipped.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> clips = Clips(demo_corpus(words=["wash"], voices=4))
    >>> clips.waveforms(slice(0, 2)).shape
    (2, 16384)
    >>> own = Clips(demo_corpus(words=["wash"], voices=4), samples=None, silence_s=0.0, normalisation="standard")
    >>> waveforms, lengths = own.waveforms([0, 1]), own.lengths([0, 1])
    >>> waveforms.shape == (2, lengths.max())
    True
    """

    corpus: Corpus
    rate_hz: int = 16000
    samples: int | None = 16384
    silence_s: float = 0.025
    too_long: str = "error"
    damaged: str = "error"
    normalisation: str = "peak"
    longest: int | None = None

    def __post_init__(self) -> None:
        check_choice("damaged", self.damaged, DAMAGED)
        check_choice("too_long", self.too_long, ("error", "trim", "skip"))
        check_choice("normalisation", self.normalisation, NORMALISATIONS)
        check_positive("rate_hz", self.rate_hz)
        for name in ("samples", "longest"):
            if getattr(self, name) is not None:
                check_positive(name, getattr(self, name))
        if self.samples is not None and self.longest is not None:
            raise ArgumentError(
                f"Clips of {self.samples} samples have no other longest one: leave out longest={self.longest}, or pass "
                "samples=None for clips as long as their tokens."
            )
        if not 0 <= self.silence_s < np.inf or self._room < 1:
            raise ArgumentError(
                f"The 'silence_s' parameter must leave room for speech in {self._limit} samples at "
                f"{self.rate_hz} Hz, but got {self.silence_s!r} instead."
            )
        if self.too_long == "error":
            self._refuse_long()
        if self.tokens.empty:
            raise CorpusError(f"Every token of {self.corpus.name!r} is too long for {self._limit} samples, or damaged.")

    @property
    def _silence(self) -> int:
        return round(self.silence_s * self.rate_hz)

    @property
    def _limit(self) -> float:
        """Samples that a clip can have at most."""
        most = self.samples or self.longest
        return np.inf if most is None else most

    @property
    def _room(self) -> float:
        return self._limit - 2 * self._silence

    @cached_property
    def _lengths(self) -> np.ndarray:
        """Samples of the speech of every token of the corpus, as the tokens table says."""
        return np.rint(self.corpus.tokens["duration_s"].to_numpy() * self.rate_hz).astype(int)

    def _refuse_long(self) -> None:
        long = np.flatnonzero(self._lengths > self._room)
        if len(long) == 0:
            return
        worst = long[self._lengths[long].argmax()]
        first = self.corpus.tokens.iloc[long[0]]
        needed = f"{'longest' if self.samples is None else 'samples'}={self._lengths[worst] + 2 * self._silence}"
        utterances = " Utterances are sliced into words by corpora.align(corpus, slice_words=True) (--slice-words)."
        raise AudioError(
            f"Token {first['token']!r} lasts {first['duration_s']:.3f} s, but a clip of {self._limit} samples at "
            f"{self.rate_hz} Hz has room for {self._room / self.rate_hz:.3f} s between silences of {self.silence_s} s "
            f"({len(long)} of {len(self.corpus.tokens)} tokens are too long; the longest, "
            f"{self.corpus.tokens['token'].iloc[worst]!r}, needs {needed}). "
            f"Pass {'more samples, ' if self.samples else ''}a shorter silence_s, too_long='trim' or too_long='skip' "
            f"(--too-long trim or skip)."
            f"{utterances if ' ' in first['word'] else ''}"
        )

    @property
    def ragged(self) -> bool:
        """Whether every clip is as long as its token."""
        return self.samples is None

    def one_length(self, what: str) -> int:
        """Return the length of all clips.

        Parameters
        ----------
        what : str
            Who needs it, for the message: "Training".

        Raises
        ------
        ArgumentError
            Every clip is as long as its token.
        """
        if self.samples is None:
            raise ArgumentError(
                f"{what} needs clips of one length, but those of {self.corpus.name!r} are as long as their tokens. "
                "Make them with samples=, a number of samples."
            )
        return self.samples

    @cached_property
    def _clip_lengths(self) -> np.ndarray:
        """Samples of every clip of `tokens`."""
        if self.samples is not None:
            return np.full(len(self.tokens), self.samples)
        heard = np.rint(self.tokens["duration_s"].to_numpy() * self.rate_hz).astype(int)
        return heard + 2 * self._silence

    def lengths(self, selection: slice | Sequence[int] | np.ndarray = slice(None)) -> np.ndarray:
        """Return how long clips are by their positions in `tokens`: (token,), in samples, with their silences."""
        return self._clip_lengths[selection]

    @cached_property
    def damage(self) -> pd.DataFrame:
        """What `find_damage` finds in the corpus; the first time, all audio is read."""
        return find_damage(self.corpus)

    @cached_property
    def damaged_tokens(self) -> tuple[str, ...]:
        """Tokens left out because their audio is damaged; none are looked for unless `damaged` is "skip"."""
        return tuple(self.damage["token"]) if self.damaged == "skip" else ()

    def check_audio(self) -> None:
        """Read the audio of every token, once, so that damage is found before anything is computed.

        Raises
        ------
        AudioError
            If a token's audio is damaged and `damaged` is "error", or "keep" and the damage is another than noise.
        """
        found = self.damage.loc[self.damage["token"].isin(self.tokens["token"])]
        refuse_damage(found if self.damaged == "error" else found[found["noise_onset_s"].isna()], len(self.tokens))

    @cached_property
    def tokens(self) -> pd.DataFrame:
        """The corpus's tokens with `onset_s` in the clip, `duration_s` as heard (seconds), and `trimmed`."""
        long = self._lengths > self._room
        keep = ~self.corpus.tokens["token"].isin(self.damaged_tokens).to_numpy()
        if self.too_long == "skip":
            keep &= ~long
        table = self.corpus.tokens.loc[keep].reset_index(drop=True)
        heard = table["duration_s"].clip(upper=self._room / self.rate_hz)
        return table.assign(onset_s=self._silence / self.rate_hz, duration_s=heard, trimmed=long[keep])

    @cached_property
    def phones(self) -> pd.DataFrame:
        """The corpus's phones in seconds of the clip; what lies behind the end of a trimmed clip is cut off."""
        phones = self.corpus.phones
        heard = dict(zip(self.tokens["token"], self.tokens["duration_s"], strict=True))
        end = np.array([heard.get(token, 0.0) for token in phones["token"]], dtype=np.float64)
        offset = np.minimum(phones["offset_s"].to_numpy(), end)
        keep = offset > phones["onset_s"].to_numpy()  # a skipped token has no end here
        start = self._silence / self.rate_hz
        moved = phones.assign(onset_s=phones["onset_s"] + start, offset_s=offset + start)
        return moved.loc[keep].reset_index(drop=True)

    @property
    def attrs(self) -> dict[str, object]:
        """What was done to the audio, as a flat dict for a store."""
        skipped = sorted(set(self.corpus.tokens["token"]) - set(self.tokens["token"]))
        own_length = {} if self.samples is not None else {"ragged": True}
        limit = {} if self.longest is None else {"longest": self.longest}
        return {
            "corpus": self.corpus.name,
            "rate_hz": self.rate_hz,
            "clip_samples": int(self._clip_lengths.max()),
            **own_length,
            **limit,
            "silence_s": self.silence_s,
            "normalisation": self.normalisation,
            "too_long": self.too_long,
            "damaged": self.damaged,
            "trimmed_tokens": int(np.count_nonzero(self.tokens["trimmed"])),
            "skipped_tokens": skipped,
        }

    def __len__(self) -> int:
        return len(self.tokens)

    def waveform(self, token: str) -> np.ndarray:
        """Return one clip: float32 (sample,), normalised."""
        heard = self.corpus.audio(token)
        if self.damaged == "error":
            refuse_noise(heard, self.corpus.rate_hz, token)
        speech = resample(heard, self.corpus.rate_hz, self.rate_hz)
        length = int(self._clip_lengths[self._row_of[token]])
        room = length - 2 * self._silence
        # Rounding to samples of the corpus, then to those of the network.
        slack = 1 if self.samples is not None else 2 + self.rate_hz // self.corpus.rate_hz
        if len(speech) > room + slack and self.too_long != "trim":
            raise AudioError(f"The audio of token {token!r} is longer than its duration_s says.")
        if self.samples is None and len(speech) < room - slack:
            raise AudioError(f"The audio of token {token!r} is shorter than its duration_s says.")
        speech = speech[:room]  # resampling may end a sample later than the duration says
        check_samples(speech, f"token {token!r}")
        clip = np.zeros(length, dtype=np.float32)
        clip[self._silence : self._silence + len(speech)] = NORMALISATIONS[self.normalisation](speech)
        return clip

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {token: row for row, token in enumerate(self.tokens["token"])}

    def waveforms(self, selection: slice | Sequence[int] | np.ndarray) -> np.ndarray:
        """Return clips by their positions in `tokens`.

        Parameters
        ----------
        selection : slice or sequence of int
            Rows of `tokens`.

        Returns
        -------
        ndarray
            float32 (token, sample); clips of their own length are filled with zeros to the longest of these.

        Raises
        ------
        AudioError
            If a token's audio cannot be read, is silent, holds NaN, or is damaged and `damaged` is "error".
        """
        chosen = self.tokens["token"].to_numpy(dtype=object)[selection]
        lengths = self.lengths(selection)
        clips = np.zeros((len(chosen), self.samples or max(lengths, default=0)), dtype=np.float32)
        for row, (token, length) in enumerate(zip(chosen, lengths, strict=True)):
            clips[row, :length] = self.waveform(token)
        return clips

    def content_hash(self) -> str:
        """Hash of the corpus and of what is done to its audio."""
        # The rule for damage changes nothing but which tokens are left out, and those are told.
        told = {key: value for key, value in self.attrs.items() if key not in ("corpus", "damaged")}
        text = f"{self.corpus.content_hash()}\n{json.dumps(told, sort_keys=True)}"
        return hashlib.sha256(text.encode()).hexdigest()
