"""Windows of utterances as a network hears them, and the tables of a store whose tokens they are."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from layerstats.checks import check_columns, check_complete
from layerstats.corpora import Corpus, utterance
from layerstats.errors import ArgumentError, DataError
from layerstats.models import Wav2Letter
from layerstats.store import content_hash

_ASKED = ("token", "utterance", "letter", "start_frame", "speaker", "word", "split")


class WindowSpeech:
    """Windows of a corpus: their features, one utterance at a time, and their tables.

    Parameters
    ----------
    reader : Wav2Letter
        Whose front end makes the features.
    corpus : Corpus
        The utterances.
    windows : DataFrame
        A row a window, as `emitted_letters` gives them.
    place : torch.device
        Where features are made.

    Raises
    ------
    ArgumentError
        A column is missing, an utterance is not in the corpus, or windows are of another parity or there twice.
    DataError
        There are no windows.
    """

    def __init__(self, reader: Wav2Letter, corpus: Corpus, windows: pd.DataFrame, place: torch.device) -> None:
        check_columns(windows, _ASKED, "the windows")
        check_complete(windows, _ASKED, "the windows")
        if windows.empty:
            raise DataError("There are no windows. Find them with emitted_letters(network, corpus).")
        strangers = sorted(set(windows["utterance"]) - set(corpus.tokens["token"]))
        if strangers:
            raise ArgumentError(f"The window of the utterance {strangers[0]!r} is not of {corpus.name!r}.")
        if windows["token"].duplicated().any():
            twice = windows.loc[windows["token"].duplicated(), "token"].iloc[0]
            raise ArgumentError(f"The window {twice!r} is there twice.")
        if windows["start_frame"].to_numpy().min() < 0:
            raise ArgumentError("Relevance is of windows inside their utterance: find them with context='inside'.")
        self.reader, self.corpus, self.place = reader, corpus, place
        self.frames: int = reader.receptive_field
        self.hop_s: float = reader.front_end.hop / reader.front_end.rate_hz
        self.windows = _in_order(windows, corpus)
        self._features = lru_cache(maxsize=1)(self._heard)

    def __getstate__(self) -> dict[str, Any]:
        # Features that are kept stay in the process.
        return {name: value for name, value in vars(self).items() if name != "_features"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._features = lru_cache(maxsize=1)(self._heard)

    @property
    def tokens(self) -> pd.DataFrame:
        """The tokens table: the windows, with `centre_s`, their middle in seconds of the utterance."""
        # `time_s` is what queries of a store call the time in a clip.
        return self.windows.rename(columns={"time_s": "centre_s"})

    @property
    def phones(self) -> pd.DataFrame:
        """The phones that reach into each window, all of each, in seconds from its first frame."""
        table = self.corpus.phones
        begins = self.windows["start_frame"].to_numpy() * self.hop_s
        heard = pd.DataFrame({"window": self.windows["token"], "token": self.windows["utterance"], "begins": begins})
        joined = heard.reset_index(names="row").merge(table, on="token").sort_values(["row", "onset_s"], kind="stable")
        for name in ("onset_s", "offset_s"):
            joined[name] = joined[name] - joined["begins"]
        ends = (self.frames - 1) * self.hop_s
        joined = joined.loc[(joined["offset_s"] > 0) & (joined["onset_s"] <= ends)]
        joined["phone_index"] = joined.groupby("row").cumcount()
        joined["token"] = joined["window"]
        return joined.drop(columns=["row", "window", "begins"]).reset_index(drop=True)

    @property
    def time_s(self) -> np.ndarray:
        """Time of each frame of a window, (sample,), from its first one."""
        return np.arange(self.frames) * self.hop_s

    @property
    def frequency_hz(self) -> np.ndarray:
        """Centres of the bands, (frequency,)."""
        front_end = self.reader.front_end
        filters = front_end.filterbank.detach().double().cpu().numpy()
        return filters @ np.linspace(0, front_end.rate_hz / 2, filters.shape[1]) / filters.sum(axis=1)

    def content_hash(self) -> str:
        """Hash of what any network with this front end hears."""
        return content_hash(self.corpus.content_hash(), dict(self.reader.front_end.configuration), self.frames)

    def groups(self, rows: slice, batch_size: int) -> list[np.ndarray]:
        """Return the rows in batches."""
        numbers = np.arange(rows.start, rows.stop)
        return [numbers[first : first + batch_size] for first in range(0, len(numbers), batch_size)]

    def by_utterance(self, rows: np.ndarray) -> list[np.ndarray]:
        """Return the rows in parts of one utterance each."""
        utterances = self.windows["utterance"].to_numpy()[rows]
        return np.split(rows, np.flatnonzero(utterances[1:] != utterances[:-1]) + 1)

    def features(self, row: int) -> Tensor:
        """Return the features of a window's whole utterance, (1, time, mel)."""
        return self._features(str(self.windows["utterance"].iloc[row]))

    def starts(self, rows: np.ndarray) -> list[int]:
        """Return the first frame of each window."""
        return self.windows["start_frame"].to_numpy()[rows].tolist()

    def heard(self, rows: np.ndarray) -> Tensor:
        """Return windows, (token, time, mel)."""
        return torch.cat([self._cut(some) for some in self.by_utterance(rows)])

    def _cut(self, rows: np.ndarray) -> Tensor:
        features = self.features(int(rows[0]))[0]
        starts = self.starts(rows)
        if max(starts) + self.frames > len(features):
            raise ArgumentError(
                f"The window {self.windows['token'].iloc[int(rows[-1])]!r} ends after its utterance, which has "
                f"{len(features)} frames: windows are of other features."
            )
        return torch.stack([features[start : start + self.frames] for start in starts])

    def _heard(self, name: str) -> Tensor:
        samples = torch.from_numpy(utterance(self.corpus, name, self.reader.front_end.rate_hz)).to(self.place)
        with torch.no_grad():
            return self.reader.features(samples[None])


def _in_order(windows: pd.DataFrame, corpus: Corpus) -> pd.DataFrame:
    """Return the windows speaker by speaker, utterance by utterance, in the order of the corpus, then of time."""
    place = pd.Index(corpus.tokens["token"])
    utterance = pd.Series(place.get_indexer(pd.Index(windows["utterance"])), index=windows.index)
    speaker = utterance.groupby(windows["speaker"]).transform("min")
    keys = {"_speaker": speaker, "_utterance": utterance}
    ordered = windows.assign(**keys).sort_values([*keys, "start_frame"], kind="stable")
    return ordered.drop(columns=list(keys)).reset_index(drop=True)
