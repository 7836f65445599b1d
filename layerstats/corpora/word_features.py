"""Phonological features of words, from the phones that a corpus has for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from layerstats.corpora.corpus import Corpus
from layerstats.corpora.phone_classes import labels_of
from layerstats.errors import CorpusError

_SYLLABIC = {*labels_of("vowel"), "el", "em", "en", "eng"}
_VOICELESS = {*labels_of("voiceless_stop"), *labels_of("voiceless_fricative"), *labels_of("voiceless_affricate")}

# A word begins with its release, not its closure, and with its vowel, not with the onset of voice before it.
_PASSED_OVER = ("silence", "closure", "glottal_stop")


def _starts_with(name: str) -> Callable[[Sequence[str]], bool]:
    labels = set(labels_of(name))
    return lambda phones: phones[0] in labels


def _contains(name: str) -> Callable[[Sequence[str]], bool]:
    labels = set(labels_of(name))
    return lambda phones: not labels.isdisjoint(phones)


def _vowel_is(name: str) -> Callable[[Sequence[str]], bool]:
    labels = set(labels_of(name))
    return lambda phones: _full_vowel(phones) in labels


_FEATURES: dict[str, Callable[[Sequence[str]], bool]] = {
    "voiced first sound": lambda phones: phones[0] not in _VOICELESS,
    "first sound a stop": _starts_with("stop"),
    "first sound a fricative": _starts_with("fricative"),
    "first sound a nasal": _starts_with("nasal"),
    "first sound an approximant": _starts_with("approximant"),
    "first sound a vowel": _starts_with("vowel"),
    "labial first sound": _starts_with("labial"),
    "alveolar first sound": _starts_with("alveolar"),
    "velar first sound": _starts_with("velar"),
    "sibilant": _contains("sibilant"),
    "nasal": _contains("nasal"),
    "high vowel": _vowel_is("high_vowel"),
    "low vowel": _vowel_is("low_vowel"),
    "front vowel": _vowel_is("front_vowel"),
    "more than one syllable": lambda phones: sum(phone in _SYLLABIC for phone in phones) > 1,
    "more than two syllables": lambda phones: sum(phone in _SYLLABIC for phone in phones) > 2,
}
WORD_FEATURES = tuple(_FEATURES)


def word_features(corpus: Corpus) -> pd.DataFrame:
    """Tell which phonological features each word has, by its commonest pronunciation in the corpus.

    Features of the first sound (voiced; stop, fricative, nasal, approximant, vowel; labial, alveolar, velar), a
    sibilant or a nasal anywhere, height and place of the first full vowel (not reduced, if there is one; diphthongs are
    neither high nor low, front nor back), and the number of syllables. Classes are those of `phone_set`.

    Returns
    -------
    DataFrame
        A row a word: `word` and a column of True or False for each name in `WORD_FEATURES`.

    Raises
    ------
    CorpusError
        The corpus has no phones for some word.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> features = word_features(demo_corpus(words=["wash", "potato"], voices=1)).set_index("word")
    >>> features["sibilant"].to_dict()
    {'potato': False, 'wash': True}
    """
    speech = corpus.phones.loc[~corpus.phones["phone_class"].isin(_PASSED_OVER)]
    said = speech.groupby("token", sort=False)["label"].agg(tuple)
    pronounced = corpus.tokens.assign(phones=corpus.tokens["token"].map(said)).dropna(subset="phones")
    common = pronounced.groupby("word")["phones"].agg(lambda phones: phones.mode().iloc[0])
    missing = [word for word in corpus.words if word not in common.index]
    if missing:
        raise CorpusError(
            f"The corpus {corpus.name!r} has no phones for {len(missing)} of {len(corpus.words)} words, for instance "
            f"{missing[0]!r}. Find them with corpora.align(corpus)."
        )
    features = {name: [bool(has(phones)) for phones in common] for name, has in _FEATURES.items()}
    return pd.DataFrame({"word": pd.Series(common.index, dtype="str"), **features})


def _full_vowel(phones: Sequence[str]) -> str | None:
    vowels = [phone for phone in phones if phone in _SYLLABIC]
    reduced = set(labels_of("reduced_vowel"))
    return next((vowel for vowel in vowels if vowel not in reduced), vowels[0] if vowels else None)
