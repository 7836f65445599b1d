"""One string that names a corpus, for the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from layerstats.corpora.corpus import Corpus
from layerstats.corpora.demo import demo_corpus, demo_words
from layerstats.corpora.folders import as_words
from layerstats.corpora.fsdd import read_fsdd
from layerstats.corpora.generated import read_generated
from layerstats.corpora.librispeech import read_librispeech
from layerstats.corpora.speech_commands import read_speech_commands
from layerstats.corpora.textgrids import read_textgrids
from layerstats.corpora.timit import read_timit
from layerstats.errors import ArgumentError

_READERS: dict[str, Callable[..., Corpus]] = {
    "timit": read_timit,
    "speech_commands": read_speech_commands,
    "fsdd": read_fsdd,
    "librispeech": read_librispeech,
    "textgrids": read_textgrids,
    "generated": read_generated,
}
_DEMO = {"demo": 8, "demo:48": 48}  # how the built-in corpus is named, and its number of words
CORPUS_NAMES = ("demo", *_READERS)
_NOT_IN_NAMES = ("path", "words", "damaged")
_NUMBERS = {"tolerance_s": float, "channel": int}


def open_corpus(name: str, words: str | Iterable[str] | None = None, damaged: str = "error") -> Corpus:
    """Open a corpus by name and path.

    Parameters
    ----------
    name : str
        "demo" (eight words), "demo:48" (the long list of `demo_words`), or "timit:PATH", "speech_commands:PATH",
        "fsdd:PATH", "librispeech:PATH", "textgrids:PATH", "generated:PATH". Options of the reader follow a question
        mark: "textgrids:PATH?word_tier=Wörter&phone_tier=Laute&speaker=prefix"; a value "none" is None, and "%26" an
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
    if name in _DEMO:
        return demo_corpus(words=demo_words(_DEMO[name]) if listed is None else listed)
    if kind not in _READERS or not place:
        known = ", ".join([*_DEMO, *(f"{choice}:PATH" for choice in _READERS)])
        raise ArgumentError(f"Invalid value for the 'corpus' parameter. Allowed values are {known}, but got {name!r}.")
    reader = _READERS[kind]
    path, options = _options(kind, place)
    if kind == "timit":
        return reader(path, words=listed, damaged=damaged, **options)
    corpus = reader(path, damaged=damaged, **options)
    return corpus if listed is None else corpus.subset(words=listed)


def _options(kind: str, place: str) -> tuple[str, dict[str, Any]]:
    """Path and options of what follows "kind:"; a question mark that is part of a folder's name is no options'."""
    path, mark, text = place.rpartition("?")
    if not mark or Path(place).expanduser().is_dir():
        return place, {}
    known = [name for name in inspect.signature(_READERS[kind]).parameters if name not in _NOT_IN_NAMES]
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
        options[name] = _value(name, unquote(value))
    return path, options


def _value(name: str, text: str) -> object:
    if text.lower() == "none":
        return None
    if name not in _NUMBERS or text == "mix":
        return text.lower() if name == "labels" else text
    try:
        return _NUMBERS[name](text)
    except ValueError:
        raise ArgumentError(f"The option {name!r} of a corpus must be a number, but got {text!r} instead.") from None
