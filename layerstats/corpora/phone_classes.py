"""Named sets of phones, in the lower-case labels of TIMIT and ARPABET.

Every reader that knows how its labels map to these writes them into the column `label`, so that
`s` and `sh` mean the same phones in TIMIT, in the built-in corpus and after forced alignment.
"""

from __future__ import annotations

from layerstats.checks import check_choice
from layerstats.corpora.folders import composed
from layerstats.errors import ArgumentError

# The classes that divide the inventory: each label is in exactly one.
PHONE_CLASSES: dict[str, tuple[str, ...]] = {
    "voiceless_stop": ("p", "t", "k"),
    "voiced_stop": ("b", "d", "g"),
    "closure": ("pcl", "tcl", "kcl", "bcl", "dcl", "gcl"),
    "flap": ("dx", "nx"),
    "glottal_stop": ("q",),
    "voiceless_affricate": ("ch",),
    "voiced_affricate": ("jh",),
    "voiceless_fricative": ("f", "th", "s", "sh", "hh"),
    "voiced_fricative": ("v", "dh", "z", "zh", "hv"),
    "nasal": ("m", "n", "ng", "em", "en", "eng"),
    "liquid": ("l", "r", "el"),
    "glide": ("w", "y"),
    "monophthong": (
        *("iy", "ih", "eh", "ae", "aa", "ah", "ao", "uh", "uw", "ux"),
        *("er", "ax", "ix", "axr", "ax-h"),
    ),
    "diphthong": ("ey", "ay", "oy", "aw", "ow"),
    "silence": ("h#", "pau", "epi", "sil"),
}

# Sets that cut across or join the classes.
PHONE_SETS: dict[str, tuple[str, ...]] = {
    "stop": ("voiceless_stop", "voiced_stop"),
    "fricative": ("voiceless_fricative", "voiced_fricative"),
    "affricate": ("voiceless_affricate", "voiced_affricate"),
    "approximant": ("liquid", "glide"),
    "vowel": ("monophthong", "diphthong"),
    "obstruent": ("stop", "fricative", "affricate"),
    "sonorant": ("nasal", "approximant", "vowel"),
    "consonant": ("obstruent", "closure", "flap", "glottal_stop", "nasal", "approximant"),
    "sibilant": ("s", "sh", "z", "zh", "ch", "jh"),
    "labial": ("p", "b", "f", "v", "m", "em", "w"),
    "alveolar": ("t", "d", "s", "z", "n", "en", "l", "el", "dx", "nx"),
    "velar": ("k", "g", "ng", "eng"),
    "high_vowel": ("iy", "ih", "ix", "uw", "uh", "ux"),
    "low_vowel": ("ae", "aa", "ao"),
    "front_vowel": ("iy", "ih", "eh", "ae"),
    "back_vowel": ("uw", "uh", "ao", "aa"),
    "reduced_vowel": ("ax", "ix", "axr", "ax-h"),
}

OTHER = "other"

_CLASS_OF = {label: name for name, labels in PHONE_CLASSES.items() for label in labels}


def phone_class(label: str) -> str:
    """Name of the class that a label belongs to, "other" for a label outside the inventory.

    Examples
    --------
    >>> phone_class("s"), phone_class("iy"), phone_class("ɬ")
    ('voiceless_fricative', 'monophthong', 'other')
    """
    return _CLASS_OF.get(label, OTHER)


def labels_of(name: str) -> tuple[str, ...]:
    """Return the labels of a named class or set.

    Raises
    ------
    ArgumentError
        If there is no class or set of that name.

    Examples
    --------
    >>> labels_of("stop")
    ('p', 't', 'k', 'b', 'd', 'g')
    >>> labels_of("sibilant")
    ('s', 'sh', 'z', 'zh', 'ch', 'jh')
    """
    check_choice("name", name, [*PHONE_CLASSES, *PHONE_SETS])
    if name in PHONE_CLASSES:
        return PHONE_CLASSES[name]
    labels: list[str] = []
    for member in PHONE_SETS[name]:
        labels.extend(labels_of(member) if member in PHONE_CLASSES or member in PHONE_SETS else (member,))
    return tuple(labels)


def phone_set(text: str) -> tuple[str, ...]:
    """Return the phones meant by a comma-separated text of labels and of names of sets.

    Labels that no set knows are kept as they stand: a folder of TextGrids may use labels of its own.

    Raises
    ------
    ArgumentError
        If the text names no phone.

    Examples
    --------
    >>> phone_set("p,t,k")
    ('p', 't', 'k')
    >>> phone_set("affricate, s")
    ('ch', 'jh', 's')
    """
    labels: list[str] = []
    for part in (composed(piece.strip()) for piece in text.split(",")):
        if part in PHONE_CLASSES or part in PHONE_SETS:
            labels.extend(labels_of(part))
        elif part:
            labels.append(part)
    if not labels:
        raise ArgumentError(f"A set of phones is named as in 's' or 'p,t,k' or 'sibilant', but got {text!r} instead.")
    return tuple(dict.fromkeys(labels))
