"""Sentences of the built-in corpus: drawn from patterns and word lists, said by synthetic voices."""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from layerstats.checks import check_positive
from layerstats.errors import ArgumentError
from layerstats.resources import bundled

_SENTENCE = re.compile(r"[a-z']+(?: [a-z']+)*")
_PLACE = re.compile(r"\{(\w+)\}")
# Spelled with a vowel, said with a consonant: "a unique prize".
_BEFORE_VOWEL = re.compile(r"\ba (?=[aeiou])(?!(?:uni|use|one|euro))")
# Of 16-bit integers: a closure is exactly silent, but for rounding.
_SILENT = 1
_DROP_DB = 12
_SMOOTHING = 176  # samples: 8 ms, a period of a low voice
# Draws in a row that give nothing new: then the patterns are all but used up.
_PATIENCE = 10_000


def demo_sentences(count: int | None = None, seed: int | None = None) -> tuple[str, ...]:
    """Draw sentences from the patterns and word lists of the built-in corpus.

    Words and patterns are drawn as from shuffled packs, each of which is used up before it is shuffled again, so that
    few sentences have many different words. The first sentences of a longer draw are those of a shorter one.

    Parameters
    ----------
    count : int, optional
        How many different sentences, 240 by default.
    seed : int, optional
        Seed of the draw.

    Returns
    -------
    tuple of str
        Lower-case letters a to z, apostrophes and single spaces.

    Raises
    ------
    ArgumentError
        If `count` is not positive, or more than the patterns give.

    Examples
    --------
    >>> sentences = demo_sentences(1000)
    >>> len(set(sentences)), len(set(" ".join(sentences).split())) > 1000
    (1000, True)
    >>> sentences[:240] == demo_sentences()
    True
    """
    known = _sentence_lists()
    wanted = known["sentences"] if count is None else count
    check_positive("count", wanted)
    drawn: dict[str, None] = {}
    idle = 0
    for sentence in _draw(known, known["seed"] if seed is None else seed):
        idle = idle + 1 if sentence in drawn else 0
        drawn[sentence] = None
        if len(drawn) == wanted:
            return tuple(drawn)
        if idle == _PATIENCE:
            break
    raise ArgumentError(
        f"The 'count' parameter must be at most what the patterns give, about {len(drawn)}, but got {wanted} instead."
    )


def is_held_out(sentence: str) -> bool:
    """Whether a sentence is for tests only: one in five, decided by its text, so the same in every draw.

    Examples
    --------
    >>> round(np.mean([is_held_out(sentence) for sentence in demo_sentences(2000)]), 1)
    np.float64(0.2)
    """
    return zlib.crc32(sentence.encode()) % _sentence_lists()["held_out_one_in"] == 0


def check_sentences(sentences: Iterable[str]) -> list[str]:
    """Sentences as a list, refusing what no letters can be read from.

    Raises
    ------
    ArgumentError
        If there are none, one is repeated, or one has other characters than a to z, apostrophe and single spaces.
    """
    listed = [sentences] if isinstance(sentences, str) else list(sentences)
    if not listed or len(set(listed)) < len(listed):
        raise ArgumentError("The 'sentences' parameter must list at least one sentence and none twice.")
    for sentence in listed:
        if not _SENTENCE.fullmatch(sentence):
            raise ArgumentError(
                f"Sentences must be lower-case words of a to z and apostrophes with single spaces between them, "
                f"but got {sentence!r}."
            )
    return listed


def deal(sentences: int, voices: int, said_by: int, seed: int) -> list[tuple[int, int]]:
    """Deal sentences to voices: pairs (voice, sentence), in the order of sentences.

    Every sentence has `said_by` different voices, and voices say equally many but for one.

    Raises
    ------
    ArgumentError
        If there are fewer voices than `said_by`.

    Examples
    --------
    >>> deal(sentences=2, voices=2, said_by=1, seed=0)
    [(0, 0), (1, 1)]
    """
    if not 0 < said_by <= voices:
        raise ArgumentError(
            f"The 'said_by' parameter must be between 1 and the number of voices, {voices}, but got {said_by} instead."
        )
    generator = np.random.default_rng([seed, voices])
    pairs: list[tuple[int, int]] = []
    pack: list[int] = []
    for sentence in range(sentences):
        taken, pack = pack[:said_by], pack[said_by:]
        if len(taken) < said_by:
            # The next round begins with voices that do not have this sentence yet.
            shuffled = generator.permutation(voices).tolist()
            fresh = [voice for voice in shuffled if voice not in taken][: said_by - len(taken)]
            pack = [voice for voice in shuffled if voice not in fresh]
            taken = taken + fresh
        pairs += [(voice, sentence) for voice in taken]
    return pairs


def with_closures(
    samples: np.ndarray, phones: Sequence[tuple[str, int, int]], stops: Collection[str]
) -> list[tuple[str, int, int]]:
    """Move the beginning of each stop to that of its closure, since the synthesiser reports when it is released.

    A closure is the silence at the end of what stands before the stop. Where a voice has an echo there is none: it is
    then what is 12 dB below the loudest tenth of that phone.

    Examples
    --------
    >>> samples = np.array([50, -60, 0, 0, 70, -20])
    >>> with_closures(samples, [("a", 0, 4), ("k", 4, 6)], {"k"})
    [('a', 0, 2), ('k', 2, 6)]
    """
    moved: list[tuple[str, int, int]] = []
    for label, start, stop in phones:
        begin = start
        if label in stops and moved and moved[-1][2] == start:
            before, first, _ = moved[-1]
            begin = first + _sounding(samples[first:start])
            moved[-1] = (before, first, begin)
        moved.append((label, begin, stop))
    return moved


def _sounding(phone: np.ndarray) -> int:
    """Return how many samples of a phone are before the closure at its end: all where there is none, at least one."""
    loud = np.flatnonzero(np.abs(phone) > _SILENT)
    if len(loud) and loud[-1] < len(phone) - 2:
        return int(loud[-1]) + 1
    power = np.convolve(phone.astype(np.float64) ** 2, np.full(_SMOOTHING, 1 / _SMOOTHING), mode="same")[: len(phone)]
    above = np.flatnonzero(power >= np.quantile(power, 0.9) * 10 ** (-_DROP_DB / 10))
    return int(above[-1]) + 1


@cache
def _sentence_lists() -> dict[str, Any]:
    with bundled("data", "demo_sentences.toml").open("rb") as file:
        read = tomllib.load(file)
    read["words"] = {
        place: tuple(listed.split() if isinstance(listed, str) else listed) for place, listed in read["words"].items()
    }
    return read


def _draw(known: dict[str, Any], seed: int) -> Iterator[str]:
    generator = np.random.default_rng(seed)
    packs = {place: _pack(words, generator) for place, words in known["words"].items()}
    for pattern in _pack(known["patterns"], generator):
        text = _PLACE.sub(lambda place: next(packs[place[1]]), pattern)
        text = _BEFORE_VOWEL.sub("an ", text)
        if known["fewest_letters"] <= len(text) <= known["most_letters"]:
            yield text


def _pack(entries: tuple[str, ...] | list[str], generator: np.random.Generator) -> Iterator[str]:
    """Give the entries in random order, all of them before any comes again, without end."""
    while True:
        for index in generator.permutation(len(entries)):
            yield entries[index]
