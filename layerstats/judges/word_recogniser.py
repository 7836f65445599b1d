"""The word recogniser: pocketsphinx, which no network of ours has taught, chooses among words that are given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from layerstats.corpora import PAPER_WORDS, Clips
from layerstats.corpora.audio import resample
from layerstats.corpora.decoder import RATE_HZ, decode, make_decoder, padded_audio
from layerstats.errors import ArgumentError
from layerstats.judges.protocol import JudgeOptions

NOTHING = "(nothing)"


class WordRecogniser:
    """Pocketsphinx with a grammar of single words.

    The grammar is one word, with silence around it; nothing else can be heard, so that a noise is some word too. The
    model is pocketsphinx's own, of American English. What is heard in a token does not depend on other tokens.

    Parameters
    ----------
    words : sequence of str
        What can be heard; words of pocketsphinx's dictionary. By default those of Beguš & Zhou (2022).
    name : str
        What it is called in judgements.

    Raises
    ------
    ArgumentError
        There are fewer than two words, one twice, or one that the dictionary lacks.
    MissingDependencyError
        If pocketsphinx is not installed.

    Examples
    --------
    >>> from layerstats.corpora import Clips, demo_corpus
    >>> speech = Clips(demo_corpus(words=["wash"], voices=["en-us+m3"]))
    >>> WordRecogniser(["ask", "wash"]).judge(speech)["response"].tolist()
    ['wash']
    """

    scored = False

    def __init__(self, words: Sequence[str] = PAPER_WORDS, *, name: str = "pocketsphinx") -> None:
        self._decoder = _word_decoder(words)
        self._spelled = {word.lower(): word for word in words}
        self.name = name
        self.responses = (*words, NOTHING)
        self.attrs = {"kind": "pocketsphinx", "version": version("pocketsphinx"), "words": list(words)}

    def judge(self, clips: Clips) -> pd.DataFrame:
        """Choose one of the words for every token.

        Parameters
        ----------
        clips : Clips
            Heard is the speech itself, without the silence around it, as far as the clip has it.

        Returns
        -------
        DataFrame
            ``token, judge, response, score``: a row a token, "(nothing)" where no path fits. Pocketsphinx scores no
            words that it did not choose, so the score is missing.
        """
        clips.check_audio()
        heard = [
            self._hear(clips, token, duration_s if trimmed else None)
            for token, duration_s, trimmed in clips.tokens[["token", "duration_s", "trimmed"]].itertuples(index=False)
        ]
        return pd.DataFrame(
            {"token": clips.tokens["token"].to_numpy(), "judge": self.name, "response": heard, "score": np.nan}
        )

    def _hear(self, clips: Clips, token: str, duration_s: float | None) -> str:
        speech = resample(clips.corpus.audio(token), clips.corpus.rate_hz, RATE_HZ)
        if duration_s is not None:
            speech = speech[: round(duration_s * RATE_HZ)]
        # The noise that the decoder takes away is that of the tokens before: begin anew.
        self._decoder.reinit_feat()
        decode(self._decoder, padded_audio(speech))
        best = self._decoder.hyp()
        return self._spelled.get(best.hypstr, NOTHING) if best is not None else NOTHING


def open_word_recogniser(options: JudgeOptions) -> WordRecogniser:
    """Make the recogniser that the name "pocketsphinx" stands for."""
    if options.path is not None:
        raise ArgumentError(f"The judge 'pocketsphinx' takes no path, but got {options.path!r}.")
    return WordRecogniser(PAPER_WORDS if options.words is None else options.words)


def _word_decoder(words: Sequence[str]) -> Any:
    if isinstance(words, str) or len(words) < 2 or len({word.lower() for word in words}) < len(words):
        raise ArgumentError(f"The 'words' parameter must list two or more different words, but got {words!r} instead.")
    decoder = make_decoder("recognise words")
    strange = [word for word in words if not re.fullmatch(r"[A-Za-z']+", word)]
    strange += [word for word in words if decoder.lookup_word(word.lower()) is None]
    if strange:
        raise ArgumentError(
            f"The 'words' parameter must list words of pocketsphinx's dictionary, but {strange[0]!r} is not in it."
        )
    decoder.add_jsgf_string("words", f"#JSGF V1.0; grammar words; public <word> = {' | '.join(words).lower()};")
    decoder.activate_search("words")
    return decoder
