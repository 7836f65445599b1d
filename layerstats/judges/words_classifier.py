"""The words classifier: a network with one output a word, such as `layerstats.training.train_words` makes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.checks import require
from layerstats.corpora import Clips
from layerstats.errors import ArgumentError, DataError
from layerstats.judges.protocol import JudgeOptions
from layerstats.resources import bundled

BATCH_SIZE = 64


class WordsClassifier:
    """A network that gives every one of its words a probability.

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

    def judge(self, clips: Clips) -> pd.DataFrame:
        """Give every word its probability.

        Parameters
        ----------
        clips : Clips
            At the rate and of the length that the network takes.

        Returns
        -------
        DataFrame
            ``token, judge, response, score``: a row a token and word, the score being the softmax probability.

        Raises
        ------
        DataError
            The network's outputs are NaN or infinite.
        """
        probabilities = self._probabilities(clips)
        tokens = clips.tokens["token"].to_numpy(dtype=object)
        bad = np.isnan(probabilities.sum(axis=1))
        if bad.any():
            raise DataError(
                f"The classifier {self.name!r} gives NaN for {int(bad.sum())} of {len(bad)} tokens, first for "
                f"{tokens[bad][0]!r}. Its weights may be damaged."
            )
        return pd.DataFrame(
            {
                "token": np.repeat(tokens, len(self.responses)),
                "judge": self.name,
                "response": np.tile(np.array(self.responses, dtype=object), len(tokens)),
                "score": probabilities.ravel(),
            }
        )

    def _probabilities(self, clips: Clips) -> np.ndarray:
        """Return probabilities (token, word) in double precision."""
        import torch

        from layerstats.models import running

        clips.check_audio()
        outputs = []
        with running(self.network, self.device):
            for first in range(0, len(clips), BATCH_SIZE):
                heard = torch.from_numpy(clips.waveforms(slice(first, first + BATCH_SIZE))).to(self.device)
                outputs.append(self.network(heard).double().cpu())
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
