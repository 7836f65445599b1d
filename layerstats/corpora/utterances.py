"""What a network hears of a token that keeps its length: an utterance, resampled."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.corpora.audio import check_samples, resample
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.damage import refuse_noise


def utterance(corpus: Corpus, token: str, rate_hz: int = 16000, damaged: str = "error") -> np.ndarray:
    """Return a token's audio at another sampling rate, float32 (sample,).

    Parameters
    ----------
    corpus : Corpus
        The speech.
    token : str
        Which of its tokens.
    rate_hz : int
        Sampling rate in Hz.
    damaged : str
        "keep" takes audio that turns into noise as it is.

    Raises
    ------
    AudioError
        The audio cannot be read, is silent, holds NaN or turns into noise.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> corpus = demo_corpus(sentences=["the fox jumped"], voices=4)
    >>> samples = utterance(corpus, corpus.tokens["token"][0])
    >>> abs(len(samples) / 16000 - corpus.tokens["duration_s"][0]) < 0.001
    np.True_
    """
    heard = corpus.audio(token)
    if damaged != "keep":
        refuse_noise(heard, corpus.rate_hz, token)
    speech = resample(heard, corpus.rate_hz, rate_hz)
    check_samples(speech, f"token {token!r}")
    return speech


def texts(tokens: pd.DataFrame) -> list[str]:
    """Return what is said in each token (its `word`), in lower case.

    Examples
    --------
    >>> texts(pd.DataFrame({"word": ["A MAN SAID"]}))
    ['a man said']
    """
    return [str(text).lower() for text in tokens["word"]]
