"""Mel spectrograms of speech, computed once, for networks that learn from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from layerstats.corpora import Clips, Corpus, clips_for
from layerstats.errors import ArgumentError, DataError, MissingFileError
from layerstats.files import replacing
from layerstats.models import MelFrontEnd
from layerstats.training.sides import held_out_speakers

STEPS = 255  # of the features between 0 and 1, as which they are kept: 0.4 dB each
COLUMNS = ("token", "word", "speaker", "split")
_BATCH = 256


@dataclass(frozen=True, eq=False)
class MelFeatures:
    """The tokens of a corpus as a mel front end hears them.

    Parameters
    ----------
    mels : Tensor
        uint8 (token, time, mel): features between 0 and 1, times 255.
    tokens : DataFrame
        A row a token: `token, word, speaker, split`.
    front_end : mapping
        Settings of the `MelFrontEnd` that they come from.
    name : str
        Name of the corpus.
    content_hash : str
        Hash of the clips that they come from.
    """

    mels: Tensor
    tokens: pd.DataFrame
    front_end: Mapping[str, Any]
    name: str
    content_hash: str

    def batch(self, rows: Tensor | np.ndarray) -> Tensor:
        """Return features (token, time, mel), float32 between 0 and 1, of tokens by their positions."""
        return self.mels[torch.as_tensor(rows)].float() / STEPS

    def rows(self, side: str) -> Tensor:
        """Return the positions of the tokens whose `split` is `side`."""
        return torch.from_numpy(np.flatnonzero(self.tokens["split"] == side))

    def held_out(self, seed: int, held_out: int | None = None) -> MelFeatures:
        """Return the same tokens with sides that share no speaker: see `hold_out_speakers`."""
        names = held_out_speakers(self.tokens, self.name, seed, held_out)
        if names is None:
            return self
        split = np.where(self.tokens["speaker"].isin(names), "test", "train")
        return replace(self, tokens=self.tokens.assign(split=split))

    def told_sides(self) -> str:
        """Return a text that differs where other speakers are held out."""
        held_out = sorted(set(self.tokens.loc[self.tokens["split"] == "test", "speaker"]))
        return f"{len(held_out)} speakers, sha256 {hashlib.sha256(' '.join(held_out).encode()).hexdigest()[:12]}"

    def save(self, path: str | Path) -> Path:
        """Write them as an .npz file, for machines that have neither the speech nor the means to read it."""
        told = {"front_end": dict(self.front_end), "name": self.name, "content_hash": self.content_hash}
        arrays = {name: self.tokens[name].to_numpy().astype(str) for name in COLUMNS}
        arrays |= {"mels": self.mels.numpy(), "told": np.array(json.dumps(told))}
        path = Path(path)
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        return path

    @classmethod
    def load(cls, path: str | Path) -> MelFeatures:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            The file is none of this kind, or damaged.
        MissingFileError
            There is no such file.
        """
        path = Path(path)
        if not path.is_file():
            raise MissingFileError(f"There is no file of features at {path}.")
        try:
            with np.load(path, allow_pickle=False) as file:
                told = json.loads(str(file["told"]))
                tokens = pd.DataFrame({name: file[name].astype(object) for name in COLUMNS})
                return cls(torch.from_numpy(file["mels"]), tokens, **told)
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise DataError(f"{path} holds no features that layerstats wrote: {error}") from error


def mel_features(
    speech: Corpus | Clips | MelFeatures,
    front_end: MelFrontEnd,
    progress: Callable[[int, int], None] | None = None,
) -> MelFeatures:
    """Compute what a mel front end makes of every token.

    Parameters
    ----------
    speech : Corpus, Clips or MelFeatures
        A Corpus is heard as `clips_for` says; features are given back, if they are this front end's.
    front_end : MelFrontEnd
    progress : callable, optional
        Called with (tokens done, tokens in all).

    Raises
    ------
    ArgumentError
        Clips of another sampling rate, or features of another front end.
    AudioError
        The audio of a token is silent or cannot be used otherwise.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> features = mel_features(demo_corpus(words=["wash"], voices=4), MelFrontEnd())
    >>> features.mels.shape, features.mels.dtype
    (torch.Size([4, 90, 80]), torch.uint8)
    """
    if isinstance(speech, MelFeatures):
        _check_same(dict(speech.front_end), front_end.configuration, f"The features of {speech.name!r}")
        return speech
    clips = clips_for(_Hearing(front_end), speech)
    clips.one_length("A table of spectrograms")
    clips.check_audio()
    parts = []
    for start in range(0, len(clips), _BATCH):
        with torch.no_grad():
            heard = front_end(torch.from_numpy(clips.waveforms(slice(start, start + _BATCH))))
        parts.append((heard * STEPS).round().to(torch.uint8))
        if progress is not None:
            progress(min(start + _BATCH, len(clips)), len(clips))
    tokens = pd.DataFrame({name: clips.tokens[name].to_numpy() for name in COLUMNS})
    return MelFeatures(torch.cat(parts), tokens, front_end.configuration, clips.corpus.name, clips.content_hash())


@dataclass(frozen=True)
class _Hearing:
    front_end: MelFrontEnd


def _check_same(given: Mapping[str, Any], wanted: Mapping[str, Any], what: str) -> None:
    wrong = [f"{name} is {value!r}, not {wanted[name]!r}" for name, value in given.items() if value != wanted.get(name)]
    if wrong:
        raise ArgumentError(
            f"{what} are not what the network's mel front end hears: {'; '.join(wrong)}. Compute them with the "
            "network's settings (clips_for(network, corpus)), or choose another network."
        )
