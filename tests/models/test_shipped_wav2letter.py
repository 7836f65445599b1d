"""The network that ships for letters is small, and reads what its card says that it reads."""

import numpy as np
import pytest

from layerstats.corpora import demo_corpus, demo_sentences, read_librispeech
from layerstats.models import UTTERANCES, MelFrontEnd, load_checkpoint
from layerstats.models.letters import Alphabet, error_rates
from layerstats.resources import bundled
from layerstats.training import read_letters, utterance_features

PATH = bundled("data", "checkpoints", "wav2letter.safetensors")


def letter_errors(corpus):
    network, card = load_checkpoint(PATH)
    features = utterance_features(corpus, network.front_end)
    read = read_letters(network, features, np.arange(len(features.tokens)))
    return error_rates(features.tokens["text"], read).letter_error_rate, card


def told(card, side):
    return float(card.evaluation[side].removeprefix("letter error rate ").split()[0])


def test_it_says_what_it_is():
    network, card = load_checkpoint(PATH)
    assert card.name == "wav2letter"
    assert card.outputs == Alphabet().letters
    assert network.front_end.configuration == MelFrontEnd(**UTTERANCES).configuration
    assert network.receptive_field == 206
    assert {"seed", "hardware", "seconds", "tokens", "speakers", "precision"} <= set(card.training)
    assert PATH.with_suffix(".md").read_text(encoding="utf-8") == card.to_markdown()
    assert "Real speech is another matter" in " ".join(card.limits)
    assert PATH.stat().st_size < 8_000_000


def test_it_reads_new_sentences_by_new_voices():
    speech = demo_corpus(sentences=demo_sentences()).subset(split="test")
    new = speech.tokens.loc[(speech.tokens["voice_split"] == "test") & (speech.tokens["sentence_split"] == "test")]
    rate, card = letter_errors(speech.subset(tokens=new["token"].tolist()[:20]))
    # Twenty of some 200 utterances: within what they scatter.
    assert rate < told(card, "held_out_both") + 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("voices", "sentences"), [("test", "train"), ("train", "test"), ("test", "test")])
def test_held_out_speech_is_read_as_the_card_says(voices, sentences):
    names = {"testtrain": "held_out_voices", "traintest": "held_out_sentences", "testtest": "held_out_both"}
    speech = demo_corpus(sentences=demo_sentences(1000))
    side = speech.tokens.loc[(speech.tokens["voice_split"] == voices) & (speech.tokens["sentence_split"] == sentences)]
    rate, card = letter_errors(speech.subset(tokens=side["token"].tolist()))
    assert abs(rate - told(card, names[voices + sentences])) < 0.003


@pytest.mark.slow
@pytest.mark.realdata
def test_people_are_read_as_the_card_says(real_data):
    rate, card = letter_errors(read_librispeech(real_data("LibriSpeech")))
    assert abs(rate - told(card, "librispeech_test_other_sample")) < 0.003
