import pytest

from layerstats.corpora.phone_classes import PHONE_CLASSES, PHONE_SETS, labels_of, phone_class, phone_set
from layerstats.errors import ArgumentError

# The 61 labels of TIMIT's documentation (PHONCODE.DOC).
TIMIT = (
    *("b", "d", "g", "p", "t", "k", "dx", "q", "bcl", "dcl", "gcl", "pcl", "tcl", "kcl", "jh", "ch", "s", "sh"),
    *("z", "zh", "f", "th", "v", "dh", "m", "n", "ng", "em", "en", "eng", "nx", "l", "r", "w", "y", "hh", "hv", "el"),
    *("iy", "ih", "eh", "ey", "ae", "aa", "aw", "ay", "ah", "ao", "oy", "ow", "uh", "uw", "ux", "er", "ax", "ix"),
    *("axr", "ax-h", "pau", "epi", "h#"),
)


def test_classes_divide_the_labels_of_timit():
    labels = [label for members in PHONE_CLASSES.values() for label in members]
    assert len(labels) == len(set(labels))
    assert set(TIMIT) == set(labels) - {"sil"}  # the aligner's pause
    assert all(label in PHONE_CLASSES[phone_class(label)] for label in labels)


def test_sets_hold_known_labels_once():
    for name in PHONE_SETS:
        labels = labels_of(name)
        assert len(labels) == len(set(labels)), name
        assert all(phone_class(label) != "other" for label in labels), name
    assert not set(labels_of("vowel")) & set(labels_of("consonant"))
    assert set(labels_of("vowel")) | set(labels_of("consonant")) == set(TIMIT) - {"pau", "epi", "h#"}


def test_phone_set_mixes_labels_and_names():
    assert phone_set("s") == ("s",)
    assert phone_set(" voiced_stop,b, z ") == ("b", "d", "g", "z")
    for empty in ("", " , "):
        with pytest.raises(ArgumentError, match="set of phones"):
            phone_set(empty)


def test_unknown_name():
    with pytest.raises(ArgumentError, match="sibilant"):
        labels_of("hisses")
