"""Which word is it? Recognition of isolated words by pocketsphinx, which no network of ours has taught."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from layerstats.corpora.audio import resample
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.decoder import RATE_HZ, decode, make_decoder, padded_audio
from layerstats.errors import ArgumentError

NOTHING = "(nothing)"


def recognise_words(corpus: Corpus, words: Sequence[str]) -> pd.DataFrame:
    """Let pocketsphinx choose one of the given words for every token.

    The grammar is one word, with silence around it; nothing else can be heard, so that a noise is some word too. The
    model is pocketsphinx's own, of American English. What is heard in a token does not depend on other tokens.

    Parameters
    ----------
    corpus : Corpus
        The speech.
    words : sequence of str
        What can be heard; words of pocketsphinx's dictionary.

    Returns
    -------
    DataFrame
        ``token, heard``, a row a token; "(nothing)" where no path fits.

    Raises
    ------
    ArgumentError
        There are fewer than two words, one twice, or one that the dictionary lacks.
    MissingDependencyError
        If pocketsphinx is not installed.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> recognise_words(demo_corpus(words=["wash"], voices=["en-us+m3"]), ["ask", "wash"])["heard"].tolist()
    ['wash']
    """
    decoder = make_decoder("recognise words")
    _check_words(words, [word for word in words if decoder.lookup_word(word.lower()) is None])
    decoder.add_jsgf_string("words", f"#JSGF V1.0; grammar words; public <word> = {' | '.join(words).lower()};")
    decoder.activate_search("words")
    spelled = {word.lower(): word for word in words}
    heard = []
    for token in corpus.tokens["token"]:
        # The noise that the decoder takes away is that of the tokens before: begin anew.
        decoder.reinit_feat()
        decode(decoder, padded_audio(resample(corpus.audio(token), corpus.rate_hz, RATE_HZ)))
        best = decoder.hyp()
        heard.append(spelled.get(best.hypstr, NOTHING) if best is not None else NOTHING)
    return pd.DataFrame({"token": corpus.tokens["token"].to_numpy(), "heard": pd.Series(heard, dtype="str")})


def _check_words(words: Sequence[str], unknown: list[str]) -> None:
    if isinstance(words, str) or len(words) < 2 or len({word.lower() for word in words}) < len(words):
        raise ArgumentError(f"The 'words' parameter must list two or more different words, but got {words!r} instead.")
    strange = [word for word in words if not re.fullmatch(r"[A-Za-z']+", word)] or unknown
    if strange:
        raise ArgumentError(
            f"The 'words' parameter must list words of pocketsphinx's dictionary, but {strange[0]!r} is not in it."
        )
