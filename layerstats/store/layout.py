"""Where the recordings of a store lie and what they are called, by the schema version of the store."""

from __future__ import annotations

import re
from pathlib import Path

from layerstats.store.groups import METADATA
from layerstats.store.schema import MAIN_RECORDING, RECORDINGS, check_name

# Up to version 2 there were a main recording and untrained networks only.
_OLD_UNTRAINED = "untrained"
_OLD_NAME = re.compile(r"untrained/seed_(\d+)")
_UNTRAINED = re.compile(r"untrained_(\d+)")


def untrained_name(seed: int) -> str:
    """Return the usual name of the recording of an untrained network.

    Examples
    --------
    >>> untrained_name(3)
    'untrained_03'
    """
    return f"untrained_{seed:02d}"


def recording_name(name: str) -> str:
    """Return the name of a recording; the names that version 2 gave to untrained networks still mean the same.

    Raises
    ------
    ArgumentError
        It can be no name of a group.

    Examples
    --------
    >>> recording_name("untrained/seed_03"), recording_name("relevance of s")
    ('untrained_03', 'relevance of s')
    """
    seed = old_seed(name)
    if seed is not None:
        return untrained_name(seed)
    check_name("recording", name)
    return name


def old_seed(name: str) -> int | None:
    """Return the seed in a name that version 2 gave to an untrained network; None of any other name.

    Examples
    --------
    >>> old_seed("untrained/seed_03"), old_seed("untrained_03")
    (3, None)
    """
    old = _OLD_NAME.fullmatch(name)
    return int(old[1]) if old else None


def recording_folder(version: int, name: str) -> str:
    """Return where a recording lies in a store of a schema version.

    Examples
    --------
    >>> recording_folder(3, "untrained_03"), recording_folder(2, "untrained_03"), recording_folder(1, "activations")
    ('recordings/untrained_03', 'untrained/seed_03', 'activations')
    """
    if version > 2:
        return f"{RECORDINGS}/{name}"
    untrained = _UNTRAINED.fullmatch(name)
    return f"{_OLD_UNTRAINED}/seed_{untrained[1]}" if untrained else name


def recording_of(parts: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the first parts of a path inside a store that lead to a recording; None where it leads to none."""
    if parts[:1] == (MAIN_RECORDING,):
        return parts[:1]
    return parts[:2] if parts[:1] in ((RECORDINGS,), (_OLD_UNTRAINED,)) and len(parts) > 1 else None


def recording_names(root: Path, version: int) -> list[str]:
    """Return the names of a store's recordings: the main one first, the others in the order of the alphabet."""
    if version > 2:
        folders = [file.parent.name for file in (root / RECORDINGS).glob(f"*/{METADATA}")]
        names = sorted(name for name in folders if not name.endswith(".partial"))
    else:
        there = [file.parent.name for file in (root / _OLD_UNTRAINED).glob(f"seed_*/{METADATA}")]
        seeds = sorted(int(name[5:]) for name in there if re.fullmatch(r"seed_\d+", name))
        names = [MAIN_RECORDING] if (root / MAIN_RECORDING / METADATA).exists() else []
        names += [untrained_name(seed) for seed in seeds]
    return sorted(names, key=lambda name: name != MAIN_RECORDING)


def is_untrained(version: int, name: str) -> bool:
    """Tell whether a recording of a store up to version 2 is of an untrained network; later ones say so themselves."""
    return version <= 2 and _UNTRAINED.fullmatch(name) is not None
