"""Which tiers of a TextGrid hold words and phones, by name, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from layerstats.corpora.folders import composed
from layerstats.corpora.praat import Interval, TextGrid, Tier
from layerstats.errors import CorpusError

AUTO = "auto"
# Names that aligners and annotators use, in the order in which they are looked for, without regard to case: those of
# the Montreal Forced Aligner, P2FA, MAUS, SPPAS, EMU, EasyAlign and people. Tiers of utterances come last.
WORD_TIERS = (
    *("words", "word", "ort-mau", "ort", "orth", "orthography", "orthographic", "wort", "wörter", "woerter", "mots"),
    *("mot", "palabras", "parole", "tokensalign", "tokens", "kan-mau", "kan", "canonical"),
    *("utterances", "utterance", "sentences", "sentence", "ortho", "transcription", "transcript", "text", "trn"),
)
PHONE_TIERS = (
    *("phones", "phone", "segments", "segment", "mau", "phonetic", "phonemes", "phoneme", "phonemic", "phonalign"),
    *("phons", "phon", "sounds", "sound", "laute", "laut", "phonèmes", "phonème", "fonemas", "fonos", "segs", "seg"),
)
# "S1 - words": the tiers of one of several speakers. Without the spaces only where "ORT-MAU" cannot be meant.
_OF_A_SPEAKER = (
    re.compile(r"(?P<speaker>.+?)\s+-\s+(?P<name>.+)"),
    re.compile(r"(?P<speaker>.+?)\s*[-_:]\s*(?P<name>words?|phones?|segments?)", re.IGNORECASE),
)


@dataclass(frozen=True)
class Labels:
    """Words, the phones said meanwhile, and the speaker that the names of their tiers tell, or None."""

    speaker: str | None
    words: tuple[Interval, ...]
    phones: tuple[Interval, ...]
    word_tier: str | None
    phone_tier: str | None


def find_labels(grid: TextGrid, word_tier: str | None, phone_tier: str | None, whole: Interval) -> tuple[Labels, ...]:
    """Find the words and phones of each speaker of a TextGrid.

    Parameters
    ----------
    grid : TextGrid
        The file.
    word_tier, phone_tier : str or None
        Names of tiers, "auto" for the usual ones; None for the whole recording as one word, and for no phones.
    whole : Interval
        The whole recording.

    Raises
    ------
    CorpusError
        If a tier is missing, is one of points, or two have the same name.
    """
    words: dict[str | None, Tier] = (
        {} if word_tier is None else _find(grid, word_tier, WORD_TIERS, "words", "word_tier")
    )
    phones: dict[str | None, Tier] = (
        {} if phone_tier is None else _find(grid, phone_tier, PHONE_TIERS, "phones", "phone_tier")
    )
    if set(words) != set(phones) and word_tier is not None and phone_tier is not None:
        raise CorpusError(
            f"The TextGrid {grid.path} has other speakers in its tiers of words than in those of phones: "
            f"{_names(grid)}."
        )
    speakers = list(words or phones) or [None]
    return tuple(_labels(speaker, words.get(speaker), phones.get(speaker), whole) for speaker in speakers)


def intervals_of(grid: TextGrid, name: str) -> tuple[Interval, ...]:
    """Return the intervals of the tier of a name, without regard to case."""
    tier = _find(grid, name, (), "this name", "speaker").get(None)
    if tier is None:
        raise CorpusError(f"The tier {name!r} of {grid.path} is one of several speakers; a single tier is needed.")
    return tier.intervals or ()


def _labels(speaker: str | None, words: Tier | None, phones: Tier | None, whole: Interval) -> Labels:
    return Labels(
        speaker,
        (whole,) if words is None else words.intervals or (),
        () if phones is None else phones.intervals or (),
        None if words is None else words.name,
        None if phones is None else phones.name,
    )


def _find(grid: TextGrid, wanted: str, usual: Sequence[str], what: str, option: str) -> dict[str | None, Tier]:
    """Find the tiers of a name, or of the first usual name there is, by speaker; None where names tell no speaker."""
    # A tier of points is only wanted where it is named, or in want of another.
    tiers = sorted(grid.tiers, key=lambda tier: tier.intervals is None)
    if wanted == AUTO and any(tier.intervals is not None for tier in tiers):
        tiers = [tier for tier in tiers if tier.intervals is not None]
    for name in usual if wanted == AUTO else [plain_name(wanted)]:
        named = _by_speaker(tiers, name)
        for same in named.values():
            _check_one(grid, same)
        if named:
            return {speaker: same[0] for speaker, same in named.items()}
    for tier in grid.tiers:
        if wanted == AUTO and plain_name(tier.name) in usual:
            _check_one(grid, [tier])
    known = f" of {what} that is known by its name" if wanted == AUTO else f" {wanted!r}"
    raise CorpusError(
        f"The TextGrid {grid.path} has no tier{known}; its tiers are {_names(grid)}. Say which it is with the option "
        f"{option}" + ("." if option == "speaker" else f", or that there is none with {option}=none.")
    )


def _by_speaker(tiers: Sequence[Tier], name: str) -> dict[str | None, list[Tier]]:
    plain = [tier for tier in tiers if plain_name(tier.name) == name]
    if plain:
        return {None: plain}
    found: dict[str | None, list[Tier]] = {}
    for tier in tiers:
        parts = next(filter(None, (form.fullmatch(tier.name) for form in _OF_A_SPEAKER)), None)
        if parts and plain_name(parts["name"]) == name:
            found.setdefault(parts["speaker"], []).append(tier)
    return found


def _check_one(grid: TextGrid, tiers: list[Tier]) -> None:
    if len(tiers) > 1:
        raise CorpusError(
            f"The TextGrid {grid.path} has {len(tiers)} tiers named {tiers[0].name!r}. Rename all but one of them."
        )
    if tiers[0].intervals is None:
        raise CorpusError(
            f"The tier {tiers[0].name!r} of {grid.path} is a tier of points; intervals are needed. Its tiers are "
            f"{_names(grid)}."
        )


def _names(grid: TextGrid) -> str:
    return ", ".join(repr(tier.name) for tier in grid.tiers) or "none"


def plain_name(name: str) -> str:
    """Name of a tier without regard to case, spaces and underscores."""
    return re.sub(r"[\s_]+", "-", composed(name).strip().casefold())
