"""Mel spectrograms of utterances of any length, computed once, with what is said in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from layerstats.checks import check_choice
from layerstats.corpora import Corpus, texts, utterance
from layerstats.corpora.audio import DAMAGED
from layerstats.errors import AudioError
from layerstats.models import MelFrontEnd
from layerstats.models.letters import Alphabet
from layerstats.training.features import STEPS
from layerstats.training.sides import held_out_speakers

COLUMNS = ("token", "speaker", "split", "text")
SIDES = ("train", "held_out_voices", "held_out_sentences", "held_out_both")


@dataclass(frozen=True, eq=False)
class UtteranceFeatures:
    """The utterances of a corpus as a mel front end hears them, before they are z-normalised.

    Parameters
    ----------
    mels : Tensor
        uint8 (frame, mel) of all utterances, one after the other: features between 0 and 1, times 255.
    starts : ndarray
        First frame of each utterance, and the end of the last one.
    tokens : DataFrame
        A row an utterance: `token, speaker, split, text, side`. `side` is "train", or what is new to a network that
        learned from these: "held_out_voices" (the speaker), "held_out_sentences" (the text), "held_out_both".
    front_end : mapping
        Settings of the `MelFrontEnd` that they come from.
    name : str
        Name of the corpus.
    content_hash : str
        Hash of the corpus and of these settings.
    skipped : tuple of str
        Tokens that were left out because their audio cannot be used.
    """

    mels: Tensor
    starts: np.ndarray
    tokens: pd.DataFrame
    front_end: Mapping[str, Any]
    name: str
    content_hash: str
    skipped: tuple[str, ...] = ()

    @property
    def lengths(self) -> Tensor:
        """Frames of each utterance (token,)."""
        return torch.from_numpy(np.diff(self.starts))

    def told_sides(self) -> str:
        """Return a text that differs where other utterances are held out."""
        sides = self.tokens.loc[self.tokens["split"] == "train", "token"]
        return f"{len(sides)} utterances, sha256 {sha256(' '.join(sides).encode()).hexdigest()[:12]}"

    def rows(self, side: str) -> np.ndarray:
        """Return the positions of the utterances of a side."""
        return np.flatnonzero(self.tokens["side"] == side)

    def batch(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return features (token, time, mel), float32 between 0 and 1, zeros at their ends, and lengths (token,)."""
        parts = [self.mels[self.starts[row] : self.starts[row + 1]] for row in rows]
        padded = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True).float() / STEPS
        return padded, torch.tensor([len(part) for part in parts])


def utterance_features(
    corpus: Corpus,
    front_end: MelFrontEnd,
    *,
    held_out: int | None = None,
    seed: int = 0,
    damaged: str = "error",
    progress: Callable[[int, int], None] | None = None,
) -> UtteranceFeatures:
    """Compute what a mel front end makes of every utterance of a corpus.

    Parameters
    ----------
    corpus : Corpus
        Its tokens are utterances, and what is said in them is `word`. Its own test side is held out; where it has
        none, a quarter of the speakers is, drawn by `seed`.
    front_end : MelFrontEnd
        One that gives as many frames as there are.
    held_out : int, optional
        How many speakers to hold out, whatever sides the corpus has.
    seed : int
        Seed of the choice of speakers.
    damaged : {"error", "skip", "keep"}
        What becomes of an utterance whose audio is silent, cannot be read or turns into noise: an error that names
        it, left out, or, if it is noise, taken as it is.
    progress : callable, optional
        Called with (utterances done, utterances in all).

    Raises
    ------
    ArgumentError
        A text has characters that are no letters, or so many speakers cannot be held out.
    AudioError
        The audio of an utterance cannot be used and `damaged` does not leave it out, or nothing is left.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import UTTERANCES
    >>> corpus = demo_corpus(sentences=["the fox jumped", "a fox ran"], voices=4, said_by=4)
    >>> utterance_features(corpus, MelFrontEnd(**UTTERANCES)).mels.dtype
    torch.uint8
    """
    check_choice("damaged", damaged, DAMAGED)
    tokens = _sides(corpus, held_out, seed)
    alphabet = Alphabet()
    for text in tokens["text"].unique():
        alphabet.encode(text)
    parts, skipped = [], []
    for number, token in enumerate(tokens["token"], start=1):
        try:
            heard = torch.from_numpy(utterance(corpus, token, front_end.rate_hz, damaged))[None]
        except AudioError:
            if damaged != "skip":
                raise
            skipped.append(token)
            continue
        with torch.no_grad():
            parts.append((front_end.unit_features(heard)[0] * STEPS).round().to(torch.uint8))
        if progress is not None:
            progress(number, len(tokens))
    if not parts:
        raise AudioError(f"The audio of none of the {len(tokens)} utterances of {corpus.name!r} can be used.")
    tokens = tokens.loc[~tokens["token"].isin(skipped)].reset_index(drop=True)
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    told = f"{corpus.content_hash()}\n{' '.join(skipped)}\n{json.dumps(front_end.configuration, sort_keys=True)}"
    content_hash = sha256(told.encode()).hexdigest()
    settings = front_end.configuration
    return UtteranceFeatures(torch.cat(parts), starts, tokens, settings, corpus.name, content_hash, tuple(skipped))


def _sides(corpus: Corpus, held_out: int | None, seed: int) -> pd.DataFrame:
    """Return the utterances with what is new in each to a network that learns from the training side."""
    tokens = corpus.tokens.assign(text=texts(corpus.tokens))
    if held_out is not None or "test" not in set(tokens["split"]):
        names = held_out_speakers(tokens, corpus.name, seed, held_out)
        tokens["split"] = np.where(tokens["speaker"].isin(names or []), "test", "train")
    learned = tokens.loc[tokens["split"] == "train"]
    new_voice = ~tokens["speaker"].isin(learned["speaker"]).to_numpy()
    new_text = ~tokens["text"].isin(learned["text"]).to_numpy()
    side = np.select(
        [tokens["split"] == "train", new_voice & new_text, new_voice, new_text],
        ["train", "held_out_both", "held_out_voices", "held_out_sentences"],
        default="other",
    )
    return tokens[list(COLUMNS)].assign(side=side).reset_index(drop=True)
