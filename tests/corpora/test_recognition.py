import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import PAPER_WORDS, Corpus, recognise_words
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import empty_phones
from layerstats.errors import ArgumentError


def test_synthetic_words_are_recognised(small_demo):
    held_out = small_demo.subset(split="test")
    found = recognise_words(held_out, PAPER_WORDS)
    assert found["token"].tolist() == held_out.tokens["token"].tolist()
    assert (found["heard"] == held_out.tokens["word"]).mean() > 0.8


def test_tokens_before_do_not_matter(small_demo):
    some = small_demo.subset(speakers=small_demo.speakers[0])
    together = recognise_words(some, PAPER_WORDS)["heard"].tolist()
    alone = [recognise_words(some.subset(tokens=token), PAPER_WORDS)["heard"].iloc[0] for token in some.tokens["token"]]
    assert together == alone


def test_noise_is_some_word_or_nothing():
    noise = np.random.default_rng(0).integers(-3000, 3000, 8000).astype(np.int16)
    tokens = pd.DataFrame({"token": ["t"], "word": ["?"], "speaker": ["x"], "split": ["test"], "duration_s": [0.5]})
    corpus = Corpus("noise", tokens, empty_phones(), 16000, MemoryAudio({"t": noise}))
    assert recognise_words(corpus, ["ask", "wash"])["heard"].iloc[0] in {"ask", "wash", "(nothing)"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["wash"], "two or more different"),
        ("wash", "two or more different"),
        (["wash", "Wash"], "two or more different"),
        (["wash", "wushle"], "dictionary, but 'wushle'"),
        (["wash", "ask | dark"], "dictionary, but 'ask | dark'"),
    ],
)
def test_bad_words_are_refused(small_demo, words, message):
    with pytest.raises(ArgumentError, match=message.replace("|", r"\|")):
        recognise_words(small_demo, words)
