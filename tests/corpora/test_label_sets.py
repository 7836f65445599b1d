# ruff: noqa: RUF001
"""Labels mean what the set means that the whole corpus is in."""

import pytest

from layerstats.corpora.label_sets import to_timit
from layerstats.corpora.phone_classes import PHONE_CLASSES
from layerstats.errors import ArgumentError

GERMAN = ["a", "a:", "aI", "aU", "OY", "E", "e:", "I", "i:", "O", "o:", "U", "u:", "Y", "y:", "9", "2:", "@", "6", "6:"]
GERMAN += ["p", "b", "t", "d", "k", "g", "f", "v", "s", "z", "S", "Z", "C", "x", "h", "m", "n", "N", "l", "R", "j", "?"]
GERMAN += ["ts", "pf", "tS", "i:6", "E6", "<p:>"]


@pytest.mark.parametrize(
    ("labels", "expected", "named"),
    [
        (["S", "i:", "s", "i:"], ["sh", "iy", "s", "iy"], "SAMPA"),
        (["V", "D", "N", "S", "E", "I"], ["ah", "dh", "ng", "sh", "eh", "ih"], "SAMPA"),
        (["dZ", "T", "{", "@U", "3:"], ["jh", "th", "ae", "ow", "er"], "SAMPA"),
        (["r\\", "t_h", "S", "d_Z"], ["r", "t_h", "sh", "jh"], "X-SAMPA"),
        (["SH", "IY1", "S", "D", "N", "V"], ["sh", "iy", "s", "d", "n", "v"], "ARPABET"),
        (["AE1_B", "S_I", "K_E", "SIL"], ["ae", "s", "k", "sil"], "ARPABET"),
        (["ʃ", "aj", "ow", "ɲ", "tʲ", "iː", "spn"], ["sh", "ay", "ow", "ɲ", "tʲ", "iy", "spn"], "IPA"),
        (["ae1", "s", "k", "sil"], ["ae", "s", "k", "sil"], "ARPABET"),
        (["AE1", "S", "K", "ʌ"], ["ae", "s", "k", "ʌ"], "ARPABET"),
        (["ʃ", "iː", "t͡ʃ", "ˈeɪ", "ɹ"], ["sh", "iy", "ch", "ey", "r"], "IPA"),
        (["ə", "tʰ", "ɫ", "ɡ"], ["ax", "tʰ", "ɫ", "g"], "IPA"),
    ],
)
def test_sets_are_recognised(labels, expected, named):
    found, notes = to_timit(labels)
    assert found == expected
    assert f"read as {named}," in notes[0]
    assert "option labels" in notes[0]


TIMIT = sorted({label for labels in PHONE_CLASSES.values() for label in labels})


@pytest.mark.parametrize("labels", [["s", "t"], ["d", "n", "sil"], ["sh", "iy", "tcl", "h#"], ["ey", "aw", "s"], TIMIT])
def test_labels_of_timit_stay_and_need_no_note(labels):
    assert to_timit(labels) == (labels, ())


@pytest.mark.parametrize("labels", [["S", "T"], ["D", "N"], ["S"], ["K", "S", "T", "V", "sp"]])
def test_labels_of_several_sets_stay_as_they_are(labels):
    found, notes = to_timit(labels)
    assert found == [label.replace("sp", "sil") for label in labels]
    assert "kept as they are: they can be read as ARPABET or SAMPA" in notes[0]


def test_labels_of_no_set_stay_as_they_are():
    found, notes = to_timit(["C1", "V1", "pause", "foo"])
    assert found == ["C1", "V1", "pause", "foo"]
    assert "no set that is known" in notes[0]
    assert to_timit([]) == ([], ())
    assert to_timit(["sp", "", "<p:>"]) == (["sil"] * 3, ())


def test_german():
    found, notes = to_timit(GERMAN)
    timit = dict(zip(GERMAN, found, strict=True))
    assert "SAMPA" in notes[0]
    assert [timit[label] for label in ("S", "Z", "N", "C", "aI", "i:", "?", "<p:>")] == [
        *("sh", "zh", "ng", "C", "ay", "iy", "q", "sil")
    ]


def test_no_label_takes_that_of_another_sound():
    """French or German [y] is no glide, and a uvular stop no glottal one."""
    assert to_timit(["y", "q", "ʃ", "i"])[0] == ["[y]", "[q]", "sh", "iy"]


def test_length_that_distinguishes_is_kept():
    assert to_timit(["iː", "i", "ʃ"])[0] == ["iy", "i", "sh"]
    assert to_timit(["i", "ʃ"])[0] == ["iy", "sh"]
    assert to_timit(["s:", "s", "S", "t:", "t"])[0] == ["s:", "s", "sh", "t:", "t"]


@pytest.mark.parametrize(
    ("label_set", "expected"),
    [
        *[("arpabet", ["s", "t", "aa"]), ("sampa", ["sh", "th", "AA"]), ("x-sampa", ["sh", "th", "AA"])],
        *[("keep", ["S", "T", "AA"]), ("timit", ["S", "T", "AA"]), ("ipa", ["S", "T", "AA"])],
    ],
)
def test_a_set_that_is_stated(label_set, expected):
    assert to_timit(["S", "T", "AA"], label_set) == (expected, ())


def test_unknown_set():
    with pytest.raises(ArgumentError, match="'labels'"):
        to_timit(["s"], "kirshenbaum")


def test_numbers_are_no_sounds():
    assert to_timit(["1", "2"]) == (["1", "2"], ())
