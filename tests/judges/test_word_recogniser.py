import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import PAPER_WORDS, Clips, Corpus, demo_corpus
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import empty_phones
from layerstats.errors import ArgumentError
from layerstats.judges import WordRecogniser


def heard_in(corpus, words=PAPER_WORDS, **options):
    return WordRecogniser(words).judge(Clips(corpus, **options))


@pytest.fixture(scope="module")
def speech():
    return demo_corpus(voices=8)


def test_synthetic_words_are_recognised(speech):
    held_out = speech.subset(split="test")
    found = heard_in(held_out)
    assert found["token"].tolist() == held_out.tokens["token"].tolist()
    assert (found["response"] == held_out.tokens["word"]).mean() > 0.8


def test_tokens_before_do_not_matter(speech):
    some = speech.subset(speakers=speech.speakers[0])
    together = heard_in(some)["response"].tolist()
    alone = [heard_in(some.subset(tokens=token))["response"].iloc[0] for token in some.tokens["token"]]
    assert together == alone


def corpus_of(samples):
    tokens = {"token": ["t"], "word": ["?"], "speaker": ["x"], "split": ["test"], "duration_s": [len(samples) / 16000]}
    return Corpus("one", pd.DataFrame(tokens), empty_phones(), 16000, MemoryAudio({"t": samples}))


def test_noise_is_some_word_or_nothing():
    noise = np.random.default_rng(0).integers(-3000, 3000, 8000).astype(np.int16)
    assert heard_in(corpus_of(noise), ["ask", "wash"])["response"].iloc[0] in {"ask", "wash", "(nothing)"}


def test_what_was_cut_off_is_not_heard(speech):
    """Behind the end of the clip another word is said, as loud: heard is the first."""
    voice = speech.subset(speakers=speech.speakers[0])
    first, second = (voice.audio(str(voice.subset(words=word).tokens["token"].iloc[0])) for word in ("wash", "greasy"))
    # Filled up with faint noise to where the clip ends.
    room = np.random.default_rng(0).integers(-30, 30, 16384 - 800 - len(first)) / 32768
    both = np.rint(32767 * np.concatenate([first, room, second]) / np.abs(first).max()).clip(-32768, 32767)
    trimmed = heard_in(corpus_of(both.astype(np.int16)), ["wash", "greasy"], too_long="trim")
    assert trimmed["response"].tolist() == ["wash"]


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
def test_bad_words_are_refused(words, message):
    with pytest.raises(ArgumentError, match=message.replace("|", r"\|")):
        WordRecogniser(words)
