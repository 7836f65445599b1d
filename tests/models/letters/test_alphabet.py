import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstats.corpora import demo_sentences
from layerstats.errors import ArgumentError
from layerstats.models.letters import ALPHABETS, Alphabet

TEXTS = st.text(alphabet="abcz' ", max_size=12)


@pytest.mark.parametrize("kind", ALPHABETS)
@given(text=TEXTS)
def test_what_is_encoded_is_decoded(kind, text):
    alphabet = Alphabet(kind)
    labels = alphabet.encode(text)
    assert alphabet.blank not in labels
    assert alphabet.decode(labels) == text


@given(text=TEXTS)
def test_signs_of_repetition_leave_no_label_twice_in_a_row(text):
    labels = Alphabet("repetition").encode(text)
    assert (labels[1:] != labels[:-1]).all()


@pytest.mark.parametrize("kind", ALPHABETS)
def test_paths_of_sentences_collapse_to_them(kind):
    alphabet = Alphabet(kind)
    for text in demo_sentences(50):
        frames = []
        for label in alphabet.encode(text):
            if frames and frames[-1] == label:
                frames.append(alphabet.blank)
            frames += [label, label]
        assert alphabet.decode(alphabet.collapse([*frames, alphabet.blank])) == text


@pytest.mark.parametrize(
    ("text", "signs"), [("hello", "hel2o"), ("aaa", "a3"), ("aaaa", "a3a"), ("aaaaab", "a3a2b"), ("ll ll", "l2 l2")]
)
def test_signs_of_repetition(text, signs):
    alphabet = Alphabet("repetition")
    assert "".join(alphabet.letters[label] for label in alphabet.encode(text)) == signs


def test_sign_of_repetition_after_nothing_is_nothing():
    alphabet = Alphabet("repetition")
    labels = [alphabet.letters.index(symbol) for symbol in "2a_2b"]
    assert alphabet.decode(labels) == "aab"


@pytest.mark.parametrize("text", [None, float("nan"), 3])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(ArgumentError, match=f"strings of letters, but got {text!r}"):
        Alphabet("ctc").encode(text)


def test_other_characters_are_refused():
    with pytest.raises(ArgumentError, match="has 'A', 'é'"):
        Alphabet().encode("Aé b")
    with pytest.raises(ArgumentError, match="'alphabet'"):
        Alphabet("asg")
