"""What a network hears: every token made into a clip of the same length."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_positive
from layerstats.corpora.audio import DAMAGED, check_samples, resample
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.damage import find_damage, refuse_damage, refuse_noise
from layerstats.errors import ArgumentError, AudioError, CorpusError


@dataclass(frozen=True, eq=False)
class Clips:
    """Tokens as a network hears them: resampled, peak-normalised, between silences, zero-padded.

    Parameters
    ----------
    corpus : Corpus
        The speech.
    rate_hz : int, default 16000
        Sampling rate of the network's input, in Hz.
    samples : int, default 16384
        Length of every clip, in samples.
    silence_s : float, default 0.025
        Silence before and after the speech, in seconds; zeros then fill the clip.
    too_long : {"error", "trim", "skip"}, default "error"
        What becomes of a token that does not fit with its two silences: an error that names it, its end cut off
        (`trimmed` in `tokens`), or left out (`skipped_tokens` in `attrs`).
    damaged : {"error", "skip", "keep"}, default "error"
        What becomes of a token whose audio is silent, cannot be read or turns into noise at full scale
        (`find_damage`): an error that names it, left out (all audio is then read at once), or, if it is noise, taken
        as it is.

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
    """

    corpus: Corpus
    rate_hz: int = 16000
    samples: int = 16384
    silence_s: float = 0.025
    too_long: str = "error"
    damaged: str = "error"

    def __post_init__(self) -> None:
        check_choice("damaged", self.damaged, DAMAGED)
        check_choice("too_long", self.too_long, ("error", "trim", "skip"))
        check_positive("rate_hz", self.rate_hz)
        check_positive("samples", self.samples)
        if not self.silence_s >= 0 or self._room < 1:
            raise ArgumentError(
                f"The 'silence_s' parameter must leave room for speech in {self.samples} samples at "
                f"{self.rate_hz} Hz, but got {self.silence_s!r} instead."
            )
        if self.too_long == "error":
            self._refuse_long()
        if self.tokens.empty:
            raise CorpusError(
                f"Every token of {self.corpus.name!r} is too long for {self.samples} samples, or damaged."
            )

    @property
    def _silence(self) -> int:
        return round(self.silence_s * self.rate_hz)

    @property
    def _room(self) -> int:
        return self.samples - 2 * self._silence

    @cached_property
    def _lengths(self) -> np.ndarray:
        return np.rint(self.corpus.tokens["duration_s"].to_numpy() * self.rate_hz).astype(int)

    def _refuse_long(self) -> None:
        long = np.flatnonzero(self._lengths > self._room)
        if len(long) == 0:
            return
        worst = long[self._lengths[long].argmax()]
        first = self.corpus.tokens.iloc[long[0]]
        utterances = " Utterances are sliced into words by corpora.align(corpus, slice_words=True) (--slice-words)."
        raise AudioError(
            f"Token {first['token']!r} lasts {first['duration_s']:.3f} s, but a clip of {self.samples} samples at "
            f"{self.rate_hz} Hz has room for {self._room / self.rate_hz:.3f} s between silences of {self.silence_s} s "
            f"({len(long)} of {len(self.corpus.tokens)} tokens are too long; the longest, "
            f"{self.corpus.tokens['token'].iloc[worst]!r}, needs samples={self._lengths[worst] + 2 * self._silence}). "
            f"Pass more samples, a shorter silence_s, too_long='trim' or too_long='skip' (--too-long trim or skip)."
            f"{utterances if ' ' in first['word'] else ''}"
        )

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
        return {
            "corpus": self.corpus.name,
            "rate_hz": self.rate_hz,
            "clip_samples": self.samples,
            "silence_s": self.silence_s,
            "normalisation": "peak",
            "too_long": self.too_long,
            "damaged": self.damaged,
            "trimmed_tokens": int(np.count_nonzero(self.tokens["trimmed"])),
            "skipped_tokens": skipped,
        }

    def __len__(self) -> int:
        return len(self.tokens)

    def waveform(self, token: str) -> np.ndarray:
        """Return one clip: float32 (sample,), with a peak of 1."""
        heard = self.corpus.audio(token)
        if self.damaged == "error":
            refuse_noise(heard, self.corpus.rate_hz, token)
        speech = resample(heard, self.corpus.rate_hz, self.rate_hz)
        if len(speech) > self._room + 1 and self.too_long != "trim":
            raise AudioError(f"The audio of token {token!r} is longer than its duration_s says.")
        speech = speech[: self._room]  # resampling may end a sample later than the duration says
        check_samples(speech, f"token {token!r}")
        clip = np.zeros(self.samples, dtype=np.float32)
        clip[self._silence : self._silence + len(speech)] = speech / np.abs(speech).max()
        return clip

    def waveforms(self, selection: slice | Sequence[int] | np.ndarray) -> np.ndarray:
        """Return clips by their positions in `tokens`.

        Parameters
        ----------
        selection : slice or sequence of int
            Rows of `tokens`.

        Returns
        -------
        ndarray
            float32 (token, sample).

        Raises
        ------
        AudioError
            If a token's audio cannot be read, is silent, holds NaN, or is damaged and `damaged` is "error".
        """
        chosen = self.tokens["token"].to_numpy(dtype=object)[selection]
        clips = np.zeros((len(chosen), self.samples), dtype=np.float32)
        for row, token in enumerate(chosen):
            clips[row] = self.waveform(token)
        return clips

    def content_hash(self) -> str:
        """Hash of the corpus and of what is done to its audio."""
        # The rule for damage changes nothing but which tokens are left out, and those are told.
        told = {key: value for key, value in self.attrs.items() if key not in ("corpus", "damaged")}
        text = f"{self.corpus.content_hash()}\n{json.dumps(told, sort_keys=True)}"
        return hashlib.sha256(text.encode()).hexdigest()


def clips_for(network: Any, corpus: Corpus | Clips, **options: Any) -> Clips:
    """Return a corpus's tokens as a network hears them.

    Parameters
    ----------
    network : torch.nn.Module
        One of this package's networks. One with a mel front end gets clips of the front end's rate and length without
        silences; one that hears waveforms the clips of `Clips`, of its own length.
    corpus : Corpus or Clips
        The speech; clips are given back, if they are at the rate that the network hears.
    **options
        Further parameters of `Clips`, such as `too_long`; they overrule the network's own.

    Returns
    -------
    Clips

    Raises
    ------
    ArgumentError
        Clips of another sampling rate than that of the network's front end; or the network hears utterances as long
        as they are, and no `samples` are given.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import CommandClassifier
    >>> clips = clips_for(CommandClassifier(), demo_corpus(words=["wash"], voices=4))
    >>> clips.rate_hz, clips.samples, clips.silence_s
    (22050, 22050, 0.0)
    """
    front_end = getattr(network, "front_end", None)
    rate_hz = getattr(front_end, "rate_hz", None)
    if isinstance(corpus, Clips):
        if rate_hz not in (None, corpus.rate_hz):
            raise ArgumentError(
                f"The clips of {corpus.corpus.name!r} are at {corpus.rate_hz} Hz, but the network's mel front end "
                f"hears {rate_hz} Hz. Make them with clips_for(network, corpus), or hand over the corpus itself."
            )
        return corpus
    configuration = getattr(network, "configuration", None)
    own: dict[str, Any] = {}
    if front_end is not None and rate_hz is not None:
        own = {"rate_hz": rate_hz, "samples": front_end.samples, "silence_s": 0.0}
        if front_end.samples == 0 and "samples" not in options:
            raise ArgumentError(
                f"A {type(network).__name__} hears every utterance as long as it is, and the zeros that fill a clip "
                "would change what it makes of it. Hand over the corpus's audio one utterance at a time, or pass "
                "samples= for clips of one length all the same."
            )
    elif isinstance(configuration, dict) and "samples" in configuration:
        own = {"samples": configuration["samples"]}
    return Clips(corpus, **{**own, **options})
