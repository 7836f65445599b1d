"""Speech with its labels: one type for every source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.corpora.audio import AudioSource
from layerstats.corpora.folders import composed
from layerstats.corpora.phones import check_within, empty_phones
from layerstats.corpora.sharing import UNKNOWN, Sharing
from layerstats.errors import ArgumentError, CorpusError

TOKEN_COLUMNS = ("token", "word", "speaker", "split", "duration_s")


@dataclass(frozen=True, eq=False)
class Corpus:
    """Speech with its labels: a table of tokens, a table of phones, and audio on demand.

    Parameters
    ----------
    name : str
        Name of the corpus.
    tokens : DataFrame
        One row a token: `token` (unique), `word` (what is said), `speaker`, `split`, `duration_s`, then
        whatever the source knows.
    phones : DataFrame
        One row a phone, as made by `phones_table`; onsets and offsets in seconds from the token's own onset.
        Empty where the source has no phones.
    rate_hz : int
        Sampling rate of the audio, in Hz.
    source : AudioSource
        Where the audio comes from.
    notes : tuple of str
        What was recognised or left out when the source was read, a sentence each.
    sharing : Sharing
        Whether its sounds may be passed on; not known by default.

    Raises
    ------
    CorpusError
        If there are no tokens, two tokens share an id, or a phone lies outside its token.
    """

    name: str
    tokens: pd.DataFrame
    phones: pd.DataFrame
    rate_hz: int
    source: AudioSource = field(repr=False)
    notes: tuple[str, ...] = ()
    sharing: Sharing = UNKNOWN

    def __post_init__(self) -> None:
        check_columns(self.tokens, TOKEN_COLUMNS, f"the tokens of {self.name}")
        object.__setattr__(self, "tokens", _composed(self.tokens, ("word", "speaker", "split")))
        object.__setattr__(self, "phones", _composed(self.phones, ("label", "source_label", "previous", "following")))
        if self.tokens.empty:
            raise CorpusError(f"The corpus {self.name!r} has no tokens.")
        check_complete(self.tokens, TOKEN_COLUMNS, f"the tokens of {self.name}")
        repeated = list(dict.fromkeys(self.tokens.loc[self.tokens["token"].duplicated(), "token"]))
        if repeated:
            raise CorpusError(
                f"Token ids must be unique, but {len(repeated)} occur more than once in {self.name}: "
                f"{', '.join(map(repr, repeated[:5]))}."
            )
        check_within(self.phones, self._durations)

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        return (
            f"Corpus({self.name!r}: {len(self.tokens)} tokens, {self.tokens['word'].nunique()} words, "
            f"{self.tokens['speaker'].nunique()} speakers, {len(self.phones)} phones, {self.rate_hz} Hz)"
        )

    @cached_property
    def _durations(self) -> dict[str, float]:
        return dict(zip(self.tokens["token"], self.tokens["duration_s"], strict=True))

    @property
    def words(self) -> tuple[str, ...]:
        """The words that occur, sorted."""
        return tuple(sorted(self.tokens["word"].unique()))

    @property
    def speakers(self) -> tuple[str, ...]:
        """The speakers that occur, sorted."""
        return tuple(sorted(self.tokens["speaker"].unique()))

    def audio(self, token: str) -> np.ndarray:
        """Return the audio of one token: float32 (sample,), mono, at `rate_hz`, just the stretch of speech.

        Raises
        ------
        ArgumentError
            If there is no such token.
        AudioError
            If the file cannot be read, is silent, or holds NaN.
        """
        if token not in self._durations:
            raise ArgumentError(f"There is no token {token!r} in the corpus {self.name!r}.")
        return self.source.load(token)

    def subset(
        self,
        words: str | Iterable[str] | None = None,
        speakers: str | Iterable[str] | None = None,
        split: str | Iterable[str] | None = None,
        tokens: str | Iterable[str] | None = None,
    ) -> Corpus:
        """Return the tokens that meet every condition, in their order, with their phones.

        Raises
        ------
        ArgumentError
            If a word, speaker, split or token does not occur.
        CorpusError
            If no token meets all conditions.
        """
        keep = np.ones(len(self.tokens), dtype=bool)
        for column, wanted in (("word", words), ("speaker", speakers), ("split", split), ("token", tokens)):
            if wanted is None:
                continue
            values = [wanted] if isinstance(wanted, str) else list(wanted)
            if column != "token":  # ids are what the source of the audio calls them
                values = [composed(value) for value in values]
            present = set(self.tokens[column])
            absent = [value for value in values if value not in present]
            if absent:
                known = ", ".join(map(repr, sorted(present)[:20]))
                raise ArgumentError(f"No {column} {absent[0]!r} in the corpus {self.name!r}; it has {known}.")
            keep &= self.tokens[column].isin(values).to_numpy()
        return self._take(self.tokens.loc[keep].reset_index(drop=True))

    def split_speakers(self, held_out: int | Sequence[str], seed: int = 0) -> Corpus:
        """Hold out whole speakers, so that no speaker is on both sides.

        Parameters
        ----------
        held_out : int or sequence of str
            How many speakers to draw for the test side, or which.
        seed : int, default 0
            Seed of the draw.

        Returns
        -------
        Corpus
            The same tokens, whose `split` is "test" for held-out speakers and "train" for all others.

        Raises
        ------
        ArgumentError
            If a named speaker does not occur, or none would be left to train on.
        """
        if isinstance(held_out, int):
            if not 0 < held_out < len(self.speakers):
                raise ArgumentError(
                    f"The 'held_out' parameter must be between 1 and {len(self.speakers) - 1} "
                    f"(the corpus has {len(self.speakers)} speakers), but got {held_out} instead."
                )
            names = np.random.default_rng(seed).permutation(np.array(self.speakers, dtype=object))[:held_out].tolist()
        else:
            names = list(held_out)
            unknown = sorted(set(names) - set(self.speakers))
            if unknown or not 0 < len(set(names)) < len(self.speakers):
                raise ArgumentError(
                    f"The 'held_out' parameter must name some, not all, of the speakers "
                    f"{', '.join(self.speakers[:20])}, but got {', '.join(names)} instead."
                )
        side = pd.Series(np.where(self.tokens["speaker"].isin(names), "test", "train"), dtype="str")
        return replace(self, tokens=self.tokens.reset_index(drop=True).assign(split=side))

    def content_hash(self) -> str:
        """Hash of the tables and of the audio, the same on every machine and for every path.

        Returns
        -------
        str
            SHA-256, 64 hexadecimal digits. Files are read in full the first time.
        """
        return self._hash

    @cached_property
    def _hash(self) -> str:
        digest = hashlib.sha256(f"{self.rate_hz}\n".encode())
        for table in (self.tokens, self.phones):
            digest.update(table.to_csv(index=False, float_format="%.9f", lineterminator="\n").encode())
        for fingerprint in self.source.fingerprints(self.tokens["token"]):
            digest.update(f"{fingerprint}\n".encode())
        return digest.hexdigest()

    def _take(self, tokens: pd.DataFrame) -> Corpus:
        if tokens.empty:
            raise CorpusError(f"No token of the corpus {self.name!r} meets all the conditions.")
        kept = list(tokens["token"])
        phones = self.phones.loc[self.phones["token"].isin(kept)].reset_index(drop=True)
        return replace(self, tokens=tokens, phones=phones if len(phones) else empty_phones())


def _composed(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return the table with the text of some columns in Unicode's composed form; itself where it has that already."""
    changed = {}
    for column in columns:
        texts = [text for text in table[column].unique() if isinstance(text, str)]
        spelled = {text: composed(text) for text in texts if composed(text) != text}
        if spelled:
            changed[column] = table[column].map(lambda text, spelled=spelled: spelled.get(text, text))
    return table.assign(**changed) if changed else table
