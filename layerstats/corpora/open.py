"""One string that names a corpus, for the command line."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import unquote

from layerstats.checks import read_as
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.demo import demo_corpus, demo_words
from layerstats.corpora.folders import as_words
from layerstats.corpora.registry import READERS
from layerstats.corpora.sentences import demo_sentences
from layerstats.errors import ArgumentError

SENTENCES = "demo:sentences"
DEMO = {"demo": 8, "demo:35": 35, "demo:48": 48}  # how the built-in corpus is named, and its number of words
# Parameters of readers that are no options in a name.
_NOT_IN_NAMES = ("path", "words", "damaged")


def open_corpus(name: str, words: str | Iterable[str] | None = None, damaged: str = "error") -> Corpus:
    """Open a corpus by name and path.

    Parameters
    ----------
    name : str
        "demo" (eight words), "demo:35" (the words of Speech Commands), "demo:48" (the long list of `demo_words`),
        "demo:sentences" (240 sentences), "demo:sentences=2000" (so many of `demo_sentences`), or "KIND:PATH", such as
        "timit:PATH"; the kinds are those of `corpus_kinds`. Options of the reader follow a question mark:
        "textgrids:PATH?word_tier=Wörter&phone_tier=Laute&speaker=prefix"; a value "none" is None, and "%26" an
        ampersand in a value.
    words : str or iterable of str, optional
        Some words only; the built-in corpus can say any. By default all words of the source.
    damaged : {"error", "skip", "keep"}, default "error"
        Whether a sound file that cannot be read is an error, or left out ("skip") and told in the corpus's notes. What
        becomes of damage in audio that can be read is for `Clips`.

    Raises
    ------
    ArgumentError
        If there is no such corpus or option, or the path is missing.
    CorpusError
        If the folder does not hold such a corpus.

    Examples
    --------
    >>> open_corpus("demo", words=["wash"]).words
    ('wash',)
    """
    kind, _, place = name.partition(":")
    listed = as_words(words)
    if name.partition("=")[0] == SENTENCES:
        return _demo_sentences(name, listed)
    if name in DEMO:
        return demo_corpus(words=demo_words(DEMO[name]) if listed is None else listed)
    if kind not in READERS or not place:
        known = ", ".join([*DEMO, SENTENCES, f"{SENTENCES}=COUNT", *(f"{choice}:PATH" for choice in READERS)])
        raise ArgumentError(f"Invalid value for the 'corpus' parameter. Allowed values are {known}, but got {name!r}.")
    reader = READERS[kind]
    path, options = _options(kind, place)
    if "words" in inspect.signature(reader).parameters:
        return reader(path, words=listed, damaged=damaged, **options)
    corpus = reader(path, damaged=damaged, **options)
    return corpus if listed is None else corpus.subset(words=listed)


def _demo_sentences(name: str, words: list[str] | None) -> Corpus:
    _, equals, count = name.partition("=")
    drawn = demo_sentences(read_as(int, count, f"number of sentences in {name!r}") if equals else None)
    corpus = demo_corpus(sentences=drawn)
    return corpus if words is None else corpus.subset(words=words)


def corpus_kinds() -> dict[str, tuple[str, tuple[str, ...]]]:
    """List what can stand before the path in the name of a corpus.

    Returns
    -------
    dict
        Of each kind what it is, in a sentence, and the options that may follow its path.

    Examples
    --------
    >>> corpus_kinds()["timit"]
    ("Read TIMIT, in the LDC's layout or in NLTK's.", ('unit',))
    """
    return {kind: (_summary(reader), _option_names(kind)) for kind, reader in READERS.items()}


def _summary(reader: object) -> str:
    return (inspect.getdoc(reader) or "").partition("\n\n")[0].replace("\n", " ")


def _option_names(kind: str) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(READERS[kind]).parameters if name not in _NOT_IN_NAMES)


def _options(kind: str, place: str) -> tuple[str, dict[str, Any]]:
    """Return path and options of what follows "kind:"; a question mark in a folder's name begins no options."""
    path, mark, text = place.rpartition("?")
    if not mark or Path(place).expanduser().is_dir():
        return place, {}
    known = _option_names(kind)
    options: dict[str, Any] = {}
    for part in filter(None, text.split("&")):
        name, equals, value = part.partition("=")
        if name not in known or not equals:
            listed = ", ".join(f"{choice}=" for choice in known) or "none"
            raise ArgumentError(
                f"Invalid option {part!r} in the name of the corpus {kind}:{place}. Options of {kind} are: {listed}."
            )
        if name in options:
            raise ArgumentError(f"The option {name!r} stands twice in the name of the corpus {kind}:{place}.")
        options[name] = _value(kind, name, unquote(value))
    return path, options


def _value(kind: str, name: str, text: str) -> object:
    hint = get_type_hints(READERS[kind])[name]
    return read_as(hint, None if text.lower() == "none" else text, f"option {name!r} of the corpus {kind}:PATH")
