# ruff: noqa: RUF001
"""Which set of phone labels a corpus uses, and TIMIT's labels for the same sounds.

`S` is [s] in ARPABET and [ʃ] in SAMPA: what a label means is decided by all labels of a corpus, never by one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from layerstats.checks import check_choice
from layerstats.corpora.folders import composed
from layerstats.corpora.phone_classes import OTHER, phone_class

LABEL_SETS = ("auto", "timit", "arpabet", "sampa", "x-sampa", "ipa", "keep")
SILENCES = frozenset(
    ("", "sp", "sil", "<eps>", "<sil>", "[sil]", "<p:>", "<p>", "<pause>", "#", "pau", "h#", "epi", "_", "...")
)
# Labels of noise that belong to no set.
_NOISES = frozenset(("spn", "<unk>", "<nib>", "<usb>", "<nz>", "?", "*", "xxx"))
_KEPT = "Phone labels were kept as they are"
_STATE = "state the set with the option labels, for instance labels=sampa."
_LEAST_SHARE, _LEAST_LEAD = 2 / 3, 0.2

# TIMIT's labels in the International Phonetic Alphabet, the usual spelling first.
_IPA_OF: dict[str, tuple[str, ...]] = {
    **{label: (label,) for label in ("p", "t", "k", "b", "d", "f", "v", "s", "z", "m", "n", "l", "w")},
    **{"g": ("ɡ", "g"), "ch": ("tʃ", "ʧ"), "jh": ("dʒ", "ʤ"), "th": ("θ",), "dh": ("ð",), "sh": ("ʃ",), "zh": ("ʒ",)},
    **{"hh": ("h",), "hv": ("ɦ",), "ng": ("ŋ",), "em": ("m̩",), "en": ("n̩",), "eng": ("ŋ̍",), "el": ("l̩",)},
    **{"r": ("ɹ", "r"), "y": ("j",), "dx": ("ɾ",), "q": ("ʔ",)},
    **{"iy": ("iː", "i"), "ih": ("ɪ",), "eh": ("ɛ",), "ae": ("æ",), "aa": ("ɑː", "ɑ"), "ah": ("ʌ",)},
    **{"ao": ("ɔː", "ɔ"), "uh": ("ʊ",), "uw": ("uː", "u"), "ux": ("ʉː", "ʉ"), "er": ("ɝ", "ɜː", "ɜ"), "ax": ("ə",)},
    **{
        "ix": ("ɨ",),
        "axr": ("ɚ",),
        "ey": ("eɪ", "ej"),
        "ay": ("aɪ", "aj"),
        "oy": ("ɔɪ", "ɔʏ", "ɔj"),
        "aw": ("aʊ", "aw"),
        "ow": ("oʊ", "əʊ", "ow", "əw"),
    },
}
# The letters of SAMPA and X-SAMPA that are not those of IPA. SAMPA writes "r" for any r, X-SAMPA "r\" for English.
_SAMPA = {
    **{"T": "θ", "D": "ð", "S": "ʃ", "Z": "ʒ", "N": "ŋ", "I": "ɪ", "E": "ɛ", "{": "æ", "A": "ɑ", "V": "ʌ", "O": "ɔ"},
    **{"U": "ʊ", "}": "ʉ", "3": "ɜ", "@": "ə", "1": "ɨ", "?": "ʔ", "4": "ɾ", ":": "ː", "Q": "ɒ", "6": "ɐ", "2": "ø"},
    **{"9": "œ", "&": "ɶ", "Y": "ʏ", "M": "ɯ", "7": "ɤ", "8": "ɵ", "C": "ç", "x": "x", "G": "ɣ", "R": "ʁ", "X": "χ"},
    **{"J": "ɲ", "L": "ʎ", "H": "ɥ", "B": "β", "F": "ɱ", "K": "ɬ", "P": "ʋ", "W": "ʍ", "g": "ɡ", "=": "̩", "~": "̃"},
}
_X_SAMPA = {
    **{"r\\": "ɹ", "h\\": "ɦ", "@`": "ɚ", "3`": "ɝ", "t_S": "tʃ", "d_Z": "dʒ", "G\\": "ɢ", "R\\": "ʀ", "B\\": "ʙ"},
    **{"j\\": "ʝ", "s\\": "ɕ", "z\\": "ʑ", "x\\": "ɧ", "v\\": "ʋ", "p\\": "ɸ", "X\\": "ħ", "?\\": "ʕ", "K\\": "ɮ"},
    **{"L\\": "ʟ", "M\\": "ɰ", "N\\": "ɴ", "I\\": "ᵻ", "U\\": "ᵿ", "@\\": "ɘ", "3\\": "ɞ", "l\\": "ɺ", "J\\": "ɟ"},
    **{"t`": "ʈ", "d`": "ɖ", "s`": "ʂ", "z`": "ʐ", "n`": "ɳ", "l`": "ɭ", "r`": "ɽ", "r\\`": "ɻ", "_=": "̩"},
}
_DIPHTHONGS = frozenset(
    (
        *("aɪ", "aʊ", "ɔɪ", "ɔʏ", "eɪ", "oʊ", "əʊ", "ɪə", "eə", "ɛə", "ʊə", "ai", "au", "oi", "ɔi", "ei", "ou", "eu"),
        *("ui", "ie", "uo", "ɔø", "ɛɪ", "œy", "ʌu", "ɛi", "ɑu", "iə", "uə", "yə", "ʌɪ", "ɑɪ", "ɑʊ"),
    )
)
_AFFRICATES = frozenset(("tʃ", "dʒ", "ts", "dz", "pf", "tɕ", "dʑ", "tʂ", "dʐ", "tθ", "kx"))
_VOWELS = frozenset("aeiouyɪɛæɑʌɔʊʉɜəɨɝɚɒɐøœɶʏɯɤɵɘɞ")
_LETTERS = frozenset("pbtdkɡgqɢcɟfvszxhjlmnŋrwɹɦʃʒθðçɣʁʀχħʕʔɾɲɳɴʎɥβɸɱɬɮʋʍɕʑɧʝʂʐʈɖɻɽɭɺʟɰʙᵻᵿɫʧʤʦʣ") | _VOWELS
# Signs of stress, of length, and of a tie between two letters.
_STRESS, _TIES = re.compile("[ˈˌ'\"%]"), re.compile("[\u0361\u035c]")
_MODIFIERS = re.compile("[\u0300-\u036fːˑʰʲʷˠˤʼ˞ⁿˡʱ]+")
# Stress, and where in a word Kaldi has seen the phone, are no part of the label.
_ARPABET = re.compile(r"([A-Za-z]{1,3})([0-2]?)(?:_[BIES])?")
_IN_ARPABET = frozenset(
    (
        *("aa", "ae", "ah", "ao", "aw", "ay", "b", "ch", "d", "dh", "dx", "eh", "el", "em", "en", "er", "ey", "f", "g"),
        *(
            "hh",
            "ih",
            "iy",
            "jh",
            "k",
            "l",
            "m",
            "n",
            "ng",
            "ow",
            "oy",
            "p",
            "q",
            "r",
            "s",
            "sh",
            "t",
            "th",
            "uh",
            "uw",
        ),
        *("v", "w", "y", "z", "zh", "ax", "axr", "ix", "ux", "nx", "eng"),
    )
)
_TIMIT_OF = {spelled: label for label, spellings in _IPA_OF.items() for spelled in spellings}


def to_timit(labels: Sequence[str], label_set: str = "auto") -> tuple[list[str], tuple[str, ...]]:
    """Say in TIMIT's labels what the labels of a corpus mean, where TIMIT has the sound.

    Parameters
    ----------
    labels : sequence of str
        All labels of the corpus.
    label_set : {"auto", "timit", "arpabet", "sampa", "x-sampa", "ipa", "keep"}, default "auto"
        What they are. "auto" is the set that has most of them and leads the others; where several have them and differ
        in what they mean, labels are kept. "keep" keeps them.

    Returns
    -------
    labels : list of str
        One for each. Pauses are "sil". What TIMIT lacks stays as it is, in brackets where TIMIT has that label for
        another sound. Two labels that differ by length stay two.
    notes : tuple of str
        One that says which set was taken, and why.

    Examples
    --------
    >>> to_timit(["S", "i:", "s", "i:"])[0]
    ['sh', 'iy', 's', 'iy']
    >>> to_timit(["SH", "IY1", "S"])[0]
    ['sh', 'iy', 's']
    >>> to_timit(["S", "T"])[0]  # of ARPABET or SAMPA
    ['S', 'T']
    """
    check_choice("labels", label_set, LABEL_SETS)
    known = sorted({label for label in labels if label.lower() not in SILENCES})
    told = [label for label in known if label.lower() not in _NOISES]
    chosen, notes = (label_set, ()) if label_set != "auto" else _recognised(told)
    spelled = _spellings(known, chosen)
    return [spelled.get(label, label if phone_class(label) == "silence" else "sil") for label in labels], notes


def _spellings(labels: Sequence[str], label_set: str) -> dict[str, str]:
    """Return TIMIT's label of each, where the set says one; no two labels that differ by length become one."""
    if label_set == "keep":
        return {label: label for label in labels}
    found = {label: _READERS[label_set](label) for label in labels}
    spelled = {}
    for label in labels:
        timit = found[label]
        if label_set in ("sampa", "x-sampa", "ipa") and timit is not None and _long_twin(label, labels, found):
            timit = None
        if timit is None:
            timit = label if phone_class(label) == OTHER or label_set == "timit" else f"[{label}]"
        spelled[label] = timit
    return spelled


def _long_twin(label: str, labels: Sequence[str], found: dict[str, str | None]) -> bool:
    """Tell whether the corpus has a long sound beside this short one, which TIMIT would call the same."""
    return any(other in (f"{label}ː", f"{label}:") and found[other] == found[label] for other in labels)


def _recognised(labels: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the set that has the labels, and a note."""
    if all(label.isdigit() for label in labels):
        return "keep", ()  # none, or numbers, of which "1" is a vowel in SAMPA
    shares = {name: sum(map(knows, labels)) / len(labels) for name, knows in _MEMBERS.items()}
    if len({label.isupper() for label in labels if label.isascii() and label.isalpha()}) > 1:
        shares["arpabet"] = min(shares["arpabet"], 0.5)  # it is in one case throughout
    best = max(shares.values())
    if best < _LEAST_SHARE:
        return "keep", (f"{_KEPT}: no set that is known has most of them. If they are of one, {_STATE}",)
    lead = _LEAST_LEAD if best < 1 else 0
    meanings: dict[tuple, str] = {}
    for name, share in shares.items():
        if share >= best - lead:
            meanings.setdefault(tuple(_spellings(labels, name).items()), name)
    if len(meanings) > 1:
        names = " or ".join(_TITLES[name] for name in meanings.values())
        return "keep", (f"{_KEPT}: they can be read as {names}. To have them read, {_STATE}",)
    ((spelled, name),) = meanings.items()
    changed = [f"{label} is {timit}" for label, timit in spelled if timit != label]
    if not changed:
        return name, ()
    count = sum(map(_MEMBERS[name], labels))
    more = ", ..." if len(changed) > 4 else ""
    return name, (
        f"Phone labels were read as {_TITLES[name]}, which has {count} of the {len(labels)} that occur: "
        f"{', '.join(changed[:4])}{more}. If they are of another, {_STATE}",
    )


def _from_timit(label: str) -> str | None:
    return label if phone_class(label) != OTHER else None


def _from_arpabet(label: str) -> str | None:
    parts = _ARPABET.fullmatch(label)
    plain = parts[1].lower() if parts else ""
    return plain if plain in _IN_ARPABET else None


def _from_ipa(label: str) -> str | None:
    return _TIMIT_OF.get(_plain_ipa(label))


def _from_sampa(label: str) -> str | None:
    spelled = _sampa_to_ipa(label, {})
    return None if spelled is None else _from_ipa(spelled)


def _from_x_sampa(label: str) -> str | None:
    spelled = _sampa_to_ipa(label, _X_SAMPA)
    return None if spelled is None else _from_ipa(spelled)


def _plain_ipa(label: str) -> str:
    """Return a label without stress and ties, in the form of the table."""
    return composed(_TIES.sub("", _STRESS.sub("", label)))


def _sampa_to_ipa(label: str, longer: dict[str, str]) -> str | None:
    """Return a label of SAMPA in IPA; None where a letter is not SAMPA's."""
    found, at, plain = [], 0, _STRESS.sub("", label)
    while at < len(plain):
        for length in (3, 2):
            if plain[at : at + length] in longer:
                found.append(longer[plain[at : at + length]])
                at += length
                break
        else:
            letter = plain[at]
            if letter == "_" and longer and at + 1 < len(plain):  # a sign of how it is said, such as _h
                found.append("ʰ")
                at += 2
                continue
            if letter not in _SAMPA and not (letter.isascii() and letter.islower()):
                return None
            found.append(_SAMPA.get(letter, letter))
            at += 1
    return composed("".join(found))


def _is_ipa(label: str) -> bool:
    """Tell whether a label is one sound in IPA: a letter with its signs, a diphthong or an affricate."""
    plain = _plain_ipa(label)
    if _from_ipa(label) is not None:
        return True
    letters = _MODIFIERS.sub("", unicodedata.normalize("NFD", plain))
    if len(letters) == 1:
        return letters in _LETTERS
    return letters in _DIPHTHONGS or letters in _AFFRICATES


def _is_sampa(label: str) -> bool:
    spelled = _sampa_to_ipa(label, {})
    return spelled is not None and (_is_ipa(spelled) or (spelled[-1] == "ɐ" and _is_ipa(spelled[:-1])))


def _is_x_sampa(label: str) -> bool:
    """Tell whether a label can be X-SAMPA, which has more letters than SAMPA."""
    spelled = _sampa_to_ipa(label, _X_SAMPA)
    return spelled is not None and _is_ipa(spelled)


_READERS: dict[str, Callable[[str], str | None]] = {
    "timit": _from_timit,
    "arpabet": _from_arpabet,
    "sampa": _from_sampa,
    "x-sampa": _from_x_sampa,
    "ipa": _from_ipa,
}
_MEMBERS: dict[str, Callable[[str], bool]] = {
    "timit": lambda label: _from_timit(label) is not None,
    "arpabet": lambda label: _from_arpabet(label) is not None,
    "sampa": _is_sampa,
    "x-sampa": _is_x_sampa,
    "ipa": lambda label: _is_ipa(label) and not re.search(r"[A-Z0-9@{}\\`:]", label),
}
_TITLES = {"timit": "TIMIT's", "arpabet": "ARPABET", "sampa": "SAMPA", "x-sampa": "X-SAMPA", "ipa": "IPA"}
