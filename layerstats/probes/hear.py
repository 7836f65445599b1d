"""What listeners hear in speech: a words classifier of ours, and a recogniser that has nothing to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.corpora import Clips, Corpus, recognise_words
from layerstats.errors import ArgumentError
from layerstats.models import load_checkpoint
from layerstats.probes.codes import read_codes
from layerstats.resources import bundled

LISTENERS = ("classifier", "pocketsphinx")
_KEPT = ("token", "word", "speaker", "split", "code", "code_value")


def hear_words(
    corpus: Corpus,
    *,
    words: Sequence[str] | None = None,
    listeners: Sequence[str] = LISTENERS,
    classifier: str | Path | None = None,
    device: str = "auto",
) -> pd.DataFrame:
    """Ask listeners which word every token is.

    Parameters
    ----------
    corpus : Corpus
        Speech, for instance from `generate_speech`.
    words : sequence of str, optional
        What pocketsphinx may hear; by default the words that the classifier knows. The classifier always chooses among
        its own.
    listeners : sequence of {"classifier", "pocketsphinx"}
        Who is asked.
    classifier : path, optional
        A checkpoint of `train_words`; by default the shipped one of the built-in corpus's eight words.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Returns
    -------
    DataFrame
        A row a token and listener: ``token, word, speaker, split`` (``code, code_value`` where the corpus has them),
        ``listener, heard, certainty``. The certainty is the classifier's probability; pocketsphinx has none.

    Raises
    ------
    ArgumentError
        There is no such listener, or the checkpoint's card names no words.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> heard = hear_words(demo_corpus(words=["wash"], voices=["en-us+m3"]))
    >>> heard[["listener", "heard"]].values.tolist()
    [['classifier', 'wash'], ['pocketsphinx', 'wash']]
    """
    if isinstance(listeners, str) or not listeners:
        raise ArgumentError(
            f"The 'listeners' parameter must list some of {', '.join(LISTENERS)}, but got {listeners!r}."
        )
    for listener in listeners:
        check_choice("listeners", listener, LISTENERS)
    path = bundled("data", "checkpoints", "words.safetensors") if classifier is None else classifier
    network, card = load_checkpoint(path)
    if not card.outputs:
        raise ArgumentError(
            f"The card of {Path(path).name} does not say which words it knows: it is no words classifier."
        )
    tokens = corpus.tokens[[column for column in _KEPT if column in corpus.tokens]].reset_index(drop=True)
    heard = []
    for listener in listeners:
        if listener == "classifier":
            codes = read_codes(network, Clips(corpus), labels=card.outputs, device=device)
            heard.append(tokens.assign(listener=listener, heard=codes["code"], certainty=codes["certainty"]))
        else:
            found = recognise_words(corpus, card.outputs if words is None else words)
            heard.append(tokens.assign(listener=listener, heard=found["heard"], certainty=np.nan))
    return pd.concat(heard, ignore_index=True)
