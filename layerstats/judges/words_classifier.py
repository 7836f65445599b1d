"""The words classifier: a network with one output a word, such as `layerstats.training.train_words` makes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.checks import require
from layerstats.corpora import Clips, clips_for
from layerstats.errors import ArgumentError, DataError
from layerstats.judges.protocol import JudgeOptions
from layerstats.resources import bundled

BATCH_SIZE = 64


class WordsClassifier:
    """A network that gives every one of its words a probability.

    It hears waveforms, or, where it has a mel front end, features of the front end's settings as well (`scores`).

    Parameters
    ----------
    checkpoint : path, optional
        A checkpoint whose card names the words; by default the shipped one of the built-in corpus's eight words.
    name : str
        What it is called in judgements.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Raises
    ------
    ArgumentError
        The checkpoint's card names no words, or fewer than the network has outputs.
    MissingDependencyError
        If torch is not installed.

    Examples
    --------
    >>> from layerstats.corpora import Clips, demo_corpus
    >>> judgements = WordsClassifier().judge(Clips(demo_corpus(words=["wash"], voices=["en-us+m3"])))
    >>> judgements.sort_values("score").iloc[-1]["response"]
    'wash'
    """

    scored = True

    def __init__(self, checkpoint: str | Path | None = None, *, name: str = "classifier", device: str = "auto") -> None:
        require("torch", "hear words with a network", "networks")
        from layerstats.models import device_for, load_checkpoint, part

        path = Path(bundled("data", "checkpoints", "words.safetensors") if checkpoint is None else checkpoint)
        network, card = load_checkpoint(path)
        if not card.outputs:
            raise ArgumentError(
                f"The card of {path.name} does not say which words it knows: it is no words classifier."
            )
        self.name = name
        self.responses = card.outputs
        self.network = part(network)
        self.device = device_for(self.network, device)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.attrs = {"kind": "classifier", "checkpoint": card.name, "checkpoint_sha256": digest}

    @property
    def front_end(self) -> Mapping[str, object] | None:
        """Settings of its mel front end; None where it hears waveforms only."""
        front_end = getattr(self.network, "front_end", None)
        return None if front_end is None else dict(front_end.configuration)

    @cached_property
    def network_hash(self) -> str:
        """Hash of its weights and settings, as outcomes of maximizations name their target network."""
        from layerstats.probes.recording.key import model_hash

        return model_hash(self.network)

    def judge(self, clips: Clips) -> pd.DataFrame:
        """Give every word its probability.

        Parameters
        ----------
        clips : Clips
            Where they are of another rate or length than the network takes, their speech is made into its own clips.

        Returns
        -------
        DataFrame
            ``token, judge, response, score``: a row a token and word, the score being the softmax probability.

        Raises
        ------
        AudioError
            The audio of a token is silent or damaged, or longer than the network hears.
        DataError
            The network's outputs are NaN or infinite.
        """
        own = self._own(clips)
        own.check_audio()
        firsts = range(0, len(own), BATCH_SIZE)
        probabilities = self._probabilities(own.waveforms(slice(first, first + BATCH_SIZE)) for first in firsts)
        tokens = clips.tokens["token"].to_numpy(dtype=object)
        self._check(probabilities, tokens)
        return pd.DataFrame(
            {
                "token": np.repeat(tokens, len(self.responses)),
                "judge": self.name,
                "response": np.tile(np.array(self.responses, dtype=object), len(tokens)),
                "score": probabilities.ravel(),
            }
        )

    def scores(self, heard: np.ndarray) -> np.ndarray:
        """Return probabilities (start, response) of what the network hears, without sound.

        Parameters
        ----------
        heard : ndarray
            Features (start, time, mel) of the settings of its front end, or waveforms (start, sample) of its length.

        Raises
        ------
        DataError
            The network's outputs are NaN or infinite.
        """
        firsts = range(0, len(heard), BATCH_SIZE)
        probabilities = self._probabilities(heard[first : first + BATCH_SIZE] for first in firsts)
        self._check(probabilities, np.arange(len(heard)))
        return probabilities

    def _own(self, clips: Clips) -> Clips:
        """Return the same tokens as clips of the network's rate and length."""
        made = clips_for(self.network, clips.corpus, too_long="trim", damaged="keep")
        if (made.rate_hz, made.samples) == (clips.rate_hz, clips.samples):
            return clips
        # What was left out of the clips is left out here too.
        corpus = clips.corpus.subset(tokens=clips.tokens["token"].tolist())
        damaged = "keep" if clips.damaged == "keep" else "error"
        too_long = "trim" if clips.too_long == "trim" else "error"
        return clips_for(self.network, corpus, too_long=too_long, damaged=damaged)

    def _check(self, probabilities: np.ndarray, tokens: np.ndarray) -> None:
        bad = np.isnan(probabilities.sum(axis=1))
        if bad.any():
            raise DataError(
                f"The classifier {self.name!r} gives NaN for {int(bad.sum())} of {len(bad)} tokens, first for "
                f"{tokens[bad][0]!r}. Its weights may be damaged."
            )

    def _probabilities(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Return probabilities (token, word) in double precision."""
        import torch

        from layerstats.models import running

        with running(self.network, self.device):
            outputs = [self.network(torch.from_numpy(heard).to(self.device)).double().cpu() for heard in batches]
        logits = torch.cat(outputs)
        if logits.shape[1] != len(self.responses):
            raise ArgumentError(
                f"The card of the classifier {self.name!r} names {len(self.responses)} words, but the network has "
                f"{logits.shape[1]} outputs."
            )
        return torch.softmax(logits, dim=1).numpy()


def open_words_classifier(options: JudgeOptions) -> WordsClassifier:
    """Make the classifier that "classifier" stands for, or "classifier:PATH", which is called as its file is."""
    name = "classifier" if options.path is None else Path(options.path).stem
    return WordsClassifier(options.path, name=name, device=options.device)
