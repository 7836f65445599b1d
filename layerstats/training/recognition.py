"""What a network that learns words makes of tokens: the order of its outputs, and what it recognises."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.errors import CorpusError
from layerstats.models import device_of


def trained_words(tokens: pd.DataFrame, name: str) -> tuple[str, ...]:
    """Return the words of the training side, in alphabetical order, in which they become outputs.

    Raises
    ------
    CorpusError
        There are fewer than two words, or one of the corpus is not on the training side.
    """
    trained = tokens.loc[tokens["split"] == "train", "word"]
    words, said = tuple(sorted(trained.unique())), tuple(sorted(tokens["word"].unique()))
    if len(words) < 2 or words != said:
        raise CorpusError(
            f"Training needs at least two words, and each of them on the training side, but {name!r} has "
            f"{', '.join(said)}, of which on the training side: {', '.join(words) or 'none'}. Choose words, or hold "
            "speakers out anew with corpus.split_speakers(held_out=...) (held_out=, --held-out)."
        )
    return words


@torch.no_grad()
def recognise(model: nn.Module, heard: Tensor, batch_size: int = 64) -> Tensor:
    """Return the number of the likeliest output (token,) of inputs (token, ...), on the CPU."""
    model.eval()
    place = device_of(model)
    return torch.cat([model(batch.to(place)).argmax(dim=1).cpu() for batch in heard.split(batch_size)])


def confusion_table(words: tuple[str, ...], labels: Tensor, recognised: Tensor) -> pd.DataFrame:
    """Count tokens: `word, recognised_as, tokens`."""
    pairs = Counter(zip(labels.tolist(), recognised.tolist(), strict=True))
    rows = [(words[said], words[heard], tokens) for (said, heard), tokens in sorted(pairs.items())]
    return pd.DataFrame(rows, columns=["word", "recognised_as", "tokens"])


def accuracy_by_word(words: tuple[str, ...], confusion: pd.DataFrame) -> dict[str, float]:
    """Return the share of each word's tokens that are recognised; words that nobody said are left out."""
    totals: dict[str, list[int]] = {}
    for word, recognised_as, tokens in confusion.itertuples(index=False):
        right = tokens if word == recognised_as else 0
        totals[word] = [sum(pair) for pair in zip(totals.get(word, [0, 0]), (right, tokens), strict=True)]
    return {word: round(totals[word][0] / totals[word][1], 3) for word in words if word in totals}
