"""The built-in corpus: words said by many synthetic voices, with exact phone boundaries."""

from __future__ import annotations

import tomllib
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_positive
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.espeak import SpeechRequest, synthesise
from layerstats.corpora.phone_classes import labels_of
from layerstats.corpora.phones import phones_table
from layerstats.corpora.sentences import check_sentences, deal, is_held_out, with_closures
from layerstats.corpora.sharing import BUILT_IN
from layerstats.corpora.speech_commands import SPEECH_COMMANDS_WORDS
from layerstats.errors import ArgumentError, CorpusError
from layerstats.resources import bundled

_STRESS = "ˈˌ"


@dataclass(frozen=True)
class Voice:
    """A synthetic speaker: an accent, a variant, and a way of speaking drawn once."""

    name: str
    accent: str
    variant: str
    sex: str
    rate_wpm: int
    pitch: int
    pitch_range: int


def demo_corpus(
    words: str | Iterable[str] | None = None,
    voices: int | Sequence[str] | None = None,
    seed: int | None = None,
    *,
    sentences: Iterable[str] | None = None,
    said_by: int | None = None,
) -> Corpus:
    """Build the corpus that needs no download: words or sentences by synthetic voices of English.

    Every voice says every word once; a sentence is said by a few voices. Phone boundaries are exact: the synthesiser
    reports the sample at which each phone starts. One voice in four is held out as the test side, spread over accents
    and sexes, and so is one sentence in five. The same arguments give the same samples in every run.

    Parameters
    ----------
    words : str or iterable of str, optional
        What is said; by default the eight of `demo_words`.
    voices : int or sequence of str, optional
        How many voices (64 by default, 128 at most), or their names, such as "en-us+f1".
    seed : int, optional
        Seed of the voices' rates and pitches, of the choice of held-out voices, and of who says which sentence.
    sentences : iterable of str, optional
        What is said in place of words, such as `demo_sentences`: lower-case a to z, apostrophes and single spaces, so
        that letters can be read from it.
    said_by : int, optional
        How many voices say each sentence, 4 by default.

    Returns
    -------
    Corpus
        `speaker` is the voice; further columns of `tokens`: `accent, variant, sex, rate_wpm, pitch,
        pitch_range`. In `phones`, `label` is TIMIT's and `source_label` espeak's, in IPA. With sentences, `word` and
        `sentence` are the text, `voice_split` and `sentence_split` tell which of the two is held out, and `split` is
        "test" where either is; `phones` has `word_index` (where two words are said as one, such as "of the", the first
        one's), and a stop is one interval, from the start of its closure to the end of its release. In words, as long
        as there have been any, the silence of a closure belongs to the phone before.

    Raises
    ------
    ArgumentError
        If there are no words, a word is repeated, or a voice is unknown; if a sentence has other characters, or is to
        be said by more voices than there are.
    MissingDependencyError
        If espeakng-loader is not installed.

    Examples
    --------
    >>> corpus = demo_corpus(words=["wash", "ask"], voices=4)
    >>> len(corpus), corpus.words
    (8, ('ask', 'wash'))
    >>> demo_corpus(sentences=["the quick fox didn't jump"], voices=4, said_by=2).tokens["token"].tolist()
    ['en-gb-scotland+m1_0000', 'en-us+f1_0000']
    """
    specification = _specification()
    drawn_by = specification["seed"] if seed is None else seed
    speakers = _choose_voices(voices, specification, drawn_by)
    held_out = _held_out(speakers, specification, drawn_by)
    if sentences is None:
        if said_by is not None:
            raise ArgumentError("The 'said_by' parameter is for sentences: every voice says every word.")
        said = _check_words(demo_words() if words is None else words)
        pairs = [(voice, word) for voice in speakers for word in said]
        names = [f"{voice.name}_{word}" for voice, word in pairs]
    else:
        if words is not None:
            raise ArgumentError("Pass either 'words' or 'sentences', not both.")
        said = check_sentences(sentences)
        dealt = deal(len(said), len(speakers), specification["said_by"] if said_by is None else said_by, drawn_by)
        pairs = [(speakers[voice], said[sentence]) for voice, sentence in dealt]
        names = [f"{speakers[voice].name}_{sentence:04d}" for voice, sentence in dealt]
    corpus = _spoken(specification["name"], names, pairs, held_out, sentences=sentences is not None)
    return corpus if sentences is None else replace(corpus, tokens=_split_sentences(corpus.tokens))


def _spoken(
    name: str, names: list[str], pairs: list[tuple[Voice, str]], held_out: set[str], *, sentences: bool
) -> Corpus:
    """Let voices say texts, and make a corpus of it."""
    spoken = synthesise(
        SpeechRequest(voice.name, voice.rate_wpm, voice.pitch, voice.pitch_range, word) for voice, word in pairs
    )
    rate_hz = spoken[0].rate_hz
    tokens = pd.DataFrame(
        [
            {
                "token": name,
                "word": word,
                "speaker": voice.name,
                "split": "test" if voice.name in held_out else "train",
                "duration_s": len(result.samples) / rate_hz,
                "accent": voice.accent,
                "variant": voice.variant,
                "sex": voice.sex,
                "rate_wpm": voice.rate_wpm,
                "pitch": voice.pitch,
                "pitch_range": voice.pitch_range,
            }
            for name, (voice, word), result in zip(names, pairs, spoken, strict=True)
        ]
    )
    stops = _stops() if sentences else ()
    phones = pd.DataFrame(
        [
            (token, timit_label(label), start / rate_hz, stop / rate_hz, label)
            for token, result in zip(names, spoken, strict=True)
            for label, start, stop in with_closures(result.samples, result.phones, stops)
        ],
        columns=["token", "label", "onset_s", "offset_s", "source_label"],
    )
    table = phones_table(phones)
    if sentences:
        table["word_index"] = [
            text.count(" ", 0, position)
            for (_, text), result in zip(pairs, spoken, strict=True)
            for position in result.word_positions
        ]
    samples = {token: result.samples for token, result in zip(names, spoken, strict=True)}
    return Corpus(name, tokens, table, rate_hz, MemoryAudio(samples), sharing=BUILT_IN)


def _split_sentences(tokens: pd.DataFrame) -> pd.DataFrame:
    """Add which of voice and sentence is held out; the test side has a voice or a sentence that training lacks."""
    sentence_split = [("test" if is_held_out(sentence) else "train") for sentence in tokens["word"]]
    sides = tokens.assign(sentence=tokens["word"], voice_split=tokens["split"], sentence_split=sentence_split)
    held_out = (sides["voice_split"] == "test") | (sides["sentence_split"] == "test")
    return sides.assign(split=np.where(held_out, "test", "train").astype("str"))


def demo_words(count: int = 8) -> tuple[str, ...]:
    """Return the words of the built-in corpus: the short list, the long one, which begins with it, or the commands.

    Parameters
    ----------
    count : {8, 35, 48}
        8: ask, dark, greasy, oily, rag, wash, water, year (Beguš & Zhou 2022). 48: these and forty more of one to
        three syllables, spread over voicing, place and manner of the first sound and over vowels. 35: those of Speech
        Commands.

    Raises
    ------
    ArgumentError
        If there is no list of that length.

    Examples
    --------
    >>> demo_words()[:3], len(demo_words(48))
    (('ask', 'dark', 'greasy'), 48)
    """
    short = tuple(_specification()["words"])
    long = (*short, *_specification()["more_words"])
    lists = {len(words): words for words in (short, SPEECH_COMMANDS_WORDS, long)}
    check_choice("count", count, lists)
    return lists[count]


def timit_label(ipa: str) -> str:
    """Return TIMIT's label of a phone that espeak-ng gives in IPA.

    Raises
    ------
    CorpusError
        If the table `data/demo_corpus_phones.toml` lacks the phone.

    Examples
    --------
    >>> timit_label("ʃ"), timit_label("ˈɑː")
    ('sh', 'aa')
    """
    labels = _labels()
    plain = ipa.lstrip(_STRESS)
    if plain not in labels:
        raise CorpusError(f"The phone {ipa!r} of espeak-ng is not in data/demo_corpus_phones.toml. Add it there.")
    return labels[plain]


@cache
def _specification() -> dict[str, Any]:
    with bundled("data", "demo_corpus.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def _stops() -> frozenset[str]:
    """Return what espeak-ng calls stops and affricates."""
    stops = {*labels_of("stop"), *labels_of("affricate")}
    return frozenset(ipa for ipa, label in _labels().items() if label in stops)


@cache
def _labels() -> dict[str, str]:
    with bundled("data", "demo_corpus_phones.toml").open("rb") as file:
        return {ipa: label for group in tomllib.load(file).values() for ipa, label in group.items()}


def _check_words(words: str | Iterable[str]) -> list[str]:
    listed = [words] if isinstance(words, str) else list(words)
    if not listed or any(not word.strip() for word in listed):
        raise ArgumentError(f"The 'words' parameter must list at least one word and no empty one, but got {listed!r}.")
    repeated = sorted({word for word in listed if listed.count(word) > 1})
    if repeated:
        raise ArgumentError(f"The 'words' parameter must not repeat a word, but it repeats {', '.join(repeated)}.")
    return listed


def _grid(specification: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """Return accents x variants, ordered so that any first part of it is spread over both."""
    accents, variants = specification["accents"], specification["variants"]
    count = len(variants)
    return [
        (accent, variants[(2 * turn + (turn >= count // 2) + index) % count])
        for turn in range(count)
        for index, accent in enumerate(accents)
    ]


def _choose_voices(voices: int | Sequence[str] | None, specification: dict[str, Any], seed: int) -> list[Voice]:
    grid = _grid(specification)
    by_name = {f"{accent}+{variant['name']}": (accent, variant) for accent, variant in grid}
    if voices is None or isinstance(voices, int):
        count = specification["voices"] if voices is None else voices
        check_positive("voices", count)
        if count > len(grid):
            raise ArgumentError(f"The 'voices' parameter may be at most {len(grid)}, but got {count} instead.")
        chosen = list(by_name)[:count]
    else:
        chosen = list(voices)
        unknown = [name for name in chosen if name not in by_name]
        if unknown or not chosen or len(set(chosen)) < len(chosen):
            raise ArgumentError(
                f"The 'voices' parameter must list different voices out of accent+variant, such as "
                f"{', '.join(list(by_name)[:4])}, but got {chosen!r}."
            )
    return [_draw_voice(name, *by_name[name], specification, seed) for name in chosen]


def _draw_voice(name: str, accent: str, variant: dict[str, str], specification: dict[str, Any], seed: int) -> Voice:
    # Seeded by the voice's own name: it speaks the same way whichever other voices are asked for.
    draw = np.random.default_rng([seed, zlib.crc32(name.encode())])
    low_high = [specification[key] for key in ("rate_wpm", "pitch", "pitch_range")]
    rate, pitch, pitch_range = (int(draw.integers(low, high, endpoint=True)) for low, high in low_high)
    return Voice(name, accent, variant["name"], variant["sex"], rate, pitch, pitch_range)


def _held_out(voices: list[Voice], specification: dict[str, Any], seed: int) -> set[str]:
    """Choose one voice in four, as evenly over accents and sexes as it goes."""
    shuffled = [voices[index] for index in np.random.default_rng(seed).permutation(len(voices))]
    taken: Counter[tuple[str, str]] = Counter()
    rank: dict[str, int] = {}
    for voice in shuffled:
        rank[voice.name] = taken[voice.accent, voice.sex]
        taken[voice.accent, voice.sex] += 1
    # Stable: within a rank the shuffled order decides.
    ordered = sorted(shuffled, key=lambda voice: rank[voice.name])
    return {voice.name for voice in ordered[: len(voices) // specification["held_out_one_in"]]}
