"""Asking several judges about the same speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from layerstats.corpora import Clips, Corpus
from layerstats.errors import ArgumentError
from layerstats.judges.protocol import Judge, check_judgements
from layerstats.judges.registry import open_judge
from layerstats.judges.words_classifier import WordsClassifier

DEFAULT_JUDGES = ("classifier", "pocketsphinx")
_KEPT = ("token", "word", "speaker", "split", "code", "code_value")


def judge_speech(
    speech: Corpus | Clips,
    judges: Sequence[str | Judge] = DEFAULT_JUDGES,
    *,
    words: Sequence[str] | None = None,
    device: str = "auto",
) -> pd.DataFrame:
    """Ask judges what every token is.

    Parameters
    ----------
    speech : Corpus or Clips
        The speech; a Corpus is heard as `Clips(corpus)`.
    judges : sequence of str or Judge
        Names as for `open_judge`, or anything that keeps to the protocol `Judge`.
    words : sequence of str, optional
        What judges without words of their own may hear; by default the words of Beguš & Zhou (2022).
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Returns
    -------
    DataFrame
        ``token, judge, response, score``. A judge that scores all its responses has a row a token and response, any
        other a row a token, without a score. `layerstats.stats.likeliest_responses` keeps the one that was heard.

    Raises
    ------
    ArgumentError
        There is no such judge, or two of one name.
    DataError
        A judge gives something else than its protocol says.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> judged = judge_speech(demo_corpus(words=["wash"], voices=["en-us+m3"]), ["pocketsphinx"])
    >>> judged[["judge", "response"]].values.tolist()
    [['pocketsphinx', 'wash']]
    """
    clips = speech if isinstance(speech, Clips) else Clips(speech)
    asked = opened(judges, None if words is None else tuple(words), device)
    tokens = clips.tokens["token"].tolist()
    return pd.concat([check_judgements(judge.judge(clips), judge, tokens) for judge in asked], ignore_index=True)


def opened(judges: Sequence[str | Judge], words: tuple[str, ...] | None, device: str) -> list[Judge]:
    """Return judges of names and objects, checked: see `judge_speech`."""
    if isinstance(judges, str) or not judges:
        raise ArgumentError(f"The 'judges' parameter must list one or more judges, but got {judges!r} instead.")
    asked = [open_judge(judge, words=words, device=device) if isinstance(judge, str) else judge for judge in judges]
    for judge in asked:
        if not isinstance(judge, Judge):
            raise ArgumentError(
                f"A judge must have 'name', 'responses', 'attrs' and 'judge(clips)' (layerstats.judges.Judge), but got "
                f"{type(judge).__name__}."
            )
        if not isinstance(judge.name, str) or not judge.name or not isinstance(judge.attrs, Mapping):
            raise ArgumentError(
                f"The name of a judge must be text and its attrs a dictionary, but {type(judge).__name__} has "
                f"{judge.name!r} and {judge.attrs!r}."
            )
    names = [judge.name for judge in asked]
    if len(set(names)) < len(names):
        raise ArgumentError(f"Judges must have different names, but these are called {', '.join(map(repr, names))}.")
    return asked


def hear_words(
    corpus: Corpus,
    *,
    words: Sequence[str] | None = None,
    judges: Sequence[str | Judge] = DEFAULT_JUDGES,
    classifier: str | Path | None = None,
    device: str = "auto",
) -> pd.DataFrame:
    """Ask judges which word every token is, and keep what is known of the tokens beside it.

    Parameters
    ----------
    corpus : Corpus
        Speech, for instance from `layerstats.probes.generate_speech`.
    words : sequence of str, optional
        What pocketsphinx may hear; by default the words that the classifier knows. The classifier always chooses among
        its own.
    judges : sequence of str or Judge
        Who is asked, as for `judge_speech`.
    classifier : path, optional
        The checkpoint that "classifier" stands for; by default the shipped one of the built-in corpus's eight words.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Returns
    -------
    DataFrame
        ``token, word, speaker, split`` (``code, code_value`` where the corpus has them), ``judge, response, score``:
        the rows of `judge_speech`, as `layerstats.stats.heard` takes them.

    Raises
    ------
    ArgumentError
        There is no such judge, or the checkpoint's card names no words.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.stats import likeliest_responses
    >>> heard = hear_words(demo_corpus(words=["wash"], voices=["en-us+m3"]))
    >>> likeliest_responses(heard)[["judge", "response"]].values.tolist()
    [['classifier', 'wash'], ['pocketsphinx', 'wash']]
    """
    if isinstance(judges, str):
        raise ArgumentError(f"The 'judges' parameter must list one or more judges, but got {judges!r} instead.")
    shipped = WordsClassifier(classifier, device=device) if words is None or "classifier" in judges else None
    if words is None and shipped is not None:
        words = shipped.responses
    asked = [shipped if shipped is not None and judge == "classifier" else judge for judge in judges]
    judged = judge_speech(corpus, asked, words=words, device=device)
    known = corpus.tokens[[column for column in _KEPT if column in corpus.tokens]]
    return known.merge(judged, on="token", how="right", validate="one_to_many")
