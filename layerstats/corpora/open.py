"""One string that names a corpus, for the command line."""

from __future__ import annotations

from collections.abc import Iterable

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

_READERS = {
    "speech_commands": read_speech_commands,
    "fsdd": read_fsdd,
    "librispeech": read_librispeech,
    "textgrids": read_textgrids,
    "generated": read_generated,
}
_DEMO = {"demo": 8, "demo:48": 48}  # how the built-in corpus is named, and its number of words
CORPUS_NAMES = ("demo", "timit", *_READERS)


def open_corpus(name: str, words: str | Iterable[str] | None = None) -> Corpus:
    """Open a corpus by name and path.

    Parameters
    ----------
    name : str
        "demo" (eight words), "demo:48" (the long list of `demo_words`), or "timit:PATH", "speech_commands:PATH",
        "fsdd:PATH", "librispeech:PATH", "textgrids:PATH", "generated:PATH".
    words : str or iterable of str, optional
        Some words only; the built-in corpus can say any. By default all words of the source.

    Raises
    ------
    ArgumentError
        If there is no such corpus, or the path is missing.
    CorpusError
        If the folder does not hold such a corpus.

    Examples
    --------
    >>> open_corpus("demo", words=["wash"]).words
    ('wash',)
    """
    kind, _, path = name.partition(":")
    listed = as_words(words)
    if name in _DEMO:
        return demo_corpus(words=demo_words(_DEMO[name]) if listed is None else listed)
    if kind not in CORPUS_NAMES or kind == "demo" or not path:
        known = ", ".join([*_DEMO, *(f"{choice}:PATH" for choice in CORPUS_NAMES if choice != "demo")])
        raise ArgumentError(f"Invalid value for the 'corpus' parameter. Allowed values are {known}, but got {name!r}.")
    if kind == "timit":
        return read_timit(path, words=listed)
    corpus = _READERS[kind](path)
    return corpus if listed is None else corpus.subset(words=listed)
